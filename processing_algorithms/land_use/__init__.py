"""Land use: what the land is used for, how much, where it changed.

Terms: *khoanh đất* (land-use polygon of the inventory, not a parcel), *mã loại đất* (code of the land law, such as
LUC, ONT). Areas in m2 inside, hectares in what is printed. Start with `statistics` (printed by `statistics_tables`), then
`change_matrix` (printed by `change_tables`). Both stand on `land_types` (the tree of codes), `placing` (pieces of one layer
in another), `double_counting` (ground a layer counts twice) and `closed_tables` (every printed total is the sum above it).
"""
