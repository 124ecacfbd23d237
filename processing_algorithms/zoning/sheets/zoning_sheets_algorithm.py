"""Processing algorithm ``quyhoach:zoningsheets``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterCrs,
    QgsProcessingParameterFolderDestination,
)

from ...common import qgis_parameters as ask
from ...common.destinations import files_whole
from ...common.errors import name_some, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.progress import Progress, part
from ...common.qgis_layers import to_pyproj
from .plan_drawing_algorithm import PlanDrawingAlgorithm

if TYPE_CHECKING:
    from .zoning_sheets import SheetSet

#: Levels as the table of scales names them; none where the user does not say.
LEVELS = ("", "QHC", "QPK", "QCT", "TKDT")
PAPERS = ("A0", "A1", "A2", "A3", "A4")
PDF, PNG, BOTH = range(3)
#: Fields of the catalogue's zones that are used where the layer has them and nothing else is said.
USUAL_FIELDS = {"ZONE_CODE_FIELD": "zone_code", "DENSITY_FIELD": "max_density_pct", "MIN_STOREYS_FIELD": "min_storeys",
                "MAX_STOREYS_FIELD": "max_storeys", "FAR_FIELD": "max_far"}
#: How much larger than ordinary text the largest text in a zone is, and the smallest, in points.
_LABEL_STEPS = (-0.5, -1.0, -1.5, -2.0)
_SMALLEST_LABEL = 4.5
#: Whole dots per millimetre, so that neither the page nor its coordinates are rounded; nothing in it is a picture.
_PDF_DPI = 508


class ZoningSheetsAlgorithm(PlanDrawingAlgorithm):
    """Zones of a plan printed sheet by sheet; see `zoning_sheets`."""

    ID = "zoningsheets"
    TAGS = ("in bản đồ", "bản vẽ", "khung tên", "chia mảnh", "atlas", "map sheets", "layout", "pdf")

    def title(self) -> str:  # noqa: D102
        return say("In bản vẽ quy hoạch theo mảnh", "Print plan sheets")

    def help(self) -> str:  # noqa: D102
        return say(
            "In bản đồ sử dụng đất quy hoạch thành các mảnh ở tỷ lệ cố định: mỗi mảnh một tờ A0 đến A4 có khung bản "
            "vẽ, khung tên, khung ký, chú giải, lưới tọa độ VN-2000, hướng bắc, tỷ lệ số và thước tỷ lệ, sơ đồ ghép "
            "mảnh.\n\n"
            "Phương pháp: chia khung bao của các ô thành ít mảnh nhất, mảnh sát mảnh, không chồng và không hở; góc "
            "mảnh ở tọa độ chẵn khi có chỗ. Mảnh không có ô nào không in. Màu và tên chức năng lấy từ bảng chức năng "
            "sử dụng đất quy hoạch (Thông tư 16/2025/TT-BXD); ô có mã không có ký hiệu thì không in và nêu rõ mã nào, "
            "ô nào. Màu chưa chính thức (độ tin cậy dưới mức văn bản hoặc nguồn thứ cấp) được đánh dấu * trong chú "
            "giải. Chữ trong ô chỉ viết khi nằm trọn trong ô: đủ chỉ tiêu nếu có chỗ, không thì ký hiệu; ô quá nhỏ "
            "được ghi bên ngoài có đường dẫn. Bố cục khung tên theo thông lệ, các ô ký để trống tên. Tỷ lệ không đúng "
            "với loại quy hoạch (Luật 47/2024/QH15) được cảnh báo.\n\n"
            "Đơn vị: m, mm trên giấy. Hệ tọa độ: của lớp ô hoặc hệ được chọn; lớp khác hệ được chuyển (VN-2000: phép "
            "chuyển EPSG 6960). Hình không hợp lệ: theo tham số; không có hình hoặc hình rỗng: đếm, không in. PDF là "
            "véc-tơ có tọa độ; PNG theo độ phân giải đã chọn. Dừng giữa chừng thì không tệp nào được ghi.",
            "Prints a plan's zones as sheets at a fixed scale: each an A0 to A4 page with drawing frame, title block, "
            "signatures, legend, VN-2000 grid, north arrow, scale and scale bar, and a diagram of the neighbouring "
            "sheets.\n\n"
            "Method: the box of the zones is divided into the fewest sheets, edge to edge, without gap or overlap, "
            "their corners on round coordinates where there is room. Sheets without a zone are not printed. Colours "
            "and names of land functions are those of the table of planning functions (Circular 16/2025/TT-BXD); a "
            "code without a symbol stops the print, and the message says which codes in which zones. Colours that are "
            "not official (confidence below text or secondary) are marked * in the legend. Texts are written only "
            "where they lie whole inside their zone: all control figures where there is room, else the code; a zone "
            "too small is named from outside with a leader. The title block follows practice; names under signatures "
            "are left blank. A scale that does not suit the plan's level (Law 47/2024/QH15) is warned about.\n\n"
            "Units: m, mm on paper. System: that of the zones, or the one chosen; layers in others are moved (VN-2000: "
            "EPSG operation 6960). Invalid shapes: as the parameter says; null and empty shapes are counted and not "
            "printed. PDF is vector with coordinates; PNG has the resolution chosen. A stopped run writes no file.")

    # parameters ---------------------------------------------------------------------------------------------------

    def parameters(self) -> list[Any]:  # noqa: D102
        crs = ask.with_help(
            QgsProcessingParameterCrs("CRS", say("Hệ tọa độ in", "System to print in"), None, True),
            say("Để trống: hệ của lớp ô quy hoạch. Chọn hệ VN-2000 theo kinh tuyến trục của tỉnh.",
                "Empty: that of the zones. Choose VN-2000 with the province's meridian."), advanced=True)
        folder = ask.with_help(
            QgsProcessingParameterFolderDestination("FOLDER", say("Thư mục ghi bản vẽ", "Folder of the sheets")),
            say("Mỗi mảnh một tệp PDF hoặc PNG; tệp cũ cùng tên được thay.",
                "One PDF or PNG per sheet; former files of the same name are replaced."))
        return [
            ask.layer("ZONES", say("Ô quy hoạch", "Zones of the plan"),
                      say("Ô quy hoạch hoặc lô đất của một đồ án; lọc hoặc chọn nếu lớp có nhiều đồ án.",
                          "Zones or lots of one plan; filter or select them where the layer holds several."),
                      ask.POLYGONS),
            ask.field("FUNCTION_FIELD", say("Trường mã chức năng", "Field of the function code"),
                      say("Mã chức năng sử dụng đất, ví dụ NO, CXCC; quyết định màu.",
                          "Code of the land function, such as NO or CXCC; it decides the colour."),
                      "ZONES", default="function_code"),
            *self._label_fields(),
            *self._sheet_parameters(),
            *self.title_block(),
            *self.overlay_parameters(),
            ask.text("PROVINCE_FOLDER", say("Thư mục bảng quy chuẩn của tỉnh", "Folder with the province's tables"),
                     say("Nơi có planning_land_functions.csv của tỉnh, thay bảng chung. Để trống: bảng chung.",
                         "Holds the province's planning_land_functions.csv, in place of the national table."),
                     optional=True, advanced=True),
            crs, ask.invalid_geometry(), folder,
            ask.layer_output("OUTPUT", say("Bảng chắp mảnh", "Sheet index"),
                             say("Một hình chữ nhật cho mỗi mảnh: số mảnh, mảnh kề (nw … se), tọa độ khung, số ô, mã "
                                 "chức năng, số ô chỉ ghi được bên ngoài (outside_labels), số ô không ghi được "
                                 "(nameless), tên tệp.",
                                 "One rectangle per sheet: number, neighbours (nw … se), corners, zones, function "
                                 "codes, zones named from outside (outside_labels), zones without room "
                                 "(nameless), file names."),
                             Qgis.ProcessingSourceType.VectorPolygon),
        ]

    def _label_fields(self) -> list[Any]:
        told = say("Ghi trong ô khi có chỗ. Để trống: không ghi.",
                   "Written in the zone where there is room. Empty: not.")
        labels = {
            "ZONE_CODE_FIELD": say("Trường ký hiệu ô", "Field of the zone code"),
            "DENSITY_FIELD": say("Trường mật độ xây dựng tối đa (%)", "Field of the maximum building density (%)"),
            "MIN_STOREYS_FIELD": say("Trường tầng cao tối thiểu", "Field of the fewest storeys"),
            "MAX_STOREYS_FIELD": say("Trường tầng cao tối đa", "Field of the most storeys"),
            "FAR_FIELD": say("Trường hệ số sử dụng đất (lần)", "Field of the floor-area ratio")}
        return [ask.field(key, label, told, "ZONES", numeric=key != "ZONE_CODE_FIELD", optional=True,
                          default=USUAL_FIELDS[key]) for key, label in labels.items()]

    def _sheet_parameters(self) -> list[Any]:
        return [
            ask.choice("LEVEL", say("Loại quy hoạch", "Level of plan"),
                       say("Để đối chiếu tỷ lệ với Luật Quy hoạch đô thị và nông thôn.",
                           "To compare the scale with the Law on Urban and Rural Planning."),
                       [say("Không nêu", "Not stated"), say("Quy hoạch chung", "General plan"),
                        say("Quy hoạch phân khu", "Sub-area plan"), say("Quy hoạch chi tiết", "Detailed plan"),
                        say("Thiết kế đô thị riêng", "Separate urban design")]),
            ask.number("SCALE", say("Mẫu số tỷ lệ in", "Denominator of the scale"),
                       say("500, 2000, 5000, 10000, 25000 theo luật; 200, 1000, 50000, 100000 cũng in được.",
                           "500, 2000, 5000, 10000, 25000 as in the law; 200, 1000, 50000, 100000 are possible too."),
                       default=2000, minimum=1, integer=True),
            ask.choice("PAPER", say("Khổ giấy", "Paper"), say("A0 là lớn nhất.", "A0 is the largest."),
                       list(PAPERS), 3),
            ask.choice("ORIENTATION", say("Hướng giấy", "Orientation"),
                       say("Nằm ngang: chú giải bên phải; đứng: chú giải bên dưới.",
                           "Landscape: legend at the right; portrait: legend below."),
                       [say("Nằm ngang", "Landscape"), say("Đứng", "Portrait")]),
            ask.text("SHEETS", say("Chỉ in các mảnh", "Print only the sheets"),
                     say("Ví dụ 1, 3-5. Để trống: in tất cả. Bảng chắp mảnh luôn đủ.",
                         "Such as 1, 3-5. Empty: all. The index always has all."), optional=True, advanced=True),
            ask.choice("FORMAT", say("Dạng tệp", "Format"),
                       say("PDF để in và ký; PNG để xem và gửi.", "PDF to print and sign; PNG to view and send."),
                       ["PDF", "PNG", "PDF + PNG"]),
            ask.number("DPI", say("Độ phân giải (điểm/inch)", "Resolution (dots per inch)"),
                       say("Của PNG; PDF là véc-tơ.", "Of PNG; PDF is vector."),
                       default=200, minimum=50, maximum=1200, integer=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("SHEET_COUNT", say("Số mảnh của đồ án", "Sheets of the plan")),
            ("PRINTED", say("Số mảnh đã in", "Sheets printed")),
            ("OUTSIDE_LABELS", say("Số ô chỉ ghi được bên ngoài", "Zones named from outside")))]

    # running ------------------------------------------------------------------------------------------------------

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_metric, require_stated
        from ...common.layout.qgis_layout_drawing_page import drawing_frames
        from .sheet_index import scale_problem
        from .sheet_labels import LabelFields

        paper = PAPERS[self.parameterAsEnum(parameters, "PAPER", context)]
        portrait = self.parameterAsEnum(parameters, "ORIENTATION", context) == 1
        self.frames = drawing_frames(paper, portrait)
        self.paper = (paper, portrait)
        self.scale = self.parameterAsInt(parameters, "SCALE", context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.folder = self.parameterAsFileOutput(parameters, "FOLDER", context)
        self.zones = self.layer(parameters, "ZONES", context)
        self.province = self.parameterAsString(parameters, "PROVINCE_FOLDER", context).strip() or None
        problems = [text for text in (scale_problem(self.scale), *self.missing_texts(parameters, context)) if text]
        if self.province is not None and not Path(self.province).is_dir():
            problems.append(say("Không có thư mục bảng của tỉnh: {folder}.",
                                "The folder of the province's tables does not exist: {folder}.")
                            .format(folder=self.province))
        with noted(problems):
            self.not_empty(self.zones)
        with noted(problems):
            function = self.field(parameters, "FUNCTION_FIELD", self.zones, context)
        named = {}
        for key in USUAL_FIELDS:
            with noted(problems):
                named[key] = self._usual_field(parameters, key, context)
        self.read_overlays(parameters, context, problems)
        asked = self.parameterAsCrs(parameters, "CRS", context)
        self.crs = to_pyproj(asked) if asked.isValid() else None
        with noted(problems):
            require_metric(self.crs or require_stated(self.zones.crs, self.zones.name),
                           self.zones.name if self.crs is None else say("Hệ tọa độ in", "The system to print in"))
        with noted(problems):
            self.texts = self.drawing_texts(parameters, context)
        refuse_if(problems)
        self.fields = LabelFields(
            named["ZONE_CODE_FIELD"], function, named["DENSITY_FIELD"], named["MIN_STOREYS_FIELD"],
            named["MAX_STOREYS_FIELD"], named["FAR_FIELD"])

    def _usual_field(self, parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> str | None:
        if key not in parameters and self.zones.fields.lookupField(USUAL_FIELDS[key]) < 0:
            return None  # the usual name is an offer, not a demand
        return self.field(parameters, key, self.zones, context)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .sheet_index import chosen_sheets, level_warning
        from .sheet_symbols import function_symbols
        from .zoning_sheets import divide

        progress = self.progress(feedback)
        level = LEVELS[self.parameterAsEnum(parameters, "LEVEL", context)]
        if warning := level_warning(level, self.scale):
            feedback.pushWarning(warning)
        sheets = divide(self.zones.read(self.fields.columns()), self.fields, function_symbols(self.province),
                        scale=self.scale, map_mm=self.frames.map_mm, crs=self.crs, invalid=self.invalid,
                        zones_name=self.zones.name,
                        progress=part(progress, 0.0, 0.05))
        chosen = chosen_sheets(self.parameterAsString(parameters, "SHEETS", context), len(sheets.index))
        _tell(sheets, feedback)
        with files_whole(self.folder) as draft:
            index = self._print(sheets, chosen, draft, parameters, context, part(progress, 0.05, 0.98), feedback)
            output = self.write_layer(parameters, "OUTPUT", context, index, Qgis.WkbType.Polygon,
                                      style="zoning/sheet_index.qml")
        progress(1.0)
        outside = int(index["outside_labels"].sum())
        feedback.pushInfo(say("Đã in {n} trên {all} mảnh vào {folder}.", "Printed {n} of {all} sheets into {folder}.")
                          .format(n=len(chosen), all=len(index), folder=self.folder))
        return {"OUTPUT": output, "FOLDER": self.folder, "SHEET_COUNT": len(index), "PRINTED": len(chosen),
                "OUTSIDE_LABELS": outside}

    def _print(self, sheets: SheetSet, chosen: list[int], draft: Path, parameters: dict[str, Any],
               context: QgsProcessingContext, progress: Progress, feedback: QgsProcessingFeedback) -> Any:
        from qgis.core import QgsRectangle

        from ...common.layout.qgis_layout_drawing import DrawingSheet, SheetPlace, drawing_project
        from ...common.layout.qgis_layout_legend import LegendEntry
        from ...common.layout.qgis_layout_text import measured
        from ...common.layout.qgis_zone_map import colour_zones, fill_layer, frame_layer, label_zones, line_layer
        from .sheet_index import NEIGHBOURS
        from .zoning_sheets import content_of

        kind = self.parameterAsEnum(parameters, "FORMAT", context)
        dpi = self.parameterAsInt(parameters, "DPI", context)
        project = drawing_project(sheets.zones.crs, self.texts)
        page = DrawingSheet(project, self.texts, paper=self.paper[0], portrait=self.paper[1])
        sizes = [max(_SMALLEST_LABEL, self.frames.points + step) for step in _LABEL_STEPS]
        zones = leaders = None
        overlays = self.overlay_layers(sheets.zones.crs, sheets.index)
        index = sheets.index.assign(zones=0, functions="", outside_labels=0, nameless=0, pdf="", png="")
        stem = re.sub(r"[^\w.-]+", "_", self.texts.number) or "ban_ve"
        digits = len(str(len(index)))
        for done, number in enumerate(chosen):
            progress(done / len(chosen), say("Mảnh {n}/{all}", "Sheet {n}/{all}").format(n=number, all=len(index)))
            content = content_of(sheets, number, sizes, measured)
            drawn = content.zones.drop(columns=["width_m", "height_m"])
            if zones is None:
                zones = frame_layer(drawn, "Chức năng sử dụng đất", Qgis.WkbType.MultiPolygon)
                colour_zones(zones, "function", [sheets.symbols[code] for code in sheets.symbols])
                label_zones(zones, sizes[-1], lines_below=bool({"CONSTRAINTS", "PARCELS"} & self.overlays.keys()))
                leaders = line_layer(content.leaders, "", "40,40,40", 0.12)
                for layer in (*overlays, leaders, zones):
                    project.addMapLayer(layer, False)
            else:
                fill_layer(zones, drawn)
                fill_layer(leaders, content.leaders)
            row = index.iloc[number - 1]
            ground = QgsRectangle(row.west_m, row.south_m, row.east_m, row.north_m)
            page.show([*overlays, leaders, zones], ground, self.scale,
                      place=SheetPlace(number, len(index), {name: int(row[name]) for name in NEIGHBOURS}),
                      legend=[LegendEntry(layer) for layer in (*overlays, zones)], remarks=content.remarks)
            name = f"{stem}_1-{self.scale}_manh_{number:0{digits}d}-{len(index)}"
            at = index.index[number - 1]
            if kind in (PDF, BOTH):
                page.to_pdf(draft / f"{name}.pdf", dpi=_PDF_DPI)
                index.loc[at, "pdf"] = f"{name}.pdf"
            if kind in (PNG, BOTH):
                page.to_png(draft / f"{name}.png", dpi=dpi)
                index.loc[at, "png"] = f"{name}.png"
            index.loc[at, ["zones", "functions", "outside_labels", "nameless"]] = [
                len(content.zones), ", ".join(content.codes), len(content.leaders), len(content.nameless)]
            if content.nameless:
                feedback.pushWarning(
                    say("Mảnh {sheet}: không còn chỗ ghi ký hiệu của {n} ô (fid: {ids}); hãy in thêm ở tỷ lệ lớn hơn.",
                        "Sheet {sheet}: there is no room for the codes of {n} zones (ids: {ids}); print them at a "
                        "larger scale too.")
                    .format(sheet=number, n=len(content.nameless), ids=name_some(content.nameless)))
        progress(1.0)
        del page
        return index


def _tell(sheets: SheetSet, feedback: QgsProcessingFeedback) -> None:
    from ...common.crs import is_vn2000

    for sentence in sheets.report.sentences():
        feedback.pushWarning(sentence)
    if not is_vn2000(sheets.zones.crs):
        feedback.pushWarning(say("Bản vẽ không ở hệ VN-2000; hãy chọn hệ tọa độ in theo kinh tuyến trục của tỉnh.",
                                 "The drawing is not in VN-2000; choose the system of the province's meridian."))
    feedback.pushInfo(say("{n} ô quy hoạch, {sheets} mảnh.", "{n} zones, {sheets} sheets.")
                      .format(n=format_number(len(sheets.zones)), sheets=len(sheets.index)))
