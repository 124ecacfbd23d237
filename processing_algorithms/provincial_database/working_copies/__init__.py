"""Working copies (bản dữ liệu làm việc): ordinary GeoPackages that any program edits, and their exchange with a hub.

`working_copy` (the file, and what was done in it) on `working_copy_schema` (triggers that notice every edit). Made by
`checkout`, of all or some of each dataset (`scopes`), enlarged and reduced by `working_copy_scope`; rows come in by
`incoming_rows`.
Exchange: `pull`, and `to_receive` (how much it would bring); `push`, with `outgoing` (changesets on their way);
`exchange_file` (the same by e-mail or USB stick); `conflict_review` (what waits for a person); `known_copies` (what the hub
knows of a copy); `after_restore` (the hub came back from a backup); `lost_tracking` (a program made a layer anew).
"""
