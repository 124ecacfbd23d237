"""Disaster: hazard (a depth raster), exposure (what stands in it), and the reports made of both.

Terms: *mực nước* (level at a gauge, metres above a stated datum), *độ sâu ngập* (depth above ground). Depth rasters are metres,
float32, 0 = dry, nodata = terrain unknown. In the order of a flood morning:

  `terrain/`        prepared once: conditioned heights, drainage, height above it
  `bulletin/`       the forecasters' text into levels at stations
  `field_reports/`  what patrols and citizens saw
  `depth/`          hazard: where the water gets to and how deep, corrected by hand, compared with marks
  `scenarios/`      flood maps made elsewhere, found by level or release
  `exposure/`       buildings, people, roads and land in the water
  `streets/`        what can still be driven, who is cut off
  `report/`         all of it, as the annex to the quick report

Start with `depth/flood_depth.py`, then `exposure/flood_exposure.py`.
"""
