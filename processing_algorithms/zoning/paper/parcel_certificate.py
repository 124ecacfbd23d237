"""Drafts of planning-information papers for one parcel or thousands, and what their map annexes show.

>>> for draft in draft_papers(parcels, plans, zones, date=today, office=office):               # doctest: +SKIP
...     Path(f"{draft.name}.docx").write_bytes(write_paper(draft.paper))
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import pandas
import pyproj
import shapely

from ...common.crs import require_crs, require_metric, to_crs
from ...common.errors import InputError, name_some
from ...common.language import say, speaking
from ...common.progress import Progress, part, silent
from ...common.word_document import WordTemplate
from ...provincial_database.catalogue import Field, load_catalogue
from ..plans.plan_answers import plan_answers
from .corners import Corners
from .paper_inputs import PARCEL_FIELDS, Surroundings, map_frame, map_inputs, paper_inputs, read_shape, read_shapes
from .paper_words import Office, Request, corner_rows, plan_title, ring_words
from .planning_paper import Paper, make_paper, read_template

MAP_TITLE = "BẢN ĐỒ VỊ TRÍ, RANH GIỚI THỬA ĐẤT TRONG QUY HOẠCH"
#: Parcels are looked up together so many at a time: memory stays small, and a cancel is noticed.
_AT_ONCE = 200
#: Metres around them within which zones and restrictions are looked at: more than any tolerance of maps.
_NEAR_M = 100.0


@dataclass(frozen=True)
class Draft:
    """One paper to be. ``name`` is the name of its files, without ending."""

    parcel_fid: object
    paper: Paper
    name: str
    shape: shapely.Geometry


@dataclass(frozen=True)
class Annex:
    """What a map annex shows, from the snapshot alone; layers as `qgis_parcel_map.ParcelMap.print` takes them."""

    crs: str
    paper_size: str
    scale: int
    window: tuple[float, ...]
    shown: Mapping[str, Sequence[Mapping[str, Any]]]
    subtitle: str
    source: str
    corners: Sequence[tuple[str, str, str, str]]
    remarks: Sequence[str]
    date: datetime.date


@dataclass(frozen=True)
class MapChoice:
    """How annexes are printed: paper and scale, chosen for each parcel where None; sizes of the map by paper."""

    paper_for: Callable[[int], str]
    size_mm: Callable[[str], tuple[float, float]]
    paper: str | None = None
    scale: int | None = None


def draft_papers(
    parcels: geopandas.GeoDataFrame,
    plans: geopandas.GeoDataFrame,
    zones: geopandas.GeoDataFrame,
    *,
    date: datetime.date,
    office: Office,
    request: Request = Request(),
    overlays: geopandas.GeoDataFrame | None = None,
    overrides: geopandas.GeoDataFrame | None = None,
    around: geopandas.GeoDataFrame | None = None,
    corners: Corners | None = None,
    communes: Mapping[str, str] | None = None,
    template: tuple[WordTemplate, str] | None = None,
    maps: MapChoice | None = None,
    tolerance_mm: float | None = None,
    told: Callable[[str], None] = lambda sentence: None,
    progress: Progress = silent,
) -> Iterator[Draft]:
    """Yield the papers of all parcels, in their order.

    Parameters
    ----------
    parcels : GeoDataFrame
        Of `PARCEL_FIELDS` what is known; index = feature ids; in metres.
    plans, zones, overlays, overrides : GeoDataFrame
        As `plan_answers` takes them.
    around : GeoDataFrame, optional
        Parcels the map shows beside the one asked about; those themselves by default.
    corners : Corners, optional
        When the one parcel was asked about by coordinates.
    communes : mapping, optional
        Name by code.
    template : (WordTemplate, name), optional
    maps : MapChoice, optional
        Without it papers have no map.
    told : callable
        Gets what a person should know about the data, once.

    Raises
    ------
    InputError
        As `plan_answers`; a parcel without usable shape is named.
    """
    crs = require_crs(parcels, say("Lớp thửa đất", "The parcel layer"))
    require_metric(crs, say("Lớp thửa đất", "The parcel layer"))
    missing = parcels.index[parcels.geometry.isna() | parcels.geometry.is_empty]
    if len(missing):
        raise InputError(say("{n} thửa đất không có hình (fid: {ids}); hãy bỏ chọn hoặc sửa rồi chạy lại.",
                             "{n} parcels have no shape (ids: {ids}); deselect or mend them, then run again.")
                         .format(n=len(missing), ids=name_some(missing)))
    template = template or read_template(None)
    layers = {"zones": zones, "overlays": overlays, "parcels": parcels if around is None else around}
    surroundings = Surroundings(**{name: None if frame is None else to_crs(frame, crs) for name,
                                   frame in layers.items()})
    said: set[str] = set()
    for start in range(0, len(parcels), _AT_ONCE):
        some = parcels.iloc[start:start + _AT_ONCE]
        portion = part(progress, start / len(parcels), (start + len(some)) / len(parcels))
        with speaking("vi"):
            answers = plan_answers(some, plans, _near(zones, surroundings.zones, some), date=date, overrides=overrides,
                                   overlays=None if overlays is None else _near(overlays, surroundings.overlays, some),
                                   tolerance_mm=tolerance_mm, progress=part(portion, 0.0, 0.2))
        for notice in answers.notices:
            if notice not in said:
                said.add(notice)
                told(notice)
        columns = [name for name in PARCEL_FIELDS if name in some.columns]
        for at, (fid, shape) in enumerate(zip(some.index, some.geometry.array)):
            portion(0.2 + 0.8 * at / len(some))
            answer = answers.of(fid)
            known = dict(zip(columns, some[columns].iloc[at])) if columns else {}
            inputs = paper_inputs(known, shape, crs, answers, answer, corners=corners, communes=communes)
            annex = None
            if maps is not None:
                size = maps.paper or maps.paper_for(len(inputs["parcel"]["corners"]))
                frame = map_frame(shape.bounds, *maps.size_mm(size), maps.scale)
                annex = {"paper": size, **map_inputs(frame, surroundings, _answering(inputs))}
            paper = make_paper(inputs, annex, office, request, *template)
            yield Draft(fid, paper, file_name(inputs, paper.code), shape)


def _near(layer: geopandas.GeoDataFrame, moved: geopandas.GeoDataFrame,
          parcels: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Return what of a layer lies around some parcels, as a hub gives it; ``moved`` is the layer in their system.

    All of it where there is nothing, so that a layer in which nothing is usable is told.
    """
    x_min, y_min, x_max, y_max = parcels.total_bounds
    box = shapely.box(x_min - _NEAR_M, y_min - _NEAR_M, x_max + _NEAR_M, y_max + _NEAR_M)
    near = np.sort(moved.sindex.query(box))
    return layer.iloc[near] if 0 < len(near) < len(layer) else layer


def _answering(inputs: Mapping[str, Any]) -> list[str]:
    return [ref for ref in dict.fromkeys(piece["plan_ref"] for piece in inputs["pieces"] if piece["is_answer"]) if ref]


def file_name(inputs: Mapping[str, Any], code: str) -> str:
    """Return the name of a paper's files, which any file system takes.

    Examples
    --------
    >>> file_name({"parcel": {"sheet_no": "5", "parcel_no": "12/a"}}, "7K3F-9QXD")
    'thong_tin_quy_hoach_to_5_thua_12_a_7K3F-9QXD'
    """
    parcel = inputs["parcel"]
    words = ["thong_tin_quy_hoach"]
    words += [f"to_{parcel['sheet_no']}"] if parcel["sheet_no"] else []
    words += [f"thua_{parcel['parcel_no']}"] if parcel["parcel_no"] else []
    plain = unicodedata.normalize("NFD", "_".join([*words, code]))
    return re.sub(r"[^A-Za-z0-9_-]", "_", "".join(c for c in plain if not unicodedata.combining(c)))[:100]


def annex_of(paper: Paper) -> Annex | None:
    """Return what the map annex of a paper shows; None for a paper without map."""
    content = paper.content
    annex, parcel = content["map"], content["inputs"]["parcel"]
    if annex is None:
        return None
    shown = {name: [{**row, "geometry": shape} for row, shape in zip(annex[name], read_shapes(
        [row["shape"] for row in annex[name]]))] for name in ("zones", "parcels", "overlays")}
    shown["parcel"] = [{"geometry": read_shape(parcel["shape"])}]
    shown["corners"] = [{"name": one["name"], "geometry": shapely.Point(float(one["east"]), float(one["north"]))}
                        for one in parcel["corners"]]
    plans = [plan_title(content["inputs"]["plans"][ref]) for ref in _answering(content["inputs"])
             if ref in content["inputs"]["plans"]]
    remarks = [f"Kèm theo văn bản cung cấp thông tin quy hoạch, mã đối chiếu {paper.code}.",
               f"Diện tích đo trên bản đồ: {_number(parcel['map_area_m2'])} m²"
               + (f"; theo giấy tờ: {_number(parcel['legal_area_m2'])} m²." if parcel["legal_area_m2"] else ".")]
    remarks += [rings] if (rings := ring_words(parcel["corners"])) else []
    return Annex(parcel["crs"], annex["paper"], int(annex["scale"]), tuple(map(float, annex["window"])), shown,
                 content["texts"]["Trích yếu"], "; ".join(plans) + "." if plans else "cơ sở dữ liệu quy hoạch.",
                 corner_rows(parcel["corners"]), remarks, datetime.date.fromisoformat(content["inputs"]["date"]))


def _number(text: str) -> str:
    from ...common.numbers_vi import format_number

    return format_number(float(text), 1)


def due_date(received: datetime.date, working_days: int) -> datetime.date:
    """Return the day a number of working days later; holidays are not known here and count as working days.

    Examples
    --------
    >>> due_date(datetime.date(2026, 11, 26), 3)
    datetime.date(2026, 12, 1)
    """
    day = received
    while working_days > 0:
        day += datetime.timedelta(days=1)
        working_days -= day.weekday() < 5
    return day


def register_row(draft: Draft, office: Office, request: Request, *, moment: str, geometry: bytes,
                 deadline_days: int | None = None, replaces: str = "") -> dict[str, Any]:
    """Return a draft's row of the register; what a column cannot hold stays in the snapshot only."""
    content = draft.paper.content
    parcel = content["inputs"]["parcel"]
    refs = "; ".join(_answering(content["inputs"]))
    number = str(parcel["parcel_no"] or "")
    row: dict[str, Any] = {
        "commune_code": parcel["commune_code"], "old_commune_code": parcel["old_commune_code"],
        "sheet_no": parcel["sheet_no"], "request_number": request.number or None,
        "request_date": request.received.isoformat() if request.received else None,
        "plan_refs": refs[:250] or None, "status": "draft", "issuing_agency": office.agency[:150] or None,
        "data_moment": moment, "content_digest": draft.paper.digest, "paper_code": draft.paper.code,
        "snapshot": draft.paper.text, "replaces_code": replaces or None,
        "due_date": due_date(request.received,
                             deadline_days).isoformat() if request.received and deadline_days else None}
    dataset = load_catalogue()["planning_paper"]
    row = {name: value if _holds(dataset.field(name), value) else None for name, value in row.items()}
    return row | {"parcel_no": int(number) if number.isdigit() and int(number) > 0 else None, "geom": geometry}


def _holds(field: Field, value: Any) -> bool:
    if not isinstance(value, str):
        return True
    return (field.length is None or len(value) <= field.length) and (field.pattern is None or
                                                                     re.fullmatch(field.pattern, value) is not None)


def parcel_of_corners(corners: Corners, crs: pyproj.CRS) -> geopandas.GeoDataFrame:
    """Return the polygon of pasted corners as a layer of one parcel, in the plans' system."""
    return geopandas.GeoDataFrame({name: [None] for name in PARCEL_FIELDS}, geometry=[corners.polygon(crs)], crs=crs,
                                  index=pandas.Index([1], name="fid"))
