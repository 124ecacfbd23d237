"""What is written in the zones of a printed sheet, and where: whole inside its own zone, so that no two texts meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.numbers_vi import format_number

#: Width and height in mm of a text of one or more lines at a type size in points.
Measure = Callable[[str, float], tuple[float, float]]
#: Clear space around a text, mm on paper.
MARGIN_MM = 0.5
#: How far from a point of its zone a text beside it begins, mm on paper, in the order they are tried.
BESIDE_MM = (2.5, 4.0, 6.0, 9.0, 13.0, 18.0)


@dataclass(frozen=True)
class LabelFields:
    """Columns of the zones that go into their label; None for those a plan has not."""

    code: str | None
    function: str
    density: str | None = None
    min_storeys: str | None = None
    max_storeys: str | None = None
    far: str | None = None

    def columns(self) -> list[str]:
        """Names of the columns, each once."""
        return list(dict.fromkeys(name for name in vars(self).values() if name is not None))


def label_variants(zones: pandas.DataFrame, fields: LabelFields) -> list[tuple[str, ...]]:
    """Return the texts of each zone, the fullest first: all figures on one line, one below the other, code, code alone.

    Examples
    --------
    >>> zone = pandas.DataFrame({"ma": ["A1"], "cn": ["NO"], "md": [60.0], "tt": [2], "tc": [5], "hs": [3.0]})
    >>> label_variants(zone, LabelFields("ma", "cn", "md", "tt", "tc", "hs"))[0]
    ('A1 (NO)\\n60% | 2-5 tầng | 3 lần', 'A1 (NO)\\n60%\\n2-5 tầng\\n3 lần', 'A1 (NO)', 'A1\\n(NO)', 'A1')
    """
    functions = zones[fields.function].astype(str).tolist()
    codes = _texts(zones, fields.code)
    density, far = _figures(zones, fields.density, "%"), _figures(zones, fields.far, " lần")
    least, most = _figures(zones, fields.min_storeys, ""), _figures(zones, fields.max_storeys, "")
    found = []
    for code, function, *figures in zip(codes, functions, density, map(_storeys, least, most), far):
        names = [f"{code} ({function})", f"{code}\n({function})", code] if code and code != function else [function]
        told = [figure for figure in figures if figure]
        full = [f"{names[0]}\n{' | '.join(told)}", "\n".join([names[0], *told])] if told else []
        found.append(tuple(dict.fromkeys([*full, *names])))
    return found


def _texts(zones: pandas.DataFrame, name: str | None) -> list[str]:
    if name is None:
        return [""] * len(zones)
    return [str(value).strip() for value in zones[name].astype(object).where(zones[name].notna(), "")]


def _figures(zones: pandas.DataFrame, name: str | None, unit: str) -> list[str]:
    if name is None:
        return [""] * len(zones)
    values = pandas.to_numeric(zones[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # 0 stands for "nothing may be built", which the function says.
    return [f"{_plain(value)}{unit}" if value == value and value != 0 else "" for value in values.tolist()]


@lru_cache(maxsize=10_000)
def _plain(value: float) -> str:
    decimals = next((digits for digits in (0, 1) if round(value, digits) == value), 2)
    return format_number(value, decimals)


def _storeys(least: str, most: str) -> str:
    if not most:
        return ""
    return f"{least}-{most} tầng" if least and least != most else f"{most} tầng"


def place_labels(
    shapes: NDArray[np.object_], variants: Sequence[tuple[str, ...]], sizes: Sequence[float], measure: Measure,
    mm_on_ground: float,
) -> pandas.DataFrame:
    """Find for each zone the fullest text, in the largest type, that lies whole inside it.

    Parameters
    ----------
    shapes : array of polygons, shape (n,)
        What the sheet shows of each zone, in metres.
    variants : sequence of tuple of str, length n
        Texts of each zone, the fullest first.
    sizes : sequence of float
        Type sizes in points, the largest first.
    measure : callable
    mm_on_ground : float
        Metres on the ground of one millimetre on paper.

    Returns
    -------
    DataFrame
        ``text``, ``points``, ``x``, ``y`` (middle of the text), ``width_m``, ``height_m`` and ``inside``; where nothing
        fits, or another text lies there already because zones overlap, the shortest text in the smallest type, a point
        of the zone, and ``inside`` false.

    Notes
    -----
    The middles tried are the centroid and the centre of the largest circle in the zone after stretching it so that the
    text is a square. A zone that is not convex may have room elsewhere that is not found.

    Examples
    --------
    >>> placed = place_labels(np.array([shapely.box(0, 0, 20, 10)]), [("A1 (NO)", "A1")], (6.0, 5.0),
    ...                       lambda text, points: (len(text) * points / 5, points / 2), 1.0)
    >>> placed[["text", "points", "x", "y", "inside"]].values.tolist()
    [['A1 (NO)', 6.0, 10.0, 5.0, True]]
    """
    count = len(shapes)
    text, points = np.full(count, "", dtype=object), np.full(count, float(sizes[-1]))
    middle, size = np.zeros((count, 2)), np.zeros((count, 2))
    inside = np.zeros(count, dtype=bool)
    shapely.prepare(shapes)
    centre = shapely.get_coordinates(shapely.centroid(shapes))
    for rank in range(max(map(len, variants), default=0)):
        open_ = np.array([at for at in np.flatnonzero(~inside) if rank < len(variants[at])], dtype=np.intp)
        texts = np.array([variants[at][rank] for at in open_], dtype=object)
        # Type grows in proportion; the clear space around it does not.
        at_one = np.array([measure(one, 1.0) for one in texts]).reshape(-1, 2) * mm_on_ground
        at, step, places = _fitting(shapes[open_], centre[open_], at_one, sizes, MARGIN_MM * mm_on_ground)
        done = open_[at]
        inside[done], text[done], middle[done] = True, texts[at], places
        points[done] = np.asarray(sizes, dtype=float)[step]
        size[done] = at_one[at] * points[done][:, None] + 2 * MARGIN_MM * mm_on_ground
    inside[_lying_on_others(middle, size, inside)] = False
    for at in np.flatnonzero(~inside):
        text[at], points[at] = variants[at][-1], float(sizes[-1])
        size[at] = np.array(measure(text[at], points[at])) * mm_on_ground
        middle[at] = shapely.get_coordinates(shapely.point_on_surface(shapes[at]))[0]
    return pandas.DataFrame({"text": text, "points": points, "x": middle[:, 0], "y": middle[:, 1],
                             "width_m": size[:, 0], "height_m": size[:, 1], "inside": inside})


def place_beside(
    anchors: NDArray[np.float64], sizes: NDArray[np.float64], taken: NDArray[np.float64], frame: Sequence[float],
    mm_on_ground: float,
) -> NDArray[np.float64]:
    """Find room near its zone for each text that does not fit inside: nearest first, over no other text, in the frame.

    Parameters
    ----------
    anchors : array, shape (n, 2)
        A point of each zone; a line leads from it to the text and crosses no text either.
    sizes : array, shape (n, 2)
        Width and height of the texts, metres.
    taken : array, shape (m, 4)
        Texts already there: west, south, east, north.
    frame : (west, south, east, north)
    mm_on_ground : float

    Returns
    -------
    array, shape (n, 2)
        Middles of the texts; nan where none of the places tried is free.

    Examples
    --------
    >>> place_beside(np.array([[5.0, 5.0]]), np.array([[4.0, 2.0]]), np.zeros((0, 4)), (0, 0, 100, 100), 1.0).tolist()
    [[9.5, 5.0]]
    """
    angles = np.arange(0, 360, 15)
    ways = np.column_stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    # Straight beside and above before aslant.
    ways = np.repeat(ways[np.argsort(angles % 90, kind="stable")][None], len(BESIDE_MM), axis=0).reshape(-1, 2)
    far = np.repeat(np.asarray(BESIDE_MM), len(angles))[:, None] * mm_on_ground
    along = np.linspace(0.0, 1.0, 12)[:, None]
    west, south, east, north = frame
    found = np.full((len(anchors), 2), np.nan)
    for at, (anchor, size) in enumerate(zip(anchors, sizes)):
        middles = anchor + ways * (far + size / 2)
        low, high = middles - size / 2, middles + size / 2
        free = (low >= (west, south)).all(axis=1) & (high <= (east, north)).all(axis=1)
        free &= ~((low[:, None] < taken[:, 2:]) & (high[:, None] > taken[:, :2])).all(axis=2).any(axis=1)
        # Where zones overlap, the point itself may lie under a text; the line then starts there.
        others = taken[~_within(anchor, taken)]
        for place in np.flatnonzero(free):
            points = anchor + along * (middles[place] - anchor)
            if not _within(points[:, None], others).any():
                found[at] = middles[place]
                taken = np.vstack([taken, [*low[place], *high[place]]])
                break
    return found


def _within(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ((points > boxes[:, :2]) & (points < boxes[:, 2:])).all(axis=-1)


def _lying_on_others(
    middle: NDArray[np.float64], size: NDArray[np.float64], inside: NDArray[np.bool_]
) -> list[int]:
    """Positions of texts that lie on one before them, which happens only where zones do."""
    at = np.flatnonzero(inside)
    boxes = shapely.box(*(middle[at] - size[at] / 2).T, *(middle[at] + size[at] / 2).T)
    one, other = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    gone: set[int] = set()
    for first, second in sorted(zip(other.tolist(), one.tolist())):
        if first < second and first not in gone and not shapely.touches(boxes[first], boxes[second]):
            gone.add(second)
    return at[sorted(gone)].tolist()


def _fitting(
    shapes: NDArray[np.object_], centre: NDArray[np.float64], at_one: NDArray[np.float64], sizes: Sequence[float],
    margin: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Positions of the shapes their text fits into, at which of the sizes (the largest), and the text's middle."""
    bounds, area = shapely.bounds(shapes), shapely.area(shapes)
    room = bounds[:, 2:] - bounds[:, :2]
    least = at_one * sizes[-1] + 2 * margin
    open_ = np.flatnonzero((least <= room).all(axis=1) & (least.prod(axis=1) <= area))
    first = _contains(shapes, open_, centre[open_], at_one * sizes[0] + 2 * margin)
    centred = np.zeros(len(shapes), dtype=bool)
    centred[open_] = first
    poles = np.full((len(shapes), 2), np.nan)
    reach = np.zeros(len(shapes))
    search = open_[~first]
    poles[search], reach[search] = _poles(shapes[search], least[search])
    # A box that fits anywhere leaves room for the circle inside it.
    open_ = open_[centred[open_] | (reach[open_] >= 0.5 * least[open_, 0])]
    found, steps, places = [], [], []
    for step, points in enumerate(sizes):
        box = at_one * points + 2 * margin
        for middles in (centre, poles):
            trying = open_[(box[open_] <= room[open_]).all(axis=1) & np.isfinite(middles[open_, 0])]
            fits = trying[_contains(shapes, trying, middles[trying], box)]
            found.append(fits)
            steps.append(np.full(len(fits), step))
            places.append(middles[fits])
            open_ = np.setdiff1d(open_, fits, assume_unique=True)
    return np.concatenate(found).astype(np.intp), np.concatenate(steps).astype(np.intp), np.concatenate(places)


def _contains(
    shapes: NDArray[np.object_], at: NDArray[np.intp], middles: NDArray[np.float64], boxes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which of the shapes at some positions contain their box around a middle."""
    if not len(at):
        return np.zeros(0, dtype=bool)
    half = boxes[at] / 2
    return shapely.contains(shapes[at], shapely.box(*(middles - half).T, *(middles + half).T))


def _poles(
    shapes: NDArray[np.object_], boxes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of the largest room for boxes of the given proportions, and half the width of the room, about."""
    if not len(shapes):
        return np.zeros((0, 2)), np.zeros(0)
    stretch = boxes[:, 0] / boxes[:, 1]
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    coordinates[:, 1] *= stretch[owner]
    stretched = shapely.set_coordinates(shapes.copy(), coordinates)
    # A tenth of the text's width is finer than anyone sees.
    tolerance = boxes[:, 0] / 10
    radius = shapely.maximum_inscribed_circle(stretched, tolerance)
    found = shapely.get_coordinates(shapely.get_point(radius, 0))
    found[:, 1] /= stretch
    return found, shapely.length(radius) + tolerance


def label_key(zones: geopandas.GeoDataFrame, fields: LabelFields) -> str:
    """Return the sentence of the sheet that explains what stands in a zone; empty when only codes do."""
    def has(name: str | None) -> bool:
        return name is not None and bool(zones[name].notna().any())

    parts = ["ký hiệu ô (chức năng)" if fields.code else "chức năng"]
    if has(fields.density):
        parts.append("mật độ xây dựng tối đa (%)")
    if has(fields.max_storeys):
        parts.append("tầng cao (tầng)")
    if has(fields.far):
        parts.append("hệ số sử dụng đất (lần)")
    return f"Ghi trong ô: {', '.join(parts)}." if len(parts) > 1 else ""
