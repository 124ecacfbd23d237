"""Processing algorithm ``quyhoach:landusestatistics``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ..common import qgis_parameters as ask
from ..common.errors import name_some, noted, refuse_if
from ..common.language import say, speaking
from ..common.numbers_vi import format_date, format_number
from ..common.qgis_algorithm import QuyHoachAlgorithm

if TYPE_CHECKING:
    from .statistics import Statistics


class LandUseStatisticsAlgorithm(QuyHoachAlgorithm):
    """Area by land type and unit; see `statistics`."""

    ID = "landusestatistics"
    ROOM = "land_use"
    TAGS = ("kiểm kê đất đai", "mã loại đất", "hiện trạng sử dụng đất", "area by class", "zonal area")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")

    def title(self) -> str:  # noqa: D102
        return say("Thống kê diện tích theo loại đất", "Area by land type")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tính diện tích theo mã loại đất, cho cả lớp và cho từng đơn vị (xã, phường, thôn, dự án ...), có dòng cộng theo cây "
            "loại đất của Luật Đất đai (danh mục TT 08/2024/TT-BTNMT).\n\n"
            "Những gì không khớp được đo và ghi thành dòng riêng: đất nằm ngoài mọi đơn vị; đất thuộc nhiều đơn vị chồng nhau; "
            "phần tính trùng do khoanh đất chồng nhau; mã không có trong danh mục (từng mã một); đối tượng không ghi mã. "
            "Mã của danh mục cũ (TT 27/2018) là dòng riêng, cộng vào loại đất cấp trên hiện nay. Với \"Mã tự do\", mỗi giá trị "
            "khác nhau là một dòng.\n\n"
            "Phương pháp: giao các vùng bằng GEOS; diện tích trên mặt phẳng bản đồ hoặc ellipsoid. Ba phép cộng luôn khớp, cả sau khi "
            "làm tròn: các đơn vị + ngoài đơn vị - thuộc nhiều đơn vị = diện tích của mã; các mã cộng lại = cả lớp; cả lớp - tính trùng = "
            "diện tích thực. Số in làm tròn có kiểm soát: mọi tổng lệch số chính xác không quá một đơn vị của chữ số cuối.\n\n"
            "Hình không hợp lệ: theo tham số; không có hình hoặc hình rỗng: đếm, không tính. Lớp đơn vị khác hệ tọa độ được chuyển về "
            "hệ của lớp đất.",
            "Measures area by land-type code, for the whole layer and for each unit (communes, hamlets, projects ...), with subtotals "
            "along the tree of the Land Law (list of TT 08/2024/TT-BTNMT).\n\n"
            "What does not fit is measured as rows of its own: land outside all units; land in several overlapping units; what "
            "overlapping polygons count more than once; codes not in the list (each by itself); features without a code. Codes of "
            "the former list (TT 27/2018) are rows of their own, added to their group of today. With \"Free codes\" every different "
            "value is a row.\n\n"
            "Method: polygons are intersected with GEOS; areas on the plane of the map or the ellipsoid. Three sums always close, "
            "after rounding too: units + outside - in several units = the code's area; the codes = the layer; the layer - counted "
            "more than once = the ground covered. Printed figures are rounded under control: every total is within one unit of the "
            "last decimal of its exact value.\n\n"
            "Invalid shapes: as the parameter says; null and empty shapes are counted and left out. Units in another coordinate "
            "system are brought to that of the land layer.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.layer("INPUT", say("Lớp đất", "Land layer"),
                      say("Khoanh đất, thửa đất hoặc vùng bất kỳ có mã.", "Land-use polygons, parcels, or any polygons with a code."),
                      ask.POLYGONS),
            ask.field("CODE_FIELD", say("Trường mã loại đất", "Field with land-type codes"),
                      say("Mã loại đất, ví dụ LUC, ONT. Chữ thường và dấu cách được bỏ qua.",
                          "Land-type codes such as LUC, ONT. Lower case and blanks do not matter."), "INPUT"),
            ask.choice("CODE_LIST", say("Danh mục mã", "List of codes"),
                       say("Danh mục loại đất của Luật Đất đai, có dòng cộng theo nhóm; hoặc mã tự do: mỗi giá trị một dòng.",
                           "The land types of the Land Law, with subtotals by group; or free codes: one row per value."),
                       [say("Loại đất theo Luật Đất đai", "Land types of the Land Law"), say("Mã tự do", "Free codes")]),
            ask.layer("UNITS", say("Lớp đơn vị", "Units"),
                      say("Đơn vị hành chính cấp xã, thôn, dự án ... Để trống: chỉ tính cả lớp.",
                          "Communes, hamlets, projects ... Empty: the whole layer only."), ask.POLYGONS, optional=True),
            ask.field("UNIT_FIELD", say("Trường tên đơn vị", "Field with the units' names"),
                      say("Các vùng cùng tên là một đơn vị.", "Polygons of one name are one unit."), "UNITS", optional=True),
            ask.area_surface(),
            ask.number("DECIMALS", say("Số chữ số thập phân của hecta", "Decimals of hectares"),
                       say("Hai chữ số như biểu của cấp xã. Cột area_m2 của bảng kết quả không làm tròn.",
                           "Two, as communes' forms have. The output's column area_m2 is not rounded."),
                       default=2, minimum=0, maximum=6, integer=True, advanced=True),
            ask.invalid_geometry(),
            ask.table_output("OUTPUT", say("Bảng diện tích", "Table of areas"),
                             say("Một dòng cho mỗi đơn vị và mã: unit, unit_kind (all, unit, outside, shared), code, name, kind (group, "
                                 "code, legacy, overlay, unknown, no_code, total, doubled, footprint, unit_area, gap), level, area_m2 (cả "
                                 "các dòng con), own_area_m2 (chỉ mã đó), area_ha, share_pct, features.",
                                 "One row per unit and code: unit, unit_kind (all, unit, outside, shared), code, name, kind (group, code, "
                                 "legacy, overlay, unknown, no_code, total, doubled, footprint, unit_area, gap), level, area_m2 (with "
                                 "everything below), own_area_m2 (this code only), area_ha, share_pct, features.")),
            ask.xlsx_output(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("TOTAL_AREA", say("Tổng diện tích (m²)", "Total area (m²)")),
            ("FOOTPRINT_AREA", say("Diện tích thực, không trùng (m²)", "Ground covered (m²)")),
            ("OVERLAP_AREA", say("Tính trùng trong lớp đất (m²)", "Counted more than once within the land layer (m²)")),
            ("OUTSIDE_AREA", say("Ngoài mọi đơn vị (m²)", "Outside all units (m²)")),
            ("SHARED_AREA", say("Thuộc nhiều đơn vị, tính trùng (m²)", "Counted in more than one unit (m²)")),
            ("UNKNOWN_AREA", say("Mã không có trong danh mục (m²)", "Codes not in the list (m²)")),
            ("WITHOUT_CODE_AREA", say("Không ghi mã (m²)", "Without a code (m²)")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .land_types import CodeList

        self.surface = self.area_surface(parameters, context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.code_list = CodeList(self.parameterAsEnum(parameters, "CODE_LIST", context))
        self.decimals = self.parameterAsInt(parameters, "DECIMALS", context)
        self.land = self.layer(parameters, "INPUT", context)
        self.units = self.layer(parameters, "UNITS", context)
        self.unit_field = None
        problems: list[str] = []
        with noted(problems):
            self.code_field = self.field(parameters, "CODE_FIELD", self.land, context)
        self.usable(problems, [self.land], may_be_empty=[self.units])
        self.measurable(problems, self.land, self.surface)
        if self.units is not None:
            with noted(problems):
                self.unit_field = self.field(parameters, "UNIT_FIELD", self.units, context)
                if self.unit_field is None:
                    problems.append(say("Chưa chọn trường tên đơn vị (UNIT_FIELD) của lớp {name}.",
                                        "No field with the units' names (UNIT_FIELD) is chosen for layer {name}.")
                                    .format(name=self.units.name))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..common.workbook import write_workbook
        from .land_types import Status
        from .statistics import land_use_statistics
        from .statistics_tables import statistics_frame, statistics_sheets

        result = land_use_statistics(
            self.land.read([self.code_field]), self.code_field,
            units=self.units.read([self.unit_field]) if self.units is not None else None, unit_field=self.unit_field,
            surface=self.surface, code_list=self.code_list, invalid=self.invalid, features_name=self.land.name,
            units_name=self.units.name if self.units is not None else "", progress=self.progress(feedback))
        tell(result, feedback)
        xlsx = self.parameterAsFileOutput(parameters, "XLSX", context)
        if xlsx:
            subtitle, notes = self._print_texts()
            write_workbook(xlsx, statistics_sheets(result, subtitle=subtitle, notes=notes, decimals=self.decimals))
        output = self.write_layer(parameters, "OUTPUT", context, statistics_frame(result, self.decimals))

        def area_of(status: Status) -> float:
            return float(sum(area for node, area in zip(result.rows, result.by_code) if node.status is status))

        return {
            "OUTPUT": output, "XLSX": xlsx or None, "TOTAL_AREA": result.total, "FOOTPRINT_AREA": result.footprint,
            "OVERLAP_AREA": result.doubled_all, "OUTSIDE_AREA": float(result.outside.sum()),
            "SHARED_AREA": float(result.shared.sum()), "UNKNOWN_AREA": area_of(Status.UNKNOWN),
            "WITHOUT_CODE_AREA": area_of(Status.MISSING)}

    def _print_texts(self) -> tuple[str, list[str]]:
        from ..common.areas import surface_label
        from ..common.crs import meridian_label
        from .land_types import CodeList

        with speaking("vi"):
            notes = [
                f"Nguồn: lớp {self.land.name}"
                + (f"; đơn vị: lớp {self.units.name}." if self.units is not None else "."),
                f"Diện tích tính trên {surface_label(self.surface)}; hệ tọa độ {meridian_label(self.land.crs)}.",
            ]
            if self.code_list is CodeList.LAND_LAW:
                notes.append("Loại đất theo Luật Đất đai 31/2024/QH15 và TT 08/2024/TT-BTNMT.")
            notes.append("Số liệu tính từ bản đồ, không thay diện tích ghi trong hồ sơ pháp lý; các dòng cộng khớp với số đã làm tròn.")
            return f"Đơn vị tính: ha. Ngày lập: {format_date(datetime.date.today())}", notes


def tell(result: Statistics, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    from .land_types import Status

    for report in result.reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
    for status, text in ((Status.UNKNOWN, say("{n} đối tượng có mã không có trong danh mục (fid: {ids}).",
                                              "{n} features have codes that are not in the list (ids: {ids}).")),
                         (Status.MISSING, say("{n} đối tượng không ghi mã (fid: {ids}).", "{n} features have no code (ids: {ids})."))):
        if ids := result.unplaced_ids[status]:
            feedback.pushWarning(text.format(n=len(ids), ids=name_some(ids)))
    if result.overlapping_pairs:
        feedback.pushWarning(
            say("{n} cặp khoanh đất chồng nhau (fid: {pairs}); tính trùng {area} m².",
                "{n} pairs of land polygons overlap (ids: {pairs}); {area} m² are counted more than once.")
            .format(n=len(result.overlapping_pairs), area=format_number(result.doubled_all, 2),
                    pairs=name_some(f"{a}/{b}" for a, b in result.overlapping_pairs)))
    if result.overlapping_units:
        feedback.pushWarning(
            say("{n} cặp đơn vị chồng nhau ({pairs}); đất tính ở nhiều đơn vị: {area} m².",
                "{n} pairs of units overlap ({pairs}); land counted in more than one unit: {area} m².")
            .format(n=len(result.overlapping_units), area=format_number(float(result.shared.sum()), 2),
                    pairs=name_some(f"{a}/{b}" for a, b in result.overlapping_units)))
    if result.units is not None:
        feedback.pushInfo(say("Ngoài mọi đơn vị: {area} m².", "Outside all units: {area} m².")
                          .format(area=format_number(float(result.outside.sum()), 2)))
        if not result.own.any():
            feedback.pushWarning(say("Không có đất nào nằm trong các đơn vị; kiểm tra hệ tọa độ của hai lớp.",
                                     "No land lies in any unit; check the coordinate systems of the two layers."))
    feedback.pushInfo(say("Tổng diện tích {total} m²; diện tích thực, không trùng {ground} m².",
                          "Total area {total} m²; ground covered {ground} m².")
                      .format(total=format_number(result.total, 2), ground=format_number(result.footprint, 2)))
