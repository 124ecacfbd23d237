"""Processing algorithm ``quyhoach:asofdate``."""

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


class AsOfDateAlgorithm(QuyHoachAlgorithm):
    """A dataset as it once was; see `history.layer_as_of`."""

    ID = "asofdate"
    ROOM = "provincial_database"
    TAGS = ("history", "lịch sử", "nhật ký", "snapshot")

    def title(self) -> str:  # noqa: D102
        return say("Dữ liệu tại một thời điểm", "Data as of a moment")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho lớp dữ liệu đúng như trong cơ sở dữ liệu dùng chung tại một thời điểm, hoặc ngay sau một đợt cập nhật.\n\n"
            "Tính ngược từ hiện tại theo nhật ký chỉnh sửa, nên gồm cả chỉnh sửa của chương trình khác. Chỉ ghi ngày thì lấy "
            "cuối ngày đó, giờ Việt Nam. Trường dữ liệu cá nhân chỉ có khi chọn RESTRICTED.",
            "Gives a dataset exactly as it was in the shared database at a moment, or just after a changeset.\n\n"
            "Worked out backwards from the present by the change ledger, so edits of other programs are in it. A day alone "
            "is its end in Vietnam's time. Personal data only with RESTRICTED.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from ..catalogue import load_catalogue

        return [
            hub_parameter(),
            dataset_parameter(str(dataset.label) for dataset in load_catalogue().values()),
            *moment_parameters(
                "DATE", "CHANGESET", say("Thời điểm", "Moment"), say("Sau đợt cập nhật số", "After changeset")
            ),
            restricted_parameter(),
            ask.layer_output(
                "OUTPUT",
                say("Dữ liệu tại thời điểm đó", "Data as of the moment"),
                say("Các trường của tập dữ liệu, kèm feature_id.", "The dataset's fields, with feature_id."),
                Qgis.ProcessingSourceType.VectorAnyGeometry,
            ),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("FEATURE_COUNT", say("Số đối tượng", "Number of features"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.moment = moment(self, parameters, context, "DATE", "CHANGESET")

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..hub import open_hub
        from ..hub_export import cut_to
        from .history import layer_as_of

        with open_hub(hub_location(self, parameters, context)) as hub:
            dataset = cut_to(hub.dataset(self.parameterAsString(parameters, "DATASET", context)),
                             secrecy_asked(self, parameters, context))
            frame = layer_as_of(hub, dataset, self.moment)
        if frame.empty:
            feedback.pushWarning(say("Lúc đó chưa có đối tượng nào.", "There were no features at that moment."))
        kind = getattr(Qgis.WkbType, dataset.geometry) if dataset.geometry else Qgis.WkbType.NoGeometry
        written = self.write_layer(parameters, "OUTPUT", context, frame, kind, dataset.style)
        return {"OUTPUT": written, "FEATURE_COUNT": len(frame)}
