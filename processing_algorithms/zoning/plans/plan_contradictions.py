"""Where plans in force say different things about the same ground."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2
from ...common.language import say
from ...common.norms.loader import load_table
from ...common.numbers_vi import format_number
from ...common.overlay import common_pieces
from ...common.slivers import in_metres, is_narrow
from ...provincial_database.catalogue import load_catalogue
from .plan_figures import FIGURES, figure_label, figure_text

COLUMNS = ("parcel_fid", "kind", "figure", "answer_ref", "other_ref", "answer_zone", "other_zone", "answer_value",
           "other_value", "area_m2", "sentence")
#: Figures a more detailed plan must keep within; population and depth are set for each plan's own zones.
_COMPARED = ("max_density_pct", "max_storeys", "max_height_m", "max_far", "min_storeys", "min_height_m", "setback_m")
#: Only meaningful between densities of the same kind.
_OF_DENSITY = ("max_density_pct", "max_far")


def contradictions(
    pieces: geopandas.GeoDataFrame, surface: Surface = Surface.PLANE
) -> geopandas.GeoDataFrame:
    """Compare each answer with what the other plans in force say on the same ground.

    Only what is wider than the tolerance of the coarser map counts. A plan that a local amendment replaces does not
    contradict it, and neither does a function that the coarser one is broken down into (table `function_nesting`).
    Figures contradict where the answer is looser: higher, denser, and in the same function closer to the street.

    Parameters
    ----------
    pieces : GeoDataFrame
        `plan_answers.PlanAnswers.pieces`.

    Returns
    -------
    GeoDataFrame
        See `COLUMNS`; one row per difference and pair of pieces.
    """
    zoned = pieces[pieces["zone_fid"].notna() & ~pieces["within_tolerance"]]
    answers = zoned[zoned["is_answer"]]
    others = zoned[zoned["role"].isin(["detailed", "same_level"])]
    frames = []
    for pairs, overlap in ((_pairs(answers, others, False), False), (_pairs(answers, answers, True), True)):
        if not len(pairs):
            continue
        found = _overlaps(pieces, pairs) if overlap else _differences(pieces, pairs)
        if not len(found):
            continue
        both = found[["a", "b"]].drop_duplicates()
        both["geometry"] = _common(pieces, both.to_numpy())
        both = both[both["geometry"].notna()]
        both["area_m2"] = areas_m2(both["geometry"].to_numpy(dtype=object), pieces.crs, surface)
        frames.append(found.merge(both, on=["a", "b"]))
    if not frames:
        empty = {name: pandas.Series(dtype=float if name == "area_m2" else object) for name in COLUMNS}
        return geopandas.GeoDataFrame(empty, geometry=geopandas.GeoSeries([], crs=pieces.crs), crs=pieces.crs)
    frame = pandas.concat(frames, ignore_index=True).sort_values(["a", "b"], kind="stable", ignore_index=True)
    frame["parcel_fid"] = pieces["parcel_fid"].loc[frame["a"]].to_numpy()
    for side, whose in (("a", "answer"), ("b", "other")):
        frame[f"{whose}_ref"] = pieces["plan_ref"].loc[frame[side]].to_numpy(dtype=object)
        frame[f"{whose}_zone"] = pieces["zone_code"].loc[frame[side]].to_numpy(dtype=object)
    frame["sentence"] = _sentences(frame)
    return geopandas.GeoDataFrame(frame[list(COLUMNS)], geometry=geopandas.GeoSeries(frame["geometry"].array,
                                                                                     crs=pieces.crs), crs=pieces.crs)


def _pairs(first: pandas.DataFrame, second: pandas.DataFrame, same_plan: bool) -> pandas.DataFrame:
    a = pandas.DataFrame({"parcel": first["parcel_fid"], "ref": first["plan_ref"], "a": first.index})
    b = pandas.DataFrame({"parcel": second["parcel_fid"], "ref": second["plan_ref"], "b": second.index})
    if same_plan:
        both = a.merge(b, on=["parcel", "ref"])
        return both.loc[both["a"] < both["b"], ["a", "b"]]
    both = a.merge(b, on="parcel", suffixes=("", "_other"))
    return both.loc[both["ref"] != both["ref_other"], ["a", "b"]]


def _overlaps(pieces: geopandas.GeoDataFrame, pairs: pandas.DataFrame) -> pandas.DataFrame:
    functions = pieces["function_code"].to_numpy(dtype=object)
    at = pieces.index
    return pairs.assign(kind="zones_overlap", figure=None, answer_value=functions[at.get_indexer(pairs["a"])],
                        other_value=functions[at.get_indexer(pairs["b"])])


def _differences(pieces: geopandas.GeoDataFrame, pairs: pandas.DataFrame) -> pandas.DataFrame:
    """Return what differs between each answer ``a`` and other piece ``b``."""
    a, b = pieces.index.get_indexer(pairs["a"]), pieces.index.get_indexer(pairs["b"])
    functions = pieces["function_code"].to_numpy(dtype=object)
    known = pandas.notna(functions[a]) & pandas.notna(functions[b])
    differ = known & (functions[a] != functions[b])
    same_level = pieces["role"].to_numpy(dtype=object)[b] == "same_level"
    inside = nesting()
    nested = np.array([pair in inside for pair in zip(functions[b], functions[a])], dtype=bool) & ~same_level
    found = []
    for kind, where in (("same_level", differ & same_level), ("function", differ & ~same_level & ~nested)):
        found.append(pairs[where].assign(kind=kind, figure=None, answer_value=functions[a][where],
                                         other_value=functions[b][where]))
    density = pieces["density_kind"].to_numpy(dtype=object)
    for name in _COMPARED:
        mine, theirs = pieces[name].to_numpy(float)[a], pieces[name].to_numpy(float)[b]
        looser = mine > theirs if FIGURES[name][1] is min else (mine < theirs) & ~differ
        if name in _OF_DENSITY:
            looser &= pandas.Series(density[a]).fillna("").to_numpy() == pandas.Series(density[b]).fillna("").to_numpy()
        texts = {value: figure_text(name, value) for value in {*mine[looser], *theirs[looser]}}
        found.append(pairs[looser].assign(kind="figure", figure=name,
                                          answer_value=[texts[value] for value in mine[looser]],
                                          other_value=[texts[value] for value in theirs[looser]]))
    return pandas.concat(found, ignore_index=True)


@lru_cache(maxsize=1)
def nesting() -> frozenset[tuple[str, str]]:
    """Return which function (first) a finer plan breaks down into which other one without contradicting it."""
    return frozenset((str(row["outer"]), inner) for row in load_table("function_nesting", on=None).rows
                     for inner in str(row["inner"]).split(";"))


def _common(pieces: geopandas.GeoDataFrame, pairs: NDArray[np.intp]) -> list[Any]:
    """Return what two pieces share, None where it is no wider than the tolerance of the coarser map."""
    first = pieces.geometry.loc[pairs[:, 0]].to_numpy()
    second = pieces.geometry.loc[pairs[:, 1]].to_numpy()
    common = first.copy()
    # Of a parcel that lies in one piece in either plan the other plan's piece is what both share.
    of_whole = [pieces["share_pct"].loc[pairs[:, side]].to_numpy() >= 100 * (1 - 1e-9) for side in (0, 1)]
    common[of_whole[0]] = second[of_whole[0]]
    different = np.flatnonzero(~of_whole[0] & ~of_whole[1])
    common[different] = common_pieces(first[different], second[different])
    found: list[Any] = [None] * len(common)
    tolerance = np.maximum(pieces["tolerance_m"].loc[pairs[:, 0]].to_numpy(float),
                           pieces["tolerance_m"].loc[pairs[:, 1]].to_numpy(float))
    there = np.flatnonzero(shapely.area(common) > 0)
    metric = in_metres(common[there], pieces.crs)
    for metres in np.unique(tolerance[there]):
        at = np.flatnonzero(tolerance[there] == metres)
        whole = pieces["share_pct"].loc[pairs[there[at], 0]].to_numpy() >= 100 * (1 - 1e-9)
        narrow = is_narrow(metric[at], max(float(metres), 1e-3)) & ~whole
        for k in at[~narrow]:
            found[there[k]] = common[there[k]]
    return found


def _sentences(frame: pandas.DataFrame) -> list[str]:
    words = {value.code: str(value.label)
             for value in load_catalogue()["zone"].field("function_code").domain.values}
    labels = {name: figure_label(name) for name in _COMPARED}

    def function(code: object) -> str:
        return f"{words[str(code)]} ({code})" if str(code) in words else str(code)

    said = []
    for row in frame.itertuples(index=False):
        common = {"a": row.answer_ref, "b": row.other_ref, "za": row.answer_zone, "zb": row.other_zone,
                  "m": format_number(row.area_m2, 1)}
        if row.kind == "zones_overlap":
            said.append(say("Đồ án {a}: ô {za} và ô {zb} chồng lấn nhau trên {m} m²",
                            "Plan {a}: zones {za} and {zb} overlap on {m} m²").format(**common))
        elif row.figure is None:
            said.append(say("{a} (ô {za}) quy định {va}, {b} (ô {zb}) quy định {vb}, trên {m} m²",
                            "{a} (zone {za}) says {va}, {b} (zone {zb}) says {vb}, on {m} m²").format(
                **common, va=function(row.answer_value), vb=function(row.other_value)))
        else:
            said.append(say("{figure}: {a} (ô {za}) {va}, {b} (ô {zb}) {vb}, trên {m} m²",
                            "{figure}: {a} (zone {za}) {va}, {b} (zone {zb}) {vb}, on {m} m²").format(
                **common, figure=labels[row.figure], va=row.answer_value, vb=row.other_value))
    return said
