-- Who may read and write what. Roles: <hub>_owner (administrators), <hub>_public, _internal, _restricted (how secret
-- what one may see is; each holds the one before), and one group per department. People are login roles in these groups.

-- Views of datasets without the columns a level may not see (made from the catalogue).
CREATE SCHEMA quyhoach_public;
CREATE SCHEMA quyhoach_internal;

CREATE TABLE quyhoach.department (
    role_name name PRIMARY KEY,
    label text NOT NULL,
    kind text NOT NULL
);

-- What a group or a person may do. A null dataset is all of them, a null commune the whole province. Every permission
-- reads.
CREATE TABLE quyhoach.permission (
    permission_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role_name name NOT NULL,
    dataset_id text REFERENCES quyhoach.dataset,
    commune_code text,
    may_write boolean NOT NULL,
    granted_by name NOT NULL DEFAULT session_user,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX permission_once
    ON quyhoach.permission (role_name, coalesce(dataset_id, ''), coalesce(commune_code, ''));

-- Whoever edits without saying for which department does it for the first of theirs.
CREATE FUNCTION quyhoach.department_of(person name) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(min(d.label), '') FROM quyhoach.department d JOIN pg_roles r ON r.rolname = d.role_name
    JOIN pg_auth_members m ON m.roleid = r.oid WHERE m.member = to_regrole(quote_ident(person))
$$;
ALTER TABLE quyhoach.changeset ALTER COLUMN department SET DEFAULT quyhoach.department_of(session_user);

-- Rows nobody may change: those of a dataset whose lock field (plan_ref, year) has the value.
CREATE TABLE quyhoach.lock (
    lock_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_id text NOT NULL REFERENCES quyhoach.dataset,
    value text NOT NULL,
    reason text NOT NULL,
    locked_by name NOT NULL DEFAULT session_user,
    locked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The transaction that locks may still finish its own changes: an approval comes with its zones.
    xid xid8 DEFAULT pg_current_xact_id(),
    started_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    lifted_by name,
    lifted_at timestamptz,
    lifted_because text
);
CREATE UNIQUE INDEX lock_in_force ON quyhoach.lock (dataset_id, value) WHERE lifted_at IS NULL;

CREATE FUNCTION quyhoach.has_role(part text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(pg_has_role(current_user, to_regrole(quote_ident(roles || '_' || part)), 'USAGE'), false)
    FROM quyhoach.hub
$$;

-- What the present role may do with one dataset, or with all.
CREATE FUNCTION quyhoach.rights(dataset text DEFAULT NULL)
RETURNS TABLE (
    dataset_id text, commune_field name, reads_all boolean, reads text[], writes_all boolean, writes text[], hidden text[]
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH me AS MATERIALIZED (
        SELECT quyhoach.has_role('owner') AS owner,
               CASE WHEN quyhoach.has_role('owner') OR quyhoach.has_role('restricted') THEN 2
                    WHEN quyhoach.has_role('internal') THEN 1
                    WHEN quyhoach.has_role('public') THEN 0 ELSE -1 END AS level
    ), mine AS MATERIALIZED (
        SELECT p.dataset_id, p.commune_code, p.may_write FROM quyhoach.permission p
        WHERE pg_has_role(current_user, to_regrole(quote_ident(p.role_name)), 'USAGE')
    )
    SELECT d.dataset_id, d.commune_field,
           me.owner OR d.secrecy <= me.level
               AND coalesce(bool_or(m.may_write IS NOT NULL AND (m.commune_code IS NULL OR d.commune_field IS NULL)), false),
           CASE WHEN d.secrecy <= me.level THEN array_agg(m.commune_code) FILTER (WHERE m.commune_code IS NOT NULL) END,
           me.owner OR d.secrecy <= me.level AND coalesce(bool_or(m.may_write AND m.commune_code IS NULL), false),
           CASE WHEN d.secrecy <= me.level
                THEN array_agg(m.commune_code)
                     FILTER (WHERE m.may_write AND m.commune_code IS NOT NULL AND d.commune_field IS NOT NULL) END,
           ARRAY(SELECT f.column_name::text FROM quyhoach.field f
                 WHERE f.dataset_id = d.dataset_id AND f.secrecy > me.level)
    FROM quyhoach.dataset d CROSS JOIN me
    LEFT JOIN mine m ON m.dataset_id IS NULL OR m.dataset_id = d.dataset_id
    WHERE dataset IS NULL OR d.dataset_id = dataset
    GROUP BY d.dataset_id, me.owner, me.level
$$;

-- Changes with the day they are, however a session sets its dates: the order of a set of rights says nothing.
CREATE FUNCTION quyhoach.rights_fingerprint() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT md5(string_agg(concat_ws('|', r.dataset_id, r.reads_all,
                                    (SELECT string_agg(DISTINCT c, ',' ORDER BY c) FROM unnest(r.reads) c),
                                    (SELECT string_agg(c, ',' ORDER BY c) FROM unnest(r.hidden) c),
                                    (SELECT string_agg(f.field_id || f.column_name, ',' ORDER BY f.field_id) FROM quyhoach.field f
                                     WHERE f.dataset_id = r.dataset_id)), ';' ORDER BY r.dataset_id))
    FROM quyhoach.rights() r
$$;

-- Values of a dataset's lock field that nobody may touch now, with the reason.
CREATE FUNCTION quyhoach.locks(dataset text) RETURNS TABLE (value text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.value, l.reason FROM quyhoach.lock l
    WHERE l.dataset_id = dataset AND l.lifted_at IS NULL
      AND NOT coalesce(l.xid = pg_current_xact_id() AND l.started_at = transaction_timestamp(), false)
$$;

-- The sentence that refuses a write; rights are already known to be lacking.
CREATE FUNCTION quyhoach.no_right(dataset text, commune text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s: tài khoản %s không có quyền ghi%s (no right to write here).', d.label_vi, current_user,
                  CASE WHEN commune IS NOT NULL THEN format(' ở xã, phường %s', commune) ELSE '' END)
    FROM quyhoach.dataset d WHERE d.dataset_id = dataset
$$;

-- Refuses in our words where row-level security would refuse in the server's; the last resort of a policy.
CREATE FUNCTION quyhoach.refuse_row(dataset text, commune text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'QH001', MESSAGE = quyhoach.no_right(dataset, commune);
END $$;

-- An approved plan locks itself and its zones.
CREATE FUNCTION quyhoach.lock_approved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO quyhoach.lock (dataset_id, value, reason)
    SELECT dataset_id, NEW.plan_ref, format('đồ án %s đã phê duyệt (the plan is approved)', NEW.plan_ref)
    FROM quyhoach.dataset WHERE lock_field = 'plan_ref'
    ON CONFLICT (dataset_id, value) WHERE lifted_at IS NULL DO NOTHING;
    RETURN NULL;
END $$;

-- History as the present role may see it: rows of communes it reads, without fields too secret for it. A row that came
-- from or went to a commune out of sight is seen on one side only.
CREATE VIEW quyhoach.history WITH (security_barrier) AS
    SELECT l.ledger_no, l.changeset, c.applied_at, c.generation, c.xid, l.dataset_id, l.feature_id,
           CASE WHEN r.reads_all OR l.old_row ->> r.commune_field = ANY (r.reads) THEN l.old_row - r.hidden END AS old_row,
           CASE WHEN r.reads_all OR l.new_row ->> r.commune_field = ANY (r.reads) THEN l.new_row - r.hidden END AS new_row,
           l.old_row IS NULL AS created, l.new_row IS NULL AS deleted
    FROM quyhoach.ledger l JOIN quyhoach.changeset c ON c.number = l.changeset
    JOIN quyhoach.rights() r ON r.dataset_id = l.dataset_id
    WHERE l.old_row IS DISTINCT FROM l.new_row
      AND (r.reads_all OR l.old_row ->> r.commune_field = ANY (r.reads)
           OR l.new_row ->> r.commune_field = ANY (r.reads));

-- Imports and the rows they did not take are for who imported, and for administrators.
ALTER TABLE quyhoach.import ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_imports ON quyhoach.import USING (imported_by = session_user) WITH CHECK (imported_by = session_user);
ALTER TABLE quyhoach.rejection ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rejections ON quyhoach.rejection
    USING (EXISTS (SELECT FROM quyhoach.import i WHERE i.import_id = rejection.import_id));

-- How many features a changeset touched, seen or not.
CREATE FUNCTION quyhoach.entries_of(changeset bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FROM quyhoach.ledger l WHERE l.changeset = $1 AND l.old_row IS DISTINCT FROM l.new_row
$$;

-- Changesets that hold something the present role may see, and its own.
CREATE VIEW quyhoach.changesets WITH (security_barrier) AS
    SELECT c.number, c.changeset_id, c.author, c.applied_by, c.department, c.message, c.decision_no, c.made_at,
           c.applied_at, c.working_copy_id, c.reverts
    FROM quyhoach.changeset c
    WHERE c.applied_by = session_user OR quyhoach.has_role('owner')
       OR EXISTS (SELECT FROM quyhoach.ledger l JOIN quyhoach.rights() r ON r.dataset_id = l.dataset_id
                  WHERE l.changeset = c.number
                    AND (r.reads_all OR l.old_row ->> r.commune_field = ANY (r.reads)
                         OR l.new_row ->> r.commune_field = ANY (r.reads)));

-- Try a statement on some positions, and tell which fail alone and why; nothing of it is meant to stay. Halves what
-- fails, so that a few faults among many are found soon. Runs with the caller's own rights.
CREATE FUNCTION quyhoach.try_each(statement text, positions integer[], most integer)
RETURNS TABLE (place integer, message text)
LANGUAGE plpgsql AS $$
DECLARE half integer := cardinality(positions) / 2;
BEGIN
    EXECUTE statement USING positions;
EXCEPTION WHEN OTHERS THEN
    IF cardinality(positions) <= 1 THEN
        RETURN QUERY SELECT positions[1], SQLERRM;
    ELSE
        RETURN QUERY SELECT * FROM quyhoach.try_each(statement, positions[:half], most) LIMIT most;
        GET DIAGNOSTICS half = ROW_COUNT;
        IF half < most THEN
            RETURN QUERY SELECT *
                         FROM quyhoach.try_each(statement, positions[cardinality(positions) / 2 + 1:], most - half);
        END IF;
    END IF;
END $$;
