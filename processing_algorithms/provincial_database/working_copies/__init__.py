"""Working copies (bản dữ liệu làm việc): ordinary GeoPackages that any program edits, and their exchange with a hub.

`working_copy` (the file, and what was done in it) on `working_copy_schema` (triggers that notice every edit). Made by
`checkout`, of all or some of each dataset (`scopes`), enlarged and reduced by `working_copy_scope`; rows come in by
`incoming_rows`.
Exchange: `pull`, and `to_receive` (how much it would bring); `push`, with `outgoing` (changesets on their way);
`exchange_file` (the same by e-mail or USB stick); `conflict_review` (what waits for a person); `known_copies` (what the hub
knows of a copy); `after_restore` (the hub came back from a backup); `lost_tracking` (a program made a layer anew, or an older program of ours
checked it out).

Programs that append (QGIS, ogr2ogr, ``to_file(mode="a")`` of geopandas) are tracked, and what comes with a ``feature_id`` that is there
gets one of its own. Whoever replaces a layer (``mode="w"``) takes its triggers away: the next pull notices, compares everything and
puts them back. GDAL 3.6 ends such a replacement by pyogrio with "no such trigger: rtree_..._update1" after the rows are written, in
every GeoPackage whose spatial index is of version 1.4, as ours and those of GDAL 3.7 and later are; nothing is lost by it.
"""
