-- The tables of a hub, beside those of sql/geopackage_file.sql.
-- Statements end with ";" at the end of a line. A released file is never edited: a change is the next number.

-- One row per fact about the hub: schema_version, incarnation, name, created_at.
-- A restored hub gets a new incarnation, so that working copies notice.
CREATE TABLE quyhoach_hub (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row per import: what came, from where, and what became of it.
CREATE TABLE quyhoach_import (
    import_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    dataset_id TEXT NOT NULL REFERENCES quyhoach_dataset (dataset_id),
    imported_at TEXT NOT NULL,
    source TEXT NOT NULL,
    field_mapping TEXT NOT NULL,
    total INTEGER NOT NULL,
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    notes TEXT NOT NULL
);

-- Rows an import did not take, whole: all attributes as they came (JSON), the shape as it came (WKB and its system), the reasons.
CREATE TABLE quyhoach_rejection (
    rejection_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    import_id INTEGER NOT NULL REFERENCES quyhoach_import (import_id),
    source_fid TEXT NOT NULL,
    reasons TEXT NOT NULL,
    attributes TEXT NOT NULL,
    geometry_wkb BLOB,
    crs TEXT
);

CREATE INDEX quyhoach_rejection_by_import ON quyhoach_rejection (import_id);
