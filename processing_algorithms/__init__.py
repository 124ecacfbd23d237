"""The Processing provider and its rooms.

Each room answers the questions of one domain. Inside, `name.py` computes on GeoDataFrames and arrays and knows
nothing of QGIS; `name_algorithm.py` beside it reads parameters, calls it and writes. `common/` holds what all rooms
share. New algorithms are listed in `provider.py`.
"""
