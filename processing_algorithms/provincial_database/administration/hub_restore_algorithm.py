"""Processing algorithm ``quyhoach:hubrestore``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
)

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import new_hub_parameter, new_hub_place

#: Backups of both kinds of hub.
BACKUP_FILTER = "GeoPackage (*.gpkg);;PostgreSQL (*.dump)"


class HubRestoreAlgorithm(QuyHoachAlgorithm):
    """A shared database from a backup; see `administration.restore`."""

    ID = "hubrestore"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "backup", "khôi phục", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Phục hồi cơ sở dữ liệu từ bản sao lưu", "Restore the shared database from a backup")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tạo một cơ sở dữ liệu dùng chung mới từ bản sao lưu.\n\n"
            "Không ghi đè gì. Bản sao lưu GeoPackage thành một tệp mới; bản sao lưu PostGIS vào một cơ sở dữ liệu PostgreSQL trống, "
            "cùng các vai trò và thành viên (không có mật khẩu). Bản dữ liệu làm việc cũ hơn bản sao lưu nhận cập nhật như thường. Bản mới hơn giữ những gì "
            "đã gửi sau lúc sao lưu: lần nhận cập nhật đầu tiên so sánh toàn bộ, phần bị thiếu trở lại thành chỉnh sửa chưa "
            "gửi, chỗ hai bên khác nhau thành xung đột; không gì mất. Chỉ đường dẫn mới cho các bản làm việc bằng tham số HUB. "
            "Bản sao lưu có cấu trúc cũ được nâng lên ngay trong cơ sở dữ liệu mới; bản sao lưu vẫn như trước.",
            "Makes a new shared database from a backup.\n\n"
            "Overwrites nothing. A GeoPackage backup becomes a new file; a PostGIS one goes into an empty PostgreSQL database, with "
            "its roles and members (without passwords). Working copies older than the backup pull as ever. Newer ones still have what was sent after "
            "the backup: their first pull compares everything, what is lacking becomes an edit to send again, what both "
            "sides changed a conflict; nothing is lost. Tell working copies the new place by the parameter HUB. "
            "A backup of an older structure is brought up to date in the new database; the backup itself stays as it was.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.with_help(QgsProcessingParameterFile("INPUT", say("Bản sao lưu", "Backup"),
                                                     Qgis.ProcessingFileParameterBehavior.File,
                                                     "", None, False, BACKUP_FILTER),
                          say("Tệp do \"Sao lưu cơ sở dữ liệu\" ghi.", "A file written by \"Back up the shared database\".")),
            new_hub_parameter(say(
                "Tệp .gpkg chưa có. Bản sao lưu của PostGIS thì là tên kết nối PostgreSQL đã lưu trong QGIS, hoặc địa chỉ libpq "
                "không có mật khẩu, của một cơ sở dữ liệu trống.",
                "A .gpkg file that does not exist yet. For a backup of PostGIS the name of a PostgreSQL connection stored in "
                "QGIS, or a libpq address without a password, of an empty database.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("FEATURE_COUNT", say("Số đối tượng", "Number of features"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .administration import restore

        place, location = new_hub_place(self, parameters, context)
        source = self.parameterAsFile(parameters, "INPUT", context)
        with restore(source, location, progress=self.progress(feedback)) as hub:
            count = sum(summary.count for summary in hub.summaries())
            feedback.pushInfo(say("Đã phục hồi {name}: {n} đối tượng.", "{name} is restored: {n} features.")
                              .format(name=hub.info.name, n=count))
        return {"HUB": place, "FEATURE_COUNT": count}
