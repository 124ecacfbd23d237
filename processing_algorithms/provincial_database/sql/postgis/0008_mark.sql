-- What tells one history from another where nothing else does: a machine put back to an earlier day is in the same place,
-- and after some work its transactions have counted on to where they once were.

-- A mark of the last changesets a snapshot of a generation had seen. All that was lost and all that came instead is at the
-- end, so the end is enough.
CREATE FUNCTION quyhoach.history_mark(generation integer, seen pg_snapshot) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(md5(string_agg(l.id, '' ORDER BY l.number)), '')
    FROM (SELECT c.number, c.changeset_id::text AS id FROM quyhoach.changeset c
          WHERE c.generation < $1 OR c.generation = $1 AND pg_visible_in_snapshot(c.xid, $2)
          ORDER BY c.number DESC LIMIT 1000) l
$$;
