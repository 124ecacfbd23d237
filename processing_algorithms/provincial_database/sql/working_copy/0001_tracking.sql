-- What a working copy knows beside its datasets. The tables every GeoPackage has come from sql/geopackage/0001.
-- Statements end with ";" at the end of a line. A released file is never edited: a change is the next number.

-- Facts: format, working_copy_id, name, hub (where, never a password), hub_id, incarnation, token, srs_id, checked_out_at, pulled_at.
CREATE TABLE quyhoach_working_copy (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- What was checked out: everything of a dataset (both NULL), some communes (JSON list), or what touches a shape (WKB).
CREATE TABLE quyhoach_scope (
    dataset_id TEXT NOT NULL PRIMARY KEY,
    communes TEXT,
    polygon BLOB
);

-- A row in here means that our own program is writing and the tracking triggers keep silent. It is put in and taken out
-- within one transaction, so a killed program cannot leave tracking off.
CREATE TABLE quyhoach_applying (
    reason TEXT NOT NULL
);

-- The feature another one was split or copied from.
CREATE TABLE quyhoach_parent (
    dataset_id TEXT NOT NULL,
    feature_id TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    PRIMARY KEY (dataset_id, feature_id)
);

-- Identity of a row that REPLACE is about to delete, for the row that takes its place. Empty between statements.
CREATE TABLE quyhoach_replaced (
    dataset_id TEXT NOT NULL,
    fid INTEGER NOT NULL,
    feature_id TEXT
);

-- Changesets on their way, oldest first: frozen before the first attempt to send, gone when the hub has answered.
CREATE TABLE quyhoach_outgoing (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    changeset_id TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    department TEXT NOT NULL,
    message TEXT NOT NULL,
    decision_no TEXT NOT NULL,
    made_at TEXT NOT NULL,
    changes BLOB NOT NULL
);

-- One row per feature that could not be merged; rows as JSON, shapes as GeoPackage geometry to be drawn.
CREATE TABLE quyhoach_conflict (
    dataset_id TEXT NOT NULL,
    feature_id TEXT NOT NULL,
    clash TEXT NOT NULL,
    fields TEXT NOT NULL,
    base TEXT,
    ours TEXT,
    theirs TEXT,
    base_geom BLOB,
    ours_geom BLOB,
    theirs_geom BLOB,
    noticed_at TEXT NOT NULL,
    PRIMARY KEY (dataset_id, feature_id)
);
