"""Hazard: where the water gets to, and how deep.

From levels: `gauges` (checked and set on the terrain), `water_surface` (between gauges) or `river_surface` (along rivers), `dykes`
(crests and breaches), `flood_depth` (depth, low, middle and
high) with `flood_sweep`. From the prepared terrain: `network_stage` (stages along the
streams), `flood_hand`. `flood_preview` is coarse, for the screen. By hand: `flood_corrections`. The fit against what people saw:
`mark_depths`, `depth_fit`.
"""
