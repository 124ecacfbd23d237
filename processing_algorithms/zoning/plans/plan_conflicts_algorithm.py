"""Processing algorithm ``quyhoach:planconflicts``."""

from __future__ import annotations

import datetime
from typing import Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.columns import whole_names
from ...common.errors import noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_date, parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm


class PlanConflictsAlgorithm(QuyHoachAlgorithm):
    """Plans in force compared with each other; see `plan_conflicts`."""

    ID = "planconflicts"
    ROOM = "zoning"
    TAGS = ("mâu thuẫn", "chồng lấn", "quy hoạch chung", "phân khu", "chi tiết", "conflict", "overlap")

    def title(self) -> str:  # noqa: D102
        return say("Rà soát chồng lấn, mâu thuẫn giữa các quy hoạch", "Conflicts between plans")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tìm những chỗ các đồ án đang có hiệu lực quy định khác nhau: khác chức năng, chỉ tiêu của đồ án chi tiết vượt "
            "đồ án cấp trên, hai đồ án cùng cấp chồng nhau, ô chồng lấn trong một đồ án.\n\n"
            "Phương pháp: như tra cứu quy hoạch theo thửa đất, mỗi ô quy hoạch được tra như một thửa. Chỉ đồ án đã phê duyệt, "
            "chưa được thay thế vào ngày tra cứu; điều chỉnh cục bộ không mâu thuẫn với đồ án nó điều chỉnh. Mật độ và hệ số "
            "sử dụng đất chỉ so khi cùng loại mật độ (thuần hoặc gộp). Chức năng được cụ thể hóa trong ô của đồ án cấp trên "
            "(bảng function_nesting, giá trị mặc định cần xác nhận) không kể. Chỗ không rộng hơn sai số ghép bản đồ của đồ "
            "án tỷ lệ nhỏ hơn không kể.\n\n"
            "Đơn vị: m². Lớp ô khác hệ tọa độ với nhau được chuyển về hệ của lớp ô. Hình không hợp lệ: theo tham số.",
            "Finds where plans in force differ: another function, figures of a detailed plan beyond those of the plan above "
            "it, two plans of one level on the same ground, zones of one plan that overlap.\n\n"
            "Method: as zones by parcel, each zone asked like a parcel. Only plans approved and not superseded on the day; "
            "a local amendment does not contradict the plan it amends. Densities and floor-area ratios are compared where "
            "the kind of density (net or gross) is the same. Functions a zone of a coarser plan is broken down into (table "
            "function_nesting, defaults to be confirmed) do not count, and neither do places no wider than the map-matching "
            "tolerance of the coarser plan.\n\n"
            "Units: m². Plans in another coordinate system are brought to that of the zones. Invalid shapes: as the "
            "parameter says.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.layer("PLANS", say("Đồ án quy hoạch", "Plans"),
                      say("Tập dữ liệu plan của danh mục.", "Dataset plan of the catalogue."), ask.POLYGONS),
            ask.layer("ZONES", say("Ô quy hoạch", "Zones of the plans"),
                      say("Tập dữ liệu zone của danh mục.", "Dataset zone of the catalogue."), ask.POLYGONS),
            ask.day(),
            ask.map_tolerance(),
            ask.area_surface(),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Chỗ mâu thuẫn", "Places of conflict"),
                             say("Một dòng cho mỗi chỗ và nội dung khác nhau, kèm câu mô tả.",
                                 "One row per place and difference, with a sentence."),
                             Qgis.ProcessingSourceType.VectorPolygon),
            ask.table_output("SUMMARY", say("Theo cặp đồ án", "By pair of plans"),
                             say("Số chỗ và diện tích theo cặp đồ án và nội dung.",
                                 "Places and area by pair of plans and difference."), optional=True),
            ask.xlsx_output(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("PLACES", say("Số chỗ mâu thuẫn", "Places of conflict")),
                QgsProcessingOutputNumber("PAIRS", say("Số cặp đồ án có mâu thuẫn", "Pairs of plans in conflict"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        self.surface = self.area_surface(parameters, context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.plans, self.zones = (self.layer(parameters, key, context) for key in ("PLANS", "ZONES"))
        self.date = datetime.date.today()
        problems: list[str] = []
        with noted(problems):
            if asked := self.parameterAsString(parameters, "DATE", context).strip():
                self.date = parse_date(asked)
        with noted(problems):
            self.tolerance_mm = self.optional_number(parameters, "TOLERANCE_MM", context)
        self.usable(problems, (self.plans, self.zones))
        self.measurable(problems, self.zones, self.surface)
        needed, held = ("plan_ref", "zone_code", "function_code"), self.zones.columns()
        lacking = sorted(set(needed) - {*held, *whole_names(held, needed).values()}, key=needed.index)
        if lacking:
            problems.append(
                say("Lớp {layer} thiếu trường {fields}.", "Layer {layer} lacks the fields {fields}.").format(
                    layer=self.zones.name, fields=", ".join(lacking)
                )
            )
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .plan_conflicts import conflict_sheets, plan_conflicts

        result = plan_conflicts(self.plans.read(), self.zones.read(), date=self.date, tolerance_mm=self.tolerance_mm,
                                surface=self.surface, invalid=self.invalid, progress=self.progress(feedback))
        for sentence in [*(said for report in result.reports for said in report.sentences()), *result.notices]:
            feedback.pushWarning(sentence)
        table = result.states.table
        feedback.pushInfo(say("Ngày tra cứu {d}. Đồ án đang có hiệu lực: {refs}. Sai số ghép bản đồ: {source}.",
                              "Day asked for {d}. Plans in force: {refs}. Map-matching tolerance: {source}.").format(
            d=format_date(self.date), refs=", ".join(table.index[table["in_force"]]), source=result.tolerance_source))
        output = self.write_layer(parameters, "OUTPUT", context, result.places, Qgis.WkbType.MultiPolygon)
        summary = self.write_layer(parameters, "SUMMARY", context,
                                   result.summary) if parameters.get("SUMMARY") else None
        xlsx = self.parameterAsFileOutput(parameters, "XLSX", context)
        if xlsx:
            from ...common.workbook import write_workbook

            write_workbook(xlsx,
                           conflict_sheets(result,
                                           subtitle=f"Theo các đồ án có hiệu lực ngày {format_date(self.date)}"))
        return {"OUTPUT": output, "SUMMARY": summary, "XLSX": xlsx or None, "PLACES": len(result.places),
                "PAIRS": len(result.summary[["answer_ref", "other_ref"]].drop_duplicates())}
