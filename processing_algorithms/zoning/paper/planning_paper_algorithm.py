"""What the algorithms of planning-information papers have in common: their sources, the hub, the files of a paper."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsProcessingContext

from ...common import qgis_parameters as ask
from ...common.crs import require_stated
from ...common.errors import InputError, noted
from ...common.language import say, speaking
from ...common.numbers_vi import parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter
from ...common.qgis_main_thread import in_main_thread, later_in_main_thread

if TYPE_CHECKING:
    from .parcel_certificate import Annex
    from .planning_paper import Paper

#: Layers in hand, where there is no shared database.
_LAYERS = ("PLANS", "ZONES", "OVERLAYS", "OVERRIDES")


class PlanningPaperAlgorithm(QuyHoachAlgorithm):
    """Base of the algorithms about planning-information papers; see `QuyHoachAlgorithm`."""

    ROOM = "zoning"
    TAGS = ("thông tin quy hoạch", "văn bản", "thửa đất", "planning information", "certificate")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "lxml")

    def source_parameters(self) -> list[Any]:
        """Return the parameters of plans: layers, or the shared database."""
        hub = hub_parameter()
        hub.setFlags(hub.flags() | Qgis.ProcessingParameterFlag.Optional)
        return [
            hub,
            ask.layer("PLANS", say("Đồ án quy hoạch", "Plans"),
                      say("Khi không dùng cơ sở dữ liệu dùng chung: lớp có plan_ref, level, status, decision_number, "
                          "approval_date, scale như tập dữ liệu Đồ án quy hoạch.",
                          "Without a shared database: a layer with plan_ref, level, status, decision_number, "
                          "approval_date, "
                          "scale, as the dataset Plan."), ask.POLYGONS, optional=True),
            ask.layer("ZONES", say("Ô quy hoạch, lô đất quy hoạch", "Zones of the plans"),
                      say("Lớp có plan_ref, zone_code, function_code và các chỉ tiêu, như tập dữ liệu Ô quy hoạch.",
                          "A layer with plan_ref, zone_code, function_code and the figures, as the dataset Zone."),
                      ask.POLYGONS, optional=True),
            ask.layer("OVERLAYS", say("Khu vực hạn chế, khống chế xây dựng", "Restrictions"),
                      say("Hành lang, di tích, khống chế chiều cao, như tập dữ liệu cùng tên. Để trống nếu không có.",
                          "Corridors, heritage, height limits, as the dataset of that name. Empty if there are none."),
                      ask.POLYGONS, optional=True),
            ask.layer("OVERRIDES", say("Chỉ tiêu riêng của thửa", "Figures of single parcels"),
                      say("Chỉ tiêu quyết định riêng cho từng thửa. Để trống nếu không có.",
                          "Figures decided for single parcels. Empty if there are none."), ask.POLYGONS, optional=True)]

    def read_sources(self, parameters: dict[str, Any], context: QgsProcessingContext, problems: list[str]) -> None:
        """Resolve the hub and the layers in `prepare`; tell what is missing."""
        self.location = hub_location(self, parameters, context)
        self.layers = {}
        for key in _LAYERS:
            with noted(problems):
                self.layers[key] = self.layer(parameters, key, context)
                if self.layers[key] is not None:
                    require_stated(self.layers[key].crs, self.layers[key].name)
        if not self.location and not (self.layers.get("PLANS") and self.layers.get("ZONES")):
            problems.append(say("Hãy chọn cơ sở dữ liệu dùng chung (HUB), hoặc cả lớp đồ án (PLANS) và lớp ô quy "
                                "hoạch (ZONES).",
                                "Choose the shared database (HUB), or both the plans (PLANS) and the zones (ZONES)."))
        for key in ("PLANS", "ZONES"):
            if self.layers.get(key) is not None:
                with noted(problems):
                    self.not_empty(self.layers[key])

    def sources(self, hub: Any, bounds: Any) -> Any:
        """Return `PlanSources` from the layers given, else from the hub around ``bounds``."""
        from ..plans.plan_sources import PlanSources, hub_sources

        if self.layers.get("PLANS") and self.layers.get("ZONES"):
            read = {key: layer.read() if layer is not None else None for key, layer in self.layers.items()}
            return PlanSources(read["PLANS"], read["ZONES"], read["OVERLAYS"], read["OVERRIDES"], None, {})
        return hub_sources(hub, tuple(bounds))

    def day(self, parameters: dict[str, Any], key: str, context: QgsProcessingContext, problems: list[str],
            default: datetime.date | None = None) -> datetime.date | None:
        """Return a day that was typed, or the default; note what is none."""
        text = self.parameterAsString(parameters, key, context).strip()
        if not text:
            return default
        with noted(problems):
            return parse_date(text)
        return default


class PaperFiles:
    """Writes the files of papers; map sheets are kept from one paper to the next, for as long as a block.

    ``asked`` raises `Cancelled` when the person has asked to stop.
    """

    def __init__(self, asked: Callable[[], None]) -> None:
        self._asked = asked
        #: Sheets by system and paper; made, used and given back in the main thread.
        self._maps: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> PaperFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        later_in_main_thread(self._maps.clear)

    def write(self, paper: Paper, folder: Path, name: str, *, number: str = "",
              date: datetime.date | None = None) -> list[str]:
        """Write document and map annex; return the names of the files."""
        from ...common.layout.qgis_parcel_map import MAP_ENDING
        from .parcel_certificate import annex_of
        from .planning_paper import write_paper

        written = [f"{name}.docx"]
        (folder / written[0]).write_bytes(write_paper(paper, number=number, date=date))
        annex = annex_of(paper)
        if annex is not None:
            written.append(f"{name}{MAP_ENDING}")
            in_main_thread(partial(self._print, annex, folder / written[1]), self._asked)
        return written

    def _print(self, annex: Annex, path: Path) -> None:
        from ...common.layout.qgis_parcel_map import ParcelMap, ParcelMapTexts
        from .parcel_certificate import MAP_TITLE

        key = (annex.crs, annex.paper_size)
        if key not in self._maps:
            crs = QgsCoordinateReferenceSystem.fromOgcWmsCrs(annex.crs)
            if not crs.isValid():
                crs = QgsCoordinateReferenceSystem.fromWkt(annex.crs)
            if not crs.isValid():
                raise InputError(say("QGIS không hiểu hệ tọa độ {crs} của văn bản.",
                                     "QGIS does not know the paper's coordinate system {crs}.").format(crs=annex.crs))
            self._maps[key] = ParcelMap(crs, annex.paper_size)
        with speaking("vi"):
            self._maps[key].print(
                path, annex.shown, window=annex.window, scale=annex.scale,
                texts=ParcelMapTexts(MAP_TITLE, annex.subtitle, annex.source, annex.corners, annex.remarks, annex.date))
