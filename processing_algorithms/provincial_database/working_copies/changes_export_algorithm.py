"""Processing algorithm ``quyhoach:changesexport``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_working_copy import (
    changeset_parameters,
    changeset_values,
    exchange_file_output,
    working_copy_parameter,
    working_copy_path,
)


class ChangesExportAlgorithm(QuyHoachAlgorithm):
    """Outgoing changes as one file; see `exchange_file.export_changes`."""

    ID = "changesexport"
    ROOM = "provincial_database"
    TAGS = ("e-mail", "usb", "working copy", "gửi thư")

    def title(self) -> str:  # noqa: D102
        return say("Xuất tệp thay đổi", "Export a changes file")

    def help(self) -> str:  # noqa: D102
        return say(
            "Ghi mọi chỉnh sửa chưa được trả lời của bản dữ liệu làm việc vào một tệp để gửi qua thư điện tử, USB hoặc tin nhắn.\n\n"
            "Nơi giữ cơ sở dữ liệu áp dụng tệp và trả lời bằng tệp cập nhật. Xuất nhiều lần cũng được: tệp sau mang theo cả các đợt chưa được trả lời, "
            "mỗi đợt chỉ được ghi một lần. Không có chỉnh sửa thì tệp chỉ dùng để xin cập nhật mới.",
            "Writes all edits of the working copy that were not answered yet into one file, to go by e-mail, USB or chat.\n\n"
            "Whoever keeps the database applies it and answers with an update file. Export as often as you like: a later file carries the unanswered "
            "changesets too, and each is written once. Without edits the file only asks for what is new.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            working_copy_parameter(),
            *changeset_parameters(required=False),
            exchange_file_output(
                "OUTPUT", say("Tệp thay đổi", "Changes file"), say("Tệp .qhz để gửi đi.", "The .qhz file to be sent.")
            ),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("CHANGESETS", say("Số đợt cập nhật trong tệp", "Changesets in the file")),
                QgsProcessingOutputNumber("CHANGES", say("Số đối tượng trong tệp", "Features in the file"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.path = working_copy_path(self, parameters, context)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .exchange_file import export_changes
        from .working_copy import WorkingCopy

        target = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        with WorkingCopy(self.path) as copy:
            content = export_changes(copy, target, **changeset_values(self, parameters, context))
        return {"OUTPUT": target, "CHANGESETS": len(content.changesets),
                "CHANGES": sum(len(c.changes) for c in content.changesets)}
