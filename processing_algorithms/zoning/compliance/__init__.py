"""Lots and buildings against the plan's control figures and QCVN 01.

What is allowed: `norm_limits` (density, floor-area ratio) and `norm_distances` (setbacks, distances, planted share), on `norm_grid`
(interpolation) and `norm_answers`; `lot_kinds` (which table a lot is judged by). What is there: `lot_measures`, `road_fronts`,
`building_gaps`, `zones_of_lots`. `verdicts` compares. `zoning_compliance` puts `compliance_case` through `compliance_checks`, those
of `compliance_of_plan` and `compliance_of_norms`; printed by `compliance_tables` and `compliance_workbook`.
"""
