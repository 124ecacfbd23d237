"""Processing algorithm ``quyhoach:zoningcompliance``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.columns import whole_names
from ...common.errors import name_some, noted, refuse_if
from ...common.language import say, speaking
from ...common.numbers_vi import format_date, format_number, parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_layers import LayerInput

if TYPE_CHECKING:
    import geopandas

    from .zoning_compliance import ZoningCompliance

#: Fields by layer: the engine's name (which is the catalogue's, and the default), key, Vietnamese and English label.
FIELDS = {
    "LOTS": (("label", "LOT_FIELD", "Trường tên, số hiệu lô", "Field of the lot's name"),
             ("existing", "EXISTING_FIELD", "Trường khu vực hiện hữu (có/không)", "Field existing area (yes or no)")),
    "BUILDINGS": (("storeys", "STOREYS_FIELD", "Trường số tầng", "Field of storeys"),
                  ("height_m", "HEIGHT_FIELD", "Trường chiều cao (m)", "Field of height (m)"),
                  ("use", "USE_FIELD", "Trường công năng", "Field of use")),
    "ZONES": (("plan_ref", "PLAN_FIELD", "Trường ký hiệu đồ án", "Field of the plan's reference"),
              ("zone_code", "ZONE_FIELD", "Trường ký hiệu ô", "Field of the zone's code"),
              ("function_code", "FUNCTION_FIELD", "Trường chức năng", "Field of the function"),
              ("density_kind", "DENSITY_KIND_FIELD", "Trường loại mật độ (net, gross)", "Field of the kind of density"),
              ("max_density_pct", "MAX_DENSITY_FIELD", "Trường mật độ tối đa (%)", "Field of maximum density (%)"),
              ("max_far", "MAX_FAR_FIELD", "Trường hệ số sử dụng đất tối đa", "Field of maximum floor-area ratio"),
              ("min_storeys", "MIN_STOREYS_FIELD", "Trường tầng cao tối thiểu", "Field of minimum storeys"),
              ("max_storeys", "MAX_STOREYS_FIELD", "Trường tầng cao tối đa", "Field of maximum storeys"),
              ("min_height_m", "MIN_HEIGHT_FIELD", "Trường chiều cao tối thiểu (m)", "Field of minimum height (m)"),
              ("max_height_m", "MAX_HEIGHT_FIELD", "Trường chiều cao tối đa (m)", "Field of maximum height (m)"),
              ("setback_m", "SETBACK_FIELD", "Trường khoảng lùi (m)", "Field of setback (m)")),
    "ROADS": (("name", "ROAD_NAME_FIELD", "Trường tên đường", "Field of the road's name"),
              ("red_line_width_m", "RED_LINE_WIDTH_FIELD", "Trường bề rộng chỉ giới đường đỏ (m)",
               "Field of the width between red lines (m)")),
}
#: These have no name in the catalogue to fall back on.
_NO_DEFAULT = ("label", "existing")


class ZoningComplianceAlgorithm(QuyHoachAlgorithm):
    """Lots and buildings against plan and regulation; see `zoning_compliance`."""

    ID = "zoningcompliance"
    ROOM = "zoning"
    TAGS = ("mật độ xây dựng", "hệ số sử dụng đất", "tầng cao", "khoảng lùi", "QCVN 01", "density", "FAR", "setback")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "openpyxl")

    def title(self) -> str:  # noqa: D102
        return say("Kiểm tra chỉ tiêu theo quy hoạch và QCVN 01", "Lots and buildings against plan and regulation")

    def help(self) -> str:  # noqa: D102
        return say(
            "Kiểm tra lô đất và công trình theo chỉ tiêu sử dụng đất quy hoạch và QCVN 01: mật độ xây dựng thuần, hệ số sử "
            "dụng đất, tầng cao, chiều cao, khoảng lùi, khoảng cách, cây xanh. Mỗi nội dung kiểm tra là một dòng với mã quy "
            "tắc, bảng và dòng, giá trị đo, giới hạn, chênh lệch, kết luận (phù hợp, chưa phù hợp, chưa đủ căn cứ đánh giá) "
            "và lý do.\n\n"
            "Phương pháp: diện tích công trình trong lô chia diện tích lô; tổng sàn chia diện tích lô; mép công trình đến chỉ "
            "giới đường đỏ của các đường giáp lô. Bảng 2.8, 2.9, 2.10, 2.12 nội suy tuyến tính, từ 46 m lên là bậc. Nhiều công "
            "trình cao khác nhau: chiều cao trung bình; khối đế và tháp: từng phần. Mật độ thuần không so với mật độ gộp. Thiếu số liệu: "
            "chỉ kết luận khi mọi khả năng cho cùng kết luận. Vượt trong sai số đo: chưa đủ căn cứ, cần đo thực địa.\n\n"
            "Quy chuẩn được chọn theo ngày thẩm định, phê duyệt của đồ án: đồ án phê duyệt hoặc đã thẩm định trước 01/01/2027 "
            "dùng QCVN 01:2021; sau đó áp dụng QCVN 01:2026, chưa có số liệu mật độ và khoảng lùi nên kết luận là chưa đủ căn cứ. "
            "Thư mục bảng của tỉnh: giới hạn chặt hơn được áp dụng. Với lớp đồ án, đồ án chi tiết nhất đang có hiệu lực quyết định.\n\n"
            "Nguồn: QCVN 01:2021/BXD mục 2.5.3, 2.6.1-2.6.4, 2.7. Đơn vị: m, m², %, lần. Lớp khác hệ tọa độ được chuyển về hệ của "
            "lớp lô đất (VN-2000: EPSG 6960). Hình không hợp lệ: theo tham số; không có hình hoặc hình rỗng: đếm, không tính. "
            "Số tầng, chiều cao bằng 0 hoặc trống: coi là chưa biết.",
            "Checks lots and buildings against the plan's control figures and QCVN 01: net density, floor-area ratio, storeys, "
            "height, setback, distances, planted ground. Each check is one row with rule id, table and row, measured value, "
            "limit, margin, verdict (complies, does not comply, not enough grounds) and the reason.\n\n"
            "Method: built area in the lot over the lot; floors over the lot; edge of the building to the red line of the roads "
            "the lot fronts. Tables 2.8, 2.9, 2.10, 2.12 are interpolated linearly, with a step at 46 m. Buildings of several "
            "heights: their average; podium and tower: part by part. Net is never compared with gross. Missing data: a verdict only "
            "where every possibility gives the same. Beyond a limit within the error of measuring: not enough grounds.\n\n"
            "The regulation follows the plan's appraisal and approval: plans approved or appraised before 1 January 2027 keep QCVN "
            "01:2021; later QCVN 01:2026 applies, whose densities and setbacks are not known, so the verdict is open. With a "
            "province's tables the tighter limit holds. With a layer of plans the most detailed one in force decides.\n\n"
            "Source: QCVN 01:2021/BXD 2.5.3, 2.6.1-2.6.4, 2.7. Units: m, m², %, ratio. Layers in other systems are brought to that of "
            "the lots (VN-2000: EPSG 6960). Invalid shapes: as chosen; null and empty ones are counted and left out. Storeys and "
            "heights of 0 or blank are unknown.")

    def parameters(self) -> list[Any]:  # noqa: D102
        optional = [
            ask.field(key, say(vi, en), say("Tên khác với tên trong danh mục dữ liệu thì chọn ở đây; không có trường thì coi là chưa biết.",
                                            "Choose it here where its name is not that of the catalogue; without the field it is unknown."),
                      layer, optional=True, default=None if name in _NO_DEFAULT else name)
            for layer, fields in FIELDS.items() for name, key, vi, en in fields]
        for field in optional:
            if field.name() != "LOT_FIELD":
                field.setFlags(field.flags() | Qgis.ProcessingParameterFlag.Advanced)
        return [
            ask.layer("LOTS", say("Lô đất, thửa đất", "Lots or parcels"),
                      say("Lô đất của quy hoạch chi tiết hoặc thửa đất.", "Lots of a detailed plan, or parcels."), ask.POLYGONS),
            optional[0],
            ask.layer("BUILDINGS", say("Công trình", "Buildings"),
                      say("Mặt bằng công trình; số tầng, chiều cao tính từ mặt đất. Khối đế và tháp là hai vùng chồng nhau.",
                          "Footprints; storeys and heights from the ground. Podium and tower are two polygons over each other."),
                      ask.POLYGONS),
            ask.layer("ZONES", say("Ô quy hoạch với chỉ tiêu", "Zones with control figures"),
                      say("Các trường theo danh mục dữ liệu (ô quy hoạch); trường thiếu được coi là chưa biết.",
                          "Fields as in the catalogue (zone); missing ones are unknown."), ask.POLYGONS),
            ask.layer("ROADS", say("Đường", "Roads"),
                      say("Tim đường với bề rộng chỉ giới đường đỏ, hoặc chỉ giới đường đỏ. Để trống: không kiểm tra khoảng lùi.",
                          "Axes with the width between red lines, or red lines. Empty: setbacks are not checked."),
                      ask.LINES + ask.POLYGONS, optional=True),
            ask.yes_no("RED_LINES", say("Lớp đường là chỉ giới đường đỏ", "The roads are red lines"),
                       say("Nét vẽ là chỉ giới đường đỏ, không phải tim đường.", "The lines are red lines, not axes.")),
            ask.text("DATE", say("Ngày đánh giá", "Day of the judgement"),
                     say("Ngày/tháng/năm; để trống: hôm nay.", "Day/month/year; empty: today."), optional=True),
            ask.layer("PLANS", say("Đồ án quy hoạch", "Plans"),
                      say("Theo danh mục dữ liệu (đồ án): cấp, tình trạng, ngày thẩm định, phê duyệt. Để trống: mọi ô đều áp dụng.",
                          "As in the catalogue (plan): level, status, appraisal and approval. Empty: all zones count."),
                      ask.POLYGONS, optional=True),
            ask.text("APPRAISAL_DATE", say("Ngày thẩm định đồ án", "Day the plan was appraised"),
                     say("Khi không có lớp đồ án.", "Where there is no layer of plans."), optional=True),
            ask.text("APPROVAL_DATE", say("Ngày phê duyệt đồ án", "Day the plan was approved"),
                     say("Khi không có lớp đồ án.", "Where there is no layer of plans."), optional=True),
            ask.layer("GREEN", say("Đất cây xanh trong lô", "Planted ground"),
                      say("Để trống: chỉ xét phần lô không xây dựng.", "Empty: only what is not built over is looked at."),
                      ask.POLYGONS, optional=True),
            ask.yes_no("EXISTING", say("Khu vực hiện hữu", "Existing built-up area"),
                       say("Mọi lô thuộc khu vực hiện hữu (mục 2.7); hoặc chọn trường của lớp lô.",
                           "All lots are in an existing area (mục 2.7); or choose a field of the lots.")),
            ask.number("SCALE", say("Mẫu số tỷ lệ bản đồ lô và công trình", "Scale's denominator of lots and buildings"),
                       say("Cho sai số vị trí điểm theo bảng map_point_error (500: 0,07 m); số liệu mặc định, cần xác nhận.",
                           "Gives the error of points by the table map_point_error (500: 0.07 m); a default to confirm."),
                       default=500, minimum=1),
            ask.number("POINT_ERROR", say("Sai số vị trí điểm (m)", "Position error of points (m)"),
                       say("Thay cho giá trị theo tỷ lệ.", "Instead of the one by scale."), minimum=0, optional=True, advanced=True),
            ask.number("PLAN_SCALE", say("Mẫu số tỷ lệ bản đồ quy hoạch", "Scale's denominator of the plan"),
                       say("Cho sai số ghép bản đồ khi không có lớp đồ án.", "For the map-matching tolerance without a layer of plans."),
                       default=2000, minimum=1, advanced=True),
            ask.number("STOREY_HEIGHT", say("Chiều cao một tầng để ước chiều cao (m)", "Height of a storey, for estimates (m)"),
                       say("Để trống: không ước; chiều cao trống là chưa biết.", "Empty: no estimate; blank heights are unknown."),
                       minimum=0, optional=True, advanced=True),
            ask.number("FRONT_DISTANCE", say("Lô giáp đường khi cách chỉ giới không quá (m)",
                                             "A lot fronts a road when its red line is no farther than (m)"),
                       say("Bản đồ lô và đường không khớp hẳn.", "Lots and roads do not match exactly."), default=1.0, minimum=0,
                       advanced=True),
            ask.folder("PROVINCE_FOLDER", say("Thư mục bảng quy chuẩn của tỉnh", "Folder with the province's tables"),
                       say("Tệp CSV cùng tên bảng; giới hạn chặt hơn được áp dụng.",
                           "CSV files named as the tables; the tighter limit holds."), optional=True),
            *optional[1:],
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Kết quả kiểm tra", "Checks"),
                             say("Một dòng cho mỗi nội dung kiểm tra; hình là lô hoặc phần công trình trong lô.",
                                 "One row per check; the shape is the lot's or the building's part on it."),
                             Qgis.ProcessingSourceType.VectorPolygon),
            ask.layer_output("LOTS_OUTPUT", say("Lô đất với kết luận", "Lots with their verdict"),
                             say("Một dòng cho mỗi lô: số đo và kết luận chung.", "One row per lot: measures and the verdict on all."),
                             Qgis.ProcessingSourceType.VectorPolygon, optional=True),
            ask.xlsx_output(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("CHECKS", say("Số nội dung kiểm tra", "Checks")), ("BROKEN", say("Chưa phù hợp", "Do not comply")),
            ("OPEN", say("Chưa đủ căn cứ đánh giá", "Not enough grounds")), ("KEPT", say("Phù hợp", "Comply")))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from pathlib import Path

        from ...common.crs import require_metric

        self.layers: dict[str, LayerInput | None] = {
            key: self.layer(parameters, key, context)
            for key in ("LOTS", "BUILDINGS", "ZONES", "ROADS", "PLANS", "GREEN")}
        self.invalid = self.invalid_geometry(parameters, context)
        problems: list[str] = []
        self.unknown: list[str] = []
        self.names = {layer: self._names(parameters, layer, fields, context, problems)
                      for layer, fields in FIELDS.items()}
        self.usable(problems, [layer for key, layer in self.layers.items() if key != "GREEN"],
                    may_be_empty=[self.layers["GREEN"]])
        with noted(problems):
            if self.layers["LOTS"].crs is not None:
                require_metric(self.layers["LOTS"].crs, self.layers["LOTS"].name)
        self.days = {}
        for key in ("DATE", "APPRAISAL_DATE", "APPROVAL_DATE"):
            text = self.parameterAsString(parameters, key, context).strip()
            with noted(problems):
                self.days[key] = parse_date(text) if text else None
        if self.layers["PLANS"] is not None and (self.days.get("APPRAISAL_DATE") or self.days.get("APPROVAL_DATE")):
            problems.append(say("Đã có lớp đồ án thì ngày thẩm định, phê duyệt lấy ở lớp đó; hãy để trống hai ngày hoặc bỏ lớp đồ án.",
                                "With a layer of plans the days of appraisal and approval come from it; leave both empty, or the layer."))
        if self.layers["ROADS"] is None and self.parameterAsBool(parameters, "RED_LINES", context):
            problems.append(say("Đã chọn \"lớp đường là chỉ giới đường đỏ\" nhưng chưa chọn lớp đường.",
                                "\"The roads are red lines\" is chosen without a layer of roads."))
        self.numbers = {}
        for key in ("POINT_ERROR", "STOREY_HEIGHT"):
            with noted(problems):
                self.numbers[key] = self.optional_number(parameters, key, context)
        folder = self.parameterAsString(parameters, "PROVINCE_FOLDER", context).strip()
        self.folder = Path(folder) if folder else None
        if self.folder is not None and not self.folder.is_dir():
            problems.append(
                say(
                    "Không có thư mục bảng của tỉnh: {folder}.",
                    "The folder of the province's tables does not exist: {folder}.",
                ).format(folder=folder)
            )
        with noted(problems):
            self._errors(parameters, context)
        refuse_if(problems)

    def _names(self, parameters, key: str, fields, context, problems: list[str]) -> dict[str, str]:
        """Return the layer's field for each of the engine's names; catalogue names that are not there are left out."""
        layer, found = self.layers[key], {}
        if layer is None:
            return found
        for name, parameter, _, _ in fields:
            asked = self.parameterAsString(parameters, parameter, context)
            if asked == name and layer.fields.lookupField(name) < 0:
                cut = whole_names(layer.columns(), [engine for engine, *_ in fields])
                found.update({name: field for field, engine in cut.items() if engine == name})
                if name not in found:
                    self.unknown.append(f"{layer.name}: {name}")
                continue
            with noted(problems):
                field = self.field(parameters, parameter, layer, context)
                if field:
                    found[name] = field
        return found

    def _errors(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        from ...common.slivers import tolerance_on_ground, tolerance_on_paper
        from ..plans.map_accuracy import point_error

        scale = self.parameterAsDouble(parameters, "SCALE", context)
        given = self.numbers.get("POINT_ERROR")
        self.error, self.error_source = (given, say("do người dùng nhập", "as entered")) if given is not None else (
            point_error(scale, self.folder)[:2])
        self.zone_tolerance = tolerance_on_ground(
            self.parameterAsDouble(parameters, "PLAN_SCALE", context), tolerance_on_paper()[0])

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.workbook import write_workbook
        from .compliance_workbook import compliance_sheets
        from .verdicts import Verdict
        from .zoning_compliance import zoning_compliance

        on = self.days["DATE"] or datetime.date.today()
        frames = {key: self._read(key) for key in FIELDS}
        plans, green = (None if self.layers[key] is None else self.layers[key].read(None if key == "PLANS" else [])
                        for key in ("PLANS", "GREEN"))
        result = zoning_compliance(
            frames["LOTS"], frames["BUILDINGS"], frames["ZONES"], frames["ROADS"], on=on, error_m=self.error,
            plans=plans,
            approved=self.days["APPROVAL_DATE"], appraised=self.days["APPRAISAL_DATE"], green=green,
            existing=self.parameterAsBool(parameters, "EXISTING", context),
            red_lines=self.parameterAsBool(parameters, "RED_LINES", context),
            front_m=self.parameterAsDouble(parameters, "FRONT_DISTANCE", context), zone_tolerance_m=self.zone_tolerance,
            storey_height_m=self.numbers["STOREY_HEIGHT"], invalid=self.invalid, province_folder=self.folder,
            progress=self.progress(feedback))
        _tell(result, feedback)
        if self.unknown:
            feedback.pushInfo(
                say(
                    "Không có các trường sau, coi là chưa biết: {names}.",
                    "These fields are not there and taken as unknown: {names}.",
                ).format(names="; ".join(self.unknown))
            )
        xlsx = self.parameterAsFileOutput(parameters, "XLSX", context)
        if xlsx:
            subtitle, notes = self._print_texts(on)
            write_workbook(xlsx, compliance_sheets(result, subtitle=subtitle, notes=notes))
        output = self.write_layer(parameters, "OUTPUT", context, result.checks, Qgis.WkbType.MultiPolygon,
                                  style="zoning/compliance.qml")
        lots = self.write_layer(parameters, "LOTS_OUTPUT", context, result.lots, Qgis.WkbType.MultiPolygon,
                                style="zoning/compliance.qml")
        return {"OUTPUT": output, "LOTS_OUTPUT": lots, "XLSX": xlsx or None, "CHECKS": len(result.checks),
                "BROKEN": result.count(Verdict.BROKEN), "OPEN": result.count(Verdict.OPEN),
                "KEPT": result.count(Verdict.KEPT)}

    def _read(self, key: str) -> geopandas.GeoDataFrame | None:
        layer, names = self.layers[key], self.names[key]
        if layer is None:
            return None
        frame = layer.read(list(dict.fromkeys(names.values())))
        # One field may serve twice, so columns are taken one by one.
        return frame[[frame.geometry.name]].assign(**{name: frame[field] for name, field in names.items()})

    def _print_texts(self, on: datetime.date) -> tuple[str, list[str]]:
        from ...common.crs import meridian_label

        with speaking("vi"):
            sources = ", ".join(f"{what} {self.layers[key].name}" for key, what in (
                ("LOTS", "lô đất"), ("BUILDINGS", "công trình"), ("ZONES", "ô quy hoạch"), ("ROADS", "đường"), ("PLANS", "đồ án"))
                if self.layers[key] is not None)
            notes = [f"Nguồn: {sources}. Hệ tọa độ {meridian_label(self.layers['LOTS'].crs)}.",
                     f"Sai số vị trí điểm {format_number(self.error, 2)} m ({self.error_source}), cần xác nhận. Diện tích đo trên bản đồ, "
                     "không thay diện tích trong hồ sơ pháp lý.",
                     "Giải thích cách đánh giá ở trang \"Cách đánh giá\"."]
            return f"Đánh giá tại ngày {format_date(on)}. Ngày lập: {format_date(datetime.date.today())}", notes


def _tell(result: ZoningCompliance, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    for report in result.reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
    for notice in result.notices:
        feedback.pushWarning(notice)
    for number, text in (
        (result.buildings_off_lots, say("{n} công trình không nằm trên lô nào.", "{n} buildings stand on no lot.")),
        (result.outside_zones, say("{n} lô nằm ngoài mọi ô quy hoạch.", "{n} lots are outside all zones.")),
        (
            result.roads_without_width,
            say("{n} đường chưa có bề rộng chỉ giới đường đỏ.", "{n} roads have no width between red lines."),
        ),
    ):
        if number:
            feedback.pushWarning(text.format(n=number))
    if result.plans_not_used:
        feedback.pushInfo(
            say("Đồ án không áp dụng vào ngày đánh giá: {refs}.", "Plans that do not apply on the day: {refs}.").format(
                refs=name_some(result.plans_not_used)
            )
        )
    for number, text in (
            (result.without_buildings, say("{n} lô không có công trình.", "{n} lots without buildings.")),
            (result.without_road, say("{n} lô có công trình không giáp đường nào trong lớp đường; không xét khoảng lùi.",
                                      "{n} built lots front no road of the layer; their setbacks are not checked.")),
            (result.buildings_shared, say("{n} công trình nằm trên nhiều lô; mỗi lô tính phần nằm trong lô.",
                                          "{n} buildings stand on several lots; each counts its part."))):
        if number:
            feedback.pushInfo(text.format(n=number))
