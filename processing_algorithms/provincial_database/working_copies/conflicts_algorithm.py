"""Processing algorithm ``quyhoach:conflicts``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_working_copy import working_copy_parameter


class ConflictsAlgorithm(QuyHoachAlgorithm):
    """The conflicts of a working copy as a table; see `conflict_review`."""

    ID = "conflicts"
    ROOM = "provincial_database"
    TAGS = ("working copy", "merge", "trộn")

    def title(self) -> str:  # noqa: D102
        return say("Danh sách xung đột dữ liệu", "List conflicts")

    def help(self) -> str:  # noqa: D102
        return say(
            "Liệt kê các xung đột dữ liệu chưa xử lý của bản dữ liệu làm việc, mỗi trường tranh chấp một dòng với ba giá trị: gốc, của máy này, của cơ "
            "sở dữ liệu dùng chung.\n\nXung đột nằm trong tệp nên còn nguyên khi đóng QGIS. Hình ghi dạng WKT. Xử lý bằng \"Xử lý xung đột dữ liệu\".",
            "Lists the conflicts of the working copy that are not resolved, one row per disputed field with three values: base, this machine's, the "
            "shared database's.\n\nConflicts are in the file and outlive closing QGIS. Shapes are written as WKT. Resolve them with \"Resolve conflicts\".")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [working_copy_parameter(),
                ask.table_output("OUTPUT", say("Xung đột", "Conflicts"),
                                 say("Bảng: dataset, feature_id, clash, field, label, base, ours, theirs, noticed_at.",
                                     "Table: dataset, feature_id, clash, field, label, base, ours, theirs, noticed_at."))]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("CONFLICTS", say("Số đối tượng xung đột", "Features in conflict"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .conflict_review import conflict_table, conflicts
        from .working_copy import WorkingCopy

        with WorkingCopy(self.parameterAsFile(parameters, "WORKING_COPY", context)) as copy:
            count = len(list(conflicts(copy)))
            table = conflict_table(copy)
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, table), "CONFLICTS": count}
