"""Processing algorithm ``quyhoach:hubcreate``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterCrs,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError
from ...common.language import say
from ...common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm
from ...common.qgis_hub_parameters import new_hub_parameter, new_hub_place
from ...common.qgis_layers import to_pyproj


class HubCreateAlgorithm(QuyHoachAlgorithm):
    """A new shared database; see `hub_create`."""

    ID = "hubcreate"
    ROOM = "provincial_database"
    TAGS = ("hub", "geopackage", "csdl", "cơ sở dữ liệu", "database")

    def title(self) -> str:  # noqa: D102
        return say("Tạo cơ sở dữ liệu dùng chung", "Create a shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tạo một cơ sở dữ liệu dùng chung rỗng theo danh mục dữ liệu: bảng, danh mục mã, ràng buộc, chỉ mục không gian, biểu mẫu "
            "nhập liệu tiếng Việt cho QGIS. Là một tệp GeoPackage (cơ quan nhỏ), hoặc nằm trong một cơ sở dữ liệu PostgreSQL có "
            "PostGIS (nhiều người dùng, có phân quyền).\n\n"
            "Không bao giờ ghi đè; nếu dừng hoặc lỗi giữa chừng thì không để lại gì dở dang. Trên PostgreSQL, tài khoản phải là "
            "chủ của cơ sở dữ liệu và được tạo vai trò (CREATEROLE); những gì đã có trong đó giữ nguyên. Mọi tập dữ liệu ở cùng "
            "một hệ tọa độ phẳng đơn vị mét, thường là VN-2000 kinh tuyến trục của tỉnh. Tệp đặt trên ổ mạng dùng chung dễ hỏng "
            "khi nhiều người cùng ghi; nên đặt trên máy của một người giữ.",
            "Creates an empty shared database from the catalogue: tables, code lists, constraints, spatial indexes and entry "
            "forms for QGIS. It is one GeoPackage file (a small office), or lives in a PostgreSQL database with PostGIS (many "
            "users, with rights).\n\n"
            "Nothing is ever overwritten; a stopped or failed run leaves nothing half made. In PostgreSQL the account must own "
            "the database and be allowed to create roles (CREATEROLE); what is in it already stays as it is. All datasets are in "
            "one plane system in metres, VN-2000 with the province's meridian as a rule. A file on a network share is easily "
            "damaged when several people write; keep it on one keeper's machine.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.with_help(
                QgsProcessingParameterCrs("CRS", say("Hệ tọa độ", "Coordinate system"), "ProjectCrs"),
                say("Hệ tọa độ phẳng của tỉnh, ví dụ VN-2000 múi 3°. Mặc định là hệ của dự án đang mở.",
                    "The province's plane system, such as VN-2000 in a zone of 3°. The open project's by default.")),
            ask.text("NAME", say("Tên cơ sở dữ liệu", "Name"),
                     say("Ví dụ tên tỉnh; để trống thì lấy tên tệp.",
                         "Such as the province's name; the file's name when blank."), optional=True),
            ask.text("DATASETS", say("Các tập dữ liệu", "Datasets"),
                     say("Tên, mã hoặc nhãn các tập dữ liệu, cách nhau bằng dấu phẩy; để trống là tất cả.",
                         "Names, ids or labels of datasets separated by commas; blank is all."), optional=True,
                     advanced=True),
            new_hub_parameter(say(
                "Tệp .gpkg chưa có; hoặc tên kết nối PostgreSQL đã lưu trong QGIS, hoặc địa chỉ libpq không có mật khẩu "
                "(service=tinh), của một cơ sở dữ liệu PostgreSQL đã có.",
                "A .gpkg file that does not exist yet; or the name of a PostgreSQL connection stored in QGIS, or a libpq "
                "address without a password (service=province), of a PostgreSQL database that exists.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("DATASET_COUNT", say("Số tập dữ liệu", "Number of datasets"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        from ..catalogue import load_catalogue
        from ..hub import chosen_datasets

        self.place, self.location = new_hub_place(self, parameters, context)
        self.crs = to_pyproj(self.parameterAsCrs(parameters, "CRS", context))
        self.datasets = chosen_datasets(load_catalogue(), self.parameterAsString(parameters, "DATASETS", context))
        if self.crs is None:
            raise InputError(say("Chưa chọn hệ tọa độ (CRS), ví dụ EPSG:9214 là VN-2000 kinh tuyến trục 107°00′, múi "
                                 "3°.",
                                 "No coordinate system (CRS) is chosen; EPSG:9214, for example, is VN-2000 with "
                                 "meridian 107°00′, zone of 3°."))

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.crs import is_vn2000, meridian_label
        from ...common.network_places import on_network_share
        from ...common.qgis_forms import form_style
        from ..findings import on_a_share
        from .hub_create import create_hub

        forms = {dataset.name: form_style(dataset,
                                          PLUGIN_FOLDER / "styles" / dataset.style) for dataset in self.datasets}
        with create_hub(self.location, self.crs, datasets=self.datasets,
                        name=self.parameterAsString(parameters, "NAME", context),
                        forms=forms, progress=self.progress(feedback)) as hub:
            if not is_vn2000(self.crs):
                feedback.pushWarning(say("Hệ tọa độ {crs} không phải VN-2000.",
                                         "The system {crs} is not VN-2000.").format(crs=self.crs.name))
            if isinstance(self.location, str) and on_network_share(self.location):
                feedback.pushWarning(" ".join(on_a_share()))
            feedback.pushInfo(say("Đã tạo \"{name}\" với {n} tập dữ liệu, {crs}.",
                                  "Created \"{name}\" with {n} datasets, {crs}.")
                              .format(name=hub.info.name, n=len(hub.datasets), crs=meridian_label(hub.info.crs)))
            return {"HUB": self.place, "DATASET_COUNT": len(hub.datasets)}
