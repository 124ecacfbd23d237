-- Parents of split and copied features, imports that fill an approved plan, and working copies that change hands.

-- The feature another one was split or copied from, where the sender knew; null for what came by other ways.
ALTER TABLE quyhoach.ledger ADD COLUMN parent_id uuid;

CREATE OR REPLACE VIEW quyhoach.history WITH (security_barrier) AS
    SELECT l.ledger_no, l.changeset, c.applied_at, c.generation, c.xid, l.dataset_id, l.feature_id,
           CASE WHEN r.reads_all OR l.old_row ->> r.commune_field = ANY (r.reads) THEN l.old_row - r.hidden END AS old_row,
           CASE WHEN r.reads_all OR l.new_row ->> r.commune_field = ANY (r.reads) THEN l.new_row - r.hidden END AS new_row,
           l.old_row IS NULL AS created, l.new_row IS NULL AS deleted, l.parent_id
    FROM quyhoach.ledger l JOIN quyhoach.changeset c ON c.number = l.changeset
    JOIN quyhoach.rights() r ON r.dataset_id = l.dataset_id
    WHERE l.old_row IS DISTINCT FROM l.new_row
      AND (r.reads_all OR l.old_row ->> r.commune_field = ANY (r.reads)
           OR l.new_row ->> r.commune_field = ANY (r.reads));

-- Say of features this transaction has made which ones they come from; entries of other transactions are left alone.
CREATE FUNCTION quyhoach.note_parents(children uuid[], parents uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE quyhoach.ledger l SET parent_id = f.parent
    FROM unnest(children, parents) f (child, parent), quyhoach.changeset c
    WHERE l.feature_id = f.child AND l.old_row IS NULL AND l.changeset = c.number
      AND c.xid = pg_current_xact_id() AND c.started_at = transaction_timestamp()
$$;

-- Whether rows an import has just added may stay although their plan is locked: legacy data come plan first, zones after.
-- Only where the plan is locked by its approval and had no rows in the dataset yet; what a hand has locked stays as it is.
CREATE FUNCTION quyhoach.may_fill(dataset text, plan text, added bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    there bigint;
    target name;
BEGIN
    IF coalesce(current_setting('quyhoach.importing', true), '') <> 'yes' THEN
        RETURN false;
    END IF;
    SELECT d.table_name INTO target FROM quyhoach.dataset d WHERE d.dataset_id = $1 AND d.lock_field = 'plan_ref';
    IF target IS NULL OR EXISTS (SELECT FROM quyhoach.lock l WHERE l.dataset_id = $1 AND l.value = $2
                                 AND l.lifted_at IS NULL AND l.xid IS NULL) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT count(*) FROM quyhoach_data.%I WHERE plan_ref = $1', target) INTO there USING $2;
    RETURN there = $3;
END $$;

-- As before, and a sender who names no department is of the one they belong to.
CREATE OR REPLACE FUNCTION quyhoach.open_changeset(
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
        VALUES ($1, coalesce(nullif($2, ''), session_user), coalesce(nullif($3, ''), quyhoach.department_of(session_user)),
                $4, $5, $6, $7, $8)
        ON CONFLICT (changeset_id) DO NOTHING
        RETURNING c.number, true;
    IF NOT FOUND THEN
        RETURN QUERY SELECT c.number, false FROM quyhoach.changeset c WHERE c.changeset_id = $1;
    END IF;
END $$;

-- Whoever meets the hub with a working copy is who has it now.
CREATE OR REPLACE FUNCTION quyhoach.note_working_copy(id text, name text, unsent bigint, oldest_edit timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO quyhoach.working_copy AS w (working_copy_id, name, unsent, oldest_edit) VALUES ($1, $2, $3, $4)
    ON CONFLICT (working_copy_id) DO UPDATE
    SET name = excluded.name, unsent = excluded.unsent, oldest_edit = excluded.oldest_edit, seen_at = clock_timestamp(),
        person = session_user
$$;
