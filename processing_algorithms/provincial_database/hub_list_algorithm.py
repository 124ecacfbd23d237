"""Processing algorithm ``quyhoach:hublist``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ..common import qgis_parameters as ask
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.qgis_algorithm import QuyHoachAlgorithm
from ..common.qgis_hub_parameters import hub_location, hub_parameter


class HubListAlgorithm(QuyHoachAlgorithm):
    """What a shared database holds; see `hub_list`."""

    ID = "hublist"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "dataset", "tập dữ liệu")

    def title(self) -> str:  # noqa: D102
        return say("Danh sách dữ liệu dùng chung", "List the shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Liệt kê các tập dữ liệu của cơ sở dữ liệu dùng chung: số đối tượng, phạm vi, lần thay đổi gần nhất, số "
            "lần nhập và số đối "
            "tượng bị từ chối còn giữ lại.\n\nPhạm vi làm tròn ra ngoài đến mét, trong hệ tọa độ của cơ sở dữ liệu; "
            "để trống khi chưa có đối tượng.",
            "Lists the datasets of a shared database: number of features, extent, last change, imports and rejected "
            "rows that are "
            "kept.\n\nExtents are rounded outwards to metres in the database's system; null when there are no features.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            hub_parameter(),
            ask.text("DATASETS", say("Các tập dữ liệu", "Datasets"),
                     say("Tên, mã hoặc nhãn, cách nhau bằng dấu phẩy; để trống là tất cả.",
                         "Names, ids or labels separated by commas; blank is all."), optional=True),
            ask.table_output("OUTPUT", say("Danh sách", "List"),
                             say("Bảng: dataset_id, dataset, label, geometry, crs, features, x_min, y_min, x_max, "
                                 "y_max, changed_at, imports, rejected, secrecy.",
                                 "Table: dataset_id, dataset, label, geometry, crs, features, x_min, y_min, x_max, "
                                 "y_max, changed_at, imports, rejected, secrecy."),
                             optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("DATASET_COUNT", say("Số tập dữ liệu", "Number of datasets")),
                QgsProcessingOutputNumber("FEATURE_COUNT", say("Tổng số đối tượng", "Number of features"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .hub import open_hub
        from .hub_list import list_datasets

        with open_hub(hub_location(self, parameters, context)) as hub:
            table = list_datasets(hub, self.parameterAsString(parameters, "DATASETS", context))
            feedback.pushInfo(f"{hub.info.name}: {hub.info.location}")
        for row in table.itertuples():
            feedback.pushInfo(f"  {row.dataset} ({row.label}): {format_number(row.features)}")
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, table), "DATASET_COUNT": len(table),
                "FEATURE_COUNT": int(table["features"].sum())}
