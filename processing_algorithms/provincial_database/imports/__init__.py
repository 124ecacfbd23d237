"""Importing layers of any origin into a dataset of a hub; nothing is lost on the way.

`hub_import` does all of it, on `field_mapping` (which column fills which field), `old_text` (TCVN3 and VNI into Unicode),
`incoming_values` and `incoming_shapes` (what can be understood, and why not), `same_rows` (what the hub has already),
`rejected_rows` (kept as they came, with the reason).

`decode_text` makes any layer's texts and names of fields Unicode, without a hub.
"""
