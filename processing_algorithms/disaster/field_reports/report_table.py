"""Tables of field reports as they come: csv, xlsx or GeoJSON with whatever headings people give their columns."""

from __future__ import annotations

import csv
import datetime
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pandas
import shapely

from ...common.curves import curves_kept
from ...common.errors import InputError
from ...common.language import say
from ..bulletin.bulletin_words import fold

#: What each column may be called, folded; the first match counts, whole headings before beginnings.
HEADINGS: dict[str, tuple[str, ...]] = {
    "time": ("thoi gian", "thoi diem", "gio", "ngay gio", "luc", "ngay", "time", "reported_at", "datetime", "date", "created_at", "timestamp"),
    "depth": ("do sau", "do sau ngap", "muc ngap", "sau ngap", "ngap", "muc nuoc ngap", "depth", "depth_m", "water_depth"),
    "text": ("noi dung", "mo ta", "ghi chu", "tinh hinh", "description", "note", "text", "message", "noi dung phan anh"),
    "photo": ("anh", "hinh anh", "link anh", "duong dan anh", "photo", "image", "url", "picture"),
    "kind": ("loai", "loai tin", "kind", "type"),
    "reporter": ("nguoi bao", "nguoi gui", "ho ten", "nguon", "reporter", "source"),
    "hamlet": ("thon", "to dan pho", "thon, to dan pho", "thon/to", "ap", "ban", "khu pho", "to", "hamlet", "hamlet_name"),
    "commune": ("xa", "phuong", "xa, phuong", "xa/phuong", "don vi", "commune", "ward", "commune_code", "ma xa"),
    "longitude": ("kinh do", "lon", "long", "lng", "longitude"),
    "latitude": ("vi do", "lat", "latitude"),
    "east": ("y (m)", "toa do y", "east", "easting", "dong", "y"),
    "north": ("x (m)", "toa do x", "north", "northing", "bac", "x"),
    "place": ("toa do", "vi tri", "coordinates", "location", "gps", "toa do gps"),
    "status": ("trang thai", "tinh trang", "status"),
}


@dataclass(frozen=True)
class ReportTable:
    """Rows as text with our names; ``rows`` has ``row`` (its number in the file, the heading being 1) and every recognised column.

    ``shapes`` are WGS 84 points where the file has them, else None; ``headings`` tells which column became what.
    """

    rows: pandas.DataFrame
    shapes: list[shapely.Point | None]
    headings: dict[str, str]


def read_report_table(path: str | Path) -> ReportTable:
    """Read a file of reports.

    Raises
    ------
    InputError
        No such file, another kind of file, no rows, or no column that is understood.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(say("Không có tệp {path}.", "There is no file {path}.").format(path=path))
    readers = {".csv": _csv, ".txt": _csv, ".tsv": _csv, ".xlsx": _xlsx, ".xlsm": _xlsx, ".geojson": _geojson, ".json": _geojson}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(say("Tệp tin báo hiện trường phải là .csv, .xlsx hoặc .geojson: {path}",
                             "A file of field reports must be .csv, .xlsx or .geojson: {path}").format(path=path))
    try:
        heading, records, shapes = reader(path)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise InputError(say("Không đọc được {path} ({why}); hãy lưu lại dạng CSV UTF-8 hoặc xlsx.",
                             "{path} cannot be read ({why}); save it as CSV in UTF-8 or as xlsx.").format(path=path, why=error)) from error
    columns = _recognise(heading)
    if not records:
        raise InputError(say("Tệp {path} không có dòng nào.", "The file {path} has no rows.").format(path=path))
    if not ({"depth", "text"} & columns.keys()):
        raise InputError(say("Tệp {path} không có cột độ sâu hoặc nội dung; các cột: {names}.",
                             "The file {path} has no column of depths or texts; its columns: {names}.")
                         .format(path=path, names=", ".join(heading)))
    rows = pandas.DataFrame(
        {name: [_text(record[k]) if k < len(record) else "" for record in records] for name, k in columns.items()}
    )
    rows.insert(0, "row", range(2, len(records) + 2))
    filled = (rows.drop(columns="row") != "").any(axis=1).to_numpy() | [shape is not None for shape in shapes]
    return ReportTable(rows[filled].reset_index(drop=True), [s for s, keep in zip(shapes, filled) if keep],
                       {name: heading[k] for name, k in columns.items()})


def _recognise(heading: list[str]) -> dict[str, int]:
    plain = [" ".join(fold(h).replace("_", " ").split()) for h in heading]
    found: dict[str, int] = {}
    for exact in (True, False):
        for name, words in HEADINGS.items():
            for word in words if name not in found else ():
                word = word.replace("_", " ")
                fits = [
                    k
                    for k, h in enumerate(plain)
                    if k not in found.values()
                    and (
                        h == word if exact else len(word) > 2 and (h.startswith(word + " ") or h.startswith(word + "("))
                    )
                ]
                if fits:
                    found[name] = fits[0]
                    break
    return found


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, float):
        return f"{value:.10g}".replace(".", ",")
    if re.fullmatch(r"-?\d+\.\d{12,}", text := str(value).strip()):  # GDAL's 0.69999999999999996 in a column with texts
        return _text(float(text))
    return text


def _csv(path: Path) -> tuple[list[str], list[list[object]], list]:
    data = path.read_bytes()
    text = data.decode("utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data.decode("utf-8-sig")
    first = text.split("\n", 1)[0]
    separator = max(";\t,|", key=first.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    if not rows:
        return [], [], []
    return rows[0], rows[1:], [None] * (len(rows) - 1)


def _xlsx(path: Path) -> tuple[list[str], list[list[object]], list]:
    from zipfile import BadZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException) as error:
        raise ValueError(error) from error
    try:
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()
    # A title above the table: the heading is the first row with most cells filled.
    filled = [sum(v is not None for v in row) for row in rows]
    if not rows or not max(filled):
        return [], [], []
    start = next(k for k, n in enumerate(filled) if n >= 0.6 * max(filled))
    blank = [[None]] * start  # keeps the numbers of the rows
    return [_text(v) for v in rows[start]], blank + rows[start + 1:], [None] * (len(rows) - 1)


def _geojson(path: Path) -> tuple[list[str], list[list[object]], list]:
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        with curves_kept():
            frame = pyogrio.read_dataframe(path)
    except DataSourceError as error:
        raise ValueError(error) from error
    names = [c for c in frame.columns if c != "geometry"]
    records = frame[names].astype(object).where(frame[names].notna(), None).values.tolist()
    shapes = [None] * len(records)
    if "geometry" in frame:
        usable = ~(frame.geometry.isna() | frame.geometry.is_empty)
        shapes = [shapely.point_on_surface(shape) if ok else None for shape, ok in zip(frame.geometry, usable)]
    return names, records, shapes
