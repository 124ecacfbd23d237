"""Processing algorithm ``quyhoach:changesapply``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common.errors import OutputError
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter, sender, sender_parameter
from ...common.qgis_working_copy import exchange_file_parameter


class ChangesApplyAlgorithm(QuyHoachAlgorithm):
    """A changes file applied at the hub; see `exchange_file.apply_changes`."""

    ID = "changesapply"
    ROOM = "provincial_database"
    TAGS = ("e-mail", "usb", "hub")

    def title(self) -> str:  # noqa: D102
        return say("Áp dụng tệp thay đổi", "Apply a changes file")

    def help(self) -> str:  # noqa: D102
        return say(
            "Áp dụng tệp thay đổi của một cơ quan vào cơ sở dữ liệu dùng chung, mỗi đợt cập nhật trọn vẹn hoặc không gì cả.\n\n"
            "Áp dụng hai lần cũng chỉ ghi một lần. Đợt nào vướng chỉnh sửa của người khác thì không ghi, nêu rõ đối tượng và lý do; tệp cập nhật trả "
            "lời sẽ mang lý do về. Tệp hỏng hoặc bị sửa bị từ chối.",
            "Applies an office's changes file to the shared database, each changeset whole or not at all.\n\n"
            "Applied twice it is written once. A changeset that meets other people's edits is not written; the features and reasons are named and "
            "travel back in the update file. A damaged or altered file is refused.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            hub_parameter(),
            exchange_file_parameter(
                "INPUT",
                say("Tệp thay đổi", "Changes file"),
                say('Tệp do "Xuất tệp thay đổi" tạo.', 'A file made by "Export a changes file".'),
            ),
            sender_parameter(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("APPLIED", say("Số đợt đã ghi", "Changesets applied")),
                QgsProcessingOutputNumber("ALREADY_APPLIED", say("Số đợt đã có từ trước", "Changesets there already"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..changes import Outcome
        from ..findings import objection_lines
        from ..hub import open_hub
        from .exchange_file import apply_changes

        with open_hub(hub_location(self, parameters, context)) as hub:
            receipts = apply_changes(hub, self.parameterAsFile(parameters, "INPUT", context),
                                     office=sender(self, parameters, context, hub), progress=self.progress(feedback))
        outcomes = [receipt.outcome for receipt in receipts]
        if receipts and outcomes[-1] in (Outcome.STALE, Outcome.REFUSED):
            objections = receipts[-1].objections
            reasons = "; ".join(objection_lines(objections[:10], hub.datasets))
            raise OutputError(say("Đợt cập nhật thứ {k} không ghi được, không có gì của đợt này được ghi ({n} đối tượng): {reasons}",
                                  "Changeset {k} was not applied, nothing of it was written ({n} features): {reasons}")
                              .format(k=len(receipts), n=len(objections), reasons=reasons))
        return {"APPLIED": outcomes.count(Outcome.APPLIED), "ALREADY_APPLIED": outcomes.count(Outcome.ALREADY_APPLIED)}
