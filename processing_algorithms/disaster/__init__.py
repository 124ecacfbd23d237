"""Disaster: hazard (a depth raster), exposure (what stands in it), and the reports made of both.

Terms: *mực nước* (level at a gauge, metres above a stated datum), *độ sâu ngập* (depth above ground). Depth rasters
are metres, float32, 0 = dry, nodata = terrain unknown. Start with `flood_depth.py`, then `flood_exposure.py`.
"""
