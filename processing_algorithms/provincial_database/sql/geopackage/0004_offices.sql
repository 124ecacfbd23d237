-- Parents of split and copied features, working copies that have met the hub, departments and what they may write.
-- Statements end with ";" at the end of a line. A released file is never edited: a change is the next number.

-- The feature another one was split or copied from, where the sender knew.
ALTER TABLE quyhoach_ledger ADD COLUMN parent_id TEXT;

-- What a working copy said it holds when it last met the hub. unsent_since is when it first said so.
CREATE TABLE quyhoach_known_copy (
    working_copy_id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    unsent INTEGER NOT NULL,
    unsent_since TEXT,
    seen_at TEXT NOT NULL
);

-- Departments, and what each may write: a null dataset is all of them, a null commune the whole province. Whoever has the
-- file can do anything with it, so this guards pushes and changes files against mistakes only. Without departments
-- everybody may write everything.
CREATE TABLE quyhoach_department (
    name TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    kind TEXT NOT NULL
);

CREATE TABLE quyhoach_permission (
    department TEXT NOT NULL REFERENCES quyhoach_department (name),
    dataset_id TEXT,
    commune_code TEXT,
    may_write INTEGER NOT NULL
);

CREATE UNIQUE INDEX quyhoach_permission_once ON quyhoach_permission (department, coalesce(dataset_id, ''), coalesce(commune_code, ''));
