-- Whether a role sees all of a changeset, without telling anybody how much of it is out of their sight.

-- As before; whole: the present role sees every entry on both sides, and every field. Rights are those of who asks, though
-- the ledger is read with the owner's: that is what a view does and a function cannot.
CREATE OR REPLACE VIEW quyhoach.changesets WITH (security_barrier) AS
    SELECT c.number, c.changeset_id, c.author, c.applied_by, c.department, c.message, c.decision_no, c.made_at,
           c.applied_at, c.working_copy_id, c.reverts,
           NOT EXISTS (SELECT FROM quyhoach.ledger l LEFT JOIN quyhoach.rights() r ON r.dataset_id = l.dataset_id
                       WHERE l.changeset = c.number AND l.old_row IS DISTINCT FROM l.new_row
                         AND NOT coalesce(cardinality(r.hidden) = 0 AND (r.reads_all
                             OR (l.old_row IS NULL OR l.old_row ->> r.commune_field = ANY (r.reads))
                                AND (l.new_row IS NULL OR l.new_row ->> r.commune_field = ANY (r.reads))), false)) AS whole
    FROM quyhoach.changeset c
    WHERE c.applied_by = session_user OR quyhoach.has_role('owner')
       OR EXISTS (SELECT FROM quyhoach.ledger l JOIN quyhoach.rights() r ON r.dataset_id = l.dataset_id
                  WHERE l.changeset = c.number
                    AND (r.reads_all OR l.old_row ->> r.commune_field = ANY (r.reads)
                         OR l.new_row ->> r.commune_field = ANY (r.reads)));

DROP FUNCTION quyhoach.entries_of(bigint);
