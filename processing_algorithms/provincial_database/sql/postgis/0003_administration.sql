-- What an administrator wants to know: which working copies are out, and who was in which role when a backup was made.

CREATE TABLE quyhoach.working_copy (
    working_copy_id text PRIMARY KEY,
    person name NOT NULL DEFAULT session_user,
    name text NOT NULL,
    unsent bigint NOT NULL,
    oldest_edit timestamptz,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A working copy says what it holds whenever it meets the hub.
CREATE FUNCTION quyhoach.note_working_copy(id text, name text, unsent bigint, oldest_edit timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO quyhoach.working_copy AS w (working_copy_id, name, unsent, oldest_edit) VALUES ($1, $2, $3, $4)
    ON CONFLICT (working_copy_id) DO UPDATE
    SET name = excluded.name, unsent = excluded.unsent, oldest_edit = excluded.oldest_edit, seen_at = clock_timestamp()
    WHERE w.person = session_user
$$;

-- Whether all of some changesets are here, whoever may see them.
CREATE FUNCTION quyhoach.has_changesets(ids text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) = (SELECT count(DISTINCT i) FROM unnest(ids) i) FROM quyhoach.changeset c WHERE c.changeset_id::text = ANY (ids)
$$;

-- Roles belong to the server and not to the database: a dump has them only as far as they stand here.
CREATE TABLE quyhoach.membership (
    role_name name NOT NULL,
    member name NOT NULL,
    is_login boolean NOT NULL,
    PRIMARY KEY (role_name, member)
);

-- Called before a dump. What this transaction sees, the dump has; what it says of positions errs to the safe side.
CREATE FUNCTION quyhoach.note_backup() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE quyhoach.incarnation SET backed_up = pg_current_snapshot() WHERE generation = quyhoach.generation();
    DELETE FROM quyhoach.membership;
    INSERT INTO quyhoach.membership
    SELECT DISTINCT g.rolname, m.rolname, m.rolcanlogin
    FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    CROSS JOIN quyhoach.hub h
    WHERE NOT m.rolsuper AND (g.rolname IN (SELECT role_name FROM quyhoach.department)
        OR g.rolname IN (h.roles || '_owner', h.roles || '_public', h.roles || '_internal', h.roles || '_restricted'));
END $$;
