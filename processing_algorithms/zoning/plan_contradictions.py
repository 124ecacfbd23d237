"""Where plans in force say different things about the same ground."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pandas
import shapely

from ..common.areas import Surface, areas_m2
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.overlay import polygonal
from ..common.slivers import in_metres, is_narrow
from ..provincial_database.catalogue import load_catalogue
from .plan_figures import FIGURES, figure_label, figure_text
from .plan_states import PlanStates

COLUMNS = ("parcel_fid", "kind", "figure", "answer_ref", "other_ref", "answer_zone", "other_zone", "answer_value",
           "other_value", "area_m2", "sentence")
#: Figures a more detailed plan must keep within; population and depth are set for each plan's own zones.
_COMPARED = ("max_density_pct", "max_storeys", "max_height_m", "max_far", "min_storeys", "min_height_m", "setback_m")
#: Only meaningful between densities of the same kind.
_OF_DENSITY = ("max_density_pct", "max_far")


def contradictions(
    pieces: geopandas.GeoDataFrame, states: PlanStates, surface: Surface = Surface.PLANE
) -> geopandas.GeoDataFrame:
    """Compare each answer with what the other plans in force say on the same ground.

    Only what is wider than the tolerance of the coarser map counts. A plan that a local amendment replaces does not
    contradict it. Figures contradict where the answer is looser: higher, denser, closer to the street.

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
    rows: list[dict[str, Any]] = []
    geometry: list[Any] = []
    for kind_of_pair, first, second in (("levels", answers, others), ("overlap", answers, answers)):
        pairs = _pairs(first, second, kind_of_pair == "overlap")
        said = [_differences(pieces.loc[a], pieces.loc[b], kind_of_pair == "overlap") for a, b in pairs]
        pairs, said = zip(*[(p, s) for p, s in zip(pairs, said) if s]) if any(said) else ((), ())
        if not pairs:
            continue
        common = _common(pieces, np.array(pairs), states)
        for (a, b), differences, shape in zip(pairs, said, common):
            if shape is None:
                continue
            area = float(areas_m2(np.array([shape], dtype=object), pieces.crs, surface)[0])
            for difference in differences:
                rows.append({"parcel_fid": pieces.at[a, "parcel_fid"], **difference, "area_m2": area})
                geometry.append(shape)
    frame = pandas.DataFrame(rows, columns=[*COLUMNS[:-1]])
    frame["sentence"] = [_sentence(row) for _, row in frame.iterrows()]
    return geopandas.GeoDataFrame(frame, geometry=geopandas.GeoSeries(geometry, crs=pieces.crs, dtype="geometry"),
                                  crs=pieces.crs)


def _pairs(first: pandas.DataFrame, second: pandas.DataFrame, same_plan: bool) -> list[tuple[Any, Any]]:
    a = pandas.DataFrame({"parcel": first["parcel_fid"], "ref": first["plan_ref"], "a": first.index})
    b = pandas.DataFrame({"parcel": second["parcel_fid"], "ref": second["plan_ref"], "b": second.index})
    if same_plan:
        both = a.merge(b, on=["parcel", "ref"])
        both = both[both["a"] < both["b"]]
    else:
        both = a.merge(b, on="parcel", suffixes=("", "_other"))
        both = both[both["ref"] != both["ref_other"]]
    return list(zip(both["a"], both["b"]))


def _differences(answer: pandas.Series, other: pandas.Series, overlap: bool) -> list[dict[str, Any]]:
    common = {"answer_ref": answer["plan_ref"], "other_ref": other["plan_ref"], "answer_zone": answer["zone_code"],
              "other_zone": other["zone_code"]}
    if overlap:
        return [{**common, "kind": "zones_overlap", "figure": None, "answer_value": answer["function_code"],
                 "other_value": other["function_code"]}]
    found = []
    same_level = other["role"] == "same_level"
    if answer["function_code"] != other["function_code"] and answer["function_code"] and other["function_code"]:
        found.append({**common, "kind": "same_level" if same_level else "function", "figure": None,
                      "answer_value": answer["function_code"], "other_value": other["function_code"]})
    for name in _COMPARED:
        mine, theirs = answer[name], other[name]
        if not (mine == mine and theirs == theirs) or mine == theirs:
            continue
        if name in _OF_DENSITY and answer["density_kind"] != other["density_kind"]:
            continue
        tighter = FIGURES[name][1]
        if tighter(mine, theirs) == theirs:
            found.append({**common, "kind": "figure", "figure": name, "answer_value": figure_text(name, mine),
                          "other_value": figure_text(name, theirs)})
    return found


def _common(pieces: geopandas.GeoDataFrame, pairs: Any, states: PlanStates) -> list[Any]:
    """Return what two pieces share, None where it is no wider than the tolerance of the coarser map."""
    first = pieces.geometry.loc[pairs[:, 0]].to_numpy()
    second = pieces.geometry.loc[pairs[:, 1]].to_numpy()
    common = first.copy()
    different = np.flatnonzero([a is not b for a, b in zip(first, second)])
    # GEOS leaves the processor's "invalid operation" flag set now and then, and numpy would warn of it.
    with np.errstate(invalid="ignore"):
        common[different] = polygonal(shapely.intersection(first[different], second[different]))
    found: list[Any] = [None] * len(common)
    tolerance = np.maximum(pieces["tolerance_m"].loc[pairs[:, 0]].to_numpy(float),
                           pieces["tolerance_m"].loc[pairs[:, 1]].to_numpy(float))
    there = np.flatnonzero(shapely.is_geometry(common))
    metric = in_metres(common[there], pieces.crs)
    for metres in np.unique(tolerance[there]):
        at = np.flatnonzero(tolerance[there] == metres)
        whole = pieces["share_pct"].loc[pairs[there[at], 0]].to_numpy() >= 100 * (1 - 1e-9)
        narrow = is_narrow(metric[at], max(float(metres), 1e-3)) & ~whole
        for k in at[~narrow]:
            found[there[k]] = common[there[k]]
    return found


def _sentence(row: pandas.Series) -> str:
    area = format_number(row["area_m2"], 1)
    if row["kind"] == "zones_overlap":
        return say("Đồ án {a}: ô {za} và ô {zb} chồng lấn nhau trên {m} m²",
                   "Plan {a}: zones {za} and {zb} overlap on {m} m²").format(
            a=row["answer_ref"], za=row["answer_zone"], zb=row["other_zone"], m=area)
    if row["figure"] is None:
        return say("{a} (ô {za}) quy định {va}, {b} (ô {zb}) quy định {vb}, trên {m} m²",
                   "{a} (zone {za}) says {va}, {b} (zone {zb}) says {vb}, on {m} m²").format(
            a=row["answer_ref"], za=row["answer_zone"], b=row["other_ref"], zb=row["other_zone"], m=area,
            va=_function(row["answer_value"]), vb=_function(row["other_value"]))
    return say("{figure}: {a} (ô {za}) {va}, {b} (ô {zb}) {vb}, trên {m} m²",
               "{figure}: {a} (zone {za}) {va}, {b} (zone {zb}) {vb}, on {m} m²").format(
        figure=figure_label(row["figure"]), a=row["answer_ref"], za=row["answer_zone"], va=row["answer_value"],
        b=row["other_ref"], zb=row["other_zone"], vb=row["other_value"], m=area)


def _function(code: str) -> str:
    words = {value.code: str(value.label)
             for value in load_catalogue()["zone"].field("function_code").domain.values}
    return f"{words[code]} ({code})" if code in words else str(code)
