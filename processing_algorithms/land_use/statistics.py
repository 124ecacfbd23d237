"""Area by land type and unit, with everything that does not fit measured beside it.

Three identities hold for every code, and the tables print them: units + outside - shared by units = the code's area;
the codes' areas add up to the layer's; the layer's area - what its polygons count twice = the ground they cover.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from ..common.areas import Surface, areas_m2, check_surface
from ..common.crs import require_crs, to_crs
from ..common.errors import InputError, noted, refuse_if
from ..common.geometry import GeometryReport, InvalidGeometry, clean
from ..common.language import say
from ..common.overlay import intersect
from ..common.progress import Progress, part, silent
from .double_counting import double_counting
from .land_types import CodeList, Node, Status, land_type_rows, normalised_codes, row_of_codes
from .placing import place


@dataclass(frozen=True)
class Statistics:
    """Areas in m2 by row (land type) and column (unit).

    Attributes
    ----------
    rows : list of Node
        Land types as printed, parents first.
    units : list of str
        Names of the units in the order of their layer; None without a layer of units.
    own : array of float, shape (rows, units)
        Land that carries the row's own code; without units one column, the whole layer.
    outside, shared : array of float, shape (rows,)
        Outside all units; counted in more than one unit (to be subtracted).
    features : array of int, shape (rows,)
        Input features with the row's own code.
    doubled : array of float, shape (units,)
        Ground within each unit that input polygons count more than once.
    doubled_outside, doubled_shared, doubled_all : float
        The same outside the units, in more than one unit, and altogether.
    unit_area : array of float, shape (units,)
        Of the units' own polygons.
    overlapping_pairs, overlapping_units : list of tuple
        Feature ids and unit names of overlapping pairs.
    unplaced_ids : dict
        Ids of features with unknown and with missing codes.
    reports : list of GeometryReport
        Of the features, and of the units.
    """

    rows: list[Node]
    units: list[str] | None
    own: NDArray[np.float64]
    outside: NDArray[np.float64]
    shared: NDArray[np.float64]
    features: NDArray[np.intp]
    doubled: NDArray[np.float64]
    doubled_outside: float
    doubled_shared: float
    doubled_all: float
    unit_area: NDArray[np.float64]
    overlapping_pairs: list[tuple[object, object]]
    overlapping_units: list[tuple[str, str]]
    unplaced_ids: dict[Status, list[object]]
    reports: list[GeometryReport]

    @property
    def by_code(self) -> NDArray[np.float64]:
        """Area of every row's own code in the whole layer, shape (rows,)."""
        return self.own.sum(axis=1) + self.outside - self.shared

    @property
    def total(self) -> float:
        """Sum of the areas of all features."""
        return float(self.by_code.sum())

    @property
    def footprint(self) -> float:
        """Ground the layer covers, each place once."""
        return self.total - self.doubled_all


def land_use_statistics(
    features: geopandas.GeoDataFrame,
    code_field: str,
    *,
    units: geopandas.GeoDataFrame | None = None,
    unit_field: str | None = None,
    surface: Surface = Surface.PLANE,
    code_list: CodeList = CodeList.LAND_LAW,
    on: datetime.date | None = None,
    province_folder: str | Path | None = None,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    features_name: str = "",
    units_name: str = "",
    progress: Progress = silent,
) -> Statistics:
    """Measure land by type and unit.

    Parameters
    ----------
    features : GeoDataFrame
        Polygons; index = feature ids.
    code_field : str
        Land-type codes, or any values with ``CodeList.FREE``.
    units : GeoDataFrame, optional
        Polygons of communes, hamlets, projects ... in any CRS. Polygons of one name are one unit.
    unit_field : str, optional
        Names of the units.
    surface : Surface
        Areas on the plane of the features' CRS (metres), or on its ellipsoid.
    code_list : CodeList
    on : date, optional
        Of the list of land types; today by default.
    province_folder : path, optional
        With the province's own tables of norms.
    invalid : InvalidGeometry
        Repair invalid shapes or refuse them. Null and empty ones are counted in the reports.
    features_name, units_name : str
        Of the layers, for messages.

    Raises
    ------
    InputError
        No CRS, plane areas in degrees, no usable polygon, invalid shapes when refused, or a list that is not known for
        the date.

    Examples
    --------
    >>> land = geopandas.GeoDataFrame({"code": ["LUC", "ONT"]}, geometry=shapely.box([0, 10], 0, [10, 20], 10), crs=9214)
    >>> land_use_statistics(land, "code", on=datetime.date(2026, 1, 1)).total
    200.0
    """
    features_name = features_name or say("Lớp đất", "The land layer")
    units_name = units_name or say("Lớp đơn vị", "The layer of units")
    problems: list[str] = []
    with noted(problems):
        check_surface(require_crs(features, features_name), surface, features_name)
    with noted(problems):
        if units is not None:
            require_crs(units, units_name)
    refuse_if(problems)
    crs = features.crs
    features, report = clean(features, "polygon", invalid, features_name)
    reports = [report]
    if not len(features):
        raise InputError(
            say("{name} không có hình vùng nào dùng được.", "{name} has no usable polygon.").format(name=features_name)
        )
    if units is not None:
        units, report = clean(units, "polygon", invalid, units_name)
        reports.append(report)
    codes = normalised_codes(features[code_field], code_list)
    rows = land_type_rows(list(codes), code_list=code_list, on=on, province_folder=province_folder)
    row_of = row_of_codes(codes, rows)
    shapes = _plain(features)
    areas = areas_m2(shapes, crs, surface)
    progress(0.1, say("Tìm chồng lấn trong lớp đất", "Looking for overlaps in the land layer"))
    double = double_counting(shapes, part(progress, 0.1, 0.4))
    doubled_area = areas_m2(double.ground, crs, surface)

    names: list[str] | None = None
    if units is None:
        own = np.bincount(row_of, areas, minlength=len(rows))[:, None].astype(float)
        outside = shared = np.zeros(len(rows))
        doubled, doubled_outside, doubled_shared = np.array([doubled_area.sum()]), 0.0, 0.0
        unit_area, unit_pairs = np.zeros(0), []
    else:
        names, unit_shapes = _dissolved_units(to_crs(units, crs), str(unit_field))
        unit_area = areas_m2(unit_shapes, crs, surface)
        unit_double = double_counting(unit_shapes)
        unit_pairs = [(names[i], names[j]) for i, j in zip(unit_double.pairs.left, unit_double.pairs.right)]
        progress(0.45, say("Cắt khoanh đất theo đơn vị", "Cutting land by units"))
        pieces = intersect(shapes, unit_shapes, part(progress, 0.45, 0.9))
        placed = place(shapes, unit_shapes, pieces, areas, unit_double, crs, surface, part(progress, 0.9, 1.0))
        own = np.zeros((len(rows), len(names)))
        np.add.at(own, (row_of[pieces.left], pieces.right), placed.piece)
        outside = np.bincount(row_of, placed.outside, minlength=len(rows))
        shared = np.bincount(row_of, placed.shared, minlength=len(rows))
        pieces = intersect(double.ground, unit_shapes)
        twice = place(double.ground, unit_shapes, pieces, doubled_area, unit_double, crs, surface)
        doubled = np.bincount(pieces.right, twice.piece, minlength=len(names)).astype(float)
        doubled_outside, doubled_shared = float(twice.outside.sum()), float(twice.shared.sum())
    progress(1.0)
    ids = features.index
    row_status = np.array([node.status for node in rows])
    unplaced = {status: list(ids[row_status[row_of] == status]) for status in (Status.UNKNOWN, Status.MISSING)}
    return Statistics(
        rows=rows, units=names, own=own, outside=outside, shared=shared,
        features=np.bincount(row_of, minlength=len(rows)), doubled=doubled, doubled_outside=doubled_outside,
        doubled_shared=doubled_shared, doubled_all=float(doubled_area.sum()), unit_area=unit_area,
        overlapping_pairs=[(ids[i], ids[j]) for i, j in zip(double.pairs.left, double.pairs.right)],
        overlapping_units=unit_pairs, unplaced_ids=unplaced, reports=reports)


def _plain(features: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    # Heights play no part, and a Z that is nan upsets comparisons of shapes.
    return shapely.force_2d(np.asarray(features.geometry.array, dtype=object))


def _dissolved_units(units: geopandas.GeoDataFrame, unit_field: str) -> tuple[list[str], NDArray[np.object_]]:
    """Return names in the order of the layer and one shape per name; units without a name are one."""
    values = normalised_codes(units[unit_field], CodeList.FREE)
    labels = [say("(không ghi tên)", "(no name)") if value is None else value for value in values]
    shapes = _plain(units)
    positions: dict[str, list[int]] = {}
    for k, label in enumerate(labels):
        positions.setdefault(label, []).append(k)
    joined = np.empty(len(positions), dtype=object)
    for k, members in enumerate(positions.values()):
        joined[k] = shapes[members[0]] if len(members) == 1 else shapely.union_all(shapes[members])
    return list(positions), joined
