"""Input geometry: invalid shapes repaired or refused, null and empty ones counted, nothing dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from .errors import InputError, name_some
from .language import say

Kind = Literal["polygon", "line", "point"]
_DIMENSION: dict[str, int] = {"point": 0, "line": 1, "polygon": 2}


class InvalidGeometry(IntEnum):
    """What to do with invalid shapes (self-crossing polygons and the like)."""

    REPAIR = 0
    REFUSE = 1


@dataclass(frozen=True)
class GeometryReport:
    """What was found in one layer. Counts of features; ids are those of the frame's index."""

    name: str
    total: int
    used: int
    null: int = 0
    empty: int = 0
    other_kind: int = 0
    repaired: int = 0
    repaired_ids: list[object] = field(default_factory=list)
    unusable_ids: list[object] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """Tell what is worth telling; an untroubled layer gives none."""
        told = []
        if self.repaired:
            told.append(say("{name}: đã sửa {n} hình tự cắt hoặc không hợp lệ (fid: {ids}).",
                            "{name}: repaired {n} invalid shapes (ids: {ids}).")
                        .format(name=self.name, n=self.repaired, ids=name_some(self.repaired_ids)))
        if self.null + self.empty + self.other_kind:
            told.append(say("{name}: {k} đối tượng không có hình dùng được, không tính: {null} không có hình, {empty} hình rỗng, "
                            "{other} khác kiểu hình (fid: {ids}).",
                            "{name}: {k} features without a usable shape, left out: {null} null, {empty} empty, "
                            "{other} of another kind (ids: {ids}).")
                        .format(name=self.name, k=self.null + self.empty + self.other_kind, null=self.null,
                                empty=self.empty, other=self.other_kind, ids=name_some(self.unusable_ids)))
        return told


def clean(
    frame: geopandas.GeoDataFrame,
    kind: Kind,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    name: str = "",
) -> tuple[geopandas.GeoDataFrame, GeometryReport]:
    """Return the features whose shapes can be used, and a count of everything else.

    Parameters
    ----------
    frame : GeoDataFrame
        Index = feature ids as the user knows them.
    kind : {"polygon", "line", "point"}
        Wanted dimension. Collections keep their parts of that dimension.
    invalid : InvalidGeometry
        REPAIR uses the structure method of make_valid: rings keep the area they enclose, overlapping rings merge.
    name : str
        Of the layer, for messages.

    Returns
    -------
    frame : GeoDataFrame
        Same index labels and columns, fewer rows perhaps; Z and M are kept.
    report : GeometryReport

    Raises
    ------
    InputError
        Invalid shapes when they are to be refused, with their ids; or every shape is of another kind.
    """
    shapes = np.array(frame.geometry.array, dtype=object)
    null = np.array([shape is None for shape in shapes], dtype=bool)
    empty = ~null & shapely.is_empty(shapes)
    _refuse_non_finite(shapes, frame, name)
    wrong = ~null & ~empty & ~_is_valid(shapes)
    if wrong.any():
        if invalid is InvalidGeometry.REFUSE:
            raise InputError(
                say("{name}: {n} hình không hợp lệ (fid: {ids}); hãy sửa hình, hoặc chọn \"Sửa và đếm\" ở tham số hình không hợp lệ.",
                    "{name}: {n} invalid shapes (ids: {ids}); repair them, or choose \"Repair and count\" for invalid shapes.")
                .format(name=name, n=int(wrong.sum()), ids=name_some(frame.index[wrong])))
        shapes[wrong] = shapely.make_valid(shapes[wrong], method="structure", keep_collapsed=False)
    mixed = ~null & ~empty & _needs_extraction(shapes, kind)
    if mixed.any():
        shapes[mixed] = _only_kind(shapes[mixed], kind)
    gone = ~null & ~empty & np.asarray(shapely.is_empty(shapes))
    used = ~(null | empty | gone)
    if gone.any() and not used.any():
        # Leaving all of it out would look like an answer of zero.
        raise InputError(
            say("{name}: không có đối tượng nào dạng {kind}, trong khi cả {n} đối tượng có hình đều khác kiểu; hãy chọn đúng lớp.",
                "{name}: no feature is a {kind}, all {n} features with a shape are of another kind; choose the right layer.")
            .format(name=name, kind=_kind_name(kind), n=int(gone.sum())))
    kept = frame if used.all() and not wrong.any() and not mixed.any() else (
        frame.set_geometry(geopandas.GeoSeries(shapes, index=frame.index, crs=frame.crs))[used])
    repaired = wrong & used
    return kept, GeometryReport(
        name=name, total=len(frame), used=int(used.sum()), null=int(null.sum()), empty=int(empty.sum()),
        other_kind=int(gone.sum()), repaired=int(repaired.sum()), repaired_ids=list(frame.index[repaired]),
        unusable_ids=list(frame.index[~used]))


def _kind_name(kind: Kind) -> str:
    return {"polygon": say("vùng", "polygon"), "line": say("đường", "line"), "point": say("điểm", "point")}[kind]


def _refuse_non_finite(shapes: NDArray[np.object_], frame: geopandas.GeoDataFrame, name: str) -> None:
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    bad = np.unique(owner[~np.isfinite(coordinates).all(axis=1)])
    if bad.size:
        raise InputError(
            say("{name}: {n} đối tượng có tọa độ vô hạn hoặc không phải số (fid: {ids}); hãy xóa hoặc vẽ lại.",
                "{name}: {n} features have infinite or missing coordinates (ids: {ids}); delete or redraw them.")
            .format(name=name, n=bad.size, ids=name_some(frame.index[bad])))


def _is_valid(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    # Only polygons can be invalid in a way that matters here; a line of one repeated point is handled by length.
    valid = np.ones(len(shapes), dtype=bool)
    polygonal = shapely.get_dimensions(shapes) == 2
    valid[polygonal] = shapely.is_valid(shapes[polygonal])
    return valid


def _needs_extraction(shapes: NDArray[np.object_], kind: Kind) -> NDArray[np.bool_]:
    types = shapely.get_type_id(shapes)
    fitting = {"point": (0, 4), "line": (1, 2, 5), "polygon": (3, 6)}[kind]
    return ~np.isin(types, fitting)


def _only_kind(shapes: NDArray[np.object_], kind: Kind) -> NDArray[np.object_]:
    """Keep the parts of the wanted dimension; a shape without any becomes empty."""
    empty = {"point": "MULTIPOINT EMPTY", "line": "MULTILINESTRING EMPTY", "polygon": "MULTIPOLYGON EMPTY"}[kind]
    build = {"point": shapely.multipoints, "line": shapely.multilinestrings, "polygon": shapely.multipolygons}[kind]
    result = np.full(len(shapes), shapely.from_wkt(empty), dtype=object)
    for position, shape in enumerate(shapes):
        parts = _flatten(shape)
        fitting = [part for part in parts if shapely.get_dimensions(part) == _DIMENSION[kind] and not part.is_empty]
        if len(fitting) == 1:
            result[position] = fitting[0]
        elif fitting:
            result[position] = build(fitting)
    return result


def _flatten(shape: shapely.Geometry) -> list[shapely.Geometry]:
    parts = list(shapely.get_parts(shape))
    if len(parts) == 1 and parts[0] is shape or shapely.get_type_id(shape) < 4:
        return [shape]
    return [leaf for part in parts for leaf in _flatten(part)]
