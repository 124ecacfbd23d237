"""Processing algorithm ``quyhoach:changesbetween``."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import (
    dataset_parameter,
    hub_location,
    hub_parameter,
    moment,
    moment_parameters,
    restricted_parameter,
    secrecy_asked,
)


class ChangesBetweenAlgorithm(QuyHoachAlgorithm):
    """What changed between two moments; see `history.difference_layer`."""

    ID = "changesbetween"
    ROOM = "provincial_database"
    TAGS = ("history", "lịch sử", "nhật ký", "diff")

    def title(self) -> str:  # noqa: D102
        return say("Thay đổi giữa hai thời điểm", "Changes between two moments")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho các đối tượng khác nhau giữa hai thời điểm của cơ sở dữ liệu dùng chung: thêm, sửa hay xóa, và sửa những "
            "trường nào.\n\nĐối tượng đã xóa mang giá trị cuối cùng của nó, đối tượng khác mang giá trị ở thời điểm cuối. "
            "Sửa rồi sửa lại như cũ, thêm rồi xóa trong khoảng đó thì không có trong kết quả. Ngày đầu tính từ 0 giờ, ngày "
            "cuối tính hết ngày, giờ Việt Nam.",
            "Gives the features that differ between two moments of the shared database: added, changed or deleted, and "
            "which fields.\n\nA deleted feature has its last values, any other those of the end. Changed and changed back, "
            "or added and deleted in between, is no difference. The first day counts from midnight, the last to its end, "
            "in Vietnam's time.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from ..catalogue import load_catalogue

        return [
            hub_parameter(),
            dataset_parameter(str(dataset.label) for dataset in load_catalogue().values()),
            *moment_parameters("FROM_DATE", "FROM_CHANGESET", say("Từ thời điểm", "From moment"),
                               say("Từ sau đợt cập nhật số", "From after changeset")),
            *moment_parameters("TO_DATE", "TO_CHANGESET", say("Đến thời điểm (để trống: hiện nay)", "To moment (blank: now)"),
                               say("Đến hết đợt cập nhật số", "To the end of changeset")),
            restricted_parameter(),
            ask.layer_output("OUTPUT", say("Thay đổi", "Changes"),
                             say("Các trường của tập dữ liệu, kèm feature_id, change (added, changed, deleted), changed_fields, parent_id "
                                 "(đối tượng gốc của phần tách, sao chép).",
                                 "The dataset's fields, with feature_id, change (added, changed, deleted), changed_fields, parent_id "
                                 "(what a feature was split or copied from)."),
                             Qgis.ProcessingSourceType.VectorAnyGeometry),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("ADDED", say("Số đối tượng thêm", "Features added")),
                QgsProcessingOutputNumber("CHANGED", say("Số đối tượng sửa", "Features changed")),
                QgsProcessingOutputNumber("DELETED", say("Số đối tượng xóa", "Features deleted"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.start = moment(self, parameters, context, "FROM_DATE", "FROM_CHANGESET", end_of_day=False)
        self.end = moment(self, parameters, context, "TO_DATE", "TO_CHANGESET", or_now=True)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..hub import open_hub
        from ..hub_export import cut_to
        from .history import difference_layer

        with open_hub(hub_location(self, parameters, context)) as hub:
            dataset = cut_to(hub.dataset(self.parameterAsString(parameters, "DATASET", context)),
                             secrecy_asked(self, parameters, context))
            frame = difference_layer(hub, dataset, self.start, self.end)
        counts = {kind: int((frame["change"] == kind).sum()) for kind in ("added", "changed", "deleted")}
        feedback.pushInfo(say("Thêm {added}, sửa {changed}, xóa {deleted} đối tượng.",
                              "{added} features added, {changed} changed, {deleted} deleted.").format(**counts))
        kind = getattr(Qgis.WkbType, dataset.geometry) if dataset.geometry else Qgis.WkbType.NoGeometry
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, frame, kind),
                **{name.upper(): count for name, count in counts.items()}}
