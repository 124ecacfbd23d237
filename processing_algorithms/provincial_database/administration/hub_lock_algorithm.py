"""Processing algorithm ``quyhoach:hublock``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import InputError
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import dataset_parameter, hub_location, hub_parameter


class HubLockAlgorithm(QuyHoachAlgorithm):
    """Closing an inventory year or a plan, and opening it again; see `postgis_rights.lock` and `geopackage_locks.lock`."""

    ID = "hublock"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "lock", "khóa sổ", "kiểm kê", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Khóa, mở khóa số liệu", "Lock or unlock data")

    def help(self) -> str:  # noqa: D102
        return say(
            "Khóa mọi đối tượng của một năm kiểm kê, thống kê (trường year) hoặc của một đồ án (trường plan_ref) để không ai thêm, sửa, xóa được, bằng "
            "bất kỳ chương trình nào; hoặc mở khóa.\n\nĐồ án được phê duyệt thì tự khóa cùng các ô quy hoạch của nó. Mở khóa để đính chính: khóa cũ, "
            "người mở và lý do vẫn còn trong cơ sở dữ liệu. Trên PostGIS chỉ quản trị viên khóa và mở khóa được.",
            "Locks all features of an inventory year (field year) or of a plan (field plan_ref), so that nobody adds, changes or deletes them with any "
            "program; or lifts the lock.\n\nAn approved plan locks itself and its zones. A lock lifted for a correction stays on record, with who lifted "
            "it and why. In PostGIS only administrators lock and unlock.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from ..catalogue import load_catalogue

        return [
            hub_parameter(),
            dataset_parameter(str(dataset.label) for dataset in load_catalogue().values()
                              if {"year", "plan_ref"} & set(dataset.field_names)),
            ask.text("VALUE", say("Năm hoặc mã đồ án", "Year or plan reference"), say("Ví dụ 2024, hoặc mã trong trường plan_ref.",
                                                                                    "Such as 2024, or the code in the field plan_ref.")),
            ask.text("REASON", say("Lý do", "Reason"), say("Người bị từ chối sẽ thấy lý do này, ví dụ: Kiểm kê 2024 đã khóa sổ.",
                                                          "Who is refused sees it, such as: inventory of 2024 is closed.")),
            ask.yes_no("LIFT", say("Mở khóa", "Lift the lock"), say("Chọn để mở khóa thay vì khóa.", "Lifts the lock instead."))]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputNumber(
                "LOCKS", say("Số khóa đang có hiệu lực của tập dữ liệu", "Locks in force on the dataset")
            )
        ]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..hub import open_hub

        value, reason = (self.parameterAsString(parameters, key, context).strip() for key in ("VALUE", "REASON"))
        if not value or not reason:
            raise InputError(
                say("Hãy ghi năm hoặc mã đồ án, và lý do.", "Give the year or plan reference, and the reason.")
            )
        with open_hub(hub_location(self, parameters, context)) as hub:
            dataset = hub.dataset(self.parameterAsString(parameters, "DATASET", context))
            if not self.parameterAsBool(parameters, "LIFT", context):
                hub.lock(dataset, value, reason)
            elif not hub.unlock(dataset, value, reason):
                raise InputError(
                    say(
                        "{dataset}: {value} không bị khóa; đang khóa: {values}.",
                        "{dataset}: {value} is not locked; locked are: {values}.",
                    ).format(dataset=dataset.label, value=value, values=", ".join(hub.locks(dataset)) or "-")
                )
            locks = hub.locks(dataset)
        feedback.pushInfo(say("{dataset}: đang khóa {values}.", "{dataset}: locked are {values}.")
                          .format(dataset=dataset.label, values=", ".join(locks) or "-"))
        return {"LOCKS": len(locks)}
