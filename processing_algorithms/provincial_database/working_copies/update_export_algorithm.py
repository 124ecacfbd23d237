"""Processing algorithm ``quyhoach:updateexport``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter, sender, sender_parameter
from ...common.qgis_working_copy import exchange_file_output, exchange_file_parameter


class UpdateExportAlgorithm(QuyHoachAlgorithm):
    """The answer to a changes file; see `exchange_file.export_update`."""

    ID = "updateexport"
    ROOM = "provincial_database"
    TAGS = ("e-mail", "usb", "hub")

    def title(self) -> str:  # noqa: D102
        return say("Xuất tệp cập nhật", "Export an update file")

    def help(self) -> str:  # noqa: D102
        return say(
            "Trả lời một tệp thay đổi: áp dụng nếu chưa áp dụng, rồi ghi mọi điều mới dành cho bản dữ liệu làm việc đó vào tệp cập nhật.\n\n"
            "Tệp mang kết quả từng đợt cập nhật (đã ghi, hoặc lý do chưa ghi) và mọi đối tượng đã thay đổi trong phạm vi mà nơi gửi đang giữ. Nơi gửi "
            "nhận tệp bằng \"Nhận cập nhật\".",
            "Answers a changes file: applies it if that was not done, then writes all that is new for that working copy into an update file.\n\n"
            "The file carries the result of each changeset (written, or why not) and all features that changed within what the sender holds. The "
            "sender receives it with \"Pull updates\".")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [hub_parameter(),
                exchange_file_parameter("INPUT", say("Tệp thay đổi", "Changes file"),
                                        say("Tệp mà cơ quan đã gửi.", "The file the office has sent.")),
                sender_parameter(),
                exchange_file_output("OUTPUT", say("Tệp cập nhật", "Update file"), say("Tệp .qhz gửi trả.", "The .qhz file to be sent back."))]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputNumber(
                "APPLIED", say("Số đợt đã có trong cơ sở dữ liệu", "Changesets now in the database")
            ),
            QgsProcessingOutputNumber("NOT_APPLIED", say("Số đợt không ghi được", "Changesets not applied")),
        ]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..changes import Outcome
        from ..findings import objection_lines
        from ..hub import open_hub
        from .exchange_file import export_update

        target = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        with open_hub(hub_location(self, parameters, context)) as hub:
            receipts = export_update(hub, self.parameterAsFile(parameters, "INPUT", context), target,
                                     office=sender(self, parameters, context, hub), progress=self.progress(feedback))
        landed = sum(receipt.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED) for receipt in receipts)
        for receipt in receipts:
            for line in objection_lines(receipt.objections, hub.datasets):
                feedback.pushWarning(line)
        return {"OUTPUT": target, "APPLIED": landed, "NOT_APPLIED": len(receipts) - landed}
