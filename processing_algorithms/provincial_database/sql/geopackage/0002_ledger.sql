-- The change ledger (nhật ký chỉnh sửa) and the changesets (đợt cập nhật) its entries belong to.
-- Statements end with ";" at the end of a line. A released file is never edited: a change is the next number.

CREATE TABLE quyhoach_changeset (
    number INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    changeset_id TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    department TEXT NOT NULL,
    message TEXT NOT NULL,
    decision_no TEXT NOT NULL,
    made_at TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    working_copy_id TEXT
);

-- One entry per feature touched, in the order it happened. The rows themselves, before and after, are in
-- quyhoach_ledger_<dataset>. Entries without a changeset come from other programs and get one at the next opening.
CREATE TABLE quyhoach_ledger (
    ledger_no INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    changeset INTEGER REFERENCES quyhoach_changeset (number),
    dataset_id TEXT NOT NULL,
    feature_id TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE INDEX quyhoach_ledger_by_feature ON quyhoach_ledger (dataset_id, feature_id, ledger_no);

CREATE INDEX quyhoach_ledger_by_changeset ON quyhoach_ledger (changeset);

CREATE INDEX quyhoach_ledger_without_changeset ON quyhoach_ledger (ledger_no) WHERE changeset IS NULL;

-- The changeset our own program is writing, put in and taken out within one transaction.
CREATE TABLE quyhoach_writing (
    changeset INTEGER NOT NULL
);
