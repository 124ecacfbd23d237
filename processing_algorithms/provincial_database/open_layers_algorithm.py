"""Processing algorithm ``quyhoach:openlayers``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProject,
)
from qgis.PyQt.QtCore import QTimer

from ..common import qgis_parameters as ask
from ..common.errors import InputError
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.qgis_algorithm import ROOMS, QuyHoachAlgorithm, kept
from ..common.qgis_hub_parameters import HUB_FILTER, resolved


class OpenLayersAlgorithm(QuyHoachAlgorithm):
    """Layers ready to work with from any place; see `stored_tables` and `common.qgis_open_layers`."""

    ID = "openlayers"
    ROOM = "provincial_database"
    TAGS = ("load", "style", "ký hiệu", "chú giải", "mở lớp")

    def title(self) -> str:  # noqa: D102
        return say("Mở lớp dữ liệu", "Open data layers")

    def help(self) -> str:  # noqa: D102
        return say(
            "Mở các lớp của cơ sở dữ liệu dùng chung, bản dữ liệu làm việc hoặc dữ liệu mẫu, sẵn sàng để làm việc: màu và "
            "ký hiệu theo quy định, nhãn, tên trường và danh mục giá trị bằng tiếng Việt, thông tin nhanh khi rê chuột, tỷ lệ hiển "
            "thị, nhóm theo lĩnh vực; chú giải chỉ gồm những gì có trong dữ liệu.\n\n"
            "Mã chưa có ký hiệu vẫn hiện trên bản đồ (màu hồng đậm, có tên mã trong chú giải) và được liệt kê trong nhật ký và "
            "bảng kết quả cùng số đối tượng. Dữ liệu không bị thay đổi. Có thể ghi luôn thành dự án .qgz mở được không cần phần bổ "
            "trợ. Lớp mà danh mục không biết được mở với tên bảng của nó; hình rỗng hoặc không hợp lệ được giữ nguyên.",
            "Opens the layers of a shared database, a working copy or the sample, ready to work with: official colours and symbols, "
            "labels, field names and value lists, map tips, scale ranges, groups by field of work, and a legend of what is "
            "present.\n\nA code without a symbol is still drawn (in magenta, by its own name in the legend) and told in the log and the "
            "table, with the number of features. Data are not changed. The layers may be saved as a .qgz project that opens without the "
            "plugin. A table the catalogue does not know is opened under its own name; empty and invalid shapes are left as they are.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.with_help(
                QgsProcessingParameterFile("INPUT", say("Nơi có dữ liệu", "Where the data are"),
                                           Qgis.ProcessingFileParameterBehavior.File, "", None, False, HUB_FILTER),
                say("Tệp GeoPackage (cơ sở dữ liệu dùng chung, bản dữ liệu làm việc, dữ liệu mẫu), tên một kết nối PostgreSQL đã lưu trong "
                    "QGIS, hoặc địa chỉ libpq không có mật khẩu.",
                    "A GeoPackage (shared database, working copy, sample), the name of a PostgreSQL connection stored in QGIS, or a "
                    "libpq address without a password.")),
            ask.text("DATASETS", say("Các lớp cần mở", "Layers to open"),
                     say("Tên bảng, tên, mã hoặc nhãn của tập dữ liệu, cách nhau bằng dấu phẩy; để trống là tất cả.",
                         "Tables, or datasets by name, id or label, separated by commas; blank is all."), optional=True),
            ask.yes_no("LOAD", say("Thêm vào bản đồ đang mở", "Add to the open map"),
                       say("Thêm các lớp vào dự án đang mở khi chạy xong.", "Adds the layers to the open project when done."), True),
            ask.with_help(
                QgsProcessingParameterFileDestination("PROJECT", say("Dự án QGIS", "QGIS project"), "QGIS (*.qgz)",
                                                      None, True, False),
                say("Ghi các lớp thành dự án .qgz, đường dẫn tương đối. Để trống nếu không cần.",
                    "Saves the layers as a .qgz project with relative paths. Leave empty if not needed.")),
            ask.table_output("OUTPUT", say("Bảng các lớp", "Table of the layers"),
                             say("Bảng: layer, label, dataset, features, unknown_code (mã chưa có ký hiệu), unknown_count; mỗi mã một dòng.",
                                 "Table: layer, label, dataset, features, unknown_code (without a symbol), unknown_count; a line for each code."),
                             optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputMultipleLayers("LAYERS", say("Các lớp đã mở", "Layers that were opened")),
                QgsProcessingOutputNumber("LAYER_COUNT", say("Số lớp", "Number of layers")),
                QgsProcessingOutputNumber("UNKNOWN_CODES", say("Số mã chưa có ký hiệu", "Codes without a symbol"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import pandas

        from ..common.qgis_open_layers import groups_of, open_layers
        from ..common.qgis_project import save_project
        from .stored_tables import stored_tables

        typed = self.parameterAsFile(parameters, "INPUT", context).strip()
        if not typed:
            raise InputError(say("Chưa chọn nơi có dữ liệu.", "No place of data is chosen."))
        location = resolved(typed)
        tables = stored_tables(location, self.parameterAsString(parameters, "DATASETS", context))
        opened = open_layers(location, tables, connection="" if isinstance(location, str) else typed,
                             progress=self.progress(feedback))
        lines = []
        for one in opened:
            known = {"layer": one.table.name, "label": one.table.label,
                     "dataset": one.table.dataset.name if one.table.dataset else None,
                     "features": one.layer.featureCount()}
            lines += [{**known, "unknown_code": code.value, "unknown_count": code.count}
                      for code in one.unknown_codes] or [
                {**known, "unknown_code": None, "unknown_count": 0}]
            for code in one.unknown_codes:
                feedback.pushWarning(say("{layer}: mã \"{code}\" chưa có ký hiệu ({n} đối tượng), vẽ màu hồng đậm.",
                                         "{layer}: the code \"{code}\" has no symbol ({n} features), drawn in magenta.")
                                     .format(layer=one.table.label, code=code.value, n=format_number(code.count)))
        results: dict[str, Any] = {"LAYER_COUNT": len(opened),
                                   "UNKNOWN_CODES": sum(len(one.unknown_codes) for one in opened)}
        results["OUTPUT"] = self.write_layer(parameters, "OUTPUT", context, pandas.DataFrame(lines))
        project = self.parameterAsFileOutput(parameters, "PROJECT", context)
        name = Path(typed).stem if isinstance(location, str) else typed
        if project:
            # The project takes its layers over and closes them: those for the map are opened apart.
            again = open_layers(location, tables, connection="" if isinstance(location, str) else typed)
            save_project(project, name, again[0].layer.crs(), groups_of(again, ROOMS))
            results["PROJECT"] = project
        results["LAYERS"] = [one.layer.id() for one in opened]
        for at, one in enumerate(opened):
            context.temporaryLayerStore().addMapLayer(one.layer)
            if self.parameterAsBool(parameters, "LOAD", context) and context.project() is not None:
                details = QgsProcessingContext.LayerDetails(one.table.label, context.project(), "LAYERS")
                details.groupName = say(*ROOMS[one.table.room])
                details.layerSortKey = at
                details.forceName = True
                details.setPostProcessor(kept(_LegendOnLoad(one.table.visible)))
                context.addLayerToLoadOnCompletion(one.layer.id(), details)
        return results


class _LegendOnLoad(QgsProcessingLayerPostProcessorInterface):
    """Leaves out of the legend what is absent, and switches off, when QGIS has put the layer into the tree."""

    def __init__(self, visible: bool):
        super().__init__()
        self._visible = visible

    def postProcessLayer(self, layer, context, feedback) -> None:  # noqa: D102, N802
        identity, visible = layer.id(), self._visible
        # The layer joins the tree after this.
        QTimer.singleShot(0, lambda: _show(identity, visible))


def _show(identity: str, visible: bool) -> None:
    from ..common.qgis_dressing import show_present

    node = QgsProject.instance().layerTreeRoot().findLayer(identity)
    if node is not None:
        node.setItemVisibilityChecked(visible)
        show_present(node)

