"""Processing algorithm ``quyhoach:status``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_working_copy import working_copy_parameter


class StatusAlgorithm(QuyHoachAlgorithm):
    """What was edited in a working copy; see `working_copy.WorkingCopy.status`."""

    ID = "status"
    ROOM = "provincial_database"
    TAGS = ("working copy", "edits", "chỉnh sửa")

    def title(self) -> str:  # noqa: D102
        return say("Xem tình trạng chỉnh sửa", "Show the status of edits")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết mỗi tập dữ liệu trong bản dữ liệu làm việc đã thêm, sửa, xóa bao nhiêu đối tượng chưa gửi, còn bao nhiêu xung đột và bao nhiêu "
            "đối tượng đang chờ trả lời.\n\nKhông cần mạng. Sửa rồi sửa lại như cũ thì không tính. Nếu một chương trình đã tạo lại bảng, cột "
            "tracking_lost bằng 1: các chỉnh sửa sẽ được tìm lại bằng so sánh toàn bộ khi nhận cập nhật.",
            "Tells for each dataset of a working copy how many features were added, changed and deleted and not sent yet, how many conflicts are "
            "open and how many features wait for an answer.\n\nNo network is needed. What was edited back is not counted. Where a program has made "
            "the table anew, tracking_lost is 1: edits are then found by a full comparison at the next pull.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [working_copy_parameter(),
                ask.table_output("OUTPUT", say("Tình trạng", "Status"),
                                 say("Bảng: dataset, label, features, added, changed, deleted, waiting, conflicts, tracking_lost.",
                                     "Table: dataset, label, features, added, changed, deleted, waiting, conflicts, tracking_lost."), optional=True)]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("EDITS", say("Số đối tượng chưa gửi", "Features not sent")),
                QgsProcessingOutputNumber("CONFLICTS", say("Số xung đột", "Conflicts")),
                QgsProcessingOutputNumber("WAITING", say("Số đối tượng chờ trả lời", "Features waiting for an answer"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import pandas

        from .working_copy import WorkingCopy

        with WorkingCopy(self.parameterAsFile(parameters, "WORKING_COPY", context)) as copy:
            lines = copy.status()
        for line in lines:
            feedback.pushInfo(say("{label}: {n} đối tượng; thêm {a}, sửa {c}, xóa {d}; chờ trả lời {w}; xung đột {x}",
                                  "{label}: {n} features; added {a}, changed {c}, deleted {d}; waiting {w}; conflicts {x}")
                              .format(label=line.dataset.label, n=line.count, a=line.added, c=line.changed,
                                      d=line.deleted, w=line.waiting,
                                      x=line.conflicts))
            if line.tracking_lost:
                feedback.pushWarning(say("{label}: bảng đã bị chương trình khác tạo lại; hãy nhận cập nhật để so sánh toàn bộ.",
                                         "{label}: another program has made the table anew; pull, which compares everything.").format(label=line.dataset.label))
        table = pandas.DataFrame({
            "dataset": [line.dataset.name for line in lines], "label": [str(line.dataset.label) for line in lines],
            "features": [line.count for line in lines], "added": [line.added for line in lines],
            "changed": [line.changed for line in lines],
            "deleted": [line.deleted for line in lines], "waiting": [line.waiting for line in lines],
            "conflicts": [line.conflicts for line in lines],
            "tracking_lost": [int(line.tracking_lost) for line in lines]})
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, table),
                "EDITS": sum(line.edits for line in lines),
                "CONFLICTS": sum(line.conflicts for line in lines), "WAITING": sum(line.waiting for line in lines)}
