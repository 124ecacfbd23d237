"""What all rooms share.

Without QGIS: `errors`, `language` (Vietnamese and English texts), `progress`, `packages` (what the machine lacks),
`crs` (the pinned VN-2000 shift), `areas`, `rounding` (totals that close), `numbers_vi` (decimal commas), `geometry`
(invalid, null and empty shapes), `raster` (block reading), `norms` (regulations as data), `workbook` (xlsx).
With QGIS: `qgis_layers` (layer to GeoDataFrame and back), `qgis_parameters` (one function per kind of parameter),
`qgis_algorithm` (the base of every algorithm), `qgis_crs` (the pinned shift in a project).
"""
