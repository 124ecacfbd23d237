"""Plans: what they say about parcels, and about each other.

`parcel_zoning` (parcels by the zones of one plan). Several levels: `plan_answers` is the entrance (what all plans say about
parcels on a day), on `plan_states` (which are in force, which one answers), `plan_pieces` (parcels cut by them),
`plan_restrictions` (what lies on top, and figures for single parcels), `plan_figures` (the figures that hold, with the reason),
`plan_contradictions`, `plan_tables`; `parcel_brief` tells one parcel's answer on a screen. `plan_difference` (and
`plan_difference_tables`) compares two versions, `plan_conflicts` the plans in force. `plan_sources` (from the hub, or layers in
hand), `map_accuracy` (how exactly a map can be measured), `function_names` (land functions as people write them).
"""
