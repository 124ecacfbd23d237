"""The shared provincial database (cơ sở dữ liệu dùng chung của tỉnh).

The *catalogue* (TOML, one file per dataset) says what a dataset is; the *hub* holds the truth, in PostGIS or in one
GeoPackage; people work in *working copies*. Start with `catalogue/`, then `hub.py`, the contract of every hub.
A script or nightly job starts with `interface`: all names it needs, and an example that runs.

For the dock (`plugin/`): `to_receive` (how much a pull would bring), `own_rights` (what one may do), `communes` (to choose from).

An import: `field_mapping` (which column fills which field), `incoming_values` and `incoming_shapes` (what can be
understood, and why not), `same_rows` (what the hub has already), `hub_import` (all of it), `rejected_rows` (nothing is
lost). Terms: *dataset* (tập dữ liệu), ``fid`` (row number, each file's own), ``feature_id`` (UUID, forever).
"""
