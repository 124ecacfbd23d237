"""The shared provincial database (cơ sở dữ liệu dùng chung của tỉnh).

The *catalogue* says what a dataset is; the *hub* holds the truth, in PostGIS or in one GeoPackage; people work in *working
copies*. Terms: *dataset* (tập dữ liệu), ``fid`` (row number, each file's own), ``feature_id`` (UUID, forever).

A script or nightly job starts with `interface`: all names it needs, and an example that runs. To understand the code, read
`hub` (the contract of every hub, and how one is opened), then `changes` (what travels) and `merge` (field by field).

  `catalogue/`       what each dataset is, one TOML file each
  `geopackage/`      how SQLite keeps it, and the hub in one file
  `postgis/`         the hub on a server
  `working_copies/`  checkout, status, pull, push, conflicts, exchange by file
  `imports/`         layers of any origin into a hub; texts of old encodings into Unicode
  `history/`         as of a date, between two moments, taking a changeset back
  `administration/`  making, checking, saving, restoring, upgrading; who may do what
  `sql/`             the numbered SQL of both kinds of hub and of working copies

Used by several of them: `findings` (of a look at a hub), `acceptable` (what no hub takes), `unique_values` (what only one
feature may have), `unreadable_text`, `rows` (values in the one form in which equal means equal), `wkb_kinds`,
`typed_columns`, `row_filter`, `stored_tables` (tables a program altered), `paper_states`, `communes` (to choose from).
Beside them `hub_list`, `hub_export` and ``openlayers``: what is in a hub, and out of it.
"""
