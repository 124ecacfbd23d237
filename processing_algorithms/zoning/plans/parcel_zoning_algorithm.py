"""Processing algorithm ``quyhoach:parcelzoning``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import name_some, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_date, format_number, parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm

if TYPE_CHECKING:
    from ...common.geometry import GeometryReport
    from .parcel_zoning import ParcelZoning
    from .plan_answers import PlanAnswers

#: What needs the layer of plans.
_NEED_PLANS = ("OVERLAYS", "OVERRIDES", "RESTRICTIONS", "FIGURES", "CONTRADICTIONS")


class ParcelZoningAlgorithm(QuyHoachAlgorithm):
    """Parcels cut by the zones of one plan (`parcel_zoning`), or asked of all plans on a day (`plan_answers`)."""

    ID = "parcelzoning"
    ROOM = "zoning"
    TAGS = ("ô quy hoạch", "lô đất", "thửa đất", "chồng xếp", "overlay", "intersection", "quy hoạch chung",
            "phân khu", "chi tiết", "chỉ tiêu", "chỉ giới đường đỏ", "hành lang")

    def title(self) -> str:  # noqa: D102
        return say("Tra cứu quy hoạch theo thửa đất", "Zones by parcel")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết mỗi thửa đất nằm trong những ô quy hoạch nào, với bao nhiêu m² và bao nhiêu phần trăm diện tích "
            "thửa. Mỗi phần chung của một thửa và một ô là một dòng; phần lớn nhất của thửa đứng trước.\n\n"
            "Phương pháp: giao các vùng bằng GEOS; thửa nằm trọn trong ô được giữ nguyên hình. Chạm nhau ở ranh giới "
            "không phải là phần chung. Phần hẹp do hai bản đồ không khớp được đánh dấu (sliver), không bị bỏ: không "
            "phải cả thửa, không chỗ nào rộng hơn sai số ghép bản đồ (mm trên giấy nhân mẫu số tỷ lệ) và không ăn sâu "
            "vào ô quá sai số đó. Sai số mặc định nằm trong bảng map_matching_tolerance; đây là thông lệ, cần xác "
            "nhận.\n\n"
            "Đơn vị: m², %. Ô chồng lấn nhau: mỗi ô được tính riêng, phần tính trùng nêu ở OVERLAP_AREA; AREA + "
            "OUTSIDE_AREA - OVERLAP_AREA = tổng diện tích thửa. Ô không có giá trị: giữ trống và đếm. Ô khác hệ tọa độ "
            "được chuyển về hệ của thửa (VN-2000: phép chuyển EPSG 6960). Hình không hợp lệ: theo tham số; không có "
            "hình hoặc hình rỗng: đếm, không tính. Độ cao của đỉnh bị bỏ.\n\n"
            "Nhiều đồ án: chọn thêm lớp đồ án (PLANS; lớp ô khi đó cần plan_ref, zone_code, function_code như tập dữ liệu "
            "zone). Chỉ đồ án đã phê duyệt, chưa được thay thế vào ngày tra cứu mới được áp dụng; đồ án chi tiết nhất "
            "được áp dụng, điều chỉnh cục bộ trong ranh giới của nó; thửa bị cắt ở ranh giới đó. Các đồ án khác được liệt kê với "
            "lý do; chỗ nói khác nhau nêu ở CONTRADICTIONS (chức năng được cụ thể hóa theo bảng function_nesting không "
            "tính). \"Chặt nhất được áp dụng\" chỉ giữa các hạn chế đặt lên trên (hành lang, di tích, độ cao). Mỗi chỉ "
            "tiêu ở FIGURES kèm lý do. Sai số ghép bản đồ lấy theo tỷ lệ của từng đồ án.",
            "Tells in which zones of a plan each parcel lies, with how many m² and what share of its area. Each common "
            "piece of a parcel and a zone is one row; a parcel's largest piece comes first.\n\n"
            "Method: polygons are intersected with GEOS; a parcel wholly inside a zone keeps its shape. Touching at a "
            "boundary is no piece. Narrow pieces that come from two maps not matching are flagged (sliver), not "
            "dropped: not the whole parcel, nowhere wider than the map-matching tolerance (mm on paper times the "
            "scale), and nowhere deeper inside the zone than that. The default tolerance is in the table "
            "map_matching_tolerance; it is practice, to be confirmed.\n\n"
            "Units: m², %. Where zones overlap each counts by itself and OVERLAP_AREA tells what is counted twice; "
            "AREA + OUTSIDE_AREA - OVERLAP_AREA = area of all parcels. Zones without a value keep none and are "
            "counted. Zones in another coordinate system are brought to that of the parcels (VN-2000: EPSG operation "
            "6960). Invalid shapes: as the parameter says; null and empty shapes are counted and left out. Heights of "
            "vertices are dropped.\n\n"
            "Several plans: choose the layer of plans too (PLANS; the zones then need plan_ref, zone_code, function_code "
            "as in the dataset zone). Only plans approved and not superseded on the day answer; the most detailed one "
            "does, a local amendment inside its boundary, where parcels are cut. The other plans are listed with the "
            "reason; where they differ is told by CONTRADICTIONS (functions broken down as in the table function_nesting "
            "do not count). \"The tightest applies\" only among the restrictions on top (corridors, heritage, height). "
            "Each figure in FIGURES comes with its reason. The map-matching tolerance follows each plan's scale.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.layer("PARCELS", say("Thửa đất", "Parcels"),
                      say("Các vùng cần tra cứu; mọi trường được giữ trong kết quả.",
                          "The polygons to look up; all their fields are kept in the result."), ask.POLYGONS),
            ask.layer("ZONES", say("Ô quy hoạch", "Zones of the plan"),
                      say("Ô quy hoạch (quy hoạch phân khu) hoặc lô đất (quy hoạch chi tiết).",
                          "Zones of a sub-area plan or lots of a detailed plan."), ask.POLYGONS),
            ask.field("ZONE_FIELD", say("Trường của ô quy hoạch", "Field of the zones"),
                      say("Giá trị ghi vào cột zone của mỗi phần, ví dụ mã chức năng sử dụng đất hoặc ký hiệu ô.",
                          "Its value goes into the column zone of each piece, such as the land function or the zone's "
                          "number."),
                      "ZONES"),
            ask.layer("PLANS", say("Đồ án quy hoạch", "Plans"),
                      say("Tập dữ liệu plan: ký hiệu, loại, tỷ lệ, tình trạng, ngày phê duyệt, số quyết định, đồ án được "
                          "thay thế hoặc điều chỉnh, ranh giới. Để trống: coi lớp ô là một đồ án.",
                          "Dataset plan: reference, level, scale, status, approval date, decision number, the plan it "
                          "replaces or amends, boundary. Empty: the zones are taken as one plan."),
                      ask.POLYGONS, optional=True),
            ask.day(),
            ask.layer("OVERLAYS", say("Khu vực hạn chế, khống chế xây dựng", "Constraint overlays"),
                      say("Tập dữ liệu constraint_overlay: chỉ giới đường đỏ, hành lang, di tích, khống chế chiều cao...",
                          "Dataset constraint_overlay: red lines, corridors, heritage, height limits..."),
                      ask.POLYGONS, optional=True),
            ask.layer("OVERRIDES", say("Chỉ tiêu riêng của thửa đất", "Figures of single parcels"),
                      say("Tập dữ liệu parcel_override; thay chỉ tiêu của ô cho thửa mà hình của nó phủ quá nửa.",
                          "Dataset parcel_override; replaces the zone's figures on the parcel its shape mostly covers."),
                      ask.POLYGONS, optional=True),
            ask.number("SCALE", say("Mẫu số tỷ lệ bản đồ quy hoạch", "Denominator of the plan's scale"),
                       say("2000 cho quy hoạch 1/2000. Cùng sai số trên giấy cho ra sai số ghép bản đồ bằng mét. Khi có "
                           "lớp đồ án: mỗi đồ án theo tỷ lệ của nó.",
                           "2000 for a plan at 1/2000. With the tolerance on paper it gives the tolerance in metres. "
                           "With plans each has its own scale."),
                       default=2000, minimum=1),
            ask.map_tolerance(),
            ask.yes_no("OUTSIDE", say("Ghi cả phần thửa nằm ngoài mọi ô",
                                      "Also write parts of parcels outside all zones"),
                       say("Thêm các dòng không có ô quy hoạch; khi đó tỷ lệ của mỗi thửa cộng lại đủ 100 %. Diện tích "
                           "ngoài ô luôn được nêu ở OUTSIDE_AREA.",
                           "Adds rows without a zone, so that each parcel's shares add up to 100 %. The area outside "
                           "is always told by OUTSIDE_AREA.")),
            ask.area_surface(),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Thửa đất theo ô quy hoạch", "Parcels by zone"),
                             say("Một dòng cho mỗi phần: các trường của thửa, zone, piece (thứ tự trong thửa), "
                                 "area_m2, share_pct, sliver, sliver_reason; parcel_fid và zone_fid là số hiệu đối "
                                 "tượng ở hai lớp vào.",
                                 "One row per piece: the parcel's fields, zone, piece (its number in the parcel), "
                                 "area_m2, share_pct, sliver, sliver_reason; parcel_fid and zone_fid are the ids in "
                                 "the two inputs."),
                             Qgis.ProcessingSourceType.VectorPolygon),
            ask.layer_output("RESTRICTIONS", say("Hạn chế trên thửa", "Restrictions on parcels"),
                             say("Một dòng cho mỗi thửa và khu vực hạn chế: loại, mức độ, chiều cao, căn cứ, diện tích.",
                                 "One row per parcel and overlay: type, effect, height, legal basis, area."),
                             Qgis.ProcessingSourceType.VectorPolygon, optional=True),
            ask.table_output("FIGURES", say("Chỉ tiêu áp dụng", "Effective figures"),
                             say("Một dòng cho mỗi chỉ tiêu của từng phần thửa, kèm nguồn và lý do.",
                                 "One row per figure of each answering piece, with its source and reason."),
                             optional=True),
            ask.layer_output("CONTRADICTIONS", say("Chỗ các đồ án khác nhau", "Contradictions between plans"),
                             say("Chỗ đồ án áp dụng và đồ án khác đang có hiệu lực quy định khác nhau.",
                                 "Where the answering plan and another one in force differ."),
                             Qgis.ProcessingSourceType.VectorPolygon, optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("PIECES", say("Số phần trong ô quy hoạch", "Pieces in zones")),
            ("AREA", say("Diện tích trong ô quy hoạch (m²)", "Area in zones (m²)")),
            ("SLIVERS", say("Số phần hẹp trong sai số ghép bản đồ", "Pieces within the tolerance")),
            ("SPLIT_PARCELS", say("Số thửa thuộc nhiều ô", "Parcels in several zones")),
            ("SPLIT_BEYOND_TOLERANCE", say("Số thửa thuộc nhiều ô, không kể phần hẹp",
                                           "Parcels in several zones, slivers aside")),
            ("OUTSIDE_PARCELS", say("Số thửa nằm ngoài mọi ô", "Parcels outside all zones")),
            ("OUTSIDE_AREA", say("Diện tích thửa ngoài mọi ô (m²)", "Area of parcels outside all zones (m²)")),
            ("OVERLAP_AREA", say("Diện tích tính trùng do ô chồng lấn (m²)",
                                 "Area counted twice where zones overlap (m²)")),
            ("WITHOUT_VALUE", say("Số phần thuộc ô không có giá trị", "Pieces in zones without a value")),
            ("RESTRICTED_PARCELS", say("Số thửa có hạn chế đang áp dụng", "Parcels under restrictions that apply")),
            ("CONTRADICTORY_PARCELS", say("Số thửa có quy định khác nhau giữa các đồ án",
                                          "Parcels on which plans differ")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        self.surface = self.area_surface(parameters, context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.scale = self.parameterAsDouble(parameters, "SCALE", context)
        self.outside = self.parameterAsBool(parameters, "OUTSIDE", context)
        self.parcels = self.layer(parameters, "PARCELS", context)
        self.zones = self.layer(parameters, "ZONES", context)
        self.plans, self.overlays, self.overrides = (
            self.layer(parameters, key, context) for key in ("PLANS", "OVERLAYS", "OVERRIDES"))
        self.date = datetime.date.today()
        asked = self.parameterAsString(parameters, "DATE", context).strip()
        problems: list[str] = []
        with noted(problems):
            if asked:
                self.date = parse_date(asked)
        if self.plans is None and asked:
            problems.append(say("Ngày tra cứu chỉ có nghĩa khi có lớp đồ án quy hoạch (PLANS).",
                                "The day asked for means something only with the layer of plans (PLANS)."))
        if self.plans is None and any(parameters.get(key) not in (None, "") for key in _NEED_PLANS):
            problems.append(say("Hạn chế, chỉ tiêu riêng và các kết quả kèm theo cần lớp đồ án quy hoạch (PLANS).",
                                "Restrictions, parcel figures and the results with them need the layer of plans (PLANS)."))
        with noted(problems):
            self.tolerance_mm = self.optional_number(parameters, "TOLERANCE_MM", context)
        with noted(problems):
            self.zone_field = self.field(parameters, "ZONE_FIELD", self.zones, context)
        self.usable(problems, (self.parcels, self.zones, self.plans), may_be_empty=(self.overlays, self.overrides))
        self.measurable(problems, self.parcels, self.surface)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        if self.plans is not None:
            return self._all_plans(parameters, context, feedback)
        from .parcel_zoning import parcel_zoning

        result = parcel_zoning(
            self.parcels.read(), self.zones.read([self.zone_field]), self.zone_field, scale=self.scale,
            tolerance_mm=self.tolerance_mm, outside=self.outside, surface=self.surface, invalid=self.invalid,
            parcels_name=self.parcels.name, zones_name=self.zones.name, progress=self.progress(feedback))
        _tell(result, feedback)
        output = self.write_layer(parameters, "OUTPUT", context, result.pieces, Qgis.WkbType.MultiPolygon,
                                  style="zoning/parcel_zoning.qml")
        return {
            "OUTPUT": output, "PIECES": result.piece_count, "AREA": result.area_m2, "SLIVERS": result.slivers,
            "SPLIT_PARCELS": result.split_parcels, "SPLIT_BEYOND_TOLERANCE": result.truly_split_parcels,
            "OUTSIDE_PARCELS": result.parcels_outside, "OUTSIDE_AREA": result.outside_m2,
            "OVERLAP_AREA": result.overlap_m2, "WITHOUT_VALUE": result.without_value}

    def _all_plans(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.progress import part
        from .plan_answers import plan_answers
        from .plan_tables import figures_table, pieces_table

        progress = self.progress(feedback)
        parcels, zones = self.parcels.read(), self.zones.read()
        answers = plan_answers(
            parcels, self.plans.read(), zones, date=self.date,
            overlays=self.overlays.read() if self.overlays is not None else None,
            overrides=self.overrides.read() if self.overrides is not None else None, tolerance_mm=self.tolerance_mm,
            surface=self.surface, invalid=self.invalid, progress=part(progress, 0.0, 0.7))
        pieces, renamed = pieces_table(answers, parcels, zones, self.zone_field, self.outside)
        _tell_reports(answers.reports, feedback)
        _tell_renamed(renamed, feedback)
        _tell_answers(answers, feedback)
        surface = Qgis.WkbType.MultiPolygon
        result: dict[str, Any] = {
            "OUTPUT": self.write_layer(parameters, "OUTPUT", context, pieces, surface, style="zoning/plan_answers.qml")}
        if parameters.get("FIGURES"):
            result["FIGURES"] = self.write_layer(parameters, "FIGURES", context,
                                                 figures_table(answers, part(progress, 0.7, 0.95)))
        for key, frame, style in (("RESTRICTIONS", answers.restrictions, "zoning/constraint_overlay.qml"),
                                  ("CONTRADICTIONS", answers.contradictions, None)):
            if parameters.get(key):
                result[key] = self.write_layer(parameters, key, context, frame, surface, style=style)
        return {**result, **_numbers(answers, zones.index[zones[self.zone_field].isna()])}


def _numbers(answers: PlanAnswers, without_value: Any) -> dict[str, Any]:
    """Return what `outputs` promises, of the answering pieces; given the ids of zones without a value."""
    given, summary = answers.pieces[answers.pieces["is_answer"]], answers.parcels
    in_zones = given[given["zone_fid"].notna()]
    each, broad = (rows.groupby("parcel_fid").size() for rows in (in_zones, in_zones[~in_zones["within_tolerance"]]))
    told = answers.pieces[answers.pieces["is_answer"] | (answers.pieces["role"] == "no_plan")]
    applying = answers.restrictions[answers.restrictions["applies"].astype(bool)
                                    & ~answers.restrictions["within_tolerance"].astype(bool)]
    return {
        "PIECES": len(in_zones), "AREA": float(in_zones["area_m2"].sum()),
        "SLIVERS": int(told["within_tolerance"].sum()), "SPLIT_PARCELS": int((each > 1).sum()),
        "SPLIT_BEYOND_TOLERANCE": int((broad > 1).sum()), "OUTSIDE_PARCELS": len(summary) - len(each),
        "OUTSIDE_AREA": float(summary["unplanned_m2"].sum()),
        "OVERLAP_AREA": max(0.0, float(told["area_m2"].sum() - summary["area_m2"].sum())),
        "WITHOUT_VALUE": int(in_zones["zone_fid"].isin(without_value).sum()),
        "RESTRICTED_PARCELS": int(applying["parcel_fid"].nunique()),
        "CONTRADICTORY_PARCELS": int(answers.contradictions["parcel_fid"].nunique())}


def _tell_answers(answers: PlanAnswers, feedback: QgsProcessingFeedback) -> None:
    table, summary = answers.states.table, answers.parcels
    for notice in answers.notices:
        feedback.pushWarning(notice)
    feedback.pushInfo(say("Ngày tra cứu {d}. Đồ án đang có hiệu lực: {refs}.",
                          "Day asked for {d}. Plans in force: {refs}.").format(
        d=format_date(answers.date), refs=name_some(table.index[table["in_force"]], 20) or "-"))
    for ref, row in table[~table["in_force"]].iterrows():
        feedback.pushInfo(f"{ref}: {row['reason']}.")
    feedback.pushInfo(say("Sai số ghép bản đồ: {source}.", "Map-matching tolerance: {source}.").format(
        source=answers.tolerance_source))
    none = int(summary["answer_ref"].isna().sum())
    if none == len(summary):
        feedback.pushWarning(say("Không thửa đất nào nằm trong đồ án đang có hiệu lực; kiểm tra ngày và hệ tọa độ.",
                                 "No parcel lies in a plan in force; check the day and the coordinate systems."))
    feedback.pushInfo(
        say("{n} thửa: {split} thửa thuộc nhiều ô ngoài sai số ghép bản đồ, {none} thửa không thuộc đồ án đang có hiệu "
            "lực, {differ} thửa có quy định khác nhau giữa các đồ án.",
            "{n} parcels: {split} in several zones beyond the tolerance, {none} in no plan in force, {differ} on which "
            "plans differ.").format(n=len(summary), split=int((summary["answer_pieces"] > 1).sum()), none=none,
                                    differ=int((summary["contradictions"] > 0).sum())))


def _tell_reports(reports: tuple[GeometryReport, ...], feedback: QgsProcessingFeedback) -> None:
    for report in reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)


def _tell_renamed(renamed: dict[str, str], feedback: QgsProcessingFeedback) -> None:
    for ours, name in renamed.items():
        feedback.pushInfo(say("Lớp thửa đất đã có trường {ours}; cột kết quả mang tên {name}.",
                              "The parcels already have a field {ours}; the result's column is {name}.")
                          .format(ours=ours, name=name))


def _tell(result: ParcelZoning, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    _tell_reports(result.reports, feedback)
    if not result.piece_count:
        feedback.pushWarning(say("Không thửa đất nào nằm trong ô quy hoạch; kiểm tra hệ tọa độ của hai lớp.",
                                 "No parcel lies in any zone; check the coordinate systems of the two layers."))
    if result.overlapping_zones:
        feedback.pushWarning(
            say("{n} cặp ô quy hoạch chồng lấn nhau (fid: {pairs}); phần tính trùng trong các thửa: {area} m².",
                "{n} pairs of zones overlap (ids: {pairs}); area counted twice within the parcels: {area} m².")
            .format(n=len(result.overlapping_zones), area=format_number(result.overlap_m2, 2),
                    pairs=name_some(f"{first}/{second}" for first, second in result.overlapping_zones)))
    if result.without_value:
        feedback.pushWarning(say("{n} phần thuộc ô quy hoạch không có giá trị; cột zone để trống.",
                                 "{n} pieces lie in zones without a value; their zone is empty.")
                             .format(n=result.without_value))
    if result.rescued:
        feedback.pushWarning(say("{n} phần chỉ cắt được sau khi sửa hình hai bên.",
                                 "{n} pieces could be cut only after repairing the shapes.").format(n=result.rescued))
    _tell_renamed(result.renamed, feedback)
    feedback.pushInfo(
        say("{pieces} phần, {split} thửa thuộc nhiều ô, {slivers} phần trong hạn sai ghép bản đồ {tolerance} m "
            "(xác định tại thực địa; {source}); {outside} thửa ngoài mọi ô.",
            "{pieces} pieces, {split} parcels in several zones, {slivers} pieces within the tolerance of {tolerance} "
            "m (to be determined on site; {source}); {outside} parcels outside all zones.")
        .format(pieces=result.piece_count, split=result.split_parcels, slivers=result.slivers,
                tolerance=format_number(result.tolerance_m, 2), source=result.tolerance_source,
                outside=result.parcels_outside))
