"""Checks of lots and buildings against QCVN 01: density, floor-area ratio, planted share, distances, setbacks."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.overlay import intersect
from ...common.progress import Progress
from ..plans.map_accuracy import distance_error
from .building_gaps import gaps
from .compliance_case import Case, flat, joined, texts
from .compliance_checks import check, missing
from .compliance_of_plan import of_plan
from .lot_kinds import LotKind
from .norm_distances import planted_share_limits, setback_limits, spacing_limits
from .norm_limits import far_limits, far_limits_existing_area, net_density_limits
from .road_fronts import UNKNOWN_ROAD_REACH_M, corridors, fronts, setbacks

#: Mục 2.6.1 is about blocks, not about a house and its kitchen.
_SPACED = (LotKind.APARTMENT.value, LotKind.MIXED.value, LotKind.PUBLIC_SERVICE.value)


def norm_checks(case: Case) -> list[pandas.DataFrame]:
    """Check density and floor-area ratio."""
    table, lot = case.measures.lots[case.built], np.flatnonzero(case.built)
    kind, on = case.kinds["lot_kind"].to_numpy()[lot], list(case.on[lot])
    folder, note, existing = case.province_folder, case.note[lot], case.existing[lot]
    # Buildings of several heights are judged at their average; parts over one another each at its own.
    stacked = table["stacked"].to_numpy()
    several = (
        (table["buildings"] > 1).to_numpy() & ~stacked & (table["mean_height"] < table["height"] - 0.05).to_numpy()
    )
    average = np.array([say("chiều cao trung bình {h} m", "average height {h} m").format(h=format_number(h, 1)) if one
                        else ""
                        for h, one in zip(table["mean_height"], several)], dtype=object)
    limits = net_density_limits(kind, table["area"], table["mean_height"], on=on, existing=existing,
                                floors_at_most=table["storeys"].where(table["no_storeys"] == 0), province_folder=folder)
    plain = np.flatnonzero(~stacked | ~np.isin(lot, case.measures.levels["lot"]))
    found = [check("QC-DENSITY", limits.iloc[plain], table["density_pct"].iloc[plain], lot=lot[plain],
                   tolerance=table["density_error"].iloc[plain], note=joined(note, average)[plain])]
    found.append(_levels(case))
    no_storeys = missing(say("số tầng", "storeys"), table["no_storeys"])
    highest = table["height"].where(table["no_height"] == 0)
    found.append(check("QC-FAR", far_limits(kind, highest, on=on, province_folder=folder), table["far"], lot=lot,
                       tolerance=table["far_error"], at_worst=table["far_at_most"], unmeasured=no_storeys, note=note))
    old = np.flatnonzero(existing)
    ratio = far_limits_existing_area(table["area"].iloc[old], table["mean_height"].iloc[old], on=[on[k] for k in old],
                                     province_folder=folder)
    found.append(check("QC-FAR-EXISTING", ratio, table["far"].iloc[old], lot=lot[old],
                       tolerance=table["far_error"].iloc[old],
                       at_worst=table["far_at_most"].iloc[old], unmeasured=no_storeys[old], note=note[old]))
    return found


def _levels(case: Case) -> pandas.DataFrame:
    """Podium and tower: what is built at each height, against the limit at that height."""
    levels = case.measures.levels
    lot = levels["lot"].to_numpy(dtype=np.intp)
    table = case.measures.lots.iloc[lot]
    limits = net_density_limits(
        case.kinds["lot_kind"].to_numpy()[lot], table["area"].to_numpy(), levels["height"].to_numpy(dtype=float),
        on=list(case.on[lot]), existing=case.existing[lot], floors_at_most=table["storeys"].to_numpy(),
        province_folder=case.province_folder)
    share = 100.0 * levels["built"].to_numpy(dtype=float) / table["area"].to_numpy()
    note = [
        say("khối đế và tháp: phần cao từ {h} m", "podium and tower: the part of {h} m and more").format(
            h=format_number(h, 1)
        )
        for h in levels["height"]
    ]
    return check("QC-DENSITY", limits, share, lot=lot,
                 tolerance=share * (table["density_error"] / table["density_pct"]).to_numpy(),
                 note=joined(case.note[lot], np.array(note, dtype=object)))





def planted_checks(case: Case, green: geopandas.GeoDataFrame | None) -> pandas.DataFrame:
    """Check the planted share."""
    lot = np.flatnonzero(case.built)
    table = case.measures.lots.iloc[lot]
    limits = planted_share_limits(case.kinds["planted_type"].to_numpy()[lot], on=list(case.on[lot]),
                                  province_folder=case.province_folder)
    if green is None:
        # What is built over is not planted: an upper bound that may be enough for a verdict.
        return check("QC-PLANTED", limits, 100.0 - table["density_pct"], lot=lot, tolerance=table["density_error"],
                     at_worst=0.0,
                     unmeasured=say("chưa có lớp cây xanh; giá trị đo là phần lô không xây dựng",
                                    "no layer of planted ground; the value is what is not built over"), note=case.note[lot])
    cut = intersect(flat(case.lots), np.array([shapely.union_all(flat(green))], dtype=object))
    planted = np.bincount(cut.left, shapely.area(cut.geometry), minlength=len(case.lots))[lot]
    share = 100.0 * planted / table["area"]
    return check("QC-PLANTED", limits, share, lot=lot, tolerance=share * table["area_error"] / table["area"],
                 note=case.note[lot])


def spacing_checks(case: Case) -> pandas.DataFrame:
    """The tightest gap between buildings of each lot of blocks."""
    lots = np.flatnonzero(case.built & np.isin(case.kinds["lot_kind"], _SPACED))
    # No rule asks for more than the height; 50 m are beyond the fixed distances.
    known = case.measures.lots["height"].fillna(0.0).to_numpy()
    tallest = float(known[lots].max(initial=0.0))
    found = gaps(case.measures.pieces, lots, error_m=case.error_m, farthest_m=max(50.0, tallest))
    lot = found["lot"].to_numpy(dtype=np.intp)
    limits = spacing_limits(found["height"].to_numpy(dtype=float), found["face"].to_numpy(dtype=object),
                            on=list(case.on[lot]),
                            province_folder=case.province_folder)
    ids = case.building_ids[case.measures.pieces["building"].to_numpy()]
    note = [say("giữa công trình fid {a} và {b}", "between the buildings {a} and {b}").format(a=a, b=b)
            for a, b in zip(ids[found["first"].to_numpy(dtype=np.intp)], ids[found["second"].to_numpy(dtype=np.intp)])]
    rows = check("QC-SPACING", limits, found["gap_m"].to_numpy(dtype=float), lot=lot,
                 building=found["first"].to_numpy(dtype=np.intp), tolerance=distance_error(case.error_m), note=note)
    room = rows["measured"] - rows["limit_strictest"]
    return rows.assign(room=room).sort_values("room", kind="stable").drop_duplicates("lot").drop(columns="room")


def road_checks(
    case: Case, roads: geopandas.GeoDataFrame, width: NDArray[np.float64], red_lines: bool, front_m: float,
    zone: dict[str, NDArray[np.float64]], progress: Progress,
) -> tuple[list[pandas.DataFrame], NDArray[np.bool_], int]:
    """Check setbacks from the red lines of the roads each lot fronts; also tell which lots front a road, and how many
    roads have no width."""
    shapes, names = flat(roads), texts(roads, "name")
    ground = corridors(shapes, width, are_red_lines=red_lines)
    lot, road = fronts(flat(case.lots), ground, front_m)
    pieces = case.measures.pieces
    measured = setbacks(pieces, lot, road, ground, progress)
    piece, along = measured["piece"].to_numpy(dtype=np.intp), measured["road"].to_numpy(dtype=np.intp)
    whose = pieces["lot"].to_numpy()[piece]
    tolerance = distance_error(case.error_m)
    note = np.array([names[k] or say("đường fid {id}", "road {id}").format(id=roads.index[k]) for k in along],
                    dtype=object)
    limits = setback_limits(width[along], pieces["height"].to_numpy()[piece], on=list(case.on[whose]),
                            province_folder=case.province_folder)
    found = []
    for rule, figures in (("QC-SETBACK", limits), ("PLAN-SETBACK", of_plan(case, zone["setback_m"], whose, False))):
        rows = check(rule, figures, measured["setback_m"], lot=whose, building=piece, tolerance=tolerance,
                     note=joined(case.note[whose], note))
        # Of several roads the one that leaves least room decides.
        room = (rows["measured"] - rows["limit_strictest"]).fillna(-np.inf)
        found.append(rows.assign(room=room).sort_values("room",
                                                        kind="stable").drop_duplicates("building").drop(columns="room"))
    fronting = np.isin(np.arange(len(case.lots)), lot)
    nowhere = np.flatnonzero(~shapely.is_geometry(ground) & shapely.is_geometry(shapes))
    near = fronts(flat(case.lots), np.where(np.isin(np.arange(len(shapes)), nowhere), shapes, None),
                  UNKNOWN_ROAD_REACH_M)[0]
    unsure = np.flatnonzero(case.built & ~fronting & np.isin(np.arange(len(case.lots)), near))
    limits = setback_limits(np.full(len(unsure), np.nan), case.measures.lots["height"].to_numpy()[unsure],
                            on=list(case.on[unsure]),
                            province_folder=case.province_folder)
    found.append(check("QC-SETBACK", limits, np.nan, lot=unsure, unmeasured=say(
        "đường giáp lô chưa có bề rộng chỉ giới đường đỏ", "the road along the lot has no width between red lines")))
    return found, fronting, len(nowhere)
