-- The hub's own tables (schema quyhoach) and its ledger. Datasets are tables of schema quyhoach_data.
-- Run by the owner of the hub. A released file is never edited: a change is the next number.
--
-- Every function fixes its search_path: what a caller puts in the way of a name must not matter.

CREATE SCHEMA quyhoach;
CREATE SCHEMA quyhoach_data;

CREATE TABLE quyhoach.schema_version (
    number integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row. roles is how the names of this hub's roles begin; place is the very database the incarnation lives in;
-- crs is the system of srid as WKT, whatever a server's spatial_ref_sys says.
CREATE TABLE quyhoach.hub (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    hub_id uuid NOT NULL DEFAULT gen_random_uuid(),
    incarnation uuid NOT NULL DEFAULT gen_random_uuid(),
    generation integer NOT NULL DEFAULT 1,
    place text NOT NULL,
    name text NOT NULL,
    srid integer NOT NULL,
    crs text NOT NULL,
    roles text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The incarnations this database was, and what the latest backup of each had certainly seen: up to there the history of
-- whoever stands in that incarnation is this database's own.
CREATE TABLE quyhoach.incarnation (
    generation integer PRIMARY KEY,
    incarnation uuid NOT NULL UNIQUE,
    backed_up pg_snapshot
);

CREATE FUNCTION quyhoach.generation() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT generation FROM quyhoach.hub
$$;

-- Which dataset of the catalogue is which table here, by the ids that never change.
-- secrecy: 0 public, 1 internal, 2 restricted.
CREATE TABLE quyhoach.dataset (
    dataset_id text PRIMARY KEY,
    table_name name NOT NULL UNIQUE,
    label_vi text NOT NULL,
    commune_field name,
    lock_field name,
    secrecy smallint NOT NULL
);

CREATE TABLE quyhoach.field (
    field_id text PRIMARY KEY,
    dataset_id text NOT NULL REFERENCES quyhoach.dataset,
    column_name name NOT NULL,
    secrecy smallint NOT NULL,
    UNIQUE (dataset_id, column_name)
);

-- Allowed codes; checks read this table, so a new code needs no new trigger.
CREATE TABLE quyhoach.domain_value (
    domain text NOT NULL,
    code text NOT NULL,
    label_vi text NOT NULL,
    label_en text NOT NULL,
    PRIMARY KEY (domain, code)
);

-- One row per import, and the rows it did not take: whole, with the reasons.
CREATE TABLE quyhoach.import (
    import_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_id text NOT NULL REFERENCES quyhoach.dataset,
    imported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    imported_by name NOT NULL DEFAULT session_user,
    source text NOT NULL,
    field_mapping jsonb NOT NULL,
    total bigint NOT NULL,
    added bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    rejected bigint NOT NULL,
    notes text NOT NULL
);

CREATE TABLE quyhoach.rejection (
    rejection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_id bigint NOT NULL REFERENCES quyhoach.import,
    source_fid text NOT NULL,
    reasons text NOT NULL,
    attributes jsonb NOT NULL,
    geometry_wkb bytea,
    crs text
);
CREATE INDEX rejection_by_import ON quyhoach.rejection (import_id);

-- A changeset is one transaction: sent by a working copy, or made by itself for whoever else writes (psql, QGIS).
-- author is who made the changes, applied_by who brought them; with a changes file these differ.
-- xid says which snapshots have seen it; it counts within its incarnation only.
CREATE TABLE quyhoach.changeset (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changeset_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    author text NOT NULL DEFAULT session_user,
    applied_by name NOT NULL DEFAULT session_user,
    department text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    decision_no text NOT NULL DEFAULT '',
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    working_copy_id text,
    reverts bigint REFERENCES quyhoach.changeset,
    started_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    generation integer NOT NULL DEFAULT quyhoach.generation(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX changeset_by_xid ON quyhoach.changeset (xid, generation);
CREATE INDEX changeset_by_time ON quyhoach.changeset (applied_at, number);

-- Rows as JSON by column name, null fields left out; geometry as hex EWKB; fid is no part of history.
-- A changeset has one entry for a feature: what it was before and what it became, however often it was touched between.
-- An entry with the same on both sides came to nothing.
CREATE TABLE quyhoach.ledger (
    ledger_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Always of quyhoach.changeset, which is never deleted from: a foreign key would only cost a look-up for each row.
    changeset bigint NOT NULL,
    dataset_id text NOT NULL,
    feature_id uuid NOT NULL,
    old_row jsonb,
    new_row jsonb,
    CONSTRAINT one_entry UNIQUE (changeset, feature_id, dataset_id)
);
CREATE INDEX ledger_by_feature ON quyhoach.ledger (feature_id, ledger_no);

-- Where this database is: a copy, a restored dump and a rewound server are elsewhere.
CREATE FUNCTION quyhoach.place() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.system_identifier || '/' || c.timeline_id || '/' || d.oid
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()
$$;

-- Begin a new incarnation if this database is not where the old one lived. True when it did.
CREATE FUNCTION quyhoach.ensure_incarnation() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM quyhoach.hub WHERE place = quyhoach.place()) THEN
        RETURN false;
    END IF;
    UPDATE quyhoach.hub SET place = quyhoach.place(), incarnation = gen_random_uuid(), generation = generation + 1
    WHERE place <> quyhoach.place();
    IF NOT FOUND THEN
        RETURN false;  -- another session was first
    END IF;
    INSERT INTO quyhoach.incarnation (generation, incarnation) SELECT h.generation, h.incarnation FROM quyhoach.hub h;
    RETURN true;
END $$;

-- The changeset of this transaction; made when there is none yet.
CREATE FUNCTION quyhoach.current_changeset() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE found bigint;
BEGIN
    -- The time too: in a restored hub an old changeset may have the same xid.
    SELECT number INTO found FROM quyhoach.changeset
    WHERE xid = pg_current_xact_id() AND started_at = transaction_timestamp();
    IF found IS NULL THEN
        PERFORM quyhoach.ensure_incarnation();
        INSERT INTO quyhoach.changeset DEFAULT VALUES RETURNING number INTO found;
    END IF;
    RETURN found;
END $$;

-- At commit: the time at which others can see it. So the order in time is the order of the ledger for every single row.
CREATE FUNCTION quyhoach.close_changeset() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE quyhoach.changeset SET applied_at = clock_timestamp() WHERE number = NEW.number;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER close_changeset AFTER INSERT ON quyhoach.changeset
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quyhoach.close_changeset();

-- AFTER STATEMENT trigger of every dataset, with its transition tables; argument: dataset id. A row trigger costs ten
-- times as much. Columns are looked up each time, so that what an administrator adds to a table is history too.
-- Time zone and digits are fixed, or a session's settings would end up in the ledger.
--
-- A statement inside a trigger of somebody else is recorded before the statement around it; the entries are then joined
-- end to end, whichever comes first.
CREATE FUNCTION quyhoach.record_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 SET jit = off AS $$
DECLARE
    columns text;
    source text;
BEGIN
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
    RETURN NULL;
END $$;

-- History is only added to, even by the owner; only the transaction that makes a changeset may complete its entries.
CREATE FUNCTION quyhoach.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM quyhoach.changeset c WHERE c.number = OLD.changeset AND c.xid = pg_current_xact_id()
                   AND c.started_at = transaction_timestamp()) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Nhật ký thay đổi không được sửa hoặc xóa (the ledger is never changed or deleted).'
        USING ERRCODE = 'QH001';
END $$;

CREATE TRIGGER never_rewritten BEFORE UPDATE ON quyhoach.ledger
    FOR EACH ROW EXECUTE FUNCTION quyhoach.refuse_rewriting();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON quyhoach.ledger
    FOR EACH STATEMENT EXECUTE FUNCTION quyhoach.refuse_rewriting();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON quyhoach.changeset
    FOR EACH STATEMENT EXECUTE FUNCTION quyhoach.refuse_rewriting();

CREATE FUNCTION quyhoach.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'Không được xóa trắng bảng %; hãy xóa từng đối tượng để lịch sử còn đủ (TRUNCATE is refused, '
        'delete rows so that history is kept).', TG_TABLE_NAME USING ERRCODE = 'QH001';
END $$;

-- The changeset of a transaction that comes with its own id: number, and whether it is new here. A second sender of the
-- same id waits for the first.
CREATE FUNCTION quyhoach.open_changeset(
    id uuid, author text, department text, message text, decision_no text, made_at timestamptz, working_copy_id text,
    reverts bigint
) RETURNS TABLE (number bigint, fresh boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM quyhoach.ensure_incarnation();
    RETURN QUERY
        INSERT INTO quyhoach.changeset AS c
            (changeset_id, author, department, message, decision_no, made_at, working_copy_id, reverts)
        VALUES ($1, coalesce(nullif($2, ''), session_user), $3, $4, $5, $6, $7, $8)
        ON CONFLICT (changeset_id) DO NOTHING
        RETURNING c.number, true;
    IF NOT FOUND THEN
        RETURN QUERY SELECT c.number, false FROM quyhoach.changeset c WHERE c.changeset_id = $1;
    END IF;
END $$;

-- For who edits in psql or QGIS: say what this transaction is for.
CREATE FUNCTION quyhoach.describe(message text, decision_no text DEFAULT '') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE mine bigint := quyhoach.current_changeset();
BEGIN
    UPDATE quyhoach.changeset c SET message = $1, decision_no = $2 WHERE c.number = mine;
    RETURN mine;
END $$;
