"""The shared provincial database (cơ sở dữ liệu dùng chung của tỉnh).

The *catalogue* (TOML, one file per dataset) says what a dataset is; the *hub* holds the truth, in PostGIS or in one
GeoPackage; people work in *working copies*. Start with `catalogue/`, then `hub`, the contract of every hub, and `history`,
that of its past. A script or nightly job starts with `interface`: all names it needs, and an example that runs.
Terms: *dataset* (tập dữ liệu), ``fid`` (row number, each file's own), ``feature_id`` (UUID, forever).

What both kinds of hub share
  Made and kept: `hub_create`, `hub_list`, `administration` (checking, backup, restoring; what is found: `findings`), `offices` (departments, people),
  `own_rights` (what one may do), `communes` (to choose from), `stored_tables` (what layers a place holds).
  Rows: `rows` (as they travel), `typed_columns` (types in frames and SQL), `row_filter` (conditions as people write them),
  `hub_export`, `paper_states` (when a signed paper is fixed).
  An import: `field_mapping` (which column fills which field), `incoming_values` and `incoming_shapes` (what can be
  understood, and why not), `same_rows` (what the hub has already), `hub_import` (all of it), `rejected_rows` (nothing is
  lost).
GeoPackage hub
  `geopackage_hub`, with `geopackage_file` (what any GeoPackage of ours begins with), `_geometry`, `_index`, `_schema`,
  `_upgrade`; `_import`, `_submit` and `_exchange` (rows in, changes in, rows out); `_ledger`, `_history`, `_locks`,
  `_rights`; `_health`, `_backup`.
PostGIS hub
  `postgis_hub`, with `postgis_connection`, `_create`, `_schema`, `_upgrade`, `_copy`; `_import`, `_staging`, `_submit` and
  `_exchange`; `_history`, `_rights`; `_health`, `_backup`. The SQL it starts from is in `sql/postgis`, numbered.
Working copy
  `checkout` makes one; `working_copy` is one, with `working_copy_schema` (every edit is noticed), `working_copy_scope` and
  `scopes` (it grows and shrinks), `incoming_rows`, `schema_growth`.
  The exchange: `changes` (what travels), `merge` (three-way, field by field), `pull`, `to_receive` (how much it would
  bring), `push` with `outgoing`, `conflict_review`, `exchange_file` (all that by e-mail or USB), `after_restore`,
  `known_copies`.
"""
