"""GeoPackage: how SQLite keeps rows, shapes and triggers; and the hub in one GeoPackage file.

Of every GeoPackage of ours, working copies too: `file` (what it begins with), `schema` (the SQL of a dataset's table),
`geometry` (the header before the WKB), `index` (the spatial index of a full table).
Of the hub: `hub` (reading), `import_rows` (whole imports), `ledger` (who changed what) and `ledger_gaps` (triggers of others,
and what went past it), `exchange` and `submit` (handing over, taking in; the rows by `write_changes`, with
`unique_at_the_end` where a value only one may have changes hands, then `foreign_keys`), `history`, `locks` and `rights`
(against mistakes only: whoever holds the file can do anything), `health`, `backup`, `upgrade` (numbered SQL of
``sql/geopackage``).
"""
