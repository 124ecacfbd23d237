"""Disaster: hazard (a depth raster), exposure (what stands in it), and the reports made of both.

Terms: *mực nước* (level at a gauge, metres above a stated datum), *độ sâu ngập* (depth above ground). Depth rasters
are metres, float32, 0 = dry, nodata = terrain unknown. Start with `flood_depth`, then `flood_exposure`.

Bulletin in: `bulletin_file`, `stations` (alarm levels, zeros), `bulletin_words` (what is a level, what is not),
`bulletin_sentences` and `bulletin_table` (whose level), `bulletin_doubts` (checks), `bulletin` (questions),
`bulletin_levels` (as a layer), `bulletin_text` (corrected, in words again).
Reports from the spot: `report_table` (any headings), `report_depth` (figures and words), `field_reports`.

Terrain, once: `terrain_ground` (heights and lines in memory), `d8` (directions), `depressions` (cut, then filled),
`ways` (where water gets to), `drainage` (area, streams), `terrain_loops`, `depression_loops` (the same compiled),
`terrain_prepare` (all of it, in order), `terrain_model` (on disk). From it `flood_hand` (depth from height above
drainage, with `network_stage`, stages along the streams).

Hazard: `gauges` (levels, checked and set on the terrain), `water_surface` (the level between gauges), `river_surface`
(along rivers), `dykes` (crests and breaches), `flood_depth` (where the water gets to, and how deep; in strips:
`flood_sweep`), `flood_preview` (coarse, for the screen). Maps made elsewhere: `scenario_library`, `scenario_import`,
`scenario_interpolation`; by hand: `flood_corrections`. Fit against what people saw: `mark_depths`, `depth_fit`.

Exposure: `depth_classes` (from the norms), `depth_at_shapes` (buildings) and `depth_by_class` (roads and land, by depth
class), `units` (everything counts once), `exposure_places` (what lies in which unit, once for several rasters),
`flood_exposure` (the tables), `flood_exposure_workbook` (the print); low, middle and high: `exposure_run`,
`exposure_range`, `exposure_range_workbook`. Streets: `vehicles` (what they bear), `road_depths`, `bridges`,
`flooded_network` (parts and ways), `flooded_network_tables` (who is cut off).

The report: `flood_report` (from a bulletin to figures in one go, with `flood_report_watch` and `report_previous`), its
`flood_report_tables`, `flood_report_columns`, `flood_report_pages`, `flood_report_words`, `flood_report_files`.
"""
