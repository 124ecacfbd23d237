"""Zoning: what the approved plans say about a parcel.

Terms: *ô quy hoạch* (zone of a sub-area plan), *chỉ tiêu sử dụng đất quy hoạch* (control figures), map-matching
tolerance (drawing accuracy in mm on paper times the scale). Areas in m2. Start with `parcel_zoning` (parcels by the
zones of one plan); the general polygon overlay it stands on is `common/overlay.py`.

Plans of several levels: `plan_answers` is the entrance (what all plans say about parcels on a day). It stands on
`plan_states` (which plans are in force, which one answers), `plan_pieces` (parcels cut by them), `plan_restrictions`
(what lies on top, and figures for single parcels), `plan_figures` (the figures that hold, with the reason),
`plan_contradictions`, and `plan_tables` (all that as tables). `plan_difference` compares two versions of a plan
(`plan_difference_tables`, its workbook), `plan_conflicts` the plans in force with each other; `parcel_brief` tells one
parcel's answer on a screen. `plan_sources`: all that from the shared database or from layers in hand.

Printed plans: `zoning_sheets` (what is on which sheet), on `sheet_index` (the division), `sheet_labels` (texts that lie
whole in their zones) and `sheet_symbols` (codes and official colours).

The electronic dossier of a plan (folder *HoSoGIS*, TT 16/2025): made, checked and exported in `dossier/`.

What QCVN 01 allows: `norm_limits` (density, floor-area ratio) and `norm_distances` (setback, distances, planted share)
look limits up for arrays of lots, with table, row and confidence (`norm_answers`; `norm_grid` between rows); `verdicts`
compares. `zoning_compliance` measures lots and buildings (`lot_measures`, `road_fronts`, `building_gaps`, with the errors
of `map_accuracy`), finds their kind and zones (`lot_kinds`, `zones_of_lots`; all together a `compliance_case`) and checks
them: `compliance_checks` (a check and its verdict), `compliance_of_plan`, `compliance_of_norms`; told by
`compliance_tables` and `compliance_workbook`.

Papers (*văn bản cung cấp thông tin quy hoạch*): `parcel_certificate` drafts them, for layers or for pasted `corners`
(their lines: `corner_lines`; as a file: `corner_files`); `paper_inputs` (all a paper is made from, as plain data), `paper_words` (what it says), `planning_paper` (made into a
snapshot once, written from it ever after), `paper_snapshot` (canonical text, digest, short code), `paper_register` (the
register in a hub), `paper_verify` (paper against register, register against today's data: `paper_now`).

Land balance: `land_balance` (areas that close to the boundary), `land_balance_norms` (land per person, by
`service_norms`, where the tighter of nation and province holds), `stated_balance` (a consultant's Excel table, on
`function_names`), `land_balance_workbook`.
"""
