"""Processing algorithm ``quyhoach:checkout``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFileDestination,
)

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm
from ...common.qgis_hub_parameters import datasets_parameter, hub_location, hub_parameter, units_parameter
from ...common.qgis_layers import to_qgis_crs


class CheckoutAlgorithm(QuyHoachAlgorithm):
    """A working copy from a hub; see `checkout`."""

    ID = "checkout"
    ROOM = "provincial_database"
    TAGS = ("working copy", "offline", "ngoại tuyến", "tải về")

    def title(self) -> str:  # noqa: D102
        return say("Tải dữ liệu về máy", "Check out data")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tải các tập dữ liệu đã chọn từ cơ sở dữ liệu dùng chung về một tệp GeoPackage để chỉnh sửa nhiều ngày không cần mạng.\n\n"
            "Tệp mở được bằng QGIS và mọi chương trình khác; mọi chỉnh sửa đều được ghi nhận, kể cả của chương trình khác. Dữ liệu được đọc tại một "
            "thời điểm. Tệp đã có không bao giờ bị ghi đè; dừng hoặc lỗi giữa chừng thì không để lại tệp dở dang. Chọn đơn vị hành chính hoặc "
            "phạm vi để chỉ tải một phần; tập dữ liệu không có mã xã thì đơn vị không lọc.",
            "Checks the chosen datasets out of the shared database into one GeoPackage, to be edited for days without a network.\n\n"
            "QGIS and any other program can open the file; every edit is noticed, whichever program makes it. The data are read at one moment. "
            "An existing file is never overwritten; a stopped or failed run leaves no half-made file. Choose communes or an extent to take only a "
            "part; a dataset without a commune code is not narrowed by communes.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            hub_parameter(),
            datasets_parameter(), units_parameter(),
            ask.with_help(QgsProcessingParameterExtent("EXTENT", say("Phạm vi", "Extent"), None, True),
                          say("Chỉ tải đối tượng chạm vào phạm vi này. Không dùng cùng lúc với mã đơn vị hành chính.",
                              "Only features that touch this extent. Not together with commune codes.")),
            ask.with_help(
                QgsProcessingParameterFileDestination("WORKING_COPY", say("Bản dữ liệu làm việc mới", "New working copy"), "GeoPackage (*.gpkg)"),
                say("Tệp .gpkg chưa có.", "A .gpkg file that does not exist yet.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("FEATURE_COUNT", say("Số đối tượng đã tải", "Features checked out"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        from ...common.errors import refuse_if
        from .scopes import commune_codes

        self.units, problems = commune_codes(self.parameterAsString(parameters, "UNITS", context))
        has_extent = not self.parameterAsExtent(parameters, "EXTENT", context).isNull()
        refuse_if([
            say("Chỉ chọn mã đơn vị hành chính hoặc phạm vi, không chọn cả hai.", "Choose commune codes or an extent, not both.")
            if self.units and has_extent else "",
            *problems])

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import shapely

        from ...common.qgis_forms import form_style
        from ..hub import chosen_datasets, open_hub
        from .checkout import checkout
        from .scopes import chosen

        with open_hub(hub_location(self, parameters, context)) as hub:
            datasets = chosen_datasets(hub.datasets, self.parameterAsString(parameters, "DATASETS", context))
            extent = self.parameterAsExtent(parameters, "EXTENT", context, to_qgis_crs(hub.info.crs))
            polygon = None
            if not extent.isNull():
                polygon = shapely.to_wkb(shapely.box(extent.xMinimum(), extent.yMinimum(), extent.xMaximum(),
                                                     extent.yMaximum()))
            scopes = [chosen(dataset, self.units, polygon) for dataset in datasets]
            forms = {dataset.name: form_style(dataset, PLUGIN_FOLDER / "styles" / dataset.style)
                     for dataset in datasets}
            path = self.parameterAsFileOutput(parameters, "WORKING_COPY", context)
            with checkout(path, hub, location=self._place(parameters, context, hub.info.location), crs=hub.info.crs,
                          datasets=datasets, scopes=scopes, forms=forms,
                          progress=self.progress(feedback)) as copy:
                total = sum(line.count for line in copy.status())
        feedback.pushInfo(
            say("Đã tải {n} đối tượng của {d} tập dữ liệu.", "Checked out {n} features of {d} datasets.").format(
                n=total, d=len(datasets)
            )
        )
        if not total and (self.units or polygon is not None):
            feedback.pushWarning(say("Không có đối tượng nào trong phạm vi đã chọn; hãy xem lại mã đơn vị hành chính hoặc phạm vi.",
                                     "There is nothing within what was chosen; check the commune codes or the extent."))
        return {"WORKING_COPY": path, "FEATURE_COUNT": total}

    def _place(self, parameters: dict[str, Any], context: QgsProcessingContext, file: str) -> str:
        """What the copy keeps to find its hub again: the file's whole path, or the address or connection as it was typed."""
        typed = self.parameterAsFile(parameters, "HUB", context).strip()
        return file if typed.lower().endswith(".gpkg") else typed
