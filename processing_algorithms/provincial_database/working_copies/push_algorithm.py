"""Processing algorithm ``quyhoach:push``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
)

from ...common import qgis_parameters as ask
from ...common.errors import OutputError
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import resolved
from ...common.qgis_working_copy import (
    changeset_parameters,
    changeset_values,
    other_hub_parameter,
    show_anew,
    working_copy_parameter,
    working_copy_path,
)


class PushAlgorithm(QuyHoachAlgorithm):
    """What was edited, sent to the hub; see `push`."""

    ID = "push"
    ROOM = "provincial_database"
    TAGS = ("working copy", "đồng bộ", "sync")

    def title(self) -> str:  # noqa: D102
        return say("Gửi cập nhật", "Push updates")

    def help(self) -> str:  # noqa: D102
        return say(
            "Gửi mọi chỉnh sửa chưa gửi của bản dữ liệu làm việc lên cơ sở dữ liệu dùng chung thành một đợt cập nhật.\n\n"
            "Đợt cập nhật được đóng gói trước khi gửi; bị ngắt giữa chừng thì lần sau gửi tiếp, không bao giờ ghi hai lần. Nếu người khác đã sửa "
            "cùng trường thì không ghi gì và yêu cầu nhận cập nhật trước. Đối tượng còn xung đột ở lại máy cho tới khi xử lý.",
            "Sends all edits of the working copy not sent yet to the shared database as one changeset.\n\n"
            "The changeset is frozen before it is sent; interrupted, the next push goes on and nothing is ever written twice. Where somebody else has "
            "changed the same field, nothing is written and you are told to pull first. Features in conflict stay behind until resolved.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [working_copy_parameter(), *changeset_parameters(required=True),
                ask.text("DATASETS", say("Các tập dữ liệu", "Datasets"),
                         say("Chỉ gửi các tập dữ liệu này; để trống là tất cả.", "Send only these datasets; blank is all."), optional=True,
                         advanced=True),
                other_hub_parameter()]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputString("CHANGESET", say("Mã đợt cập nhật", "Id of the changeset")),
            QgsProcessingOutputNumber("NUMBER", say("Số thứ tự trong nhật ký", "Number in the ledger")),
            QgsProcessingOutputNumber("HELD_BACK", say("Số đối tượng còn xung đột", "Features held back by conflicts")),
        ]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.path = working_copy_path(self, parameters, context)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..changes import Outcome
        from ..findings import objection_lines
        from ..hub import chosen_datasets, open_hub
        from .push import push
        from .working_copy import WorkingCopy

        with WorkingCopy(self.path) as copy, open_hub(
                resolved(self.parameterAsFile(parameters, "HUB", context) or copy.hub_location)) as hub:
            held = copy.datasets
            names = self.parameterAsString(parameters, "DATASETS", context)
            only = {dataset.name for dataset in chosen_datasets(copy.datasets, names)} if names.strip() else None
            report = push(copy, hub, datasets=only, progress=self.progress(feedback),
                          **changeset_values(self, parameters, context))
        if report.held_back:
            feedback.pushWarning(
                say(
                    "{n} đối tượng còn xung đột nên chưa gửi.", "{n} features are in conflict and were not sent."
                ).format(n=report.held_back)
            )
        if report.outcome is None:
            feedback.pushInfo(say("Không có chỉnh sửa nào để gửi.", "There is nothing to send."))
            return {"CHANGESET": "", "NUMBER": 0, "HELD_BACK": report.held_back}
        last = report.receipts[-1]
        if report.outcome in (Outcome.STALE, Outcome.REFUSED):
            reasons = "; ".join(objection_lines(last.objections[:10], held))
            raise OutputError(say("Chưa gửi được, không có gì được ghi ({n} đối tượng): {reasons}", "Not sent, nothing was written ({n} features): {reasons}")
                              .format(n=len(last.objections), reasons=reasons))
        feedback.pushInfo(
            say("Đã ghi đợt cập nhật số {number}.", "Changeset number {number} is written.").format(number=last.number)
        )
        return {"CHANGESET": last.changeset_id, "NUMBER": last.number or 0, "HELD_BACK": report.held_back}

    def postProcessAlgorithm(self, context: QgsProcessingContext,
                             feedback: QgsProcessingFeedback) -> dict[str, Any]:  # noqa: D102, N802
        show_anew(self.path)
        return {}
