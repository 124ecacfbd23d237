"""Processing algorithm ``quyhoach:plandifference``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterField,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError, name_some, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm

if TYPE_CHECKING:
    import geopandas

    from .plan_difference import PlanDifference


class PlanDifferenceAlgorithm(QuyHoachAlgorithm):
    """Two versions of a plan; see `plan_difference`."""

    ID = "plandifference"
    ROOM = "zoning"
    TAGS = ("điều chỉnh quy hoạch", "cục bộ", "tổng thể", "so sánh", "chênh lệch", "phiên bản", "amendment", "diff")

    def title(self) -> str:  # noqa: D102
        return say("So sánh quy hoạch trước và sau điều chỉnh", "Difference of two versions of a plan")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết điều chỉnh quy hoạch đã đổi gì: bao nhiêu m² đổi chức năng, thêm, bớt; chỉ tiêu nào của ô nào thay "
            "đổi và trên bao nhiêu m².\n\n"
            "Phương pháp: hai lớp ô quy hoạch được giao với nhau; mỗi mét vuông của mỗi phiên bản được tính đúng một lần, "
            "nên trước - giảm + tăng = sau với từng chức năng, và tổng chênh lệch bằng đất thêm trừ đất bớt. Phần hẹp do "
            "vẽ lại ranh giới (hẹp hơn sai số ghép bản đồ: mm trên giấy nhân mẫu số tỷ lệ) vẫn được tính, được đánh dấu và "
            "nêu riêng. Chỉ tiêu được so ở mọi cặp ô có phần chung; dân số và diện tích theo đồ án chỉ so khi cùng ký hiệu "
            "ô.\n\n"
            "Điều chỉnh cục bộ: chọn LOCAL để chỉ so trong phạm vi các ô của phiên bản sau. Cả hai phiên bản trong một "
            "lớp: chọn lớp đó hai lần và điền ký hiệu đồ án.\n\n"
            "Đơn vị: m². Ô chồng lấn nhau trong một phiên bản: ô đứng trước trong lớp giữ phần đất, phần trừ đi được nêu. "
            "Phiên bản sau khác hệ tọa độ được chuyển về hệ của phiên bản trước. Hình không hợp lệ: theo tham số.",
            "Tells what an amendment changed: how many m² changed function, were added or removed; which figures of which "
            "zones differ, and on how many m².\n\n"
            "Method: the two layers of zones are intersected; every square metre of either version counts exactly once, so "
            "that before - lost + gained = after for each function, and all differences add up to added minus removed. "
            "Narrow pieces of redrawn boundaries (below the map-matching tolerance: mm on paper times the scale) count, "
            "are marked and told apart. Figures are compared for each pair of zones that share land; population and the "
            "area stated in the plan only where the zone's code is the same.\n\n"
            "Local amendment: choose LOCAL to compare only inside the zones of the later version. Both versions in one "
            "layer: choose it twice and enter the plans' references.\n\n"
            "Units: m². Where zones of one version overlap, the zone first in the layer keeps the land; what was taken off "
            "is told. A later version in another coordinate system is brought to that of the earlier one. Invalid shapes: "
            "as the parameter says.")

    def parameters(self) -> list[Any]:  # noqa: D102
        fields = QgsProcessingParameterField(
            "FIELDS", say("Các trường so sánh", "Fields compared"), None, "BEFORE",
            Qgis.ProcessingFieldParameterDataType.Any, True, True)
        return [
            ask.layer("BEFORE", say("Ô quy hoạch, phiên bản trước", "Zones, earlier version"),
                      say("Ô quy hoạch hoặc lô đất trước điều chỉnh.", "Zones or lots before the amendment."), ask.POLYGONS),
            ask.layer("AFTER", say("Ô quy hoạch, phiên bản sau", "Zones, later version"),
                      say("Ô quy hoạch hoặc lô đất sau điều chỉnh.", "Zones or lots after the amendment."), ask.POLYGONS),
            ask.field("FUNCTION_FIELD", say("Trường chức năng sử dụng đất", "Field of the land function"),
                      say("Có ở cả hai lớp.", "In both layers."), "BEFORE", default="function_code"),
            ask.field("CODE_FIELD", say("Trường ký hiệu ô", "Field of the zone's code"),
                      say("Có ở cả hai lớp.", "In both layers."), "BEFORE", default="zone_code"),
            ask.text("BEFORE_PLAN", say("Ký hiệu đồ án, phiên bản trước", "Plan reference, earlier version"),
                     say("Chỉ lấy các ô có plan_ref này; để trống: mọi ô của lớp.",
                         "Only zones with this plan_ref; empty: all zones of the layer."), optional=True),
            ask.text("AFTER_PLAN", say("Ký hiệu đồ án, phiên bản sau", "Plan reference, later version"),
                     say("Chỉ lấy các ô có plan_ref này; để trống: mọi ô của lớp.",
                         "Only zones with this plan_ref; empty: all zones of the layer."), optional=True),
            ask.yes_no("LOCAL", say("Phiên bản sau là điều chỉnh cục bộ", "The later version is a local amendment"),
                       say("Chỉ so trong phạm vi các ô của phiên bản sau.",
                           "Compare only inside the zones of the later version.")),
            ask.layer("BOUNDARY", say("Ranh giới so sánh", "Boundary to compare in"),
                      say("Chỉ so phần đất trong các vùng này; để trống: tất cả.",
                          "Only land inside these polygons; empty: all."), ask.POLYGONS, optional=True),
            ask.with_help(fields, say("Để trống: các chỉ tiêu sử dụng đất quy hoạch có ở cả hai lớp.",
                                      "Empty: the control figures both layers have."), advanced=True),
            ask.number("SCALE", say("Mẫu số tỷ lệ bản đồ quy hoạch", "Denominator of the plan's scale"),
                       say("2000 cho quy hoạch 1/2000; cùng sai số trên giấy cho ra bề rộng đánh dấu.",
                           "2000 for a plan at 1/2000; with the tolerance on paper it gives the width that is marked."),
                       default=2000, minimum=1),
            ask.map_tolerance(),
            ask.yes_no("UNCHANGED", say("Ghi cả phần không đổi", "Also write what did not change"),
                       say("Khi đó diện tích các phần cộng lại đủ cả hai phiên bản.",
                           "The pieces then add up to both versions.")),
            ask.area_surface(),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Phần đất thay đổi", "Land that changed"),
                             say("kind: same, renamed (đổi ký hiệu), figures (đổi chỉ tiêu), function (đổi chức năng), "
                                 "added, removed; ký hiệu và chức năng trước, sau; các trường khác nhau; area_m2; "
                                 "within_tolerance.",
                                 "kind: same, renamed, figures, function, added, removed; codes and functions before and "
                                 "after; the fields that differ; area_m2; within_tolerance."),
                             Qgis.ProcessingSourceType.VectorPolygon),
            ask.table_output("SUMMARY", say("Cân đối theo chức năng", "Balance by function"),
                             say("Trước, giảm, tăng, sau, chênh lệch (m²).", "Before, lost, gained, after, difference (m²)."),
                             optional=True),
            ask.table_output("FIGURES", say("Chỉ tiêu thay đổi", "Figures that changed"),
                             say("Một dòng cho mỗi chỉ tiêu khác nhau của hai ô có phần chung.",
                                 "One row per figure that differs between two zones that share land."), optional=True),
            ask.xlsx_output(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("BEFORE_AREA", say("Diện tích phiên bản trước (m²)", "Area of the earlier version (m²)")),
            ("AFTER_AREA", say("Diện tích phiên bản sau (m²)", "Area of the later version (m²)")),
            ("ADDED_AREA", say("Đất thêm (m²)", "Land added (m²)")),
            ("REMOVED_AREA", say("Đất bớt (m²)", "Land removed (m²)")),
            ("FUNCTION_AREA", say("Đất đổi chức năng (m²)", "Land that changed function (m²)")),
            ("TOLERANCE_AREA", say("Trong đó trong hạn sai ghép bản đồ (m²)", "Of it within the tolerance (m²)")),
            ("CHANGED_FIGURES", say("Số chỉ tiêu thay đổi", "Figures that changed")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        self.surface = self.area_surface(parameters, context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.scale = self.parameterAsDouble(parameters, "SCALE", context)
        self.local = self.parameterAsBool(parameters, "LOCAL", context)
        self.before, self.after, self.boundary = (
            self.layer(parameters, key, context) for key in ("BEFORE", "AFTER", "BOUNDARY"))
        self.plans = [self.parameterAsString(parameters, key, context).strip() for key in ("BEFORE_PLAN", "AFTER_PLAN")]
        self.fields = self.parameterAsStrings(parameters, "FIELDS", context) or None
        problems: list[str] = []
        with noted(problems):
            self.tolerance_mm = self.optional_number(parameters, "TOLERANCE_MM", context)
        with noted(problems):
            self.function_field = self.field(parameters, "FUNCTION_FIELD", self.before, context)
        with noted(problems):
            self.code_field = self.field(parameters, "CODE_FIELD", self.before, context)
        self.usable(problems, (self.before, self.after), may_be_empty=[self.boundary])
        self.measurable(problems, self.before, self.surface)
        for layer, plan in zip((self.before, self.after), self.plans):
            if plan and "plan_ref" not in layer.columns():
                problems.append(say("Lớp {layer} không có trường plan_ref để chọn đồ án {plan}.",
                                    "Layer {layer} has no field plan_ref to choose plan {plan} by.").format(
                    layer=layer.name, plan=plan))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .plan_difference import plan_difference

        before, after = (_of_plan(layer.read(), plan, layer.name)
                         for layer, plan in zip((self.before, self.after), self.plans))
        result = plan_difference(
            before, after, function_field=self.function_field, code_field=self.code_field, fields=self.fields,
            boundary=self.boundary.read() if self.boundary is not None else None, local=self.local, scale=self.scale,
            tolerance_mm=self.tolerance_mm, surface=self.surface, invalid=self.invalid, before_name=self.before.name,
            after_name=self.after.name, progress=self.progress(feedback))
        _tell(result, feedback)
        pieces = result.pieces
        if not self.parameterAsBool(parameters, "UNCHANGED", context):
            pieces = pieces[pieces["kind"] != "same"]
        written: dict[str, Any] = {"OUTPUT": self.write_layer(
            parameters, "OUTPUT", context, pieces, Qgis.WkbType.MultiPolygon, style="zoning/plan_difference.qml")}
        for key, table in (("SUMMARY", result.summary), ("FIGURES", result.figures)):
            if parameters.get(key):
                written[key] = self.write_layer(parameters, key, context, table)
        if xlsx := self.parameterAsFileOutput(parameters, "XLSX", context):
            from ...common.workbook import write_workbook
            from .plan_difference_tables import difference_sheets

            versions = [plan or layer.name for plan, layer in zip(self.plans, (self.before, self.after))]
            write_workbook(xlsx, difference_sheets(
                result, subtitle=f"Phiên bản trước: {versions[0]}; phiên bản sau: {versions[1]}"))
            written["XLSX"] = xlsx
        moved = result.pieces[result.pieces["kind"] == "function"]
        return {**written, "BEFORE_AREA": result.before_m2, "AFTER_AREA": result.after_m2,
                "ADDED_AREA": result.added_m2,
                "REMOVED_AREA": result.removed_m2, "FUNCTION_AREA": float(moved["area_m2"].sum()),
                "TOLERANCE_AREA": float(moved.loc[moved["within_tolerance"].astype(bool), "area_m2"].sum()),
                "CHANGED_FIGURES": len(result.figures)}


def _of_plan(zones: geopandas.GeoDataFrame, plan: str, name: str) -> geopandas.GeoDataFrame:
    if not plan:
        return zones
    refs = zones["plan_ref"].astype(str).str.strip()
    if not (refs == plan).any():
        raise InputError(say("Lớp {layer} không có ô nào của đồ án {plan}; các đồ án hiện có: {refs}.",
                             "Layer {layer} has no zone of plan {plan}; its plans are: {refs}.").format(
            layer=name, plan=plan, refs=name_some(sorted(set(refs)))))
    return zones[refs == plan]


def _tell(result: PlanDifference, feedback: QgsProcessingFeedback) -> None:
    for report in result.reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
    for which, doubled in ((say("trước", "earlier"), result.doubled_before_m2),
                           (say("sau", "later"), result.doubled_after_m2)):
        if doubled > 0.05:
            feedback.pushWarning(say("Phiên bản {which} có ô chồng lấn nhau; đã trừ {m} m² tính trùng.",
                                     "Zones of the {which} version overlap; {m} m² counted twice were taken off.").format(
                which=which, m=format_number(doubled, 1)))
    feedback.pushInfo(say("Sai số ghép bản đồ {t} m: {source}.", "Map-matching tolerance {t} m: {source}.").format(
        t=format_number(result.tolerance_m, 2), source=result.tolerance_source))
    if set(result.pieces["kind"]) == {"added", "removed"}:
        feedback.pushWarning(say("Hai phiên bản không có phần đất chung; kiểm tra hệ tọa độ và lớp đã chọn.",
                                 "The versions share no land; check the coordinate systems and the layers chosen."))
    for row in result.summary.itertuples():
        if abs(row.difference_m2) >= 0.05:
            feedback.pushInfo(say("{f}: {b} m² → {a} m² ({d} m²).", "{f}: {b} m² → {a} m² ({d} m²).").format(
                f=row.function or "-", b=format_number(row.before_m2, 1), a=format_number(row.after_m2, 1),
                d=("+" if row.difference_m2 > 0 else "") + format_number(row.difference_m2, 1)))
