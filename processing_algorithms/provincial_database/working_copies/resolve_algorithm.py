"""Processing algorithm ``quyhoach:resolve``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_working_copy import show_anew, working_copy_parameter, working_copy_path


class ResolveAlgorithm(QuyHoachAlgorithm):
    """Conflicts settled by a rule; see `conflict_review.resolve`."""

    ID = "resolve"
    ROOM = "provincial_database"
    TAGS = ("working copy", "merge", "trộn")

    def title(self) -> str:  # noqa: D102
        return say("Xử lý xung đột dữ liệu", "Resolve conflicts")

    def help(self) -> str:  # noqa: D102
        return say(
            "Xử lý các xung đột dữ liệu theo một quy tắc: lấy giá trị của máy này, của cơ sở dữ liệu dùng chung, giá trị gốc, hoặc giá trị đang có sau "
            "khi sửa tay.\n\nCó thể chỉ xử lý một tập dữ liệu, một số đối tượng hoặc một trường; phần còn lại để hôm sau. Đối tượng đã xử lý sẽ "
            "được gửi ở lần gửi cập nhật tiếp theo.\n\nGiá trị gốc không rõ (cơ sở dữ liệu dùng chung đã được phục hồi từ bản sao lưu) thì không lấy được: chỗ đó "
            "vẫn còn xung đột.",
            "Settles conflicts by a rule: take this machine's value, the shared database's, the base value, or what is there now after editing by "
            "hand.\n\nOne dataset, some features or one field may be settled alone; the rest waits for tomorrow. Resolved features go with the next push.\n\n"
            "A base value nobody knows (the shared database was restored from a backup) cannot be taken: there the conflict stays.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            working_copy_parameter(),
            ask.choice("RULE", say("Quy tắc", "Rule"), say("Giá trị nào thắng.", "Whose value wins."),
                       [say("Của máy này", "Ours"), say("Của cơ sở dữ liệu dùng chung", "Theirs"), say("Giá trị gốc", "Base"),
                        say("Giá trị đang có, đã sửa tay", "As edited by hand")]),
            ask.text("DATASETS", say("Tập dữ liệu", "Dataset"), say("Chỉ một tập dữ liệu; để trống là tất cả.", "Only one dataset; blank is all."),
                     optional=True),
            ask.text("FEATURES", say("Các đối tượng", "Features"),
                     say("Các feature_id, cách nhau bằng dấu phẩy; để trống là tất cả.", "feature_id values separated by commas; blank is all."),
                     optional=True),
            ask.text("FIELD", say("Trường", "Field"), say("Chỉ trường này; để trống là tất cả.", "Only this field; blank is all."), optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("RESOLVED", say("Số đối tượng đã xử lý xong", "Features settled")),
                QgsProcessingOutputNumber("CONFLICTS", say("Số xung đột còn lại", "Conflicts left"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.path = working_copy_path(self, parameters, context)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .conflict_review import Rule, conflicts, resolve
        from .working_copy import WorkingCopy

        rule = list(Rule)[self.parameterAsEnum(parameters, "RULE", context)]
        name = self.parameterAsString(parameters, "DATASETS", context).strip()
        ids = {id.strip() for id in self.parameterAsString(parameters, "FEATURES", context).split(",") if id.strip()}
        with WorkingCopy(self.path) as copy:
            settled = resolve(copy, rule, dataset=copy.dataset(name).name if name else None, feature_ids=ids or None,
                              field=self.parameterAsString(parameters, "FIELD", context).strip() or None)
            left = len(list(conflicts(copy)))
        return {"RESOLVED": settled, "CONFLICTS": left}

    def postProcessAlgorithm(self, context: QgsProcessingContext,
                             feedback: QgsProcessingFeedback) -> dict[str, Any]:  # noqa: D102, N802
        show_anew(self.path)
        return {}
