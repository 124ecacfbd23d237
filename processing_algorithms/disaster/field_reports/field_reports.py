"""Field reports of patrols and citizens: where, when, how deep, how sure; the same thing told twice counts once.

A report is placed by its shape or coordinates, else by its hamlet. Its quality is *good* (own coordinates, depth in figures, a
time), *fair* (one of these lacks) or *poor*; what cannot be placed is handed back with the reason, not dropped. Reports of one kind
within a distance and a time of each other are one: the median depth, all their rows named.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...common.crs import to_crs
from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import parse_number
from ..bulletin.bulletin import VIETNAM
from ..bulletin.bulletin_words import Time, fold, scan
from .report_depth import ToldDepth, told_depth
from .report_table import ReportTable

#: Vietnam with its islands, degrees: what lies outside is no coordinate of a report.
_LONGITUDES, _LATITUDES = (102.0, 118.0), (6.5, 23.6)
#: A telephone's position, m; ours.
_PHONE_ERROR_M = 10.0
#: Depths of joined reports that differ by more are marked, m.
_CONTRADICTION_M = 0.5
QUALITIES = ("good", "fair", "poor")


@dataclass(frozen=True)
class FieldReports:
    """Reports as points, and rows that could not be used with the reason."""

    reports: geopandas.GeoDataFrame
    unusable: pandas.DataFrame
    joined: int
    notes: list[str]


def field_reports(
    table: ReportTable,
    *,
    crs: str,
    hamlets: geopandas.GeoDataFrame | None = None,
    coordinates_crs: str | None = None,
    today: datetime.date,
    join_distance_m: float = 30.0,
    join_minutes: float = 60.0,
) -> FieldReports:
    """Place, date and join the rows of a table.

    Parameters
    ----------
    table : ReportTable
    crs : str
        Metric system of the result.
    hamlets : GeoDataFrame, optional
        With ``name``, ``commune_code`` and, where known, ``commune_name``, for rows placed by hamlet.
    coordinates_crs : str, optional
        System of the columns X, Y in metres; without it they are not used.
    today : date
        For days without a year and hours without a day.
    join_distance_m, join_minutes : float
        Reports of one kind this near in place and time are one; 0 joins nothing.

    Returns
    -------
    FieldReports
        ``depth_m`` is nan where no depth is told; ``rows`` names the rows of the file.
    """
    clock = _Clock(today)
    places = _Places(hamlets, crs, coordinates_crs)
    kept, unusable, notes = [], [], []
    for record, shape in zip(table.rows.to_dict("records"), table.shapes):
        placed, reason = places.find(record, shape)
        depth = told_depth(record.get("depth", "")) or told_depth(record.get("text", ""))
        if reason:
            unusable.append({"row": record["row"], "reason": reason, **{k: v for k, v in record.items() if k != "row"}})
            continue
        moment, time_known = clock.moment(record.get("time", "") or record.get("text", ""))
        kept.append(_row(record, placed, depth, moment, time_known))
    notes += places.notes
    frame = geopandas.GeoDataFrame(pandas.DataFrame(kept, columns=_COLUMNS), geometry="geometry", crs=crs)
    joined = _join(frame, join_distance_m, join_minutes)
    return FieldReports(joined, pandas.DataFrame(unusable), len(frame) - len(joined), notes)


_COLUMNS = ["rows", "reported_at", "kind", "description", "depth_low_m", "depth_m", "depth_high_m", "depth_origin", "place_origin",
            "accuracy_m", "commune_code", "hamlet", "photo", "quality", "quality_note", "reports", "contradictory", "status", "geometry"]


def _row(
    record: dict, placed: _Place, depth: ToldDepth | None, moment: datetime.datetime | None, time_known: bool
) -> dict:
    lacks = []
    if depth is None:
        lacks.append(say("không có độ sâu", "no depth"))
    elif depth.origin == "words":
        lacks.append(say("độ sâu nói bằng lời (quy đổi theo kinh nghiệm)", "depth in words (converted by experience)"))
    if placed.origin == "hamlet":
        lacks.append(say("vị trí theo thôn, tổ dân phố", "placed by hamlet"))
    if not time_known:
        lacks.append(say("không có giờ", "no time"))
    return {
        "rows": str(record["row"]), "reported_at": None if moment is None else moment.isoformat(timespec="minutes"),
        "kind": _kind(record, depth), "description": record.get("text", "") or record.get("depth", ""),
        "depth_low_m": np.nan if depth is None else depth.low_m, "depth_m": np.nan if depth is None else depth.depth_m,
        "depth_high_m": np.nan if depth is None else depth.high_m, "depth_origin": "" if depth is None else depth.origin,
        "place_origin": placed.origin, "accuracy_m": placed.accuracy_m, "commune_code": placed.commune, "hamlet": placed.hamlet,
        "photo": record.get("photo", ""), "quality": QUALITIES[min(len(lacks), 2)], "quality_note": "; ".join(lacks), "reports": 1,
        "contradictory": False, "status": "new", "geometry": placed.point}


#: Kinds of the catalogue's dataset field_report, by words; what tells a depth is flooding.
_KINDS = (("landslide", r"sat lo|lo dat|lo nui"), ("dyke_incident", r"vo de|su co de|tham lau|sut lun|ke"),
          ("people_in_need", r"cuu nguoi|can cuu|mac ket|can ho tro|cap cuu"), ("road_blocked", r"khong di duoc|tac duong|chia cat|khong luu thong|khong bao dam luu thong"),
          ("damage", r"sap|toc mai|hu hong|do tuong"), ("flooding", r"ngap|nuoc"))


def _kind(record: dict, depth: ToldDepth | None) -> str:
    told = fold(f"{record.get('kind', '')} {record.get('text', '')}")
    for kind, words in _KINDS:
        if kind in told or re.search(rf"(?<!\w)(?:{words})(?!\w)", told):
            return kind
    return "flooding" if depth is not None else "other"


@dataclass(frozen=True)
class _Place:
    point: shapely.Point
    origin: str
    accuracy_m: float
    commune: str = ""
    hamlet: str = ""


class _Places:
    """Finds where a row is."""

    def __init__(self, hamlets: geopandas.GeoDataFrame | None, crs: str, coordinates_crs: str | None):
        self.crs, self.coordinates_crs = crs, coordinates_crs
        self.hamlets = None if hamlets is None else to_crs(hamlets, crs)
        self.swapped = 0
        if self.hamlets is not None:
            self._plain = [_bare_name(name) for name in self.hamlets["name"]]
            communes = [c for c in ("commune_code", "commune_name") if c in self.hamlets]
            self._communes = [
                {_bare_name(str(v)) for v in row if isinstance(v, str)} for row in self.hamlets[communes].to_numpy()
            ]

    @property
    def notes(self) -> list[str]:
        if not self.swapped:
            return []
        return [say("{n} dòng ghi kinh độ và vĩ độ đổi chỗ nhau; đã đọc đúng thứ tự.",
                    "{n} rows had longitude and latitude swapped; they were read the right way round.").format(n=self.swapped)]

    def find(self, record: dict, shape: shapely.Point | None) -> tuple[_Place | None, str]:
        try:
            pair = (shape.x, shape.y) if shape is not None else self._degrees(record)
        except InputError as error:
            return None, str(error)
        if pair is not None:
            return self._from_degrees(*pair)
        try:
            metric = self._metres(record)
        except InputError as error:
            return None, str(error)
        if metric is not None:
            return metric, ""
        if record.get("hamlet") or record.get("commune"):
            return self._from_hamlet(record)
        return None, say("không có tọa độ và không có thôn, tổ dân phố", "neither coordinates nor a hamlet")

    def _degrees(self, record: dict) -> tuple[float, float] | None:
        if record.get("longitude") and record.get("latitude"):
            return _number(record["longitude"]), _number(record["latitude"])
        text = record.get("place", "")
        # Points are decimal signs in what a telephone gives; "16,46; 107,59" is what a spreadsheet makes of it.
        numbers = re.findall(r"-?\d+\.\d+|-?\d+,\d+(?=\s*[;\s])|(?<=[;\s])-?\d+,\d+", text)
        return (_number(numbers[1]), _number(numbers[0])) if len(numbers) == 2 else None

    def _from_degrees(self, longitude: float, latitude: float) -> tuple[_Place | None, str]:
        if _within(latitude, _LONGITUDES) and _within(longitude, _LATITUDES):
            longitude, latitude = latitude, longitude
            self.swapped += 1
        if not (_within(longitude, _LONGITUDES) and _within(latitude, _LATITUDES)):
            return None, say(
                "tọa độ {lon}, {lat} nằm ngoài Việt Nam", "the coordinates {lon}, {lat} lie outside Vietnam"
            ).format(lon=f"{longitude:g}", lat=f"{latitude:g}")
        return _Place(_moved(longitude, latitude, "EPSG:4326", self.crs), "coordinates", _PHONE_ERROR_M), ""

    def _metres(self, record: dict) -> _Place | None:
        if not (record.get("east") and record.get("north")):
            return None
        if self.coordinates_crs is None:
            raise InputError(say("tọa độ X, Y tính bằng mét nhưng chưa chọn hệ tọa độ của chúng",
                                 "X, Y in metres, but their coordinate system is not chosen"))
        east, north = _number(record["east"]), _number(record["north"])
        if north < east:
            raise InputError(say("X (bắc) {north} nhỏ hơn Y (đông) {east}: có lẽ hai cột đổi chỗ nhau",
                                 "X (north) {north} is less than Y (east) {east}: the two columns may be swapped")
                             .format(north=f"{north:.0f}", east=f"{east:.0f}"))
        return _Place(_moved(east, north, self.coordinates_crs, self.crs), "coordinates", _PHONE_ERROR_M)

    def _from_hamlet(self, record: dict) -> tuple[_Place | None, str]:
        if self.hamlets is None:
            return None, say(
                "chỉ có tên thôn nhưng không có lớp thôn, tổ dân phố", "only a hamlet's name, and no layer of hamlets"
            )
        wanted, commune = _bare_name(record.get("hamlet", "")), _bare_name(record.get("commune", ""))
        if not wanted:
            return None, say(
                "chỉ có tên xã, phường: chưa đủ để đặt lên bản đồ", "only a commune: not enough to place it"
            )
        fits = [
            k for k, name in enumerate(self._plain) if name == wanted and (not commune or commune in self._communes[k])
        ]
        if len(fits) != 1:
            why = say("không có thôn, tổ dân phố \"{name}\"", "no hamlet \"{name}\"") if not fits else say(
                "có {n} thôn, tổ dân phố tên \"{name}\", cần thêm xã, phường", "{n} hamlets are named \"{name}\": the commune is needed")
            return None, why.format(name=record.get("hamlet", ""), n=len(fits))
        hamlet = self.hamlets.iloc[fits[0]]
        return _Place(
            shapely.point_on_surface(hamlet.geometry),
            "hamlet",
            round(float(np.sqrt(hamlet.geometry.area / np.pi)), 1),
            str(hamlet.get("commune_code") or ""),
            str(hamlet["name"]),
        ), ""


def _bare_name(name: str) -> str:
    return re.sub(r"^(?:thon|to dan pho|to|ap|ban|khu pho|khom|xa|phuong|dac khu|tdp)\s+(?:so\s+)?", "", " ".join(fold(name or "").split()))


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _number(text: str) -> float:
    # A coordinate's three decimals are no thousands: "107.593".
    return float(text) if re.fullmatch(r"-?\d{1,3}\.\d+", text.strip()) else parse_number(text)


def _moved(x: float, y: float, source: str, target: str) -> shapely.Point:
    return to_crs(geopandas.GeoDataFrame(geometry=[shapely.Point(x, y)], crs=source), target).geometry.iloc[0]


class _Clock:
    """Moments as a spreadsheet or a person writes them."""

    def __init__(self, today: datetime.date):
        self.today = today

    def moment(self, text: str) -> tuple[datetime.datetime | None, bool]:
        """The moment and whether the hour is told."""
        try:
            exact = datetime.datetime.fromisoformat(text.strip())
            return (exact if exact.tzinfo else exact.replace(tzinfo=VIETNAM)), len(text.strip()) > 10
        except ValueError:
            pass
        times = [t for t in scan(text, fold(text)) if isinstance(t, Time) and t.possible]
        day = next((t for t in times if t.day is not None), None)
        hour = next((t for t in times if t.hour is not None), None)
        if day is None and hour is None:
            return None, False
        date = self.today if day is None else datetime.date(day.year or self.today.year, day.month, day.day)
        if day is not None and day.year is None and date > self.today + datetime.timedelta(days=1):
            date = date.replace(year=date.year - 1)
        moment = datetime.datetime.combine(date, datetime.time(0), VIETNAM)
        if hour is None:
            return moment, False
        return moment + datetime.timedelta(hours=hour.hour, minutes=hour.minute), True


def _join(frame: geopandas.GeoDataFrame, distance_m: float, minutes: float) -> geopandas.GeoDataFrame:
    """One row for reports of one kind near each other in place and time."""
    if len(frame) < 2 or distance_m <= 0:
        return frame
    points = np.asarray(frame.geometry.array, dtype=object)
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=distance_m)
    kind = frame["kind"].to_numpy()
    time = np.array(
        [datetime.datetime.fromisoformat(t).timestamp() if isinstance(t, str) else np.nan for t in frame["reported_at"]]
    )
    # A hamlet's own point is where many reports lie that are not the same.
    exact = (frame["place_origin"] == "coordinates").to_numpy()
    with np.errstate(invalid="ignore"):
        same = (
            (kind[one] == kind[other]) & (np.abs(time[one] - time[other]) <= minutes * 60) & exact[one] & exact[other]
        )
    same |= one == other
    count, group = connected_components(
        coo_array((np.ones(same.sum(), np.int8), (one[same], other[same])), shape=(len(frame),) * 2), directed=False
    )
    if count == len(frame):
        return frame
    rows = [_merged(frame.iloc[members]) for members in _members(group, count)]
    return geopandas.GeoDataFrame(rows, columns=frame.columns, geometry="geometry", crs=frame.crs).reset_index(
        drop=True
    )


def _members(group: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(group, kind="stable")
    return sorted(np.split(order, np.searchsorted(group[order], np.arange(1, count))), key=lambda m: m[0])


def _merged(rows: geopandas.GeoDataFrame) -> pandas.Series:
    if len(rows) == 1:
        return rows.iloc[0]
    best = (
        rows.assign(_rank=[QUALITIES.index(q) for q in rows["quality"]])
        .sort_values(["_rank", "reported_at"], kind="stable")
        .iloc[0]
    )
    merged = best.drop("_rank").copy()
    depths = rows["depth_m"].dropna()
    if len(depths):
        merged["depth_m"] = round(float(depths.median()), 3)
        merged["depth_low_m"], merged["depth_high_m"] = rows["depth_low_m"].min(), rows["depth_high_m"].max()
        merged["contradictory"] = bool(np.ptp(depths) > _CONTRADICTION_M)
    merged["rows"] = ", ".join(rows["rows"])
    merged["reports"] = int(rows["reports"].sum())
    merged["description"] = _listed(rows["description"], " | ")
    merged["photo"] = _listed(rows["photo"], " ; ")
    if merged["contradictory"]:
        merged["quality_note"] = "; ".join(
            part
            for part in (merged["quality_note"], say("các tin báo độ sâu khác nhau", "reported depths differ"))
            if part
        )
    return merged


def _listed(texts: Sequence[str], separator: str) -> str:
    return separator.join(dict.fromkeys(t for t in texts if t))


def with_levels(frame: geopandas.GeoDataFrame, ground_m: np.ndarray) -> geopandas.GeoDataFrame:
    """Add ground and water level, m, so that reports serve as marks: level = ground + depth, nan where either is unknown."""
    ground = np.asarray(ground_m, dtype=float)
    return frame.assign(ground_m=np.round(ground, 3), level_m=np.round(ground + frame["depth_m"].to_numpy(), 3))
