-- What changed since a position, without reading the whole ledger.

-- The changesets a snapshot of a generation had not seen: numbers only, so everybody may ask. Below xmin everything was visible.
CREATE FUNCTION quyhoach.changesets_since(generation integer, seen pg_snapshot) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(c.number ORDER BY c.number), '{}') FROM quyhoach.changeset c
    WHERE c.generation > $1 OR c.generation = $1 AND c.xid >= pg_snapshot_xmin($2) AND NOT pg_visible_in_snapshot(c.xid, $2)
$$;
