"""The street network as a graph in packed arrays.

A *node* is a place where streets meet: an end of a line, or a vertex that several lines (or one line twice) pass.
An *edge* is the stretch of one street between two nodes, with its true shape. Lines that cross without a common
vertex (bridges, underpasses) are not connected; neither are ends that stop short of a line without touching a vertex.
This is the topology of QGIS's native network analysis, with long edges in place of one edge per vertex.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..common.errors import InputError, name_some
from ..common.geometry import GeometryReport, clean
from ..common.language import say
from .direction_values import DirectionValues
from .joining import join_near_ends, label_points
from .street_rules import read_directions, read_speeds

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class NetworkReport:
    """What was found while building; all counts."""

    geometry: GeometryReport
    zero_length: int = 0
    joined_ends: int = 0
    direction_null: int = 0
    direction_unknown: dict[str, int] = field(default_factory=dict)
    speed_defaulted: int = 0
    speed_unread: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Tell what is worth telling; an untroubled network gives none."""
        name = self.geometry.name
        told = self.geometry.sentences()
        if self.zero_length:
            told.append(say("{name}: {n} đoạn có chiều dài bằng 0, không tính.",
                            "{name}: {n} lines of zero length, left out.")
                        .format(name=name, n=self.zero_length))
        if self.joined_ends:
            told.append(say("{name}: {n} đầu đường được nối theo dung sai.",
                            "{name}: {n} line ends were joined within the tolerance.")
                        .format(name=name, n=self.joined_ends))
        if self.direction_null:
            told.append(say("{name}: {n} đường không ghi chiều, lấy chiều mặc định.",
                            "{name}: {n} streets state no direction and take the default.")
                        .format(name=name, n=self.direction_null))
        if self.direction_unknown:
            kinds = ", ".join(f"\"{value}\" ({count})" for value, count in list(self.direction_unknown.items())[:10])
            told.append(say("{name}: giá trị chiều đường không có trong khai báo, lấy chiều mặc định: {kinds}.",
                            "{name}: direction values that were not declared take the default: {kinds}.")
                        .format(name=name, kinds=kinds))
        if self.speed_defaulted - len(self.speed_unread):
            told.append(say("{name}: {n} đường không có vận tốc (trống hoặc bằng 0), lấy vận tốc mặc định.",
                            "{name}: {n} streets have no speed (null or 0) and take the default.")
                        .format(name=name, n=self.speed_defaulted - len(self.speed_unread)))
        if self.speed_unread:
            told.append(say("{name}: {n} vận tốc không phải là số, lấy vận tốc mặc định (fid: {ids}).",
                            "{name}: {n} speeds are no numbers and take the default (ids: {ids}).")
                        .format(name=name, n=len(self.speed_unread), ids=name_some(self.speed_unread)))
        return told


@dataclass(frozen=True)
class Network:
    """A street network. V vertices, E edges, N nodes; distances in metres in the plane of ``crs``.

    Attributes
    ----------
    xy : array, shape (V, 2)
        Vertices of all edges, edge after edge; the end of one edge and the start of the next are both stored.
    first : array of int, shape (E + 1,)
        Vertices of edge e are ``first[e]`` to ``first[e + 1] - 1``.
    along : array, shape (V,)
        Distance from the start of the vertex's edge.
    start, end : arrays of int, shape (E,)
        Nodes.
    node_count : int
    length : array, shape (E,)
        Always greater than 0.
    street : array of int, shape (E,)
        Position of the edge's row in the layer the network was built from.
    street_ids : Index
        Feature ids of that layer.
    forward, backward : arrays of bool, shape (E,)
        Whether the edge may be travelled from start to end, and from end to start.
    speed_kmh : array, shape (E,)
    """

    crs: pyproj.CRS | None
    xy: Floats
    first: Indices
    along: Floats
    start: Indices
    end: Indices
    node_count: int
    length: Floats
    street: Indices
    street_ids: pandas.Index
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    speed_kmh: Floats
    report: NetworkReport

    @property
    def edge_count(self) -> int:
        """Number of edges."""
        return len(self.length)

    def minutes_per_metre(self) -> Floats:
        """Travel time on each edge, shape (E,)."""
        return 0.06 / self.speed_kmh

    def lines(self, edges: Indices | None = None) -> NDArray[np.object_]:
        """Edges as LineStrings: all, shape (E,), or those asked for."""
        if edges is None:
            return shapely.linestrings(self.xy, indices=np.repeat(np.arange(self.edge_count), np.diff(self.first)))
        owner, vertex = self.vertices_of(edges)
        return shapely.linestrings(self.xy[vertex], indices=owner)

    def vertices_of(self, edges: Indices) -> tuple[Indices, Indices]:
        """Vertices of some edges, one edge after the other: (position in ``edges``, vertex), both of one shape."""
        count = self.first[edges + 1] - self.first[edges]
        owner = np.repeat(np.arange(len(edges)), count)
        return owner, np.repeat(self.first[edges] - np.cumsum(count) + count, count) + np.arange(len(owner))

    def components(self) -> tuple[int, Indices]:
        """Number of connected parts (directions aside), and the part of each edge, shape (E,)."""
        ones = np.ones(self.edge_count, dtype=np.int8)
        graph = coo_matrix((ones, (self.start, self.end)), shape=(self.node_count, self.node_count))
        count, part = connected_components(graph, directed=False)
        return count, part[self.start]


def build_network(
    streets: geopandas.GeoDataFrame,
    *,
    direction: str | None = None,
    direction_values: DirectionValues = DirectionValues(),
    speed: str | None = None,
    default_speed_kmh: float = 30.0,
    tolerance: float = 0.0,
    name: str = "",
) -> Network:
    """Build the network of a line layer.

    Parameters
    ----------
    streets : GeoDataFrame
        Lines and multi-lines in a plane system; Z and M are ignored. Null, empty and zero-length lines are counted
        and left out. Index = feature ids.
    direction, speed : str, optional
        Field names; see `street_rules`, and `direction_values` for what values mean.
    default_speed_kmh : float
        Where the speed is not known.
    tolerance : float
        Metres. Above 0, an end of a line is connected to the nearest vertex within it of every other line. Shapes
        stay as drawn; the gap costs nothing.
    name : str
        Of the layer, for messages.

    Raises
    ------
    InputError
        No line of positive length; wrong speeds or direction values; non-finite coordinates.

    Examples
    --------
    A T-junction whose side street meets an inner vertex of the main street: three edges, four nodes.

    >>> frame = geopandas.GeoDataFrame(geometry=geopandas.GeoSeries.from_wkt(
    ...     ["LINESTRING (0 0, 10 0, 20 0)", "LINESTRING (10 0, 10 5)"], crs=32648))
    >>> network = build_network(frame)
    >>> network.edge_count, network.node_count, network.length.tolist()
    (3, 4, [10.0, 10.0, 5.0])
    """
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise InputError(say("Dung sai nối đường phải từ 0 trở lên.", "The joining tolerance must be 0 or more."))
    directions = read_directions(None if direction is None else streets[direction], direction_values, rows=len(streets))
    speeds = read_speeds(None if speed is None else streets[speed], default_speed_kmh, rows=len(streets), name=name)
    usable, found = clean(streets, "line", name=name)
    rows = np.arange(len(streets)) if len(usable) == len(streets) else streets.index.get_indexer(usable.index)

    xy, line, line_row, zero_length = _vertices(np.asarray(usable.geometry.array, dtype=object), rows)
    if not len(line):
        raise InputError(say("{name}: không có đường nào có chiều dài.", "{name}: there is no line of positive length.")
                         .format(name=name))
    place = label_points(xy)
    is_end = _ends(line)
    node_of_place, joined = np.arange(place.max() + 1), 0
    if tolerance > 0:
        node_of_place, joined = join_near_ends(xy, place, line, is_end, tolerance)
    node = node_of_place[place]
    return _assemble(
        xy, node, line, is_end, line_row, crs=streets.crs, street_ids=streets.index,
        forward=directions.forward, backward=directions.backward, speed_kmh=speeds.kmh,
        report=NetworkReport(
            geometry=found, zero_length=zero_length, joined_ends=joined, direction_null=directions.null,
            direction_unknown=directions.unknown, speed_defaulted=speeds.defaulted,
            speed_unread=speeds.unread))


def _vertices(shapes: NDArray[np.object_], rows: Indices) -> tuple[Floats, Indices, Indices, int]:
    """Return vertices without repeats, the line each belongs to (numbered 0.. without gaps), the row of each line,
    and the number of lines of zero length."""
    parts, owner = shapes, np.arange(len(shapes))
    if (shapely.get_type_id(shapes) != shapely.GeometryType.LINESTRING).any():
        parts, owner = shapely.get_parts(shapes, return_index=True)
    xy, line = shapely.get_coordinates(parts, return_index=True)
    xy += 0.0  # makes -0.0 equal 0.0 in bits, which labels places
    repeats = np.zeros(len(xy), dtype=bool)
    repeats[1:] = (line[1:] == line[:-1]) & (xy[1:] == xy[:-1]).all(axis=1)
    count = np.bincount(line[~repeats], minlength=len(parts))
    long_enough = count >= 2
    if repeats.any() or not long_enough.all():
        kept = ~repeats & long_enough[line]
        xy, line = xy[kept], (np.cumsum(long_enough) - 1)[line[kept]]
        owner = owner[long_enough]
    return xy, line, rows[owner], int((~long_enough).sum())


def _ends(line: Indices) -> NDArray[np.bool_]:
    """Mark the first and the last vertex of every line."""
    changes = line[1:] != line[:-1]
    return np.concatenate([[True], changes]) | np.concatenate([changes, [True]])


def _assemble(
    xy: Floats, node: Indices, line: Indices, is_end: NDArray[np.bool_], line_row: Indices, *,
    forward: NDArray[np.bool_], backward: NDArray[np.bool_], speed_kmh: Floats, **identity: Any,
) -> Network:
    """Split the lines at shared vertices and pack the edges."""
    visits = np.bincount(node)
    shared = (visits[node] > 1) & ~is_end
    # A shared inner vertex ends one edge and starts the next, so it is stored twice.
    copy_of = np.repeat(np.arange(len(xy)), 1 + shared)
    starts_edge = np.zeros(len(copy_of), dtype=bool)
    second_copy = np.zeros(len(copy_of), dtype=bool)
    second_copy[1:] = copy_of[1:] == copy_of[:-1]
    starts_edge[second_copy] = True
    packed_line = line[copy_of]
    starts_edge[0] = True
    starts_edge[1:] |= packed_line[1:] != packed_line[:-1]

    first = np.append(np.flatnonzero(starts_edge), len(copy_of))
    packed = xy[copy_of]
    step = np.zeros(len(packed))
    step[1:] = np.hypot(*(packed[1:] - packed[:-1]).T)
    step[first[:-1]] = 0.0
    edge = np.repeat(np.arange(len(first) - 1), np.diff(first))
    # Summed edge by edge: a running total over a province would lose the micrometres.
    along = pandas.Series(step).groupby(edge).cumsum().to_numpy()
    used, packed_node = np.unique(node[copy_of][np.concatenate([first[:-1], first[1:] - 1])], return_inverse=True)
    street = line_row[packed_line[first[:-1]]]
    return Network(
        xy=packed, first=first, along=along, start=packed_node[:len(street)], end=packed_node[len(street):],
        node_count=len(used), length=along[first[1:] - 1], street=street,
        forward=forward[street], backward=backward[street], speed_kmh=speed_kmh[street], **identity)
