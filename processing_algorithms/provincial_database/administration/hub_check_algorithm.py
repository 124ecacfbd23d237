"""Processing algorithm ``quyhoach:hubcheck``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter


class HubCheckAlgorithm(QuyHoachAlgorithm):
    """Whether a shared database is in order; see `administration.check_hub`."""

    ID = "hubcheck"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "health", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Kiểm tra cơ sở dữ liệu dùng chung", "Check the shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Kiểm tra cơ sở dữ liệu dùng chung có ổn không: tệp còn nguyên vẹn, đủ trigger và không bị sửa, nhật ký chỉnh sửa "
            "phát lại đúng bằng bảng, chỉ mục không gian khớp với hình, dung lượng, các bản dữ liệu làm việc.\n\n"
            "Mỗi dòng một mục: tốt, cần chú ý hay lỗi, thấy gì và nên làm gì. Chỉ đọc, không sửa gì, trừ khi chọn ghi bù vào nhật ký.",
            "Checks whether a shared database is in order: the file intact, all triggers there and unaltered, the change "
            "ledger replays to exactly the tables, spatial indexes match the shapes, sizes, working copies.\n\n"
            "One row each: good, needs attention or error, what was found and what to do. It only reads, unless told to enter what the ledger lacks.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [hub_parameter(),
                ask.yes_no("ENTER", say("Ghi bù vào nhật ký", "Enter what the ledger lacks"), say(
                    "Chỗ nào bảng khác với nhật ký vì có người ghi khi trigger bị tắt: lấy giá trị đang có, ghi thành một đợt cập nhật để các bản dữ "
                    "liệu làm việc nhận được và có thể hoàn tác. Đối chiếu với bản sao lưu trước. Không chọn thì chỉ đọc.",
                    "Where the tables differ from the ledger because somebody wrote while triggers were off: take what is there now and enter it "
                    "as a changeset, so that working copies receive it and it can be taken back. Compare with a backup first. Else it only reads.")),
                ask.table_output("OUTPUT", say("Kết quả kiểm tra", "Checks"),
                                 say("Bảng: check, state (good, attention, broken), state_label, what, advice.",
                                     "Table: check, state (good, attention, broken), state_label, what, advice."),
                                 optional=True)]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("ERRORS", say("Số lỗi", "Errors")),
                QgsProcessingOutputNumber("WARNINGS", say("Số mục cần chú ý", "Need attention"))]

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..findings import State, findings_table
        from ..hub import open_hub
        from .administration import check_hub, enter_gaps

        with open_hub(hub_location(self, parameters, context)) as hub:
            if self.parameterAsBool(parameters, "ENTER", context):
                for name, count in enter_gaps(hub).items():
                    feedback.pushWarning(say("{dataset}: ghi bù {n} đối tượng vào nhật ký.", "{dataset}: entered {n} features into the ledger.")
                                         .format(dataset=hub.dataset(name).label, n=format_number(count)))
            findings = check_hub(hub, progress=self.progress(feedback))
        for finding in findings:
            line = f"{finding.check}: {finding.state.label}. {finding.what} {finding.advice}".strip()
            (feedback.pushInfo if finding.state is State.GOOD else feedback.pushWarning)(line)
        counts = {state: sum(finding.state is state for finding in findings) for state in State}
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, findings_table(findings)),
                "ERRORS": counts[State.BROKEN], "WARNINGS": counts[State.ATTENTION]}
