"""Processing algorithm ``quyhoach:certificateregister``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
)

from ...common import qgis_parameters as ask
from ...common.destinations import files_whole
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from ...common.qgis_hub_parameters import hub_location, hub_parameter
from .planning_paper_algorithm import PaperFiles, PlanningPaperAlgorithm

#: What can be done, in the order of the choice; the first only prints again.
ACTIONS = ("reissue", "submitted", "signed", "replaced", "withdrawn", "draft")


class CertificateRegisterAlgorithm(PlanningPaperAlgorithm):
    """Steps of a registered paper, and printing it again; see `paper_register`."""

    ID = "certificateregister"

    def title(self) -> str:  # noqa: D102
        return say("Sổ đăng ký văn bản thông tin quy hoạch", "Register of planning-information papers")

    def help(self) -> str:  # noqa: D102
        return say(
            "In lại một văn bản từ bản chụp trong sổ đăng ký (cùng câu chữ, số liệu và bản đồ, dù dữ liệu đã thay "
            "đổi), hoặc ghi "
            "bước tiếp theo: trình ký, đã ký (số và ngày nhập tay như trên văn bản), đã được thay thế, đã thu hồi, "
            "trả về dự thảo. "
            "Từ khi ghi đã ký, dòng trong sổ không sửa, xóa được, dù bằng chương trình nào.\n\n"
            "Phương pháp: văn bản được viết lại chỉ từ bản chụp, không đọc dữ liệu hiện nay. Không có đơn vị; không "
            "đọc hình.",
            "Prints a paper again from its snapshot in the register (the same words, figures and map, whatever has "
            "changed), or "
            "enters the next step: submitted, signed (number and date typed in as on the paper), replaced, withdrawn, "
            "back to draft. "
            "Once signed, the row cannot be changed or deleted by any program.\n\n"
            "Method: the paper is written from the snapshot alone; today's data are not read. No units; no shapes are "
            "read.")

    def parameters(self) -> list[Any]:  # noqa: D102
        hub = hub_parameter()
        hub.setFlags(hub.flags() | Qgis.ProcessingParameterFlag.Optional)
        register = QgsProcessingParameterFile("REGISTER", say("Hoặc sổ đăng ký riêng", "Or a register of its own"),
                                              Qgis.ProcessingFileParameterBehavior.File, "gpkg", None, True)
        folder = QgsProcessingParameterFolderDestination("OUTPUT", say("Thư mục in lại", "Folder of the reprint"), None,
                                                         True, False)
        return [
            ask.text("CODE", say("Mã đối chiếu", "Short code"), say("8 chữ và số in trên văn bản.",
                                                                    "8 letters and digits on it.")),
            ask.choice("ACTION", say("Việc cần làm", "What to do"),
                       say("In lại không đổi gì trong sổ.", "Printing again changes nothing in the register."),
                       [say("In lại", "Print again"), say("Trình ký", "Submitted"), say("Ghi số, ngày đã ký", "Signed"),
                        say("Đã được thay thế", "Replaced"), say("Đã thu hồi", "Withdrawn"), say("Trả về dự thảo",
                                                                                                 "Back to draft")]),
            ask.text("NUMBER", say("Số văn bản", "Number"), say("Số đầy đủ như trên văn bản đã ký; nhập tay.",
                                                                "The full number as on the signed paper."),
                                                                optional=True),
            ask.text("DATE", say("Ngày văn bản", "Date"), say("Ngày/tháng/năm như trên văn bản.",
                                                              "Day/month/year as on the paper."),
                     optional=True),
            hub,
            ask.with_help(register, say("Tệp so_dang_ky_thong_tin_quy_hoach.gpkg, khi không dùng cơ sở dữ liệu dùng "
                                        "chung.",
                                        "The file so_dang_ky_thong_tin_quy_hoach.gpkg, where there is no shared "
                                        "database.")),
            ask.with_help(folder, say("Nhận tệp Word và PDF khi in lại.", "Gets the Word and PDF files of a reprint."))]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputString("STATUS", say("Tình trạng", "State")),
                QgsProcessingOutputString("FILES", say("Các tệp", "Files"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .paper_snapshot import read_code

        problems: list[str] = []
        self.action = ACTIONS[self.parameterAsEnum(parameters, "ACTION", context)]
        self.code = ""
        with noted(problems):
            self.code = read_code(self.parameterAsString(parameters, "CODE", context))
        self.number = self.parameterAsString(parameters, "NUMBER", context).strip()
        self.date = self.day(parameters, "DATE", context, problems)
        self.place = self.parameterAsFile(parameters, "REGISTER", context) or hub_location(self, parameters, context)
        self.folder = self.parameterAsString(parameters, "OUTPUT", context)
        if not self.place:
            problems.append(say("Hãy chọn cơ sở dữ liệu dùng chung (HUB) hoặc sổ đăng ký riêng (REGISTER).",
                                "Choose the shared database (HUB) or a register of its own (REGISTER)."))
        if self.action == "reissue" and not self.folder:
            problems.append(say("Hãy chọn thư mục để in lại (OUTPUT).", "Choose a folder to print to (OUTPUT)."))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import datetime

        from ...provincial_database.hub import open_hub
        from .paper_register import find_papers, take_step
        from .paper_verify import check_entry
        from .parcel_certificate import file_name
        from .planning_paper import Paper

        with open_hub(self.place) as hub:
            entries = find_papers(hub, code=self.code)
            if not entries:
                raise InputError(say("Sổ đăng ký {name} không có văn bản mã {code}.", "The register {name} has no "
                                                                                      "paper {code}.")
                                 .format(name=hub.info.name, code=self.code))
            entry = entries[0]
            refuse_if([finding.sentence for finding in check_entry(entry)])
            if self.action != "reissue":
                entry = take_step(hub, entry, self.action, number=self.number, date=self.date)
        written: list[str] = []
        if self.folder:
            paper = Paper(entry.snapshot)
            issued = entry.row["issued_date"]
            with files_whole(self.folder) as draft, PaperFiles(self.asked(feedback)) as files:
                written = files.write(
                    paper, draft, file_name(paper.content["inputs"], paper.code),
                    number=str(entry.row["paper_number"] or ""),
                    date=datetime.date.fromisoformat(str(issued)) if issued else None)
        return {"OUTPUT": self.folder or None, "STATUS": entry.status,
                "FILES": ";".join(str(Path(self.folder) / name) for name in written)}
