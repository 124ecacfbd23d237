-- Functions of triggers are for our own tables only, and numbers of rows that came from outside are not given again.

-- As before, and only for tables of datasets: with the owner's rights this runs what the types of a table's columns bring
-- along, so it must never be on a table somebody else has made.
CREATE OR REPLACE FUNCTION quyhoach.record_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 SET jit = off AS $$
DECLARE
    columns text;
    source text;
    highest bigint;
BEGIN
    IF TG_TABLE_SCHEMA <> 'quyhoach_data' THEN
        RAISE EXCEPTION 'Bảng % không phải của cơ sở dữ liệu dùng chung (no table of the shared database).', TG_TABLE_NAME
            USING ERRCODE = 'QH001';
    END IF;
    -- to_jsonb would make GeoJSON of a shape, rounded; its text is exact.
    SELECT coalesce(string_agg(format(CASE t.typname WHEN 'geometry' THEN 'r.%1$I::text AS %1$I' ELSE 'r.%1$I' END,
                                      a.attname), ', ' ORDER BY a.attnum), '')
    INTO columns
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('fid', 'feature_id');
    -- OFFSET 0: a row is made JSON once, not wherever it is asked for.
    source := '(SELECT r.feature_id, (SELECT jsonb_strip_nulls(to_jsonb(c)) FROM (SELECT ' || columns || ') c) AS content '
              'FROM %s r OFFSET 0)';
    EXECUTE 'INSERT INTO quyhoach.ledger AS l (changeset, dataset_id, feature_id, old_row, new_row) SELECT $1, $2, '
        || CASE TG_OP
               WHEN 'INSERT' THEN 'n.feature_id, NULL, n.content FROM ' || format(source, 'new_rows') || ' n'
               WHEN 'DELETE' THEN 'o.feature_id, o.content, NULL FROM ' || format(source, 'old_rows') || ' o'
               ELSE 'n.feature_id, o.content, n.content FROM ' || format(source, 'new_rows') || ' n JOIN '
                    || format(source, 'old_rows') || ' o USING (feature_id) WHERE o.content <> n.content'
           END
        || ' ON CONFLICT ON CONSTRAINT one_entry DO UPDATE SET '
           'old_row = CASE WHEN l.new_row IS NOT DISTINCT FROM excluded.old_row '
           'THEN l.old_row ELSE excluded.old_row END, '
           'new_row = CASE WHEN l.new_row IS NOT DISTINCT FROM excluded.old_row '
           'THEN excluded.new_row ELSE l.new_row END'
    USING quyhoach.current_changeset(), TG_ARGV[0];
    IF TG_OP <> 'DELETE' THEN
        EXECUTE 'SELECT max(fid) FROM new_rows' INTO highest;
        PERFORM quyhoach.keep_ahead(TG_RELID, highest);
    END IF;
    RETURN NULL;
END $$;

-- A row that came with a fid of its own (psql, a program that keeps numbers) must not get in the way of the next one.
CREATE FUNCTION quyhoach.keep_ahead(target oid, highest bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE numbers regclass := pg_get_serial_sequence(target::regclass::text, 'fid');
BEGIN
    IF numbers IS NOT NULL AND highest > coalesce(pg_sequence_last_value(numbers), 0) THEN
        PERFORM setval(numbers, highest);
    END IF;
END $$;

DO $$
DECLARE
    target regclass;
    highest bigint;
BEGIN
    FOR target IN SELECT to_regclass(format('quyhoach_data.%I', d.table_name)) FROM quyhoach.dataset d LOOP
        EXECUTE format('SELECT max(fid) FROM %s', target) INTO highest;
        PERFORM quyhoach.keep_ahead(target, highest);
    END LOOP;
END $$;
