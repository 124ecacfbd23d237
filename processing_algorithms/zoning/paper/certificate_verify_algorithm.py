"""Processing algorithm ``quyhoach:certificateverify``."""

from __future__ import annotations

import datetime
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from .planning_paper_algorithm import PlanningPaperAlgorithm


class CertificateVerifyAlgorithm(PlanningPaperAlgorithm):
    """An issued paper against the register and today's data; see `paper_verify`."""

    ID = "certificateverify"

    def title(self) -> str:  # noqa: D102
        return say("Đối chiếu văn bản đã cấp", "Verify an issued paper")

    def help(self) -> str:  # noqa: D102
        return say(
            "Đối chiếu một văn bản cung cấp thông tin quy hoạch với sổ đăng ký theo số văn bản và mã đối chiếu; khi "
            "có tệp Word, "
            "so từng câu, từng ô trong bảng với nội dung đã đăng ký và nêu chỗ khác (số liệu nào, hai giá trị). Sau "
            "đó tra cứu lại "
            "theo dữ liệu hiện nay và nêu những gì đã thay đổi từ khi lập: thửa đất, đồ án, ô quy hoạch, khu vực hạn "
            "chế, quy "
            "chuẩn.\n\n"
            "Phương pháp: bản chụp dữ liệu trong sổ phải khớp mã SHA-256; nội dung chuẩn được viết lại từ bản chụp. "
            "Số, ngày chỉ "
            "so khi sổ đã ghi; tên người ký không so. Đối chiếu không phải là xác thực chữ ký số. Thay đổi của dữ "
            "liệu không làm "
            "văn bản sai: hai việc được nêu riêng.\n\n"
            "Đơn vị: m², m. Hình không hợp lệ của dữ liệu hiện nay được sửa và đếm.",
            "Compares a planning-information paper with the register by number and short code; with the Word file, "
            "every sentence "
            "and table cell is compared with what was registered, and each difference is named with both values. Then "
            "the plans "
            "are asked again as they are today, and what has changed since is told: parcel, plan, zone, restriction, "
            "norm.\n\n"
            "Method: the snapshot in the register must match its SHA-256; the contents are written again from it. "
            "Number and date "
            "are compared once the register has them; the signer's name never is. This is no check of a digital "
            "signature. Changed "
            "data do not make a paper wrong: the two are told apart.\n\n"
            "Units: m2, m. Invalid shapes of today's data are repaired and counted.")

    def parameters(self) -> list[Any]:  # noqa: D102
        document = QgsProcessingParameterFile("DOCX", say("Tệp Word của văn bản", "Word file of the paper"),
                                              Qgis.ProcessingFileParameterBehavior.File, "docx", None, True)
        register = QgsProcessingParameterFile("REGISTER", say("Hoặc sổ đăng ký riêng", "Or a register of its own"),
                                              Qgis.ProcessingFileParameterBehavior.File, "gpkg", None, True)
        return [
            ask.text("NUMBER", say("Số văn bản", "Number of the paper"), say("Như ghi trên văn bản đã ký.",
                                                                             "As on the signed paper."),
                     optional=True),
            ask.text("CODE", say("Mã đối chiếu", "Short code"), say("8 chữ và số in trên văn bản, ví dụ 7K3F-9QXD.",
                                                                    "8 letters and digits on the paper, such as "
                                                                    "7K3F-9QXD."),
                     optional=True),
            ask.with_help(document, say("Để trống: chỉ đối chiếu số và mã.", "Empty: only number and code are "
                                                                             "compared.")),
            *self.source_parameters(),
            ask.with_help(register, say("Tệp so_dang_ky_thong_tin_quy_hoach.gpkg trong thư mục kết quả, khi không "
                                        "dùng cơ sở dữ liệu "
                                        "dùng chung.", "The file so_dang_ky_thong_tin_quy_hoach.gpkg of the output "
                                                       "folder, where "
                                        "there is no shared database.")),
            ask.layer("PARCELS", say("Thửa đất hiện nay", "Parcels today"),
                      say("Khi không dùng cơ sở dữ liệu dùng chung: lớp thửa có sheet_no, parcel_no để biết thửa đã "
                          "thay đổi chưa.",
                          "Without a shared database: parcels with sheet_no and parcel_no, to tell whether the parcel "
                          "has changed."),
                      ask.POLYGONS, optional=True),
            ask.text("DATE", say("Ngày đối chiếu", "Day"), say("Ngày xét hiệu lực của quy hoạch; để trống: hôm nay.",
                                                               "Day on which plans must be in force; empty: today."),
                                                               optional=True,
                     advanced=True),
            ask.table_output("OUTPUT", say("Kết quả đối chiếu", "Findings"),
                             say("Một dòng cho mỗi điểm khác: kind, where_found, registered, found, sentence.",
                                 "One row per difference: kind, where_found, registered, found, sentence."),
                                 optional=True)]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputString("VERDICT", say("Kết luận", "Verdict")),
                QgsProcessingOutputString("STATUS", say("Tình trạng trong sổ", "State in the register")),
                QgsProcessingOutputNumber("DIFFERENCES", say("Số điểm văn bản khác sổ", "Differences from the "
                                                                                        "register")),
                QgsProcessingOutputNumber("CHANGES", say("Số thay đổi của dữ liệu từ khi lập",
                                                         "Changes of the data since"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .paper_snapshot import read_code

        problems: list[str] = []
        self.number = self.parameterAsString(parameters, "NUMBER", context).strip()
        code = self.parameterAsString(parameters, "CODE", context).strip()
        self.code = ""
        with noted(problems):
            self.code = read_code(code) if code else ""
        if not self.number and not code:
            problems.append(say("Hãy cho số văn bản, mã đối chiếu, hoặc cả hai.", "Give the number, the short code, "
                                                                                  "or both."))
        self.register = self.parameterAsFile(parameters, "REGISTER", context)
        # Without plans only the paper is compared, not what has changed since.
        missing: list[str] = []
        self.read_sources(parameters, context, missing)
        self.asks_plans = not missing
        if not self.location and not self.register:
            problems.append(say("Hãy chọn cơ sở dữ liệu dùng chung (HUB) hoặc sổ đăng ký riêng (REGISTER).",
                                "Choose the shared database (HUB) or a register of its own (REGISTER)."))
        if any(self.layers.get(key) is not None for key in ("PLANS", "ZONES")) and missing and not self.location:
            problems += missing
        self.parcels = None
        with noted(problems):
            self.parcels = self.layer(parameters, "PARCELS", context)
        self.date = self.day(parameters, "DATE", context, problems, datetime.date.today())
        self.document = None
        path = self.parameterAsFile(parameters, "DOCX", context)
        if path:
            try:
                self.document = Path(path).read_bytes()
            except OSError as error:
                problems.append(say("Không đọc được tệp {path} ({why}).",
                                    "The file {path} cannot be read ({why}).").format(
                    path=path, why=error.strerror))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import pandas

        from ...provincial_database.hub import open_hub
        from .paper_register import find_papers
        from .paper_verify import OF_THE_PAPER, check_document, check_entry

        with ExitStack() as stack:
            hub = stack.enter_context(open_hub(self.location)) if self.location else None
            register = stack.enter_context(open_hub(self.register)) if self.register else hub
            entries = find_papers(register, code=self.code, number=self.number)
            if not entries:
                self._tell_missing(register)
            if len(entries) > 1:
                raise InputError(say("Có {n} văn bản cùng số {number}; hãy cho thêm mã đối chiếu.",
                                     "{n} papers have the number {number}; give the short code too.")
                                 .format(n=len(entries), number=self.number))
            entry = entries[0]
            findings = check_entry(entry)
            if self.document is not None and not findings:
                findings += check_document(entry, self.document)
            if self.asks_plans:
                findings += self._changes(entry, hub)
        own = [finding for finding in findings if finding.kind in OF_THE_PAPER]
        changed = [finding for finding in findings if finding.kind not in OF_THE_PAPER]
        labels = {
            "draft": say("dự thảo", "draft"),
            "submitted": say("đã trình ký", "submitted"),
            "signed": say("đã ký", "signed"),
            "replaced": say("đã được thay thế", "replaced"),
            "withdrawn": say("đã thu hồi", "withdrawn"),
        }
        verdict = self._verdict(len(own), len(changed), labels.get(entry.status, entry.status))
        for finding in findings:
            (feedback.pushWarning if finding in own else feedback.pushInfo)(finding.sentence)
        feedback.pushInfo(verdict)
        table = pandas.DataFrame([(f.kind.value, f.where, f.registered, f.found, f.sentence) for f in findings],
                                 columns=["kind", "where_found", "registered", "found", "sentence"], dtype=object)
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, table), "VERDICT": verdict,
                "STATUS": entry.status,
                "DIFFERENCES": len(own), "CHANGES": len(changed)}

    def _tell_missing(self, register: Any) -> None:
        from .paper_register import find_papers

        known = find_papers(register, number=self.number) if self.number and self.code else []
        if known:
            raise InputError(say("Số {number} có trong sổ nhưng mã đối chiếu là {codes}, không phải {code}: văn bản "
                                 "trong tay không "
                                 "phải văn bản đã đăng ký.",
                                 "Number {number} is in the register with the code {codes}, not {code}: the paper in "
                                 "hand is not "
                                 "the one registered.").format(number=self.number, code=self.code,
                                                               codes=", ".join(one.code for one in known)))
        raise InputError(say("Sổ đăng ký {register} không có văn bản này (số: {number}; mã: {code}).",
                             "The register {register} has no such paper (number: {number}; code: {code}).")
                         .format(register=register.info.name, number=self.number or "-", code=self.code or "-"))

    def _verdict(self, own: int, changed: int, state: str) -> str:
        paper = (say("Văn bản KHÔNG khớp sổ đăng ký: {n} điểm khác", "The paper does NOT match the register: {n} "
                                                                     "differences")
                 .format(n=own) if own else
                 say("Văn bản khớp sổ đăng ký", "The paper matches the register") if self.document is not None else
                 say("Số và mã có trong sổ đăng ký", "Number and code are in the register"))
        since = (say("; từ khi lập, dữ liệu có {n} thay đổi",
                     "; the data have changed in {n} points since").format(n=changed)
                 if changed else say("; dữ liệu không thay đổi từ khi lập", "; the data have not changed since")
                 if self.asks_plans else "")
        return say("{paper} (tình trạng: {state}){since}.", "{paper} (state: {state}){since}.").format(
            paper=paper, state=state, since=since)

    def _changes(self, entry: Any, hub: Any) -> list[Any]:
        """Ask the plans again, for the parcel as it is now."""
        from .paper_now import inputs_now
        from .paper_verify import Finding, Kind, changes_since
        from .planning_paper import Paper

        then = Paper(entry.snapshot).content["inputs"]
        source = self.parcels.read() if self.parcels is not None else hub
        now = inputs_now(then, source, lambda bounds: self.sources(hub, bounds), self.date,
                         hub.info.crs if hub is not None else None)
        if now is None:
            return [Finding(Kind.PARCEL, say("Thửa đất", "Parcel"), say("có", "there"),
                            say("không còn số thửa này (có thể đã tách, hợp thửa)",
                                "the number is no longer there (split or merged, perhaps)"))]
        return changes_since(then, now)
