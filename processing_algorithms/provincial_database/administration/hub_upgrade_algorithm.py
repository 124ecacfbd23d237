"""Processing algorithm ``quyhoach:hubupgrade``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common.language import say
from ...common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm
from ...common.qgis_hub_parameters import datasets_parameter, hub_location, hub_parameter


class HubUpgradeAlgorithm(QuyHoachAlgorithm):
    """A hub brought up to date with the program and its catalogue; see `administration.upgrade`."""

    ID = "hubupgrade"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "upgrade", "nâng cấp", "danh mục", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Nâng cấp cơ sở dữ liệu dùng chung", "Upgrade the shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Đưa cơ sở dữ liệu dùng chung lên kịp phiên bản chương trình: cấu trúc riêng của nó, và các tập dữ liệu, trường, mã mới của danh mục.\n\n"
            "Chỉ thêm, không xóa hay đổi gì; tất cả hoặc không gì cả. Bản dữ liệu làm việc còn chỉnh sửa chưa gửi vẫn dùng tiếp, trường mới về "
            "cùng lần nhận cập nhật sau. Trường bắt buộc mới thì các dòng cũ được để trống. Trên PostGIS chỉ quản trị viên nâng cấp được; "
            "hãy sao lưu trước.",
            "Brings the shared database up to date with the program: its own structure, and new datasets, fields and codes of the catalogue.\n\n"
            "Only adds, changes or removes nothing; all of it or nothing. Working copies with unsent edits go on and get new fields with their next pull. "
            "A new required field may be empty in old rows. In PostGIS only administrators upgrade; back up first.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [hub_parameter(), datasets_parameter()]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("ADDED", say("Số thứ đã thêm", "Things added"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.qgis_forms import form_style
        from ..catalogue import load_catalogue
        from ..hub import chosen_datasets
        from .administration import upgrade

        datasets = chosen_datasets(load_catalogue(), self.parameterAsString(parameters, "DATASETS", context))
        forms = {dataset.name: form_style(dataset, PLUGIN_FOLDER / "styles" / dataset.style) for dataset in datasets}
        done = upgrade(hub_location(self, parameters, context), datasets=datasets, forms=forms,
                       progress=self.progress(feedback))
        for sentence in done or [say("Đã mới nhất, không có gì để thêm.", "Up to date, nothing to add.")]:
            feedback.pushInfo(sentence)
        return {"ADDED": len(done)}
