"""Land use: what the land is used for, how much, where it changed.

Terms: *khoanh đất* (land-use polygon of the inventory, not a parcel), *mã loại đất* (code of the land law, such as LUC, ONT).
Areas in m2 inside, hectares in what is printed. Start with `statistics` (area by type and unit), then `change_matrix` (from one
date to another). Both stand on `land_types` (the tree of codes), `placing` (pieces that add up to every polygon) and
`double_counting` (ground counted twice); people get `statistics_tables` and `change_tables`, with `closed_tables` (every printed
total is the sum of what is printed above it).
"""
