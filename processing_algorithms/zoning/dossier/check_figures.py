"""Rules on control figures (CT) against QCVN 01 and one another, and on the scale (TL)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.errors import name_some
from ...common.language import say
from ...common.norms import deciding_date, load_table
from ...common.numbers_vi import format_number
from ..compliance.lot_kinds import LotKind, lot_kinds
from ..compliance.norm_limits import far_limits, gross_density_limits, net_density_limits
from ..compliance.verdicts import Verdict, judge
from .check_classes import FIGURES, primary_zones
from .check_codes import identity
from .check_values import function_codes
from .examined import Examined, ExaminedClass
from .rules import RULES, Finding
from .schema import BOUNDARY, OBJECT_NAME

#: Which gross density of the regulation a function is held to; the assignment is ours.
_GROSS = {"NO": "residential_unit", "HH": "residential_unit", "LX": "residential_unit", "DL": "resort", "CXCC": "park",
          "CXCD": "specialised_green"}
#: Below this a storey cannot be lived in: a slip of the pen, no norm. Metres.
_LOWEST_STOREY_M = 2.2
_SCALE = re.compile(r"1\s*/\s*(\d{1,3}(?:[.,\s]\d{3})+|\d{3,6})")


def check_scale(examined: Examined) -> Iterator[Finding]:
    """Yield a finding where the scale is none the law allows for the level of plan."""
    level, scale = identity(examined).level, _scale(examined)
    if scale is None or not level:
        examined.unassessed.append(say("Chưa biết tỷ lệ hoặc cấp độ quy hoạch nên chưa đối chiếu tỷ lệ bản đồ.",
                                       "Scale or level of the plan are not known, so the scale is not checked."))
        return
    table = load_table("planning_scales", on=examined.options.on, province_folder=examined.options.province_folder)
    rows = [row for row in table.rows if row["level"] == level]
    fitting = [row for row in rows if row["scale_min_denominator"] <= scale <= row["scale_max_denominator"]]
    if rows and not fitting:
        allowed = sorted({text for row in rows
                          for text in str(row["scale"]).replace(",", ".").replace("or", "/ ").split("/ ")})
        yield Finding(RULES["TL-01"], say("Tỷ lệ 1/{scale} không dùng cho {level}; được dùng: {allowed} ({source}).",
                                          "1/{scale} is no scale of {level}; allowed are {allowed} ({source}).").format(
            scale=format_number(scale), level=level, allowed=", ".join(text.strip() for text in allowed),
            source="; ".join(dict.fromkeys(table.citation(row) for row in rows))), "QuyHoach", BOUNDARY)


def _scale(examined: Examined) -> float | None:
    """The scale told, stated in the boundary's field, or found in the plan's name."""
    if examined.options.scale:
        return examined.options.scale
    layer = examined.get("QuyHoach", BOUNDARY)
    if layer is None:
        return None
    stated = layer.numbers("tyLe")
    if not np.isnan(stated).all():
        return float(stated[~np.isnan(stated)][0])
    found = next(filter(None, map(_SCALE.search, layer.text(OBJECT_NAME))), None)
    return float(re.sub(r"\D", "", found[1])) if found else None


def check_figures(examined: Examined) -> Iterator[Finding]:
    """Yield findings on the control figures of the zones."""
    zones = primary_zones(examined)
    if zones is None or not any(name in zones.info for names in FIGURES for name in names):
        return
    codes = function_codes(zones, examined.schema)
    density, far, height = (zones.numbers(name) for name in ("matDoXayDung", "heSoSuDungDat", "chieuCaoToiDa"))
    low, high = zones.numbers("tangCaoToiThieu"), zones.numbers("tangCaoToiDa")
    yield from _together(zones, density, far, height, low, high)
    yield from _blank(zones, codes)
    yield from _against_regulation(examined, zones, codes, density, far, height)


def _together(
    zones: ExaminedClass, density: NDArray[np.float64], far: NDArray[np.float64], height: NDArray[np.float64],
    low: NDArray[np.float64], high: NDArray[np.float64],
) -> Iterator[Finding]:
    with np.errstate(invalid="ignore"):
        # The ratio is rounded to a tenth in most plans.
        above = far > density / 100 * high + 0.05 + 1e-9
        turned = low > high
        squat = height < _LOWEST_STOREY_M * high
    if above.any():
        some = name_some((f"{fid}: {format_number(f, 2)} > {format_number(d / 100 * s, 2)}" for fid, f, d, s in zip(
            zones.frame.index[above], far[above], density[above], high[above])), 3)
        yield zones.finding("CT-04", say("{n} ô có hệ số sử dụng đất lớn hơn mật độ nhân tầng cao (fid {some}).",
                                         "{n} zones have a ratio above density times storeys (id {some}).")
                            .format(n=int(above.sum()), some=some), above)
    for rule, which, vi, en in (
        ("CT-05", turned, "{n} ô có tầng cao tối thiểu lớn hơn tối đa (fid: {ids}).",
         "{n} zones have minimum storeys above the maximum (ids: {ids})."),
        ("CT-07", squat, "{n} ô có chiều cao không đủ cho số tầng (fid: {ids}).",
         "{n} zones are too low for their storeys (ids: {ids})."),
    ):
        if which.any():
            yield zones.finding(rule, say(vi, en).format(n=int(which.sum()), ids=name_some(zones.frame.index[which])),
                                which)


def _blank(zones: ExaminedClass, codes: NDArray[np.object_]) -> Iterator[Finding]:
    """Figures of zones meant for building: those of a kind a density table knows, and housing."""
    kinds = lot_kinds(codes)["lot_kind"].to_numpy()
    building = (codes != "") & (kinds != LotKind.OTHER.value)
    for names in FIGURES[:3]:  # setbacks are given by road, not for every zone
        present = [name for name in names if name in zones.info]
        if not present:
            continue
        blank = building & np.all([np.isnan(zones.numbers(name)) & (zones.text(name) == "").to_numpy()
                                   for name in present], axis=0)
        if blank.any():
            yield zones.finding("CT-06", say("{n} ô xây dựng công trình bỏ trống {names} (fid: {ids}).",
                                             "{n} zones for building have no {names} (ids: {ids}).").format(
                n=int(blank.sum()), names=say(" và ", " and ").join(present), ids=name_some(zones.frame.index[blank])),
                                blank)


def _against_regulation(
    examined: Examined, zones: ExaminedClass, codes: NDArray[np.object_], density: NDArray[np.float64],
    far: NDArray[np.float64], height: NDArray[np.float64],
) -> Iterator[Finding]:
    options = examined.options
    on = deciding_date("QCVN 01", on=options.on, approved=options.approved, appraised=options.appraised)
    words = zones.text("loaiMatDo").str.casefold()
    gross = words.str.contains("gộp|brut|gross").to_numpy(dtype=bool)
    net = words.str.contains("thuần|net").to_numpy(dtype=bool)
    detailed = identity(examined).level == "QCT"
    # Lots of a detailed plan have net figures; what a larger zone means must be said.
    net |= detailed & ~gross
    kinds = lot_kinds(codes, province_folder=options.province_folder)["lot_kind"].to_numpy()
    area = np.zeros(len(codes))  # a zone holds lots of any size, so that only what no lot may have is told
    if detailed:
        usable = zones.usable()
        area[usable] = shapely.area(zones.shapes[usable])
    where = {"on": on, "province_folder": options.province_folder}
    checks = (
        ("CT-01", density, net & ~np.isnan(density), lambda k: net_density_limits(
            kinds[k], area[k], height[k], existing=True, **where), say("mật độ xây dựng thuần", "net density"), "%"),
        ("CT-02", density, gross & ~np.isnan(density), lambda k: gross_density_limits(
            [_GROSS.get(code, "") for code in codes[k]], **where), say("mật độ xây dựng gộp", "gross density"), "%"),
        ("CT-03", far, ~np.isnan(far), lambda k: far_limits(kinds[k], height[k], **where),
         say("hệ số sử dụng đất", "floor-area ratio"), say("lần", "×")),
    )
    for rule, measured, which, limits_of, what, unit in checks:
        place = np.flatnonzero(which)
        if len(place):
            limits = limits_of(place)
            yield from _judged(examined, zones, rule, place, measured[place], limits, what, unit)
    unsaid = ~net & ~gross & ~np.isnan(density)
    if unsaid.any():
        examined.unassessed.append(say("{n} ô chưa nêu mật độ thuần hay gộp (loaiMatDo) nên chưa đối chiếu mật độ với quy chuẩn.",
                                       "{n} zones do not tell net from gross density, so their density is not checked.")
                                   .format(n=int(unsaid.sum())))


def _judged(
    examined: Examined, zones: ExaminedClass, rule: str, place: NDArray[np.intp], measured: NDArray[np.float64],
    limits: pandas.DataFrame, what: str, unit: str,
) -> Iterator[Finding]:
    verdicts = judge(measured, limits, upper=True, decimals=1, unit=unit)
    broken = (verdicts["verdict"] == Verdict.BROKEN.value).to_numpy()
    for citation in dict.fromkeys(limits["citation"][broken]):
        mine = broken & (limits["citation"] == citation).to_numpy()
        which = np.zeros(len(zones.frame), dtype=bool)
        which[place[mine]] = True
        some = name_some((f"{fid}: {format_number(value, 1)} > {format_number(limit, 1)}" for fid, value, limit in zip(
            zones.frame.index[place[mine]], measured[mine], limits["loosest"].to_numpy(dtype=float)[mine])), 5)
        yield zones.finding(rule, say("{n} ô có {what} ({unit}) vượt quy chuẩn {citation} (fid {some}).",
                                      "{n} zones have a {what} ({unit}) above {citation} (id {some}).")
                            .format(n=int(mine.sum()), what=what, unit=unit, citation=citation, some=some),
                            which)
    open_ = (verdicts["verdict"] == Verdict.OPEN.value).to_numpy()
    for reason in dict.fromkeys(verdicts["reason"][open_]):
        mine = open_ & (verdicts["reason"] == reason).to_numpy()
        examined.unassessed.append(
            say("{what}, {n} ô (fid: {ids}): {reason}.", "{what}, {n} zones (ids: {ids}): {reason}.").format(
                what=what[:1].upper() + what[1:],
                n=int(mine.sum()),
                reason=reason,
                ids=name_some(zones.frame.index[place[mine]]),
            )
        )
