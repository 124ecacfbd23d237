"""PostGIS: the hub on a server, where rights hold whatever program asks.

`connection` (where, and the server's refusals in our words), `hub` (the contract of `hub.Hub`), `schema` (the SQL of a
dataset's table) and `trigger_functions` (what its triggers refuse), `create` and `upgrade` (numbered SQL of
``sql/postgis``), `rights` (roles, people, locks), `exchange` (handing over), `copy_rows` (COPY, the fast way in),
`staging` and `submit` (a changeset: judged, then applied whole or not at all; `taking_turns` where a value only one may
have changes hands: triggers of others then see a value in between), `import_rows`, `history`, `health` and
`health_guards`, `ledger_gaps`, `own_functions` (of the numbered SQL), `backup`.
"""
