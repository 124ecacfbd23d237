"""Processing algorithm ``quyhoach:hubexport``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterCrs,
    QgsProcessingParameterExtent,
)

from ..common import qgis_parameters as ask
from ..common.language import say
from ..common.progress import part
from ..common.qgis_algorithm import QuyHoachAlgorithm
from ..common.qgis_hub_parameters import dataset_parameter, hub_location, hub_parameter
from ..common.qgis_layers import to_pyproj, to_qgis_crs


class HubExportAlgorithm(QuyHoachAlgorithm):
    """A dataset of the shared database as a layer; see `hub_export`."""

    ID = "hubexport"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "trích xuất", "extract")

    def title(self) -> str:  # noqa: D102
        return say("Xuất dữ liệu từ cơ sở dữ liệu dùng chung", "Export from the shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Xuất một tập dữ liệu, toàn bộ hoặc theo xã, theo khung, theo điều kiện, ra tệp hoặc lớp tạm. Số liệu "
            "xuất ra giữ feature_id nên "
            "nhập lại được mà không trùng.\n\nTrường dữ liệu cá nhân (điện thoại, số giấy chứng nhận...) chỉ xuất khi "
            "chọn RESTRICTED. Không có hình: xuất nguyên dòng.",
            "Exports a dataset, whole or by commune, extent or condition, to a file or a temporary layer. The rows "
            "keep their feature_id, so "
            "importing them again makes no doubles.\n\nPersonal data (phones, certificate numbers...) are exported "
            "only with RESTRICTED.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from .catalogue import load_catalogue

        return [
            hub_parameter(),
            dataset_parameter(str(dataset.label) for dataset in load_catalogue().values()),
            ask.text("FILTER", say("Điều kiện", "Condition"),
                     say("Ví dụ: land_code IN ('ONT', 'ODT') AND legal_area_m2 > 100. Chữ và ngày trong dấu nháy đơn.",
                         "For example: land_code IN ('ONT', 'ODT') AND legal_area_m2 > 100. Texts and dates in single "
                         "quotes."), optional=True),
            ask.text("UNITS", say("Mã xã, phường", "Commune codes"),
                     say("Cách nhau bằng dấu phẩy; để trống là tất cả.", "Separated by commas; blank is all."),
                     optional=True),
            ask.with_help(QgsProcessingParameterExtent("EXTENT", say("Khung", "Extent"), None, True),
                          say("Lấy đối tượng có khung bao chạm vào.", "Takes rows whose envelope touches it.")),
            ask.with_help(QgsProcessingParameterCrs("CRS", say("Hệ tọa độ xuất", "Coordinate system"), None, True),
                          say("Để trống: hệ của cơ sở dữ liệu.", "Empty: the database's.")),
            ask.yes_no("RESTRICTED", say("Kèm dữ liệu cá nhân", "With personal data"),
                       say("Chỉ chọn khi được phép.", "Only where you are allowed to."), advanced=True),
            ask.layer_output("OUTPUT", say("Dữ liệu xuất", "Exported data"),
                             say("Các trường của tập dữ liệu, kèm feature_id.",
                                 "The dataset's fields, with feature_id."),
                             Qgis.ProcessingSourceType.VectorAnyGeometry),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("FEATURE_COUNT", say("Số đối tượng", "Number of features"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .hub import open_hub
        from .hub_export import USUAL_SECRECY, export_dataset

        progress = self.progress(feedback)
        with open_hub(hub_location(self, parameters, context)) as hub:
            dataset = hub.dataset(self.parameterAsString(parameters, "DATASET", context))
            extent = None
            if parameters.get("EXTENT"):
                box = self.parameterAsExtent(parameters, "EXTENT", context, to_qgis_crs(hub.info.crs))
                extent = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
            crs = to_pyproj(self.parameterAsCrs(parameters, "CRS", context)) if parameters.get("CRS") else None
            frame = export_dataset(
                hub, dataset.name, condition=self.parameterAsString(parameters, "FILTER", context),
                units=self.parameterAsString(parameters, "UNITS", context), extent=extent, crs=crs,
                secrecy="restricted" if self.parameterAsBool(parameters, "RESTRICTED", context) else USUAL_SECRECY,
                progress=part(progress, 0.0, 0.6))
        if frame.empty:
            feedback.pushWarning(say("Không có đối tượng nào thỏa điều kiện.", "No features meet the conditions."))
        kind = getattr(Qgis.WkbType, dataset.geometry) if dataset.geometry else Qgis.WkbType.NoGeometry
        written = self.write_layer(parameters, "OUTPUT", context, frame, kind, dataset.style)
        return {"OUTPUT": written, "FEATURE_COUNT": len(frame)}
