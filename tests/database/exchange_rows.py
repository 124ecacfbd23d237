"""What the offices of `exchange_machine` do to their rows: SQL any program could run, in three datasets at random.

Points with a commune, areas with a commune, areas without: a working copy holds each whole, by communes, by an area, or not
at all.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pyproj
import shapely
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions, to_blobs
from quyhoach.processing_algorithms.provincial_database.geopackage.schema import data_columns, quoted
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import conflicts
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy_schema import base_table

DATASETS = tuple(load_catalogue()[name] for name in ("facility", "hamlet", "river"))
CRS = pyproj.CRS(9214)
COMMUNES = ("99001", "99002", "99003")
#: Metres east. Two of the places are less than a millimetre apart: the same; the last is outside the area below.
PLACES = (10.0, 11.0, 10.0004, 400.0)
AREA = shapely.to_wkb(shapely.box(500000.0 - 50, 1800000.0 - 50, 500000.0 + 100, 1800000.0 + 50))
offices = st.integers(0, 2)
which = st.integers(0, 2)
picks = st.integers(0, 9)
words = st.sampled_from(["Trường", "Chợ", "Trạm y tế", "O'Brien\"; DROP TABLE facility; --", "é", "e\u0301"])
places = st.sampled_from(PLACES)


def shape(dataset, x):
    point = shapely.Point(500000.0 + x, 1800000.0)
    return point if dataset.geometry == "Point" else shapely.MultiPolygon([shapely.box(point.x, point.y, point.x + 5, point.y + 5)])


def wkb(dataset, x):
    return shapely.to_wkb(shape(dataset, x), byte_order=1, flavor="iso")


def new_row(dataset, name, x, commune):
    """A row the hub takes; ``commune`` where the dataset has one."""
    row = {field.name: field.domain.values[0].code if field.required and field.domain else None for field in dataset.fields}
    row |= {"hamlet_code": "1"} if "hamlet_code" in row else {}
    row |= {"commune_code": commune} if dataset.commune_field else {}
    return row | {"name": name, "geom": wkb(dataset, x)}


def scopes_at_random():
    """What a working copy may hold: one dataset at least; whole, by commune or by an area."""
    communes = st.frozensets(st.sampled_from(COMMUNES), min_size=1, max_size=2)
    area = st.just((None, AREA))
    whole = st.just((None, None))
    some = {dataset.name: st.one_of(st.none(), whole, area, communes.map(lambda held: (held, None)) if dataset.commune_field else area)
            for dataset in DATASETS}
    return st.fixed_dictionaries(some).map(
        lambda held: [Scope(name, *part) for name, part in held.items() if part is not None]).filter(bool)


class Edits:
    """Rules: one statement each, in the working copy of an office, by a program that is not ours."""

    def _run(self, office, *statements):
        """Run statements with their values in one transaction; a copy refuses what the catalogue does not allow."""
        with closing(sqlite3.connect(self.copies[office].path, isolation_level=None)) as database:
            register_functions(database)
            database.execute("BEGIN")
            for sql, *values in statements:
                database.execute(sql, values)
            database.execute("COMMIT")

    def _held(self, office, number):
        """One of the datasets a copy holds, and its table."""
        held = list(self.copies[office].datasets.values())
        dataset = held[number % len(held)]
        return dataset, quoted(dataset.name)

    @staticmethod
    def _pick(table, pick):
        return f"fid = (SELECT fid FROM {table} ORDER BY fid LIMIT 1 OFFSET {pick % 4})"

    @staticmethod
    def _copied(dataset, *but):
        """Columns of a dataset but some, for INSERT ... SELECT."""
        return ", ".join(quoted(name) for name in data_columns(dataset) if name not in but)

    @rule(office=offices, number=which, pick=picks, name=words)
    def rename(self, office, number, pick, name):
        _, table = self._held(office, number)
        self._run(office, (f"UPDATE {table} SET name = ? WHERE {self._pick(table, pick)}", name))

    @rule(office=offices, number=which, name=words)
    def note_many(self, office, number, name):
        _, table = self._held(office, number)
        self._run(office, (f"UPDATE {table} SET note = ? WHERE fid % 2 = 1", name))

    @rule(office=offices, number=which, pick=picks, commune=st.sampled_from([None, *COMMUNES]))
    def move_commune(self, office, number, pick, commune):
        dataset, table = self._held(office, number)
        if dataset.commune_field and (commune or not dataset.field("commune_code").required):
            self._run(office, (f"UPDATE {table} SET commune_code = ? WHERE {self._pick(table, pick)}", commune))

    @rule(office=offices, number=which, old=st.sampled_from(COMMUNES), new=st.sampled_from(COMMUNES))
    def merge_communes(self, office, number, old, new):
        dataset, table = self._held(office, number)
        if dataset.commune_field:
            self._run(office, (f"UPDATE {table} SET commune_code = ? WHERE commune_code = ?", new, old))

    @rule(office=offices, number=which, pick=picks, x=places)
    def reshape(self, office, number, pick, x):
        dataset, table = self._held(office, number)
        self._run(office, (f"UPDATE {table} SET geom = ? WHERE {self._pick(table, pick)}", self._blob(office, dataset, x)))

    @rule(office=offices, number=which, pick=picks)
    def delete(self, office, number, pick):
        _, table = self._held(office, number)
        self._run(office, (f"DELETE FROM {table} WHERE {self._pick(table, pick)}",))

    @rule(office=offices, number=which, kept=st.integers(0, 2))
    def delete_many(self, office, number, kept):
        _, table = self._held(office, number)
        self._run(office, (f"DELETE FROM {table} WHERE fid % 3 <> ? AND fid > 1", kept))

    @rule(office=offices, number=which, pick=picks, name=words)
    def duplicate(self, office, number, pick, name):
        """What QGIS does on copy and paste: all attributes, the identity too."""
        dataset, table = self._held(office, number)
        rest = self._copied(dataset, "name")
        self._run(office, (f"INSERT INTO {table} (feature_id, name, {rest}) SELECT feature_id, ?, {rest} FROM {table} WHERE {self._pick(table, pick)}", name))

    @rule(office=offices, number=which, pick=picks, name=words)
    def cut_and_paste(self, office, number, pick, name):
        """The identity is free when it comes back: it is the same feature."""
        dataset, table = self._held(office, number)
        rest = self._copied(dataset, "name")
        self._run(office, (f"CREATE TEMP TABLE cut AS SELECT * FROM {table} WHERE {self._pick(table, pick)}",),
                  (f"DELETE FROM {table} WHERE feature_id IN (SELECT feature_id FROM cut)",),
                  (f"INSERT INTO {table} (feature_id, name, {rest}) SELECT feature_id, ?, {rest} FROM cut", name))

    @rule(office=offices, number=which, pick=picks, name=words)
    def replace(self, office, number, pick, name):
        dataset, table = self._held(office, number)
        rest = self._copied(dataset, "name")
        self._run(office, (f"REPLACE INTO {table} (fid, name, {rest}) SELECT fid, ?, {rest} FROM {table} WHERE {self._pick(table, pick)}", name))

    @rule(office=offices, number=which, name=words, x=places, commune=st.sampled_from(COMMUNES))
    def draw(self, office, number, name, x, commune):
        dataset, table = self._held(office, number)
        row = {**new_row(dataset, name, x, commune), "geom": self._blob(office, dataset, x)}
        self._run(office, (f"INSERT INTO {table} ({', '.join(map(quoted, row))}) VALUES ({', '.join('?' * len(row))})", *row.values()))

    @rule(office=offices, number=which, pick=picks)
    def take_back(self, office, number, pick):
        """What the person did to one feature, undone by hand."""
        dataset, table = self._held(office, number)
        edited = list(self.copies[office].edits(dataset))
        if edited:
            change = edited[pick % len(edited)]
            columns, base = self._copied(dataset), quoted(base_table(dataset))
            drop = (f"DELETE FROM {table} WHERE feature_id = ?", change.feature_id)
            put = (f"INSERT INTO {table} (feature_id, {columns}) SELECT feature_id, {columns} FROM {base} WHERE feature_id = ?", change.feature_id)
            alter = (f"UPDATE {table} SET ({columns}) = (SELECT {columns} FROM {base} WHERE feature_id = ?1) WHERE feature_id = ?1", change.feature_id)
            self._run(office, drop if change.before is None else put if change.after is None else alter)

    @precondition(lambda self: any(any(conflicts(copy)) for copy in getattr(self, "copies", [])))
    @rule(office=offices, pick=picks, name=words, how=st.sampled_from(["edit", "edit", "note", "delete", "paste"]))
    def edit_what_is_disputed(self, office, pick, name, how):
        office = self._in_dispute(office)
        copy, disputed = self.copies[office], list(conflicts(self.copies[office]))
        conflict = disputed[pick % len(disputed)]
        dataset, table, id = copy.datasets[conflict.dataset], quoted(conflict.dataset), conflict.feature_id
        if how == "delete":
            self._run(office, (f"DELETE FROM {table} WHERE feature_id = ?", id))
        elif how != "paste":
            self._run(office, (f"UPDATE {table} SET {'name' if how == 'edit' else 'note'} = ? WHERE feature_id = ?", name, id))
        elif copy.row(dataset, id) is None:
            row = {**new_row(dataset, name, 10.0, COMMUNES[0]), "geom": self._blob(office, dataset, 10.0), "feature_id": id}
            self._run(office, (f"INSERT INTO {table} ({', '.join(map(quoted, row))}) VALUES ({', '.join('?' * len(row))})", *row.values()))

    def _in_dispute(self, office):
        """The next office that has disputes to settle."""
        return next(other % 3 for other in range(office, office + 3) if any(conflicts(self.copies[other % 3])))

    def _blob(self, office, dataset, x):
        return to_blobs(np.array([shape(dataset, x)], dtype=object), self.copies[office].srs_id)[0]
