-- Who applied a changeset and which one it takes back; earlier incarnations of a restored hub; locks.
-- Statements end with ";" at the end of a line. A released file is never edited: a change is the next number.

ALTER TABLE quyhoach_changeset ADD COLUMN applied_by TEXT NOT NULL DEFAULT '';

ALTER TABLE quyhoach_changeset ADD COLUMN reverts INTEGER REFERENCES quyhoach_changeset (number);

-- One row per restore: the incarnation the backup was of, and its last ledger entry the backup still has. Up to there the
-- history of that incarnation is this file's own; what it wrote later exists in working copies at most.
CREATE TABLE quyhoach_incarnation (
    incarnation TEXT NOT NULL PRIMARY KEY,
    last_ledger_no INTEGER NOT NULL,
    restored_at TEXT NOT NULL
);

-- Rows nobody may change: those of a dataset whose plan_ref or year has the value. The changeset that locks may still
-- finish its own changes: an approval comes with its zones. A lifted lock stays on record.
CREATE TABLE quyhoach_lock (
    lock_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    dataset_id TEXT NOT NULL REFERENCES quyhoach_dataset (dataset_id),
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    changeset INTEGER,
    locked_by TEXT NOT NULL,
    locked_at TEXT NOT NULL,
    lifted_by TEXT,
    lifted_at TEXT,
    lifted_because TEXT
);

CREATE UNIQUE INDEX quyhoach_lock_in_force ON quyhoach_lock (dataset_id, value) WHERE lifted_at IS NULL;
