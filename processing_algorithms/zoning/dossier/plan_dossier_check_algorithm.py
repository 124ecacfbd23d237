"""Processing algorithm ``quyhoach:plandossiercheck``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
)

from ...common import qgis_parameters as ask
from ...common.destinations import check_destination
from ...common.errors import noted, refuse_if
from ...common.language import current_language, say, speaking
from ...common.numbers_vi import parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm
from .plan_dossier_create_algorithm import province_labels
from .plan_dossier_export_algorithm import dossier_parameter

_LEVELS = ("", "QHC", "QPK", "QCT")


class PlanDossierCheckAlgorithm(QuyHoachAlgorithm):
    """The check of a dossier with error layer, workbook and letter; see `check`."""

    ID = "plandossiercheck"
    ROOM = "zoning"
    TAGS = ("HoSoGIS", "TT 16/2025", "hồ sơ", "thẩm định", "chồng lấn", "khe hở", "topology", "validator", "dossier")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "pyogrio", "openpyxl", "docx")

    def title(self) -> str:  # noqa: D102
        return say("Kiểm tra cơ sở dữ liệu GIS của đồ án quy hoạch", "Check the GIS dossier of a plan")

    def help(self) -> str:  # noqa: D102
        return say(
            "Kiểm tra thư mục HoSoGIS theo phụ lục II Thông tư 16/2025/TT-BXD bằng các quy tắc có mã cố định: tệp, lớp, "
            "trường, mã hồ sơ và mã thông tin quy hoạch, giá trị, hệ tọa độ, hình học, khe hở và chồng lấn, ranh giới, mốc "
            "giới, tỷ lệ, chỉ tiêu so với QCVN 01. Kết quả: lớp lỗi có vị trí, bảng xlsx và văn bản Word gửi đơn vị tư vấn "
            "(cả hai sửa được; số, ngày, người ký để trống).\n\n"
            "Phương pháp: khe hở là phần ranh giới trừ hợp các ô, chồng lấn là giao của các ô; chỗ không nơi nào rộng hơn "
            "dung sai (mặc định 1 mm) bị bỏ qua. Chức năng sử dụng đất phải phủ kín ranh giới; giữa các ô, chỗ hở rộng hơn "
            "2 m được coi là đường. Hình không hợp lệ được báo, vùng quanh nó chưa kiểm tra khe hở, chồng lấn; hình trống "
            "được báo. QCVN 01 áp dụng theo ngày thẩm định hoặc phê duyệt; chưa đủ căn cứ thì nêu riêng, không tính là lỗi. "
            "Chỉ lỗi làm hồ sơ chưa đạt; cảnh báo cần giải trình.\n\n"
            "Mọi báo cáo ghi phiên bản lược đồ và độ tin cậy của nó. Đơn vị: m, m². Dữ liệu không bị sửa.",
            "Checks a folder HoSoGIS by annex II of Circular 16/2025/TT-BXD with rules of permanent ids: files, classes, "
            "fields, dossier and plan codes, values, coordinate system, geometry, gaps and overlaps, boundary, markers, "
            "scale, control figures against QCVN 01. Results: an error layer with places, a workbook, and a letter in Word "
            "to the consultant (both to be edited; number, date and signer are left blank).\n\n"
            "Method: gaps are the boundary without the union of the zones, overlaps what zones share; what is nowhere wider "
            "than the tolerance (1 mm) is passed over. Land functions must cover the plan; between zones a gap wider than "
            "2 m is taken for a street. Invalid shapes are told, and nothing is said of gaps and overlaps where they are; "
            "null shapes are told. QCVN 01 is that of the appraisal or approval; what cannot be judged is listed apart and "
            "is no fault. Only errors keep a dossier from passing; warnings are to be explained.\n\n"
            "Every report prints the schema's version and its confidence. Units: m, m². Data are not changed.")

    def parameters(self) -> list[Any]:  # noqa: D102
        unknown = say("Theo mã hồ sơ", "By the dossier's codes")
        return [
            dossier_parameter(),
            ask.choice("PROVINCE", say("Tỉnh, thành phố", "Province"),
                       say("Để kiểm tra kinh tuyến trục và mã tỉnh.", "For the meridian and the province code."),
                       [unknown, *province_labels().values()]),
            ask.choice("LEVEL", say("Cấp độ quy hoạch", "Level of plan"),
                       say("Quyết định tỷ lệ được dùng và cách đối chiếu mật độ.", "Decides scales and how density is judged."),
                       [unknown, say("Quy hoạch chung", "General plan"), say("Quy hoạch phân khu", "Sub-area plan"),
                        say("Quy hoạch chi tiết", "Detailed plan")]),
            ask.choice("KIND", say("Đối tượng quy hoạch", "Kind of area"),
                       say("Để đối chiếu với mã thông tin quy hoạch.", "Compared with the plan information code."),
                       [say("Không đối chiếu", "Not compared"), say("Đô thị", "Urban"), say("Nông thôn", "Rural"),
                        say("Khu chức năng", "Functional zone")]),
            ask.number("SCALE", say("Mẫu số tỷ lệ", "Denominator of the scale"),
                       say("Ví dụ 2000. Để trống: lấy ở trường tyLe hoặc tên đồ án.",
                           "Such as 2000. Blank: from the field tyLe or the plan's name."), minimum=100, integer=True, optional=True),
            ask.text("APPRAISED", say("Ngày thẩm định", "Appraised on"),
                     say("Ngày/tháng/năm; quyết định quy chuẩn áp dụng. Để trống khi chưa thẩm định.",
                         "Day/month/year; decides the regulation. Blank before the appraisal."), optional=True),
            ask.text("APPROVED", say("Ngày phê duyệt", "Approved on"),
                     say("Ngày/tháng/năm; để trống khi chưa phê duyệt.", "Day/month/year; blank before the approval."), optional=True),
            ask.number("TOLERANCE_MM", say("Dung sai khe hở, chồng lấn, mốc (mm)", "Tolerance of gaps, overlaps, markers (mm)"),
                       say("Chỗ không nơi nào rộng hơn dung sai không tính là khe hở hay chồng lấn.",
                           "What is nowhere wider is neither gap nor overlap."), default=1.0, minimum=0.001,
                       maximum=10_000, advanced=True),
            ask.number("AREA_TOLERANCE", say("Dung sai diện tích ghi (%)", "Tolerance of stated areas (%)"),
                       say("Chênh lệch cho phép giữa diện tích ghi và diện tích hình vẽ.", "Between stated and drawn areas."),
                       default=1.0, minimum=0, maximum=100, advanced=True),
            ask.text("DATE", say("Ngày kiểm tra", "Day of the check"), say("Ngày/tháng/năm; để trống là hôm nay.",
                                                                           "Day/month/year; blank is today."),
                     optional=True, advanced=True),
            ask.with_help(QgsProcessingParameterFile("NORMS", say("Thư mục bảng quy định của tỉnh", "Folder of the province's tables"),
                                                     Qgis.ProcessingFileParameterBehavior.Folder, "", None, True),
                          say("Tệp CSV cùng tên bảng; giới hạn chặt hơn được áp dụng.",
                              "CSV files named as the tables; the tighter limit holds."), advanced=True),
            *(ask.text(key, label, help_text, optional=True, advanced=True)
              for key, label, help_text in _office_texts()),
            ask.layer_output("OUTPUT", say("Lớp lỗi", "Error layer"),
                             say("Điểm, mỗi đối tượng hoặc vị trí một dòng: mã quy tắc, mức, cơ sở dữ liệu, lớp, source_fid, nội dung, cách "
                                 "sửa. Lỗi của tệp, lớp, trường không có hình.",
                                 "Points, one row per feature or place: rule, severity, database, class, source_fid, message, advice. Findings "
                                 "on files, classes and fields have no shape."), Qgis.ProcessingSourceType.VectorPoint),
            ask.layer_output("AREAS", say("Vùng hở, chồng lấn, vượt ranh", "Gaps, overlaps, land outside"),
                             say("Hình của khe hở, chồng lấn, phần vượt ranh giới.", "Shapes of gaps, overlaps and what lies outside."),
                             Qgis.ProcessingSourceType.VectorPolygon, optional=True),
            ask.with_help(QgsProcessingParameterFileDestination("REPORT", say("Báo cáo (xlsx, docx)", "Report (xlsx, docx)"),
                                                                "Excel (*.xlsx)", None, True, False),
                          say("Bảng xlsx; văn bản Word cùng tên (.docx) được ghi bên cạnh.",
                              "The workbook; the letter (.docx) of the same name is written beside it.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputBoolean("PASSES", say("Đạt", "Passes")),
            QgsProcessingOutputNumber("ERRORS", say("Số lỗi", "Errors")),
            QgsProcessingOutputNumber("WARNINGS", say("Số cảnh báo", "Warnings")),
            QgsProcessingOutputNumber("NOTES", say("Số lưu ý", "Notes")),
            QgsProcessingOutputNumber("UNASSESSED", say("Nội dung chưa đủ căn cứ", "Not assessed")),
            QgsProcessingOutputString("RULES", say("Số lượng theo quy tắc", "Count by rule")),
            QgsProcessingOutputString("SCHEMA", say("Phiên bản lược đồ", "Schema version")),
            QgsProcessingOutputFile("LETTER", say("Văn bản Word", "Letter")),
        ]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .examined import CheckOptions
        from .letter import Office
        from .reading import find_folder
        from .schema import load_schema

        problems: list[str] = []
        dates: dict[str, datetime.date | None] = {}
        for key in ("DATE", "APPRAISED", "APPROVED"):
            dates[key] = None
            text = self.parameterAsString(parameters, key, context).strip()
            if text:
                with noted(problems):
                    dates[key] = parse_date(text)
        with noted(problems):
            self.folder = find_folder(self.parameterAsString(parameters, "DOSSIER", context))
        scale = None
        with noted(problems):
            scale = self.optional_number(parameters, "SCALE", context)
        province = self.parameterAsEnum(parameters, "PROVINCE", context)
        kind = self.parameterAsEnum(parameters, "KIND", context)
        self.options = CheckOptions(
            on=dates["DATE"] or datetime.date.today(), appraised=dates["APPRAISED"], approved=dates["APPROVED"],
            province=list(province_labels())[province - 1] if province else "",
            level=_LEVELS[self.parameterAsEnum(parameters, "LEVEL", context)], kind=str(kind) if kind else "",
            scale=scale,
            tolerance_m=self.parameterAsDouble(parameters, "TOLERANCE_MM", context) / 1000,
            area_tolerance_pct=self.parameterAsDouble(parameters, "AREA_TOLERANCE", context),
            province_folder=self.parameterAsString(parameters, "NORMS", context) or None)
        if self.options.province_folder and not Path(self.options.province_folder).is_dir():
            problems.append(say("Không có thư mục bảng của tỉnh: {folder}.", "The folder of the province's tables does not exist: {folder}.")
                            .format(folder=self.options.province_folder))
        with noted(problems):
            load_schema(self.options.on, self.options.province_folder)
        refuse_if(problems)
        self.report = self.parameterAsFileOutput(parameters, "REPORT", context) if parameters.get("REPORT") else ""
        self.letter = str(Path(self.report).with_suffix(".docx")) if self.report else ""
        if self.letter:
            check_destination(self.letter)
        self.office = Office(*(self.parameterAsString(parameters, key, context).strip()
                               for key, _, _ in _office_texts()))

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.progress import part
        from .check import check_read, error_layers
        from .letter import severities, write_letter
        from .reading import read_dossier
        from .rules import RULES
        from .schema import load_schema
        from .workbook import basis_texts, verdict_text, write_check_workbook

        progress = self.progress(feedback)
        schema = load_schema(self.options.on, self.options.province_folder)
        dossier = read_dossier(self.folder, progress=part(progress, 0.0, 0.4))
        result = check_read(dossier, self.options, schema, part(progress, 0.4, 0.8))
        points, areas = error_layers(result)
        output = self.write_layer(parameters, "OUTPUT", context, points, Qgis.WkbType.Point,
                                  style="zoning/dossier_errors.qml")
        areas_output = self.write_layer(parameters, "AREAS", context, areas, Qgis.WkbType.MultiPolygon)
        if self.report:
            # Printed matter is Vietnamese, whatever the language of the program.
            already = current_language() == "vi"
            with speaking("vi"):
                printed = result if already else check_read(
                    dossier, self.options, load_schema(self.options.on, self.options.province_folder))
                write_check_workbook(self.report, printed)
                write_letter(self.letter, printed, self.office, Path(self.report).name)
        for id_, count in result.by_rule().items():
            feedback.pushWarning(f"{id_}: {RULES[id_].title}: {count}")
        for text in (*result.unassessed, *basis_texts(result), verdict_text(result)):
            feedback.pushInfo(text)
        counts = severities(result)
        return {"OUTPUT": output, "AREAS": areas_output, "REPORT": self.report or None, "LETTER": self.letter or None,
                "PASSES": result.passes, "ERRORS": counts["ERROR"], "WARNINGS": counts["WARNING"],
                "NOTES": counts["NOTE"],
                "UNASSESSED": len(result.unassessed), "SCHEMA": schema.version,
                "RULES": ", ".join(f"{id_}: {count}" for id_, count in result.by_rule().items())}


def _office_texts() -> list[tuple[str, str, str]]:
    """Key, label and help of what the letter's head says; in the order of `letter.Office`."""
    return [
        ("AGENCY_ABOVE", say("Cơ quan chủ quản", "Agency above"), say("Dòng trên của phần cơ quan, ví dụ Ủy ban nhân dân tỉnh …",
                                                                      "Upper line of the agency's name.")),
        ("AGENCY", say("Cơ quan gửi", "Agency"), say("Ví dụ Sở Xây dựng. Để trống: dòng chấm để điền.", "Blank: dots to fill in.")),
        ("PLACE", say("Địa danh", "Place"), say("Trước ngày tháng của văn bản.", "Before the date of the letter.")),
        ("ADDRESSEE", say("Nơi nhận (đơn vị tư vấn)", "Addressee (consultant)"), say("Sau chữ Kính gửi.", "After the words Kính gửi.")),
        ("DEPARTMENT", say("Đơn vị soạn thảo", "Drafting unit"), say("Chữ viết tắt sau Lưu: VT, …", "Initials after Lưu: VT, …")),
    ]
