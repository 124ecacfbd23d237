"""Processing algorithm ``quyhoach:floodreport``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
)

from ...common import qgis_parameters as ask
from ...common.destinations import files_whole
from ...common.errors import Cancelled, InputError, noted, refuse_if
from ...common.language import current_language, say, speaking
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input
from ..bulletin.bulletin_algorithm import bulletin_parameters, date_parameter, given_bulletin
from ..streets.vehicles import vehicles

if TYPE_CHECKING:
    from ...common.progress import Progress
    from .flood_report import FloodReport, ReportFields, ReportLayers

PDF, PNG, TEXT, XLSX, GPKG = (
    "phu_luc_ngap_lut.pdf",
    "anh_dien_thoai.png",
    "tin_nhan.txt",
    "so_lieu.xlsx",
    "bao_cao.gpkg",
)
#: Layers, their kinds of geometry, and whether they are needed.
_LAYERS = {"SOURCE": "", "RIVERS": "line", "DYKES": "line", "BUILDINGS": "", "UNITS": "polygon", "HAMLETS": "polygon", "ROADS": "line", "FACILITIES": "", "SHELTERS": ""}


class FloodReportAlgorithm(QuyHoachAlgorithm):
    """From a bulletin to picture, text and annex; see `flood_report`."""

    ID = "floodreport"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy", "openpyxl")
    TAGS = ("báo cáo nhanh", "phụ lục", "bản tin", "ngập lụt", "trực ban", "quick report", "annex", "bulletin")

    def title(self) -> str:  # noqa: D102
        return say("Lập phụ lục báo cáo nhanh ngập lụt", "Annex of flood estimates to the quick report")

    def help(self) -> str:  # noqa: D102
        return say(
            "Dán bản tin sáng nay, nhận: phụ lục PDF (mực nước, ngập theo xã, thôn với mức thấp - giữa - cao, đường, nơi bị cô lập, điểm sơ tán còn đến được, bản đồ), ảnh cho điện thoại, mười dòng để nhắn tin, "
            "bảng xlsx và GeoPackage; không cần mạng.\n\n"
            "Cách làm: đọc bản tin (chỗ không chắc thì dừng và hỏi); mặt nước dọc theo sông giữa các trạm (RIVERS) hoặc tam giác giữa các trạm; độ sâu = mặt nước - địa hình ở nơi nối với nguồn nước, đê giữ "
            "đến khi tràn; khoảng thấp - cao theo khoảng của bản tin và TERRAIN_ERROR; rồi đếm nhà, hộ, khẩu, đường, cơ sở và xét mạng lưới đường. Chi tiết ở phần hướng dẫn của từng thuật toán.\n\n"
            "Các lớp dùng tên trường của danh mục dữ liệu (residents, households, floor_level_m, crest_level_m, bridge, bridge_deck_level_m, name, kind); trường thiếu được nêu. Cấp độ rủi ro thiên tai và thiệt hại do "
            "địa phương báo cáo là ô nhập tay, in ở mục riêng, không tính ra và không chung cột với số ước tính. PREVIOUS: bao_cao.gpkg của báo cáo trước để nêu thay đổi.\n\n"
            "Mét, ha, km; hộ và khẩu làm tròn. Nơi chưa có địa hình không coi là khô. Địa hình phải ở hệ tọa độ phẳng. Tên người không được in.",
            "Paste this morning's bulletin and get: the PDF annex (levels, flooding by commune and hamlet with low - middle - high, streets, places cut off, shelters still reached, a map), a picture for the telephone, ten "
            "lines for a chat, an xlsx and a GeoPackage; no network needed.\n\n"
            "How: the bulletin is read (what is not certain stops and is asked); the water surface runs along rivers between the gauges (RIVERS) or in triangles between them; depth = surface - terrain where the source "
            "reaches, dykes hold until overtopped; low and high come from the bulletin's range and TERRAIN_ERROR; then houses, households, people, streets and facilities are counted and the network examined. Details "
            "are in the help of each algorithm.\n\n"
            "Layers have the field names of the catalogue (residents, households, floor_level_m, crest_level_m, bridge, bridge_deck_level_m, name, kind); what lacks is told. The disaster risk level and reported damage "
            "are typed, printed apart, never computed and never in one column with estimates. PREVIOUS: bao_cao.gpkg of the last report, to tell what changed.\n\n"
            "Metres, ha, km; households and people are rounded. Where there is no terrain nothing is taken as dry. The terrain must be in a plane system. No person's name is printed.")

    def parameters(self) -> list[Any]:  # noqa: D102
        self.kinds = vehicles()
        reported = ask.text(
            "REPORTED",
            say("Thiệt hại do địa phương báo cáo", "Damage as reported"),
            say("Nhập tay; in ở mục riêng.", "Typed; printed in a section of its own."),
            optional=True,
        )
        reported.setMultiLine(True)
        previous = QgsProcessingParameterFile("PREVIOUS", say("Báo cáo trước (bao_cao.gpkg)", "Last report (bao_cao.gpkg)"), Qgis.ProcessingFileParameterBehavior.File, "", None, True, "GeoPackage (*.gpkg)")
        return [
            *bulletin_parameters(),
            ask.layer("STATIONS", say("Trạm thủy văn", "Gauges"), say("Như tập dữ liệu \"Trạm thủy văn\".", "As in the dataset \"Gauge\"."), ask.POINTS),
            ask.choice("READINGS", say("Mực nước dùng", "Levels used"), say("Cao nhất kể cả dự báo, hoặc thực đo mới nhất.", "The highest, forecasts included, or the latest observed."),
                       [say("Cao nhất, kể cả dự báo", "The highest, forecasts included"), say("Thực đo mới nhất", "The latest observed")]),
            ask.raster("TERRAIN", say("Địa hình (mô hình số độ cao)", "Terrain (digital elevation model)"), say("Cao độ mặt đất, mét, hệ tọa độ phẳng.", "Heights of the ground, metres, in a plane system.")),
            ask.number("TERRAIN_ERROR", say("Sai số cao độ của địa hình (m)", "Error of the terrain (m)"), say("Để có mức thấp, cao; in trong phụ lục.", "For low and high; printed in the annex."), 0.3, 0.0, 20.0),
            ask.text("VERTICAL_DATUM", say("Hệ cao độ", "Vertical datum"), say("Của mực nước và địa hình; in trong phụ lục.", "Of levels and terrain; printed in the annex."), default="Hòn Dấu"),
            ask.layer("SOURCE", say("Nguồn nước (sông, biển)", "Source of the water (river, sea)"), say("Nước lan từ đây; chỉ chọn sông chính nếu cống qua đê đã đóng. Để trống: từ các trạm.",
                      "Water spreads from here; choose main rivers only where sluices are shut. Empty: from the gauges."), ask.POLYGONS + ask.LINES, optional=True),
            ask.layer("RIVERS", say("Tim sông", "River axes"), say("Mặt nước chạy dọc theo đây. Để trống: tam giác giữa các trạm.", "The surface runs along these. Empty: triangles between the gauges."), ask.LINES, optional=True),
            ask.layer("DYKES", say("Đê", "Dykes"), say("Đường đê với cao trình đỉnh crest_level_m.", "Lines with their crest crest_level_m."), ask.LINES, optional=True),
            ask.layer("BUILDINGS", say("Công trình, nhà ở", "Buildings"), say("Với households, residents, floor_level_m nếu có.", "With households, residents, floor_level_m where known."), ask.POLYGONS + ask.POINTS),
            ask.layer("UNITS", say("Xã, phường", "Communes"), say("Vùng có trường name.", "Polygons with a field name."), ask.POLYGONS, optional=True),
            ask.layer("HAMLETS", say("Thôn, tổ dân phố", "Hamlets"), say("Vùng có trường name.", "Polygons with a field name."), ask.POLYGONS, optional=True),
            ask.layer("ROADS", say("Đường giao thông", "Streets"), say("Tim đường với name, bridge, bridge_deck_level_m nếu có.", "Centre lines with name, bridge, bridge_deck_level_m where known."), ask.LINES, optional=True),
            ask.layer("FACILITIES", say("Trường học, trạm y tế, cơ sở khác", "Schools, clinics, other facilities"), say("Với trường kind.", "With a field kind."), ask.POINTS + ask.POLYGONS, optional=True),
            ask.layer("SHELTERS", say("Điểm sơ tán", "Shelters"), say("Với trường name; xét còn đến được hay không.", "With a field name; whether they are still reached."), ask.POINTS + ask.POLYGONS, optional=True),
            ask.choice("VEHICLE", say("Đường, cô lập xét theo loại xe", "Streets and cut off for"), say("Ngưỡng độ sâu là giá trị kinh nghiệm cần tỉnh xác nhận.", "The limits of depth are experience, for the province to confirm."),
                       [f"{k.name} ({format_number(k.depth_max_m, 1)} m)" for k in self.kinds], [k.key for k in self.kinds].index("car")),
            ask.text("PLACE", say("Địa bàn", "Place"), say("In ở tiêu đề, ví dụ \"thành phố Huế\".", "Printed in the title, such as a province."), default="", optional=True),
            ask.text("AGENCY", say("Cơ quan lập", "Agency"), say("In ở đầu phụ lục.", "Printed at the head."), default="BAN CHỈ HUY PHÒNG THỦ DÂN SỰ TỈNH", optional=True),
            ask.text("RISK_LEVEL", say("Cấp độ rủi ro thiên tai (theo bản tin dự báo)", "Disaster risk level (as announced)"), say("Nhập đúng như bản tin dự báo; không tính ra.", "As in the forecast bulletin; never computed."), optional=True),
            reported,
            ask.with_help(previous, say("Để nêu thay đổi.", "To tell what changed.")),
            date_parameter(),
            ask.text("DEPTH_CLASSES", say("Bộ phân cấp độ sâu", "Set of depth classes"), say("Tên bộ trong bảng flood_depth_classes.", "Name of a set in the table flood_depth_classes."), default="common_practice_6", advanced=True),
            ask.invalid_geometry(),
            ask.folder_output("OUTPUT", say("Thư mục báo cáo", "Folder of the report"), say("Tệp cũ cùng tên được thay khi báo cáo mới đã xong.", "Former files of the same names are replaced when the new report is whole.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputFile(key, label) for key, label in (("PDF", say("Phụ lục PDF", "Annex (PDF)")), ("PNG", say("Ảnh cho điện thoại", "Picture for the telephone")),
                ("TEXT_FILE", say("Tin nhắn", "Text for a chat")), ("XLSX", say("Bảng số liệu", "Tables (xlsx)")), ("GPKG", "GeoPackage"), ("DEPTH", say("Độ sâu ngập", "Flood depth")))] + [
            QgsProcessingOutputString("MESSAGE", say("Mười dòng", "Ten lines")), QgsProcessingOutputNumber("WET_RESIDENTS", say("Khẩu bị ngập", "People in the water")),
            QgsProcessingOutputNumber("CUT_OFF_RESIDENTS", say("Khẩu bị cô lập", "People cut off")), QgsProcessingOutputNumber("WET_AREA", say("Diện tích ngập (m²)", "Flooded area (m²)"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        import pyproj

        from ...common.crs import require_metric, require_stated
        from ..exposure.depth_classes import depth_classes
        from .report_previous import previous_totals

        problems: list[str] = []
        self.invalid = self.invalid_geometry(parameters, context)
        self.inputs = {key: self.layer(parameters, key, context) for key in ("STATIONS", *_LAYERS)}
        with noted(problems):
            self.terrain = raster_input(self, parameters, "TERRAIN", context)
            with self.terrain.open() as opened:
                require_metric(pyproj.CRS.from_wkt(opened.grid.crs_wkt), self.terrain.name)
        self.text, self.today = given_bulletin(self, parameters, context, problems)
        with noted(problems):
            self.classes = depth_classes(self.parameterAsString(parameters, "DEPTH_CLASSES", context).strip())
        for key, layer in self.inputs.items():
            with noted(problems):
                if layer is not None:
                    self.not_empty(layer)
                    require_stated(layer.crs, layer.name)
                    if key in ("UNITS", "HAMLETS") and "name" not in layer.columns():
                        raise InputError(
                            say("Lớp {layer} không có trường name.", "Layer {layer} has no field name.").format(
                                layer=layer.name
                            )
                        )
        self.previous = None
        if path := self.parameterAsFile(parameters, "PREVIOUS", context):
            with noted(problems):
                self.previous = previous_totals(path)
        self.folder = Path(self.parameterAsString(parameters, "OUTPUT", context))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.progress import part
        from ..bulletin.bulletin_levels import Readings
        from .flood_report import ReportLayers, flood_report
        from .flood_report_files import write_figures, write_mapped, write_text
        from .flood_report_words import ten_lines

        progress, language = self.progress(feedback), current_language()
        with self.terrain.open() as terrain, files_whole(self.folder) as draft:
            crs = terrain.grid.crs_wkt
            frames, fields = self._frames(_LAYERS, crs, feedback), self._fields(feedback)
            layers = ReportLayers(self.inputs["STATIONS"].read(), **{key.lower(): frame for key, frame in frames.items()})
            figures = partial(
                flood_report, self.text, terrain, layers, fields, self.classes, self.kinds, self.kinds[self.parameterAsEnum(parameters, "VEHICLE", context)], draft,
                which=(Readings.HIGHEST, Readings.LATEST_OBSERVED)[self.parameterAsEnum(parameters, "READINGS", context)],
                terrain_error_m=self.parameterAsDouble(parameters, "TERRAIN_ERROR", context),
                datum=self.parameterAsString(parameters, "VERTICAL_DATUM", context).strip(), today=self.today, progress=part(progress, 0.05, 0.75))
            try:
                with speaking("vi"):  # its notes are printed
                    report = figures()
            except InputError:
                if language == "vi":
                    raise
                report = figures()  # refuses again, in the user's language
            for sentence in report.notes:
                feedback.pushWarning(sentence)
            lines = ten_lines(
                report,
                place=self._said(parameters, "PLACE", context),
                risk_level=self._said(parameters, "RISK_LEVEL", context),
                previous=self.previous,
            )
            write_text(draft / TEXT, lines)
            write_mapped(report, layers, draft / GPKG, part(progress, 0.75, 0.85))
            progress(0.85)
            write_figures(report, layers, draft / XLSX, self.previous, part(progress, 0.85, 0.87))
            self._print(parameters, context, report, layers, lines, draft, crs, progress)
            progress(0.95)
            for sidecar in draft.glob("*.aux.xml"):  # statistics QGIS leaves beside rasters it draws
                sidecar.unlink()
            progress(1.0)
        for line in lines:
            feedback.pushInfo(line)
        whole = report.summary[report.summary["level"] == "all"].iloc[0]
        cut = None if report.network is None else report.network.units["residents_cut_off"].sum(min_count=1)
        return {"OUTPUT": str(self.folder), "PDF": str(self.folder / PDF), "PNG": str(self.folder / PNG), "TEXT_FILE": str(self.folder / TEXT), "XLSX": str(self.folder / XLSX),
                "GPKG": str(self.folder / GPKG), "DEPTH": str(self.folder / report.depth_path.name), "MESSAGE": "\n".join(lines), "WET_RESIDENTS": _known(whole["residents"]),
                "CUT_OFF_RESIDENTS": _known(cut), "WET_AREA": report.depths["middle"].wet_area_m2}

    def _said(self, parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> str:
        return " ".join(self.parameterAsString(parameters, key, context).split())

    def _frames(self, keys: Iterable[str], crs: str, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Read layers, clean and in the CRS of the terrain."""
        import numpy as np
        import shapely

        from ...common.crs import to_crs
        from ...common.geometry import clean

        frames: dict[str, Any] = {}
        for key in keys:
            layer, kind = self.inputs[key], _LAYERS[key]
            if feedback.isCanceled():
                raise Cancelled()
            if layer is None:
                frames[key] = None
                continue
            frame = layer.read([c for c in _WANTED.get(key, ()) if c in layer.columns()])
            if not kind:
                dimensions = shapely.get_dimensions(np.asarray(frame.geometry.array, dtype=object))
                kind = {2: "polygon", 1: "line", 0: "point"}[int(max(dimensions.max(), 0))]
            frame, report = clean(frame, kind, self.invalid, layer.name)
            for sentence in report.sentences():
                feedback.pushWarning(sentence)
            if not len(frame):
                raise InputError(
                    say("Lớp {layer} không có hình nào dùng được.", "Layer {layer} has no usable shape.").format(
                        layer=layer.name
                    )
                )
            frames[key] = to_crs(frame, crs)
        return frames

    def _fields(self, feedback: QgsProcessingFeedback) -> ReportFields:
        """Find the catalogue's fields in the layers."""
        from .flood_report import ReportFields

        def has(key: str, name: str) -> str | None:
            if self.inputs[key] is None:
                return None
            if name in self.inputs[key].columns():
                return name
            feedback.pushWarning(say("Lớp {layer} không có trường {field}: số liệu đó để trống.", "Layer {layer} has no field {field}: those figures stay empty.").format(layer=self.inputs[key].name, field=name))
            return None

        return ReportFields(
            households=has("BUILDINGS", "households"), residents=has("BUILDINGS", "residents"), floor_level=has("BUILDINGS", "floor_level_m"), unit="name" if self.inputs["UNITS"] is not None else None,
            hamlet="name" if self.inputs["HAMLETS"] is not None else None, crest=has("DYKES", "crest_level_m"), bridge=has("ROADS", "bridge"), deck=has("ROADS", "bridge_deck_level_m"),
            facility_kind=has("FACILITIES", "kind"), shelter_name=has("SHELTERS", "name"), shelter_floor=has("SHELTERS", "floor_level_m"))

    def _print(self, parameters: dict[str, Any], context: QgsProcessingContext, report: FloodReport, layers: ReportLayers, lines: list[str], draft: Path, crs: str, progress: Progress) -> None:
        """Annex and picture. Layouts are made and drawn in the main thread, in steps between which the window answers."""
        from ...common.layout.qgis_flood_map import PARTS, FloodMap
        from ...common.layout.qgis_layout import SheetTexts
        from ...common.layout.qgis_report_pdf import write_report_pdf
        from ...common.qgis_main_thread import in_main_thread, soon_in_main_thread
        from .flood_report_files import frame_of
        from .flood_report_pages import annex_blocks, sources, title_of
        from .flood_report_words import phone_lines

        def main(do: Callable[..., Any], *args: Any, **options: Any) -> Any:
            return in_main_thread(partial(do, *args, **options), partial(progress, 0.9))

        place = self._said(parameters, "PLACE", context)
        title, extent = title_of(report, place), frame_of(report, layers)
        blocks = annex_blocks(report, lines, agency=self._said(parameters, "AGENCY", context), place=place, risk_level=self._said(parameters, "RISK_LEVEL", context),
                              reported=self.parameterAsString(parameters, "REPORTED", context).strip(), previous=self.previous, terrain=self.terrain.name, road_names=layers.road_names())
        flood_map = FloodMap(draft, draft / GPKG, crs, extent, limit_m=report.vehicle.depth_max_m)
        try:
            main(flood_map.open)
            for layer in PARTS:
                main(flood_map.add, layer)
            texts = SheetTexts(
                title="BẢN ĐỒ NGẬP LỤT ƯỚC TÍNH",
                subtitle=title,
                source=sources(report, self.terrain.name),
                remarks=[
                    "Kết quả tính từ mực nước trạm và mô hình số độ cao; không thay thế kết quả điều tra thực địa."
                ],
            )
            write_report_pdf(draft / PDF, blocks, title="Phụ lục ước tính ngập lụt", footer=f"{title}. Số liệu ước tính.", maps=main(flood_map.sheet, texts),
                             draw_maps=flood_map.draw_sheet, main=main)
            main(
                flood_map.phone,
                title=title,
                figures=phone_lines(report),
                foot=f"{lines[-1]} Nguồn: {self.terrain.name}.",
            )
            main(flood_map.write_phone, draft / PNG)
        finally:
            soon_in_main_thread(flood_map.close)  # before the files move


#: Fields of the catalogue that are read where a layer has them.
_WANTED = {"DYKES": ("crest_level_m",), "BUILDINGS": ("households", "residents", "floor_level_m"), "UNITS": ("name",), "HAMLETS": ("name",), "ROADS": ("name", "road_class", "bridge", "bridge_deck_level_m"),
           "FACILITIES": ("kind", "name"), "SHELTERS": ("name", "kind", "capacity", "floor_level_m"), "SOURCE": ("name",)}


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
