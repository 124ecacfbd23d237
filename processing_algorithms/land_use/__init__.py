"""Land use: what the land is used for, how much, where it changed.

Terms: *khoanh đất* (land-use polygon of the inventory, not a parcel), *mã loại đất* (code of the land law, such as
LUC, ONT). Areas in m2 inside, hectares in what is printed. Start with `statistics.py`, then `change_matrix.py`.
"""
