"""Rows as they travel (`changes.Row`), from and to what a GeoPackage keeps, and as JSON."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import shapely

from ..common.errors import InputError, name_some
from ..common.language import say
from .catalogue.model import GEOMETRY, Dataset, Field
from .changes import Row, Value
from .geopackage.geometry import to_blobs, wkb_of
from .wkb_kinds import WKB_TYPES, is_measured

_SHAPE = "wkb"
_MANY = {"MultiPolygon": shapely.MultiPolygon, "MultiLineString": shapely.MultiLineString}
#: What values of a field are that need no second look.
_PLAIN: dict[str, set[type]] = {"text": {str}, "integer": {int}, "real": {float}}


def row_from_sqlite(dataset: Dataset, values: Sequence[object]) -> Row:
    """Build a row from the values of `geopackage_schema.data_columns`, in that order."""
    return rows_from_sqlite(dataset, [values])[0]


def rows_from_sqlite(dataset: Dataset, rows: Sequence[Sequence[object]],
                     ids: Sequence[object] | None = None) -> list[Row]:
    """Build many rows at once, which is several times faster: see `row_from_sqlite`.

    Raises
    ------
    InputError
        Shapes that cannot be read, which any program may have written; named by ``ids``.
    """
    fields = dataset.fields
    # Column by column: values mostly are what they should be, which is seen without looking at them one by one.
    columns = list(zip(*rows)) if rows else [()] * (len(fields) + bool(dataset.geometry))
    tidy = [_canonical_column(values, field) for values, field in zip(columns, fields)]
    names = dataset.field_names
    built: list[Row] = [dict(zip(names, values)) for values in zip(*tidy)] if tidy else [{} for _ in rows]
    if dataset.geometry:
        for row, wkb in zip(built, shapes_of(dataset, columns[len(fields)], ids)):
            row[GEOMETRY] = wkb
    return built


def cut_to(dataset: Dataset, columns: Collection[str]) -> Dataset:
    """Return a dataset that has some of the columns only."""
    return replace(dataset, fields=tuple(field for field in dataset.fields if field.name in columns),
                   geometry=dataset.geometry if GEOMETRY in columns else None)


def pairs_from_sqlite(
    dataset: Dataset, before: Sequence[Sequence[object]], after: Sequence[Sequence[object]], ids: Sequence[object]
) -> tuple[list[Row], list[Row]]:
    """Build the rows of both sides; a shape that is the same on both is read once."""
    if not dataset.geometry:
        return rows_from_sqlite(dataset, before, ids), rows_from_sqlite(dataset, after, ids)
    flat = cut_to(dataset, dataset.field_names)
    olds, news = rows_from_sqlite(flat, before, ids), rows_from_sqlite(flat, after, ids)
    for old, wkb in zip(olds, shapes_of(dataset, [values[-1] for values in before], ids)):
        old[GEOMETRY] = wkb
    other = [position for position, (was, became) in enumerate(zip(before, after)) if was[-1] != became[-1]]
    for old, new in zip(olds, news):
        new[GEOMETRY] = old[GEOMETRY]
    shapes = shapes_of(dataset, [after[position][-1] for position in other], [ids[position] for position in other])
    for position, wkb in zip(other, shapes):
        news[position][GEOMETRY] = wkb
    return olds, news


def shapes_of(dataset: Dataset, blobs: Sequence[object], ids: Sequence[object] | None) -> list[bytes | None]:
    """Return the shapes (WKB) of features; those that cannot be read are named (`rows_from_sqlite`)."""
    try:
        return _to_wkb(blobs, dataset.geometry)
    except UNREADABLE as error:
        raise _unreadable(dataset, blobs, ids) from error


def _canonical_column(values: Sequence[object], field: Field) -> Sequence[Value]:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= _PLAIN.get(field.type, set()) and (field.type != "real" or all(value == value for value in values)):
        return values  # type: ignore[return-value]
    return [canonical(value, field) for value in values]


def row_to_sqlite(dataset: Dataset, row: Row, srs_id: int) -> list[object]:
    """Return the values of a row in the order of `geopackage_schema.data_columns`; a field it lacks is null."""
    return rows_to_sqlite(dataset, [row], srs_id)[0]


def rows_to_sqlite(dataset: Dataset, rows: Sequence[Row], srs_id: int) -> list[list[object]]:
    """Return the values of many rows at once, which is several times faster: see `row_to_sqlite`."""
    names = dataset.field_names
    stored = [[_stored(row.get(name)) for name in names] for row in rows]
    if dataset.geometry:
        for values, blob in zip(stored, blobs_of([row.get(GEOMETRY) for row in rows], srs_id)):
            values.append(blob)
    return stored


def canonical(value: object, field: Field) -> Value:
    """Bring a stored value to the one form in which equal means equal.

    Values of a wrong type, which SQLite lets any program write, are passed on as they are: the hub refuses them with
    its own words, and nothing is lost before.
    """
    if value is None or isinstance(value, float) and math.isnan(value):
        return None
    if field.type == "boolean" and value in (0, 1):
        return bool(value)
    if field.type == "real" and isinstance(value, int):
        return float(value)
    if field.type == "date" and isinstance(value, str):
        return value[:10]
    if field.type == "datetime" and isinstance(value, str):
        return instant(value)
    return value if isinstance(value, (str, int, float, bool, bytes)) else str(value)


def instant(text: str) -> str:
    """Write an instant as UTC to the millisecond; text that is none stays as it is. Without a zone it is UTC.

    An instant that is before the first year or after the last one in UTC stays as it is, too.

    Examples
    --------
    >>> instant("2026-11-22T07:00:00+07:00"), instant("2026-11-22 00:00:00")
    ('2026-11-22T00:00:00.000Z', '2026-11-22T00:00:00.000Z')
    """
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return text


def now() -> str:
    """This instant, in the form rows and ledgers keep."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stored(value: Value) -> object:
    return int(value) if isinstance(value, bool) else value


def _to_wkb(blobs: Sequence[object], kind: str) -> list[bytes | None]:
    """Return shapes in the one form in which equal means equal.

    A polygon or line where the layer has many in one is one of one: programs such as ogr2ogr write both. What has
    measures, which GEOS may drop without a word, is passed on as it is: the hub refuses it with its own words.
    """
    raw = [None if blob is None else wkb_of(blob) for blob in blobs]  # type: ignore[arg-type]
    shapes = shapely.from_wkb(np.array(raw, dtype=object))
    usual = b"\x01" + WKB_TYPES[kind].to_bytes(4, "little")
    odd = [position for position, wkb in enumerate(raw) if wkb is not None and not wkb.startswith(usual)]
    for position in odd:
        if f"Multi{shapes[position].geom_type}" == kind:
            shapes[position] = _MANY[kind]([] if shapes[position].is_empty else [shapes[position]])
    found = shapely.to_wkb(shapes, byte_order=1, include_srid=False, flavor="iso").tolist()
    for position in odd:
        if is_measured(raw[position]):
            found[position] = raw[position]
    return found


#: What reading bytes that are no shape raises; NotImplementedError since shapely 2.1, of arcs.
UNREADABLE = (ValueError, TypeError, IndexError, NotImplementedError, shapely.errors.ShapelyError)


def _unreadable(dataset: Dataset, blobs: Sequence[object], ids: Sequence[object] | None) -> InputError:
    bad = []
    for position, blob in enumerate(blobs):
        try:
            _to_wkb([blob], dataset.geometry)
        except UNREADABLE:
            bad.append(position)
    named = "" if ids is None else f" ({name_some([ids[position] for position in bad])})"
    return InputError(say("{dataset}: {n} đối tượng có hình không đọc được, chẳng hạn có cung tròn{named}; hãy chuyển thành đoạn thẳng, vẽ lại hoặc xóa "
                          "các đối tượng đó.",
                          "{dataset}: the shapes of {n} features cannot be read, or have arcs{named}; make straight lines of them, draw them "
                          "anew or delete them.")
                      .format(dataset=dataset.label, n=len(bad), named=named))


def blob_of(wkb: Value, srs_id: int) -> bytes | None:
    """Return a shape (WKB) as GeoPackage geometry."""
    return blobs_of([wkb], srs_id)[0]


def blobs_of(shapes: Sequence[Value], srs_id: int) -> list[bytes | None]:
    """Return shapes (WKB) as GeoPackage geometry; what is no shape is null."""
    wkb = np.full(len(shapes), None, dtype=object)
    wkb[:] = [shape if isinstance(shape, bytes) else None for shape in shapes]
    return to_blobs(shapely.from_wkb(wkb), srs_id)


def row_to_json(row: Row | None) -> str | None:
    """Write a row as JSON; floats keep every digit, shapes are hexadecimal WKB. Infinity travels: the hub is who refuses it."""
    return None if row is None else json.dumps(row_to_plain(row), ensure_ascii=False)


def row_to_plain(row: Row | None) -> dict[str, object] | None:
    """Return a row as JSON can write it."""
    if row is None:
        return None
    return {name: bytes_to_plain(value) if isinstance(value, bytes) else value for name, value in row.items()}


def bytes_to_plain(value: bytes) -> dict[str, str]:
    """Return a shape as JSON can write it; for `json.dumps` too, which asks for nothing else in a row."""
    return {_SHAPE: value.hex()}


def row_from_json(text: str | None) -> Row | None:
    """Read what `row_to_json` wrote.

    Raises
    ------
    ValueError
        It is not such a text.
    """
    return None if text is None else row_from_plain(json.loads(text))


def row_from_plain(plain: object) -> Row | None:
    """Read what `row_to_plain` returned.

    Raises
    ------
    ValueError
        It is no such thing.
    """
    if plain is None:
        return None
    if not isinstance(plain, dict):
        raise ValueError("not a row")
    row: Row = {}
    for name, value in plain.items():
        if isinstance(value, dict) and set(value) == {_SHAPE}:
            value = bytes.fromhex(value[_SHAPE])
        elif isinstance(value, (dict, list)):
            raise ValueError("not a row")
        row[name] = value
    return row
