"""Corner coordinates that people paste, read into one polygon in the system they state.

`corner_lines` reads the text; here its lines become points and a parcel. In Vietnam X is north and Y is east; the values
tell which is which (a northing has seven digits or nearly, an easting six), and what stands the other way round is
asked about, not turned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.crs import is_vn2000, meridian_label, require_metric, transform_points
from ...common.errors import InputError, name_some, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from .corner_lines import (
    EASTINGS,
    LATITUDES,
    LONGITUDES,
    NORTHINGS,
    NUMBER,
    AxisOrder,
    CornerLine,
    corner_lines,
    fits,
    number_in,
    within,
)

#: Corners nearer than this are one point (m); coordinates are printed to the centimetre.
SAME_POINT_M = 0.005
#: Side lengths beside the corners may differ by the rounding of both ends.
_SIDE_TOLERANCE_M = 0.03


@dataclass(frozen=True)
class Corners:
    """One parcel's corners as stated, and the polygon they make.

    Attributes
    ----------
    names : tuple of str
        Point numbers as written, 1, 2, 3 where none were.
    north, east : arrays of float, shape (n,)
        In ``crs``, metres; the closing repetition left out.
    crs : pyproj.CRS
        As stated by the user.
    notes : tuple of str
        What was put right, as sentences.
    """

    names: tuple[str, ...]
    north: NDArray[np.float64]
    east: NDArray[np.float64]
    crs: pyproj.CRS
    notes: tuple[str, ...]

    def polygon(self, crs: pyproj.CRS | None = None) -> shapely.Polygon:
        """Return the polygon, in the stated system or another one."""
        east, north = self.east, self.north
        if crs is not None:
            east, north = transform_points(east, north, self.crs, crs)
        return shapely.Polygon(np.column_stack([east, north]))


def read_corners(text: str, crs: pyproj.CRS, *, order: AxisOrder = AxisOrder.BY_VALUES) -> Corners:
    """Read pasted corners.

    Parameters
    ----------
    text : str
        One corner a line, or corners separated by semicolons in one line. Lines without two coordinates are headings
        or lengths of sides and are passed over.
    crs : pyproj.CRS
        The VN-2000 system they are in, old or new meridian: asked for, never guessed.
    order : AxisOrder

    Raises
    ------
    InputError
        What is wrong, with line and point: no numbers, degrees, swapped or mixed axes, points twice, sides that cross,
        fewer than three corners, not in Vietnam.

    Examples
    --------
    >>> corners = read_corners('''1\\t1161155,94\\t505277,23
    ... 2\\t1161155,94\\t505297,23
    ... 3\\t1161135,94\\t505297,23''', pyproj.CRS.from_epsg(9210))
    >>> corners.names, float(corners.polygon().area)
    (('1', '2', '3'), 200.0)
    """
    _refuse_system(crs)
    lines, declared = corner_lines(text)
    if len(lines) < 3:
        raise InputError(say("Chỉ đọc được {n} góc thửa; cần ít nhất 3 dòng, mỗi dòng một góc: số hiệu, X (Bắc), Y "
                             "(Đông).",
                             "Only {n} corners were read; at least 3 lines are needed, one a corner: number, X "
                             "(north), "
                             "Y (east).").format(n=len(lines)))
    north, east = _axes(lines, order, declared)
    _refuse_elsewhere(north, east, crs)
    names = [line.name or str(at) for at, line in enumerate(lines, 1)]
    sides: list[float | None] = [line.side for line in lines]
    notes: list[str] = []
    keep = _once(names, north, east, notes)
    names, sides = [names[at] for at in keep], [sides[at] for at in keep]
    north, east = north[keep], east[keep]
    _refuse_shape(names, north, east)
    notes += _told_of_sides(names, north, east, sides)
    notes += _told_of_numbers(names)
    if shapely.LinearRing(np.column_stack([east, north])).is_ccw:
        notes.append(say("Các góc đi ngược chiều kim đồng hồ; giữ nguyên thứ tự đã ghi.",
                         "The corners run anticlockwise; their order is kept as written."))
    return Corners(tuple(names), north, east, crs, tuple(notes))


def read_point(text: str, crs: pyproj.CRS, *, order: AxisOrder = AxisOrder.BY_VALUES) -> shapely.Point | None:
    """Read one pasted coordinate; None where the text holds several, which are corners.

    Refuses what `read_corners` does.

    Examples
    --------
    >>> read_point("X = 1161155,94; Y = 505277,23", pyproj.CRS.from_epsg(9210))
    <POINT (505277.23 1161155.94)>
    """
    _refuse_system(crs)
    # "X = 1161155,94; Y = 505277,23" is one place, though it stands as two.
    labelled = re.findall(rf"\b([XxYy])\s*[=:]\s*({NUMBER})", text)
    if [name.lower() for name, _ in labelled] in (["x", "y"], ["y", "x"]):
        by_name = {name.lower(): number for name, number in labelled}
        text, order = f"{by_name['x']}\t{by_name['y']}", AxisOrder.NORTH_FIRST
    halves = [half.strip() for half in text.strip().split(";")]
    if len(halves) == 2 and all(number_in(half) is not None for half in halves):
        text = "\t".join(halves)  # apart by the semicolon that elsewhere stands between corners
    lines, declared = corner_lines(text)
    if len(lines) > 1:
        return None
    if not lines:
        raise InputError(say("Không đọc được tọa độ nào; mỗi dòng một điểm: số hiệu (nếu có), X (Bắc), Y (Đông).",
                             "No coordinate was read; one point a line: number (if any), X (north), Y (east)."))
    north, east = _axes(lines, order, declared)
    _refuse_elsewhere(north, east, crs)
    return shapely.Point(float(east[0]), float(north[0]))


def _refuse_system(crs: pyproj.CRS) -> None:
    if not is_vn2000(crs) or crs.is_geographic:
        raise InputError(say("Tọa độ góc thửa phải ở hệ VN-2000 phẳng; hãy chọn kinh tuyến trục và múi chiếu của tọa độ.",
                             "Corners must be in a plane VN-2000 system; choose the meridian and zone they are in."))
    require_metric(crs, say("Tọa độ góc thửa", "The corners"))


# axes -------------------------------------------------------------------------------------------------------------


def _axes(
    lines: Sequence[CornerLine], order: AxisOrder, declared: AxisOrder | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return northings and eastings; refuse what cannot be, and ask about what is the other way round."""
    straight = [line for line in lines if fits(line.first, line.second)]
    turned = [line for line in lines if fits(line.second, line.first)]
    strange = [line for line in lines if line not in straight and line not in turned]
    if strange:
        raise InputError([_why_strange(line) for line in strange[:5]])
    if straight and turned:
        raise InputError(say("Thứ tự X, Y không thống nhất: các dòng {a} ghi X (Bắc) trước, các dòng {b} ghi Y (Đông) "
                             "trước. "
                             "Hãy sửa cho thống nhất.",
                             "The order of X and Y is mixed: lines {a} have X (north) first, lines {b} Y (east). Make "
                             "them "
                             "the same.")
                         .format(a=name_some(line.number for line in straight),
                                 b=name_some(line.number for line in turned)))
    seen = AxisOrder.NORTH_FIRST if straight else AxisOrder.EAST_FIRST
    asked = order if order != AxisOrder.BY_VALUES else declared or AxisOrder.NORTH_FIRST
    if asked != seen:
        raise InputError(
            say("Hai cột tọa độ có vẻ bị đảo: giá trị {a} giống Y (Đông), {b} giống X (Bắc), nhưng {what}. Nếu cột "
                "đầu đúng "
                "là Y (Đông), hãy chọn thứ tự \"Y trước, X sau\"; nếu không, hãy kiểm tra lại số liệu.",
                "The two columns seem swapped: {a} looks like Y (east) and {b} like X (north), but {what}. If the "
                "first "
                "column is Y (east), choose the order \"Y first, then X\"; if not, check the figures.")
            .format(a=format_number(_easting(lines[0]), 2), b=format_number(_northing(lines[0]), 2),
                    what=say("thứ tự đã chọn hoặc tiêu đề bảng ghi khác", "the order chosen or the heading says "
                                                                          "otherwise")
                    if order != AxisOrder.BY_VALUES or declared else
                    say("thứ tự thường dùng là X (Bắc) trước", "X (north) usually comes first")))
    return (np.array([_northing(line) for line in lines]), np.array([_easting(line) for line in lines]))


def _northing(line: CornerLine) -> float:
    return line.first if fits(line.first, line.second) else line.second


def _easting(line: CornerLine) -> float:
    return line.second if fits(line.first, line.second) else line.first


def _why_strange(line: CornerLine) -> str:
    for value in (line.first, line.second):
        if value >= 1e7 and within(value % 1e6, EASTINGS):
            return say("Dòng {n}: \"{text}\": Y có số hiệu múi chiếu đứng trước; hãy bỏ các chữ số đó.",
                       "Line {n}: \"{text}\": Y begins with the number of the zone; leave those digits out.").format(
                           n=line.number, text=line.text[:60])
    return say("Dòng {n}: \"{text}\" không phải tọa độ VN-2000 ở Việt Nam (X từ {n0} đến {n1} m, Y từ {e0} đến {e1} "
               "m).",
               "Line {n}: \"{text}\" is no VN-2000 coordinate in Vietnam (X from {n0} to {n1} m, Y from {e0} to {e1} "
               "m)."
               ).format(n=line.number, text=line.text[:60], n0=format_number(NORTHINGS[0]),
                        n1=format_number(NORTHINGS[1]),
                        e0=format_number(EASTINGS[0]), e1=format_number(EASTINGS[1]))


def _refuse_elsewhere(north: NDArray[np.float64], east: NDArray[np.float64], crs: pyproj.CRS) -> None:
    longitude, latitude = transform_points(east, north, crs, "EPSG:4326")
    if not (np.all((longitude > LONGITUDES[0]) & (longitude < LONGITUDES[1]))
            and np.all((latitude > LATITUDES[0]) & (latitude < LATITUDES[1]))):
        raise InputError(say("Với {crs}, các góc thửa nằm ngoài Việt Nam; kiểm tra kinh tuyến trục và múi chiếu.",
                             "With {crs} the corners lie outside Vietnam; check the meridian and zone.")
                         .format(crs=meridian_label(crs)))


# shape ------------------------------------------------------------------------------------------------------------


def _once(names: list[str], north: NDArray[np.float64], east: NDArray[np.float64], notes: list[str]) -> list[int]:
    """Return the positions to keep: without the closing repetition and repetitions in a row."""
    keep = [0]
    for at in range(1, len(names)):
        if np.hypot(north[at] - north[keep[-1]], east[at] - east[keep[-1]]) < SAME_POINT_M:
            notes.append(say("Góc {name} lặp lại góc liền trước, đã bỏ.",
                             "Corner {name} repeats the one before and was left out.").format(name=names[at]))
        else:
            keep.append(at)
    if len(keep) > 1 and np.hypot(north[keep[-1]] - north[0], east[keep[-1]] - east[0]) < SAME_POINT_M:
        keep.pop()
    return keep


def _refuse_shape(names: list[str], north: NDArray[np.float64], east: NDArray[np.float64]) -> None:
    if len(names) < 3:
        raise InputError(say("Chỉ có {n} góc khác nhau; một thửa cần ít nhất 3.",
                             "There are only {n} different corners; a parcel needs 3.").format(n=len(names)))
    problems = []
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.append(say("Số hiệu góc bị trùng với tọa độ khác nhau: {names}.",
                            "Point numbers occur twice with different coordinates: {names}.").format(names=name_some(twice)))
    distance = np.hypot(north[:, None] - north, east[:, None] - east)
    same = [(names[a], names[b]) for a, b in np.argwhere(np.triu(distance < SAME_POINT_M, 1))]
    if same:
        problems.append(say("Hai góc trùng một điểm: {pairs}.", "Two corners are one point: {pairs}.").format(
            pairs=name_some(f"{a} = {b}" for a, b in same)))
    refuse_if(problems)
    points = np.column_stack([east, north])
    sides = shapely.linestrings(np.stack([points, np.roll(points, -1, axis=0)], axis=1))
    after = [*names[1:], names[0]]
    count = len(names)
    crossing = [(a, b) for a, b in combinations(range(count), 2)
                if b - a not in (1, count - 1) and shapely.intersects(sides[a], sides[b])]
    if crossing:
        raise InputError(say("Ranh giới tự cắt: {sides}. Kiểm tra thứ tự và tọa độ các góc.",
                             "The boundary crosses itself: {sides}. Check order and coordinates of the corners.")
                         .format(sides=name_some(say("cạnh {a}-{b} với cạnh {c}-{d}",
                                                     "side {a}-{b} and side {c}-{d}").format(
                             a=names[a], b=after[a], c=names[b], d=after[b]) for a, b in crossing)))
    area = shapely.area(shapely.polygons(points))
    if area < 0.1 or not shapely.is_valid(shapely.polygons(points)):
        raise InputError(say("Các góc nằm trên một đường thẳng, diện tích {area} m².",
                             "The corners lie on one line, area {area} m².").format(area=format_number(area, 2)))


def _told_of_sides(names: Sequence[str], north: NDArray[np.float64], east: NDArray[np.float64],
                   sides: Sequence[float | None]) -> list[str]:
    measured = np.hypot(np.roll(north, -1) - north, np.roll(east, -1) - east)
    after = [*names[1:], names[0]]
    wrong = [f"{name}-{end} ({format_number(stated, 2)} / {format_number(length, 2)} m)"
             for name, end, stated, length in zip(names, after, sides, measured)
             if stated is not None and abs(stated - length) > _SIDE_TOLERANCE_M]
    if not wrong or len(wrong) == len([side for side in sides if side is not None]) > 2:
        return []  # all of them differ: the column holds something else
    return [say("Chiều dài cạnh ghi khác chiều dài tính từ tọa độ: {sides}.",
                "Stated lengths of sides differ from those of the coordinates: {sides}.").format(sides=name_some(wrong))]


def _told_of_numbers(names: Sequence[str]) -> list[str]:
    numbers = [int(name) for name in names if name.isdigit()]
    if len(numbers) < len(names) or numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return []
    return [say("Số hiệu góc không liên tục ({names}); có thể thiếu góc hoặc sai thứ tự.",
                "Point numbers are not in sequence ({names}); a corner may be missing or out of order.")
            .format(names=", ".join(names))]
