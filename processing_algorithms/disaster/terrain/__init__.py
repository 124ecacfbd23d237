"""The terrain, prepared once for all floods.

`terrain_ground` (heights and lines in memory), `d8` (directions), `depressions` (cut, then filled), `ways` (where the
water gets to), `drainage` (drained area, streams), `terrain_loops` and `depression_loops` (the same compiled, where numba is), `terrain_prepare` (all of it, in order), `terrain_model` (on
disk, with checksums).
"""
