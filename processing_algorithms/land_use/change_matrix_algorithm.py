"""Processing algorithm ``quyhoach:landusechangematrix``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ..common import qgis_parameters as ask
from ..common.errors import name_some, noted, refuse_if
from ..common.language import say, speaking
from ..common.numbers_vi import format_date, format_number
from ..common.qgis_algorithm import QuyHoachAlgorithm

if TYPE_CHECKING:
    from .change_matrix import LandUseChange


class LandUseChangeMatrixAlgorithm(QuyHoachAlgorithm):
    """Area by former and later land type; see `change_matrix`."""

    ID = "landusechangematrix"
    ROOM = "land_use"
    TAGS = ("ma trận biến động", "05/TKKK", "biến động sử dụng đất", "change detection", "transition matrix")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")

    def title(self) -> str:  # noqa: D102
        return say("Chu chuyển diện tích các loại đất", "Land-use change matrix")

    def help(self) -> str:  # noqa: D102
        return say(
            "So sánh hai lớp sử dụng đất ở hai thời điểm và lập ma trận biến động: mỗi loại đất đầu kỳ chuyển sang những loại nào, "
            "bao nhiêu (theo tinh thần biểu 05/TKKK).\n\n"
            "Phương pháp: giao hai lớp bằng GEOS; các vùng giống hệt nhau ở hai lớp không phải cắt. Mọi chỗ trong phần chung là không đổi, "
            "chu chuyển, hoặc nhiễu ranh giới; ba phần cộng lại bằng diện tích chung. Nhiễu ranh giới là phần đổi mã nhưng nhỏ hơn MIN_AREA, "
            "hoặc không chỗ nào rộng hơn sai số vẽ (mm trên giấy nhân mẫu số tỷ lệ) mà không phải trọn một vùng của cả hai lớp: được tính "
            "riêng, không bị bỏ. Phần chỉ có ở một lớp là giảm khác, tăng khác. Khoanh đất chồng nhau trong một lớp: phần tính trùng được đo "
            "và nêu.\n\n"
            "Mã lạ và đối tượng không ghi mã là loại riêng. Lớp sau khác hệ tọa độ được chuyển về hệ của lớp trước (VN-2000: phép chuyển EPSG "
            "6960). Hình không hợp lệ: theo tham số; không có hình hoặc hình rỗng: đếm, không tính. Số in làm tròn sao cho hàng, cột và tổng "
            "đều khớp.",
            "Compares land use at two dates: which types each former type turned into, and how much (in the spirit of form 05/TKKK).\n\n"
            "Method: the layers are intersected with GEOS; polygons that are the same in both need no cutting. Every place of the common "
            "area is unchanged, changed, or boundary noise; the three add up to the common area. Noise is a piece whose code changed but "
            "that is smaller than MIN_AREA, or nowhere wider than the drawing tolerance (mm on paper times the scale) without being a "
            "whole polygon of both layers: it is counted apart, not dropped. What only one layer covers is other decrease, other increase. "
            "What overlapping polygons of one layer count more than once is measured and told.\n\n"
            "Unknown codes and features without a code are types of their own. AFTER in another coordinate system is brought to that of "
            "BEFORE (VN-2000: EPSG operation 6960). Invalid shapes: as the parameter says; null and empty shapes are counted and left out. "
            "Printed figures are rounded so that rows, columns and totals close.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.layer("BEFORE", say("Lớp đầu kỳ", "Layer before"), say("Hiện trạng sử dụng đất đầu kỳ.", "Land use at the first date."),
                      ask.POLYGONS),
            ask.field("BEFORE_CODE", say("Trường mã loại đất đầu kỳ", "Field with codes before"),
                      say("Mã loại đất, ví dụ LUC, ONT.", "Land-type codes such as LUC, ONT."), "BEFORE"),
            ask.layer("AFTER", say("Lớp cuối kỳ", "Layer after"), say("Hiện trạng sử dụng đất cuối kỳ.", "Land use at the second date."),
                      ask.POLYGONS),
            ask.field("AFTER_CODE", say("Trường mã loại đất cuối kỳ", "Field with codes after"),
                      say("Cùng danh mục mã với đầu kỳ.", "Codes of the same list as before."), "AFTER"),
            ask.number("MIN_AREA", say("Diện tích nhỏ nhất (m²)", "Smallest area (m²)"),
                       say("Phần chu chuyển nhỏ hơn là nhiễu ranh giới.", "Smaller changed pieces are boundary noise."),
                       default=1, minimum=0),
            ask.number("SCALE", say("Mẫu số tỷ lệ bản đồ", "Denominator of the map scale"),
                       say("Tỷ lệ của bản đồ hiện trạng; cùng sai số trên giấy cho ra sai số vẽ bằng mét (0,8 m ở 1/2000).",
                           "Scale of the land-use maps; with the tolerance on paper it gives the drawing tolerance in metres (0.8 m at 1/2000)."),
                       default=2000, minimum=1),
            ask.number("TOLERANCE_MM", say("Sai số vẽ trên giấy (mm)", "Drawing tolerance on paper (mm)"),
                       say("Để trống: lấy ở bảng map_matching_tolerance (0,4 mm: hai bản đồ, mỗi bản 0,2 mm). 0: không xét bề rộng.",
                           "Empty: from the table map_matching_tolerance (0.4 mm: two maps with 0.2 mm each). 0: widths do not matter."),
                       minimum=0, optional=True, advanced=True),
            ask.choice("CODE_LIST", say("Danh mục mã", "List of codes"),
                       say("Danh mục loại đất của Luật Đất đai (thứ tự và tên trong bảng in); hoặc mã tự do.",
                           "The land types of the Land Law (order and names in print); or free codes."),
                       [say("Loại đất theo Luật Đất đai", "Land types of the Land Law"), say("Mã tự do", "Free codes")]),
            ask.area_surface(),
            ask.number("DECIMALS", say("Số chữ số thập phân của hecta", "Decimals of hectares"),
                       say("Hai chữ số như biểu của cấp xã. Cột area_m2 không làm tròn.",
                           "Two, as communes' forms have. The column area_m2 is not rounded."),
                       default=2, minimum=0, maximum=6, integer=True, advanced=True),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Các phần chu chuyển", "Changed pieces"),
                             say("Các vùng đổi loại đất, không kể nhiễu ranh giới: before_fid, after_fid, before_code, after_code, change, area_m2.",
                                 "Where the land type changed, boundary noise aside: before_fid, after_fid, before_code, after_code, "
                                 "change, area_m2."), Qgis.ProcessingSourceType.VectorPolygon),
            ask.table_output("MATRIX", say("Ma trận biến động", "Change matrix"),
                             say("Một dòng cho mỗi cặp loại đất: kind (unchanged, changed, noise, only_before, only_after và các dòng tổng), "
                                 "before_code, after_code, area_m2, area_ha, pieces.",
                                 "One row per pair of land types: kind (unchanged, changed, noise, only_before, only_after, and totals), "
                                 "before_code, after_code, area_m2, area_ha, pieces.")),
            ask.layer_output("NOISE", say("Nhiễu ranh giới", "Boundary noise"),
                             say("Các phần bị coi là nhiễu ranh giới, cùng các trường như phần chu chuyển.",
                                 "The pieces counted as boundary noise, with the fields of the changed pieces."),
                             Qgis.ProcessingSourceType.VectorPolygon, optional=True),
            ask.xlsx_output(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("COMMON_AREA", say("Diện tích chung (m²)", "Common area (m²)")),
            ("UNCHANGED_AREA", say("Không đổi (m²)", "Unchanged (m²)")),
            ("CHANGED_AREA", say("Chu chuyển (m²)", "Changed (m²)")),
            ("NOISE_AREA", say("Nhiễu ranh giới (m²)", "Boundary noise (m²)")),
            ("ONLY_BEFORE_AREA", say("Chỉ có ở đầu kỳ (m²)", "Only before (m²)")),
            ("ONLY_AFTER_AREA", say("Chỉ có ở cuối kỳ (m²)", "Only after (m²)")),
            ("OVERLAP_BEFORE_AREA", say("Tính trùng trong lớp đầu kỳ (m²)", "Counted more than once before (m²)")),
            ("OVERLAP_AFTER_AREA", say("Tính trùng trong lớp cuối kỳ (m²)", "Counted more than once after (m²)")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ..common.slivers import tolerance_on_ground, tolerance_on_paper
        from .land_types import CodeList

        self.surface = self.area_surface(parameters, context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.code_list = CodeList(self.parameterAsEnum(parameters, "CODE_LIST", context))
        self.decimals = self.parameterAsInt(parameters, "DECIMALS", context)
        self.min_area = self.parameterAsDouble(parameters, "MIN_AREA", context)
        self.before = self.layer(parameters, "BEFORE", context)
        self.after = self.layer(parameters, "AFTER", context)
        problems: list[str] = []
        with noted(problems):
            given = self.optional_number(parameters, "TOLERANCE_MM", context)
            on_paper = tolerance_on_paper()[0] if given is None else given
            self.tolerance = tolerance_on_ground(self.parameterAsDouble(parameters, "SCALE", context), on_paper)
        with noted(problems):
            self.before_code = self.field(parameters, "BEFORE_CODE", self.before, context)
        with noted(problems):
            self.after_code = self.field(parameters, "AFTER_CODE", self.after, context)
        self.usable(problems, (self.before, self.after))
        self.measurable(problems, self.before, self.surface)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..common.workbook import write_workbook
        from .change_matrix import land_use_change
        from .change_tables import change_sheets, matrix_frame

        result = land_use_change(
            self.before.read([self.before_code]), self.before_code, self.after.read([self.after_code]), self.after_code,
            min_area_m2=self.min_area, tolerance_m=self.tolerance, surface=self.surface, code_list=self.code_list,
            invalid=self.invalid, before_name=self.before.name, after_name=self.after.name,
            progress=self.progress(feedback))
        tell(result, feedback)
        xlsx = self.parameterAsFileOutput(parameters, "XLSX", context)
        if xlsx:
            subtitle, notes = self._print_texts()
            write_workbook(xlsx, change_sheets(result, subtitle=subtitle, notes=notes, decimals=self.decimals))
        kind, style = Qgis.WkbType.MultiPolygon, "land_use/land_use_change.qml"
        return {
            "OUTPUT": self.write_layer(parameters, "OUTPUT", context, result.pieces, kind, style=style),
            "NOISE": self.write_layer(parameters, "NOISE", context, result.noise_pieces, kind, style=style),
            "MATRIX": self.write_layer(parameters, "MATRIX", context, matrix_frame(result, self.decimals)),
            "XLSX": xlsx or None, "COMMON_AREA": result.common, "UNCHANGED_AREA": result.unchanged,
            "CHANGED_AREA": result.changed, "NOISE_AREA": float(result.noise.sum()),
            "ONLY_BEFORE_AREA": float(result.only_before.sum()), "ONLY_AFTER_AREA": float(result.only_after.sum()),
            "OVERLAP_BEFORE_AREA": result.doubled_before, "OVERLAP_AFTER_AREA": result.doubled_after}

    def _print_texts(self) -> tuple[str, list[str]]:
        from ..common.areas import surface_label
        from ..common.crs import meridian_label

        with speaking("vi"):
            notes = [f"Nguồn: đầu kỳ: lớp {self.before.name}; cuối kỳ: lớp {self.after.name}.",
                     f"Diện tích tính trên {surface_label(self.surface)}; hệ tọa độ {meridian_label(self.before.crs)}.",
                     f"Nhiễu ranh giới: phần đổi mã dưới {format_number(self.min_area, 1)} m² hoặc không chỗ nào rộng hơn "
                     f"{format_number(self.tolerance, 2)} m.",
                     "Bảng theo tinh thần biểu 05/TKKK; các hàng, cột và tổng khớp với số đã làm tròn."]
            return f"Đơn vị tính: ha. Ngày lập: {format_date(datetime.date.today())}", notes


def tell(result: LandUseChange, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    for report in result.reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
    for report, pairs, area in ((result.reports[0], result.overlapping_before, result.doubled_before),
                                (result.reports[1], result.overlapping_after, result.doubled_after)):
        if pairs:
            feedback.pushWarning(
                say("{name}: {n} cặp khoanh đất chồng nhau (fid: {ids}); tính trùng {area} m².",
                    "{name}: {n} pairs of polygons overlap (ids: {ids}); {area} m² are counted more than once.")
                .format(name=report.name, n=len(pairs), ids=name_some(f"{a}/{b}" for a, b in pairs),
                        area=format_number(area, 2)))
    if not result.common:
        feedback.pushWarning(say("Hai lớp không có phần chung; kiểm tra hệ tọa độ của hai lớp.",
                                 "The layers have nothing in common; check their coordinate systems."))
    if result.rescued:
        feedback.pushWarning(say("{n} phần chỉ cắt được sau khi sửa hình hai bên.",
                                 "{n} pieces could be cut only after repairing the shapes.").format(n=result.rescued))
    feedback.pushInfo(
        say("Diện tích chung {common} m²: không đổi {same}, chu chuyển {changed}, nhiễu ranh giới {noise} m²; chỉ có ở đầu kỳ {before} m², "
            "chỉ có ở cuối kỳ {after} m².",
            "Common area {common} m²: unchanged {same}, changed {changed}, boundary noise {noise} m²; only before {before} m², "
            "only after {after} m².")
        .format(common=format_number(result.common, 2), same=format_number(result.unchanged, 2),
                changed=format_number(result.changed, 2),
                noise=format_number(float(result.noise.sum()), 2),
                before=format_number(float(result.only_before.sum()), 2),
                after=format_number(float(result.only_after.sum()), 2)))
