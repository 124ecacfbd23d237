"""Processing algorithm ``quyhoach:workingcopyscope``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
)

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm
from ...common.qgis_hub_parameters import resolved
from ...common.qgis_layers import to_qgis_crs
from ...common.qgis_working_copy import other_hub_parameter, show_anew, working_copy_parameter, working_copy_path

_ADD, _REMOVE, _KEEP = range(3)


class WorkingCopyScopeAlgorithm(QuyHoachAlgorithm):
    """A working copy that grows and shrinks; see `working_copy_scope`."""

    ID = "workingcopyscope"
    ROOM = "provincial_database"
    TAGS = ("working copy", "mở rộng", "thu hẹp", "extend", "shrink", "communes")

    def title(self) -> str:  # noqa: D102
        return say("Mở rộng hoặc thu hẹp bản dữ liệu làm việc", "Grow or shrink a working copy")

    def help(self) -> str:  # noqa: D102
        return say(
            "Thêm hoặc bỏ tập dữ liệu, xã, phạm vi của bản dữ liệu làm việc đang có; trước đó tự nhận cập nhật.\n\n"
            "Chỉnh sửa tại máy không bao giờ mất: nếu đối tượng sắp bị bỏ còn chỉnh sửa chưa gửi hoặc xung đột chưa xử lý thì "
            "từ chối, nêu số lượng, và không bỏ gì. Bỏ khỏi bản dữ liệu làm việc không phải là xóa khỏi cơ sở dữ liệu dùng "
            "chung. Tập dữ liệu không có mã xã luôn được giữ toàn bộ khi chọn theo xã. Tất cả hoặc không gì cả.",
            "Adds or removes datasets, communes or an extent of an existing working copy; it pulls first.\n\n"
            "Local edits are never lost: where features about to leave have edits not sent yet or conflicts not resolved, it "
            "refuses, tells how many, and removes nothing. Leaving the working copy is not deleting from the shared database. "
            "A dataset without a commune code is always held whole when communes are chosen. All of it or nothing.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            working_copy_parameter(),
            ask.with_help(
                QgsProcessingParameterEnum(
                    "ACTION", say("Việc cần làm", "What to do"),
                    [say("Thêm", "Add"), say("Bỏ", "Remove"), say("Chỉ giữ", "Keep only")], False, _ADD),
                say("Thêm; bỏ; hoặc chỉ giữ đúng những xã hay phạm vi đã chọn.",
                    "Add; remove; or keep only the communes or the extent chosen.")),
            ask.text("DATASETS", say("Các tập dữ liệu", "Datasets"),
                     say("Tên, mã hoặc nhãn, cách nhau bằng dấu phẩy; để trống là các tập dữ liệu đang có.",
                         "Names, ids or labels separated by commas; blank is those it holds."), optional=True),
            ask.text("UNITS", say("Mã đơn vị hành chính cấp xã", "Commune codes"),
                     say("Các mã 5 số, cách nhau bằng dấu phẩy; để trống (và không có phạm vi) là toàn bộ tập dữ liệu.",
                         "Codes of 5 digits separated by commas; blank (and no extent) is the whole dataset."),
                     optional=True),
            ask.with_help(QgsProcessingParameterExtent("EXTENT", say("Phạm vi", "Extent"), None, True),
                          say("Không dùng cùng lúc với mã đơn vị hành chính.", "Not together with commune codes.")),
            other_hub_parameter(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("ADDED", say("Số đối tượng đã thêm", "Features added")),
                QgsProcessingOutputNumber("REMOVED", say("Số đối tượng đã bỏ", "Features removed")),
                QgsProcessingOutputNumber("CONFLICTS", say("Số xung đột chưa xử lý", "Conflicts not resolved"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.errors import refuse_if
        from .scopes import commune_codes

        self.path = working_copy_path(self, parameters, context)
        self.action = self.parameterAsEnum(parameters, "ACTION", context)
        self.units, problems = commune_codes(self.parameterAsString(parameters, "UNITS", context))
        has_extent = not self.parameterAsExtent(parameters, "EXTENT", context).isNull()
        named = bool(self.parameterAsString(parameters, "DATASETS", context).strip())
        refuse_if([
            say("Chỉ chọn mã đơn vị hành chính hoặc phạm vi, không chọn cả hai.", "Choose commune codes or an extent, not both.")
            if self.units and has_extent else "",
            say("Chưa chọn bỏ gì: hãy chọn tập dữ liệu, mã xã hoặc phạm vi.",
                "Nothing to remove is chosen: choose datasets, communes or an extent.")
            if self.action == _REMOVE and not (named or self.units or has_extent) else "", *problems])

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import shapely

        from ...common.qgis_forms import form_style
        from ..hub import chosen_datasets, open_hub
        from .scopes import chosen, enlarged, reduced
        from .working_copy import WorkingCopy
        from .working_copy_scope import change_scope

        names = self.parameterAsString(parameters, "DATASETS", context)
        with WorkingCopy(self.path) as copy, open_hub(
                resolved(self.parameterAsFile(parameters, "HUB", context) or copy.hub_location)) as hub:
            datasets = chosen_datasets(hub.datasets if self.action == _ADD and names.strip() else copy.datasets, names)
            extent = self.parameterAsExtent(parameters, "EXTENT", context, to_qgis_crs(hub.info.crs))
            polygon = None
            if not extent.isNull():
                polygon = shapely.to_wkb(shapely.box(extent.xMinimum(), extent.yMinimum(), extent.xMaximum(),
                                                     extent.yMaximum()))
            wanted = {scope.dataset: scope for scope in copy.scopes()}
            for dataset in datasets:
                old = wanted.get(dataset.name)
                if self.action == _ADD:
                    wanted[dataset.name] = enlarged(old, dataset, self.units, polygon)
                elif self.action == _KEEP:
                    wanted[dataset.name] = chosen(dataset, self.units, polygon)
                elif self.units and not dataset.commune_field or polygon and not dataset.geometry:
                    continue  # held whole, whatever communes or extent are taken away
                else:
                    left = reduced(wanted.pop(dataset.name), dataset, self.units, polygon)
                    wanted |= {dataset.name: left} if left else {}
            forms = {dataset.name: form_style(dataset, PLUGIN_FOLDER / "styles" / dataset.style)
                     for dataset in datasets}
            report = change_scope(copy, hub, list(wanted.values()), crs=hub.info.crs, forms=forms,
                                  progress=self.progress(feedback))
            open_conflicts = sum(line.conflicts for line in copy.status())
        feedback.pushInfo(say("Thêm {a}, bỏ {r} đối tượng; {c} xung đột chưa xử lý.",
                              "Added {a}, removed {r} features; {c} conflicts not resolved.")
                          .format(a=report.added, r=report.removed, c=open_conflicts))
        return {"ADDED": report.added, "REMOVED": report.removed, "CONFLICTS": open_conflicts}

    def postProcessAlgorithm(  # noqa: D102, N802
        self, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        show_anew(self.path)
        return {}
