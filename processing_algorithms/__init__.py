"""The Processing provider and its rooms.

Each room answers the questions of one domain: `land_use/`, `zoning/`, `traffic/`, `disaster/`, and `provincial_database/`, which the
others read from; `common/` holds what all share. Inside, `name.py` computes on GeoDataFrames and arrays and knows nothing of QGIS;
`name_algorithm.py` beside it reads parameters, calls it and writes. New algorithms are listed in `provider`.
"""
