"""Processing algorithm ``quyhoach:revertchangeset``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import OutputError
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter
from ...common.qgis_working_copy import changeset_parameters, changeset_values


class RevertChangesetAlgorithm(QuyHoachAlgorithm):
    """A changeset taken back by a new one; see `history.History.revert`."""

    ID = "revertchangeset"
    ROOM = "provincial_database"
    TAGS = ("history", "undo", "nhật ký", "lịch sử")

    def title(self) -> str:  # noqa: D102
        return say("Hoàn tác đợt cập nhật", "Revert a changeset")

    def help(self) -> str:  # noqa: D102
        return say(
            "Trả lại giá trị trước một đợt cập nhật của cơ sở dữ liệu dùng chung bằng một đợt cập nhật mới; nhật ký giữ cả "
            "hai.\n\nTrường người khác đã sửa sau đó ở chính đối tượng ấy thì giữ nguyên; nếu họ sửa đúng trường của đợt "
            "này thì không làm gì và nêu rõ đối tượng, trường và đợt. Đồ án đã phê duyệt, năm đã khóa sổ cũng không hoàn tác.",
            "Brings back the values from before a changeset of the shared database, by a new changeset; the ledger keeps "
            "both.\n\nOther fields that others have changed since stay; where they changed the very fields of this "
            "changeset nothing is done, and the features, fields and changesets are told. Approved plans and closed years "
            "are not reverted.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            hub_parameter(),
            ask.number(
                "CHANGESET",
                say("Số của đợt cập nhật", "Number of the changeset"),
                say("Số thứ tự trong nhật ký chỉnh sửa.", "Its number in the change ledger."),
                minimum=1,
                integer=True,
            ),
            *changeset_parameters(required=False),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("NUMBER", say("Số của đợt cập nhật mới", "Number of the new changeset"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..changes import Outcome
        from ..hub import open_hub

        number = self.parameterAsInt(parameters, "CHANGESET", context)
        with open_hub(hub_location(self, parameters, context)) as hub:
            receipt = hub.revert(number, progress=self.progress(feedback),
                                 **changeset_values(self, parameters, context))
        if receipt.outcome is not Outcome.APPLIED:
            reasons = "; ".join(f"{o.dataset} {o.feature_id}: {o.reason}" for o in receipt.objections[:10])
            raise OutputError(say("Chưa hoàn tác được, không có gì được ghi ({n} đối tượng): {reasons}",
                                  "Not reverted, nothing was written ({n} features): {reasons}")
                              .format(n=len(receipt.objections), reasons=reasons))
        feedback.pushInfo(say("Đã hoàn tác đợt {old} bằng đợt {new}.", "Changeset {old} is reverted by {new}.")
                          .format(old=number, new=receipt.number))
        return {"NUMBER": receipt.number}
