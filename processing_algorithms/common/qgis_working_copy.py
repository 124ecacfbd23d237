"""What the algorithms of working copies have in common on the side of QGIS: parameters, open layers, the author."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProject,
    QgsVectorLayer,
)

from . import qgis_parameters as ask
from .errors import InputError
from .language import say
from .qgis_hub_parameters import HUB_FILTER

#: Ending of the files that carry changes and updates.
EXCHANGE_ENDING = ".qhz"


def working_copy_parameter() -> QgsProcessingParameterFile:
    """An existing working copy, ``WORKING_COPY``."""
    return ask.with_help(
        QgsProcessingParameterFile(
            "WORKING_COPY", say("Bản dữ liệu làm việc", "Working copy"), Qgis.ProcessingFileParameterBehavior.File,
            "", None, False, "GeoPackage (*.gpkg)"),
        say("Tệp .gpkg tạo bằng \"Tải dữ liệu về máy\".", "A .gpkg file made by \"Check out data\"."))


def other_hub_parameter() -> QgsProcessingParameterFile:
    """Another place of the same hub, ``HUB``; the working copy knows the one it came from."""
    return ask.with_help(
        QgsProcessingParameterFile(
            "HUB", say("Cơ sở dữ liệu dùng chung", "Shared database"), Qgis.ProcessingFileParameterBehavior.File,
            "", None, True, HUB_FILTER),
        say("Để trống: nơi bản dữ liệu làm việc được tải về. Chỉ điền khi cơ sở dữ liệu đã chuyển chỗ.",
            "Blank: where the working copy came from. Fill it in only when the database has moved."))


def exchange_file_parameter(key: str, label: str, help: str) -> QgsProcessingParameterFile:
    """A changes or update file to read."""
    return ask.with_help(
        QgsProcessingParameterFile(key, label, Qgis.ProcessingFileParameterBehavior.File, "", None, False,
                                   f"QuyHoach (*{EXCHANGE_ENDING})"), help)


def exchange_file_output(key: str, label: str, help: str) -> QgsProcessingParameterFileDestination:
    """A changes or update file to write."""
    return ask.with_help(QgsProcessingParameterFileDestination(key, label, f"QuyHoach (*{EXCHANGE_ENDING})"), help)


def changeset_parameters(required: bool) -> list[Any]:
    """What a changeset says of itself: ``MESSAGE``, ``DECISION``, ``AUTHOR``, ``DEPARTMENT``."""
    return [
        ask.text("MESSAGE", say("Nội dung đợt cập nhật", "Message of the changeset"),
                 say("Đã sửa gì và vì sao; ghi vào nhật ký chỉnh sửa, không sửa được về sau.",
                     "What was changed and why; it goes into the change ledger and cannot be altered later."),
                 optional=not required),
        ask.text("DECISION", say("Số quyết định", "Decision number"),
                 say("Số và ngày quyết định làm căn cứ, nếu có.", "Number and date of the decision behind it, if any."),
                 optional=True),
        ask.text("AUTHOR", say("Người cập nhật", "Author"),
                 say("Để trống: tên đăng nhập của máy.", "Blank: the login name of this machine."), optional=True,
                 advanced=True),
        ask.text("DEPARTMENT", say("Cơ quan", "Department"),
                 say("Cơ quan của người cập nhật.", "The author's department."), optional=True, advanced=True),
    ]


def changeset_values(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> dict[str, str]:
    """Return what was given for `changeset_parameters`, by the names the engines use."""
    given = {key: algorithm.parameterAsString(parameters, key, context).strip()
             for key in ("MESSAGE", "DECISION", "AUTHOR", "DEPARTMENT")}
    return {"message": given["MESSAGE"], "decision_no": given["DECISION"], "department": given["DEPARTMENT"],
            "author": given["AUTHOR"] or getpass.getuser()}


def working_copy_path(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> str:
    """Return ``WORKING_COPY``; call it in `prepare`, because it refuses while one of its layers is being edited."""
    path = algorithm.parameterAsFile(parameters, "WORKING_COPY", context)
    edited = [layer.name() for layer in layers_of(path) if layer.isEditable()]
    if edited:
        raise InputError(say("Lớp {names} đang ở chế độ chỉnh sửa; hãy lưu hoặc hủy chỉnh sửa, tắt chế độ chỉnh sửa "
                             "rồi chạy lại.",
                             "Layer {names} is being edited; save or discard the edits, leave edit mode and run again.")
                         .format(names=", ".join(edited)))
    return path


def layers_of(path: str) -> list[QgsVectorLayer]:
    """Return the layers of the open project that show a table of this file."""
    target = Path(path)
    if not target.exists():
        return []
    shown = []
    for layer in QgsProject.instance().mapLayers().values():
        source = Path(layer.source().split("|")[0])
        if isinstance(layer,
                      QgsVectorLayer) and layer.providerType() == "ogr" and source.exists() and source.samefile(target):
            shown.append(layer)
    return shown


def show_anew(path: str) -> None:
    """Let the layers of this file read it again; in the main thread."""
    for layer in layers_of(path):
        layer.dataProvider().reloadData()
        layer.triggerRepaint()
