"""Exposure: what stands in the water.

`depth_classes` (from the norms), `depth_by_class`, `depth_at_shapes` (buildings, roads and land against a depth raster), `units` (everything counts
once), `exposure_places` (what lies where, worked out once for several rasters), `flood_exposure` (the tables), `exposure_run` and
`exposure_range` (low, middle, high). In print: `flood_exposure_workbook`, `exposure_range_workbook`.
"""
