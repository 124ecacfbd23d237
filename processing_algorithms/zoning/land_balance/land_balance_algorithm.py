"""Processing algorithm ``quyhoach:landbalance``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber, QgsProcessingParameterFile

from ...common import qgis_parameters as ask
from ...common.errors import InputError, name_some, noted, refuse_if
from ...common.language import say, speaking
from ...common.numbers_vi import format_date, format_number, parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm

if TYPE_CHECKING:
    import pandas

    from .land_balance import LandBalance

_LEVELS = ("general", "sub_area", "detailed")
_SETTLEMENTS = ("", "special", "I", "II", "III", "IV", "V", "rural")


class LandBalanceAlgorithm(QuyHoachAlgorithm):
    """Areas by function, closing to the boundary; see `land_balance`."""

    ID = "landbalance"
    ROOM = "zoning"
    TAGS = ("cân bằng đất", "cơ cấu sử dụng đất", "chỉ tiêu đất", "m2/người", "bảng tổng hợp", "tư vấn", "land use table")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "openpyxl")

    def title(self) -> str:  # noqa: D102
        return say("Bảng cân bằng sử dụng đất của đồ án", "Land balance of a plan")

    def help(self) -> str:  # noqa: D102
        return say(
            "Lập bảng cân bằng sử dụng đất của đồ án: diện tích (ha), tỷ lệ (%) và m²/người theo chức năng, nhóm đất dân dụng, "
            "ngoài dân dụng và khác, khép với ranh giới ở đúng số chữ số in.\n\n"
            "Phương pháp: cộng diện tích các ô theo chức năng; phần ô chồng lấn, phần ô ngoài ranh giới và phần ranh giới chưa có "
            "ô là dòng riêng; tổng các ô - chồng lấn - ngoài ranh giới + chưa có ô = diện tích trong ranh giới, cả ở số đã làm tròn. "
            "Trường chức năng có thể ghi ký hiệu (NO, CXCC) hoặc tên. Nhóm theo lớp của Thông tư 16/2025 phụ lục I; chỗ phần mềm tự xếp có dấu *.\n\n"
            "So với chỉ tiêu theo đầu người của QCVN 01 (bảng 2.1, 2.3-2.5, 2.18, 2.31, 2.32) theo loại đô thị và cấp đồ án; mỗi kết "
            "luận nêu bảng, hiệu lực, độ tin cậy. So với bảng Excel của tư vấn: tự tìm tiêu đề tiếng Việt, ô gộp, số thập phân dấu "
            "phẩy, đơn vị ha hoặc m²; từng chênh lệch và từng dòng không ghép được đều liệt kê.\n\n"
            "Đơn vị: ha, %, m²/người. Ranh giới khác hệ tọa độ được chuyển về hệ của ô (VN-2000: EPSG 6960). Hình không hợp lệ: "
            "theo tham số; không có hình hoặc hình rỗng: đếm, không tính. Không ghi chức năng: dòng riêng.",
            "Makes the plan's land balance: area (ha), share (%) and m² per person by function, in civil, non-civil and other land, "
            "closing to the boundary at the printed decimals.\n\n"
            "Method: areas of zones added up by function; overlaps, ground outside the boundary and ground of the boundary without a "
            "zone are rows of their own; zones - overlap - outside + gap = boundary, also in rounded figures. The field may hold codes "
            "(NO, CXCC) or names. Groups follow the layers of Circular 16/2025 annex I; where the assignment is ours there is a *.\n\n"
            "Compared with QCVN 01's land per person (tables 2.1, 2.3-2.5, 2.18, 2.31, 2.32) by class of town and level of plan; every "
            "verdict names table, validity and confidence. Compared with the consultant's Excel table: Vietnamese headers, merged "
            "cells, decimal commas, ha or m² are found; each difference and each unmatched row is listed.\n\n"
            "Units: ha, %, m² per person. A boundary in another system is brought to that of the zones (VN-2000: EPSG 6960). Invalid "
            "shapes: as chosen; null and empty ones are counted and left out. No function: a row of its own.")

    def parameters(self) -> list[Any]:  # noqa: D102
        stated = QgsProcessingParameterFile(
            "STATED",
            say("Bảng cân bằng đất của tư vấn (xlsx)", "The consultant's table (xlsx)"),
            extension="",
            optional=True,
            fileFilter="Excel (*.xlsx *.xlsm)",
        )
        return [
            ask.layer("ZONES", say("Ô quy hoạch", "Zones of the plan"), say("Các ô của một đồ án.", "The zones of one plan."), ask.POLYGONS),
            ask.field("FUNCTION_FIELD", say("Trường chức năng", "Field of the function"),
                      say("Ký hiệu theo Thông tư 16/2025 (NO, CXCC...) hoặc tên chức năng.", "Code of Circular 16/2025 (NO, CXCC...) or name."), "ZONES"),
            ask.layer("BOUNDARY", say("Ranh giới đồ án", "Boundary of the plan"),
                      say("Để trống: phần đất của các ô là ranh giới, khi đó không có phần ngoài và phần thiếu.",
                          "Empty: the zones' own ground, without anything outside or lacking."), ask.POLYGONS, optional=True),
            ask.number("POPULATION", say("Dân số quy hoạch (người)", "Planned population (persons)"),
                       say("Để trống: không tính m²/người.", "Empty: no m² per person."), minimum=1, optional=True),
            ask.choice("PLAN_LEVEL", say("Loại quy hoạch", "Level of the plan"),
                       say("Quyết định nhóm đất và cách so chỉ tiêu toàn đô thị.", "Decides the groups and how norms for the whole town are compared."),
                       [say("Quy hoạch chung", "General plan"), say("Quy hoạch phân khu", "Sub-area plan"),
                        say("Quy hoạch chi tiết", "Detailed plan")], 1),
            ask.choice("SETTLEMENT", say("Loại đô thị", "Class of the town"),
                       say("Chỉ tiêu khác nhau theo loại đô thị; điểm dân cư nông thôn có bảng riêng.", "Norms differ by class; rural settlements have their own."),
                       [say("Chưa rõ", "Not known"), say("Đặc biệt", "Special"), "I", "II", "III", "IV", "V",
                        say("Điểm dân cư nông thôn", "Rural settlement")], 0),
            ask.with_help(stated, say("Tự tìm bảng trong tệp; mỗi chênh lệch là một dòng.", "The table in the file is found; each difference is a row.")),
            ask.text("STATED_SHEET", say("Trang của bảng tư vấn", "Sheet of the consultant's table"),
                     say("Để trống: trang đầu tiên có bảng.", "Empty: the first sheet with a table."), optional=True, advanced=True),
            ask.text("DATE", say("Ngày đánh giá", "Day of the judgement"), say("Ngày/tháng/năm; để trống: hôm nay.", "Day/month/year; empty: today."),
                     optional=True),
            ask.text("APPRAISAL_DATE", say("Ngày thẩm định đồ án", "Day the plan was appraised"),
                     say("Đồ án đã thẩm định hoặc phê duyệt trước khi quy chuẩn mới có hiệu lực giữ quy chuẩn cũ.",
                         "A plan appraised or approved before a new regulation keeps the old one."), optional=True, advanced=True),
            ask.text("APPROVAL_DATE", say("Ngày phê duyệt đồ án", "Day the plan was approved"), say("Như trên.", "As above."), optional=True, advanced=True),
            ask.number("DECIMALS", say("Số chữ số thập phân (ha)", "Decimals (ha)"), say("Của diện tích trong bảng in.", "Of areas in the printed table."),
                       default=2, minimum=0, maximum=4, integer=True, advanced=True),
            ask.folder("PROVINCE_FOLDER", say("Thư mục bảng quy chuẩn của tỉnh", "Folder with the province's tables"),
                       say("Tệp service_norms.csv ở đó; mức chặt hơn được áp dụng, dòng không có thì theo bảng quốc gia.",
                           "A service_norms.csv there; the tighter figure holds, national rows it lacks stay."),
                       optional=True),
            ask.area_surface(), ask.invalid_geometry(),
            ask.table_output("OUTPUT", say("Bảng cân bằng sử dụng đất", "Land balance"),
                             say("kind (function, total, overlap, outside, gap, boundary), code, name, group, area_m2, area_ha, share_pct, "
                                 "m2_per_person; có bảng tư vấn thì thêm stated_ha, difference_ha.",
                                 "kind (function, total, overlap, outside, gap, boundary), code, name, group, area_m2, area_ha, share_pct, "
                                 "m2_per_person; stated_ha and difference_ha with the consultant's table.")),
            ask.xlsx_output()]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("BOUNDARY_AREA", say("Diện tích trong ranh giới (m²)", "Ground within the boundary (m²)")),
            ("ZONES_AREA", say("Tổng diện tích các ô (m²)", "All zones (m²)")), ("OVERLAP_AREA", say("Chồng lấn (m²)", "Overlap (m²)")),
            ("OUTSIDE_AREA", say("Ngoài ranh giới (m²)", "Outside (m²)")), ("GAP_AREA", say("Chưa có ô (m²)", "Without a zone (m²)")),
            ("BROKEN", say("Chỉ tiêu chưa phù hợp", "Norms not kept")), ("DIFFERENCES", say("Dòng lệch, thiếu, không ghép được so với tư vấn",
                                                                                        "Rows that differ from the consultant's")))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from pathlib import Path

        from .stated_balance import read_stated

        self.surface, self.invalid = self.area_surface(parameters, context), self.invalid_geometry(parameters, context)
        self.zones, self.boundary = self.layer(parameters, "ZONES",
                                               context), self.layer(parameters, "BOUNDARY", context)
        self.level = _LEVELS[self.parameterAsEnum(parameters, "PLAN_LEVEL", context)]
        self.settlement = _SETTLEMENTS[self.parameterAsEnum(parameters, "SETTLEMENT", context)]
        problems: list[str] = []
        with noted(problems):
            self.function_field = self.field(parameters, "FUNCTION_FIELD", self.zones, context)
        self.usable(problems, (self.zones, self.boundary))
        self.measurable(problems, self.zones, self.surface)
        with noted(problems):
            self.population = self.optional_number(parameters, "POPULATION", context)
        self.days = {}
        for key in ("DATE", "APPRAISAL_DATE", "APPROVAL_DATE"):
            text = self.parameterAsString(parameters, key, context).strip()
            with noted(problems):
                self.days[key] = parse_date(text) if text else None
        folder = self.parameterAsString(parameters, "PROVINCE_FOLDER", context).strip()
        self.folder = Path(folder) if folder else None
        if self.folder is not None and not self.folder.is_dir():
            problems.append(say("Không có thư mục bảng của tỉnh: {folder}.", "The folder of the province's tables does not exist: {folder}.")
                            .format(folder=folder))
        path, self.stated = self.parameterAsFile(parameters, "STATED", context), None
        if path:
            with noted(problems):
                self.stated = read_stated(path, self.parameterAsString(parameters, "STATED_SHEET", context).strip())
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.norms import deciding_date
        from ...common.workbook import write_workbook
        from .land_balance import land_balance
        from .land_balance_norms import balance_norms
        from .land_balance_workbook import balance_frame, balance_sheets
        from .stated_balance import compare_stated

        today = self.days["DATE"] or datetime.date.today()
        on = deciding_date("QCVN 01", on=today, approved=self.days["APPROVAL_DATE"],
                           appraised=self.days["APPRAISAL_DATE"])
        balance = land_balance(
            self.zones.read([self.function_field]), self.function_field,
            boundary=None if self.boundary is None else self.boundary.read([]), population=self.population,
            general=self.level == "general", decimals=self.parameterAsInt(parameters, "DECIMALS", context),
            surface=self.surface,
            invalid=self.invalid, progress=self.progress(feedback))
        if balance.closing("gap") >= (1 - 1e-6) * balance.closing("boundary"):
            raise InputError(say("Ranh giới ({boundary}) và các ô không có phần đất chung; kiểm tra hệ tọa độ và lớp đã chọn.",
                                 "The boundary ({boundary}) and the zones share no land; check the coordinate systems and the layers chosen.")
                             .format(boundary=self.boundary.name))
        norms = balance_norms(balance, on=on, settlement=self.settlement, plan_level=self.level,
                              province_folder=self.folder)
        comparison = None if self.stated is None else compare_stated(balance, self.stated)
        _tell(balance, norms, comparison, feedback)
        xlsx = self.parameterAsFileOutput(parameters, "XLSX", context)
        if xlsx:
            subtitle, notes = self._print_texts(today)
            write_workbook(xlsx,
                           balance_sheets(balance, norms, self.stated, comparison, subtitle=subtitle, notes=notes))
        output = self.write_layer(parameters, "OUTPUT", context, balance_frame(balance, comparison))
        return {
            "OUTPUT": output,
            "XLSX": xlsx or None,
            "BOUNDARY_AREA": balance.closing("boundary"),
            "ZONES_AREA": balance.closing("total"),
            "OVERLAP_AREA": balance.closing("overlap"),
            "OUTSIDE_AREA": balance.closing("outside"),
            "GAP_AREA": balance.closing("gap"),
            "BROKEN": int((norms["verdict"] == "broken").sum()),
            "DIFFERENCES": 0 if comparison is None else int((~comparison["result"].isin(("same", "part"))).sum()),
        }

    def _print_texts(self, today: datetime.date) -> tuple[str, list[str]]:
        from ...common.areas import surface_label
        from ...common.crs import meridian_label

        with speaking("vi"):
            notes = [
                f"Nguồn: lớp {self.zones.name}"
                + (
                    f"; ranh giới: lớp {self.boundary.name}."
                    if self.boundary is not None
                    else "; không có lớp ranh giới, phần đất của các ô là ranh giới."
                ),
                f"Diện tích tính trên {surface_label(self.surface)}; hệ tọa độ {meridian_label(self.zones.crs)}.",
                "Số liệu đo trên bản đồ, không thay diện tích ghi trong quyết định; các dòng cộng khớp với số đã làm tròn.",
            ]
            return f"Đơn vị tính: ha. Đánh giá tại ngày {format_date(today)}. Ngày lập: {format_date(datetime.date.today())}", notes


def _tell(balance: LandBalance, norms: pandas.DataFrame, comparison: pandas.DataFrame | None,
          feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    for report in balance.reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
    for ids, text in ((balance.unknown_ids, say("{n} ô có chức năng không có trong danh mục (fid: {ids}).",
                                                "{n} zones have functions that are not in the list (ids: {ids}).")),
                      (balance.blank_ids, say("{n} ô không ghi chức năng (fid: {ids}).", "{n} zones state no function (ids: {ids})."))):
        if ids:
            feedback.pushWarning(text.format(n=len(ids), ids=name_some(ids)))
    if balance.matched:
        feedback.pushInfo(say("Giá trị được hiểu theo tên: {pairs}.", "Values understood by name: {pairs}.").format(
            pairs="; ".join(f"{text} = {code}" for text, code in balance.matched.items())))
    for kind, text in (
        ("overlap", say("Các ô chồng lấn nhau {m2} m².", "Zones overlap by {m2} m².")),
        ("outside", say("Các ô ra ngoài ranh giới {m2} m².", "Zones reach {m2} m² outside the boundary.")),
        ("gap", say("{m2} m² trong ranh giới chưa có ô.", "{m2} m² of the boundary have no zone.")),
    ):
        if balance.closing(kind) >= 0.005:
            feedback.pushWarning(text.format(m2=format_number(balance.closing(kind), 2)))
    feedback.pushInfo(say("Chỉ tiêu: {kept} phù hợp, {broken} chưa phù hợp, {open} chưa đủ căn cứ.", "Norms: {kept} kept, {broken} not kept, {open} open.")
                      .format(**{verdict: int((norms["verdict"] == verdict).sum())
                                 for verdict in ("kept", "broken", "open")}))
    if comparison is not None:
        counts = comparison["result"].value_counts()
        feedback.pushInfo(say("Bảng tư vấn: {same} dòng khớp, {different} lệch, {unmatched} không ghép được, {unread} không đọc được, {missing} thiếu.",
                              "Consultant's table: {same} rows agree, {different} differ, {unmatched} unmatched, {unread} not read, {missing} missing.")
                          .format(**{key: int(counts.get(key, 0))
                                     for key in ("same", "different", "unmatched", "unread", "missing")}))
