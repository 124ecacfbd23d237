"""Processing algorithm ``quyhoach:pull``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber, QgsProcessingParameterFile

from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import resolved
from ...common.qgis_working_copy import (
    exchange_file_parameter,
    other_hub_parameter,
    show_anew,
    working_copy_parameter,
    working_copy_path,
)


class PullAlgorithm(QuyHoachAlgorithm):
    """What others did, merged into a working copy; see `pull` and `exchange_file`."""

    ID = "pull"
    ROOM = "provincial_database"
    TAGS = ("working copy", "merge", "trộn", "đồng bộ", "sync")

    def title(self) -> str:  # noqa: D102
        return say("Nhận cập nhật", "Pull updates")

    def help(self) -> str:  # noqa: D102
        return say(
            "Nhận vào bản dữ liệu làm việc mọi thay đổi mới của cơ sở dữ liệu dùng chung, qua mạng hoặc từ một tệp cập nhật.\n\n"
            "Trộn theo từng trường: ai sửa trường nào thì giữ trường đó. Hai bên sửa cùng một trường khác nhau, hoặc một bên sửa một bên xóa, là xung "
            "đột: giá trị của máy này được giữ nguyên cho tới khi xử lý. Hình lệch nhau dưới 1 mm coi là giống nhau. Tất cả hoặc không gì cả; từ "
            "chối khi có lớp đang chỉnh sửa hoặc chương trình khác đang giữ tệp.",
            "Receives all that is new in the shared database into the working copy, over the network or from an update file.\n\n"
            "Merged field by field: whoever changed a field keeps it. Where both sides changed one field differently, or one changed what the other "
            "deleted, there is a conflict: this machine's value stays until it is resolved. Shapes within 1 mm are the same. All of it or nothing; "
            "refused while a layer is being edited or another program holds the file.")

    def parameters(self) -> list[Any]:  # noqa: D102
        update = exchange_file_parameter("INPUT", say("Tệp cập nhật", "Update file"),
                                         say("Tệp do \"Xuất tệp cập nhật\" tạo; để trống là nhận qua mạng.",
                                             "A file made by \"Export an update file\"; blank pulls over the network."))
        update.setFlags(update.flags() | QgsProcessingParameterFile.Flag.FlagOptional)
        return [working_copy_parameter(), other_hub_parameter(), update]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("RECEIVED", say("Số đối tượng đã nhận", "Features received")),
                QgsProcessingOutputNumber("REMOVED", say("Số đối tượng đã xóa theo", "Features removed")),
                QgsProcessingOutputNumber("MERGED", say("Số đối tượng đã trộn", "Features merged")),
                QgsProcessingOutputNumber("CONFLICTS", say("Số xung đột chưa xử lý", "Conflicts not resolved"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.path = working_copy_path(self, parameters, context)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..hub import open_hub
        from .exchange_file import import_update
        from .pull import pull
        from .working_copy import WorkingCopy

        update = self.parameterAsFile(parameters, "INPUT", context)
        with WorkingCopy(self.path) as copy:
            if update:
                report = import_update(copy, update, progress=self.progress(feedback))
            else:
                with open_hub(
                resolved(self.parameterAsFile(parameters, "HUB", context) or copy.hub_location)) as hub:
                    report = pull(copy, hub, progress=self.progress(feedback))
            open_conflicts = sum(line.conflicts for line in copy.status())
        if report.restored:
            feedback.pushWarning(say(
                "Cơ sở dữ liệu dùng chung đã được phục hồi từ bản sao lưu cũ hơn bản dữ liệu làm việc này: {n} đối tượng bản "
                "sao lưu không còn đã trở lại thành chỉnh sửa chưa gửi; hãy xem lại rồi gửi cập nhật.",
                "The shared database was restored from a backup older than this working copy: {n} features the backup lacks "
                "are edits to send again; look at them, then push.").format(n=report.to_resend))
        feedback.pushInfo(say("Nhận {r}, xóa theo {d}, trộn {m} đối tượng; {c} xung đột chưa xử lý.",
                              "Received {r}, removed {d}, merged {m} features; {c} conflicts not resolved.")
                          .format(r=report.received, d=report.removed, m=report.merged, c=open_conflicts))
        for receipt in report.receipts:
            for objection in receipt.objections:
                feedback.pushWarning(f"{objection.dataset} {objection.feature_id}: {objection.reason}")
        return {"RECEIVED": report.received, "REMOVED": report.removed, "MERGED": report.merged,
                "CONFLICTS": open_conflicts}

    def postProcessAlgorithm(self, context: QgsProcessingContext,
                             feedback: QgsProcessingFeedback) -> dict[str, Any]:  # noqa: D102, N802
        show_anew(self.path)
        return {}
