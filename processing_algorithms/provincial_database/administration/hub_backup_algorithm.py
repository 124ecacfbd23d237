"""Processing algorithm ``quyhoach:hubbackup``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFileDestination,
)

from ...common import qgis_parameters as ask
from ...common.errors import OutputError, name_some
from ...common.language import say
from ...common.progress import part
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter
from .hub_restore_algorithm import BACKUP_FILTER


class HubBackupAlgorithm(QuyHoachAlgorithm):
    """A backup of a shared database; see `administration.back_up`."""

    ID = "hubbackup"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "backup", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Sao lưu cơ sở dữ liệu", "Back up the shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Sao lưu cơ sở dữ liệu dùng chung, nguyên vẹn tại một thời điểm, ra một tệp mới; người khác vẫn làm việc.\n\n"
            "Không bao giờ ghi đè tệp đã có. Bản sao lưu không mở thẳng được: phục hồi bằng \"Phục hồi cơ sở dữ liệu từ bản "
            "sao lưu\" để các bản dữ liệu làm việc nhận ra và không mất gì. Chọn diễn tập thì phục hồi thử vào chỗ tạm và so "
            "từng dòng của mọi bảng. Với PostGIS: chỉ quản trị viên của cơ sở dữ liệu sao lưu được, máy này cần pg_dump cùng phiên bản máy "
            "chủ trở lên; diễn tập tạo rồi xóa một cơ sở dữ liệu tạm nên tài khoản cần quyền CREATEDB.",
            "Writes the shared database, as it is at one moment, to a new file; people may go on working.\n\n"
            "Never overwrites a file. A backup is not opened itself: restore it with \"Restore the shared database\", so that "
            "working copies notice and nothing is lost. The drill restores it to a temporary place and compares every row "
            "of every table. In PostGIS only administrators of the hub can back it up, this machine needs a pg_dump as new as the "
            "server, and the drill makes and drops a database of its own, so the account needs CREATEDB.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            hub_parameter(),
            ask.yes_no("DRILL", say("Diễn tập phục hồi", "Restore drill"),
                       say("Phục hồi thử và so từng dòng; ai lưu lúc đó phải chờ.",
                           "Restores it apart and compares every row; who saves meanwhile waits."), advanced=True),
            ask.with_help(QgsProcessingParameterFileDestination("OUTPUT", say("Bản sao lưu", "Backup"), BACKUP_FILTER),
                          say("Tệp chưa có: .gpkg cho cơ sở dữ liệu GeoPackage, .dump cho PostGIS.",
                              "A file that does not exist yet: .gpkg for a GeoPackage hub, .dump for PostGIS.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputNumber("ROWS_COMPARED", say("Số dòng đã so khi diễn tập", "Rows compared by the drill"))
        ]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .administration import back_up, prove

        hub, path = hub_location(self, parameters, context), self.parameterAsFileOutput(parameters, "OUTPUT", context)
        progress, rows = self.progress(feedback), 0
        back_up(hub, path, progress=part(progress, 0.0, 0.5))
        if self.parameterAsBool(parameters, "DRILL", context):
            report = prove(hub, progress=part(progress, 0.5, 1.0))
            rows = report.rows
            if not report.passed:
                raise OutputError(say("Đã ghi bản sao lưu, nhưng diễn tập phục hồi không khớp ở: {names}.",
                                      "The backup is written, but the restore drill differs in: {names}.")
                                  .format(names=name_some(report.different) or "incarnation"))
            feedback.pushInfo(say("Diễn tập phục hồi: {rows} dòng của {tables} bảng giống hệt; các bản dữ liệu làm việc nhận cập nhật tiếp được.",
                                  "Restore drill: {rows} rows of {tables} tables are the same; working copies go on from where they are.")
                              .format(rows=report.rows, tables=report.tables))
        return {"OUTPUT": path, "ROWS_COMPARED": rows}
