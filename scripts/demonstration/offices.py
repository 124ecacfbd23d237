"""Two ward offices and the Department of Construction at work on one shared database.

The ward of Lam Trạch edits over the network and meets the Department's edit of the same parcel; the ward of Bắc Trạch
has no network and sends its edits as a file. In the end all three hold the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsVectorLayer

from ...processing_algorithms.common.errors import InputError
from ...processing_algorithms.common.language import say
from .running import AlgorithmFailed, run

_WARD, _WARD_BY_FILE = "99004", "99019"
_OURS = 0


@dataclass(frozen=True)
class Story:
    """What happened; counts of features."""

    checked_out: int
    conflicts: int
    sent: int
    by_file: int


def work_together(hub: str, folder: Path, town: Path) -> Story:
    """Tell the story on a hub that holds the parcels; working copies and files go into the folder.

    Raises
    ------
    InputError
        In the end somebody has edits or conflicts left, or the copies differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ward, ward_by_file, department = (str(folder / f"{name}.gpkg") for name in
                                      ("phuong_lam_trach", "phuong_bac_trach", "so_xay_dung"))
    out = run("checkout", HUB=hub, DATASETS="parcel", UNITS=_WARD, WORKING_COPY=ward)["FEATURE_COUNT"]
    out += run("checkout", HUB=hub, DATASETS="parcel", UNITS=_WARD_BY_FILE, WORKING_COPY=ward_by_file)["FEATURE_COUNT"]
    out += run("checkout", HUB=hub, DATASETS="parcel", WORKING_COPY=department)["FEATURE_COUNT"]

    first = _first_parcels(ward, 3)
    _edit(ward, first, "note", "Đã đo đạc lại tháng 11/2026")
    _edit(department, first[:1], "note", "Thuộc ranh giới đồ án QPK-TT-2035")
    _edit(department, first[1:2], "address", "Đường Trung Tâm")
    run("push", WORKING_COPY=department, HUB=hub, MESSAGE="Rà soát ranh giới đồ án", DECISION="1203/QĐ-UBND",
        DEPARTMENT="Sở Xây dựng")
    _told_to_pull(ward, hub)
    conflicts = run("pull", WORKING_COPY=ward, HUB=hub)["CONFLICTS"]
    run("resolve", WORKING_COPY=ward, RULE=_OURS)
    run("push", WORKING_COPY=ward, HUB=hub, MESSAGE="Cập nhật kết quả đo đạc", DEPARTMENT="Phường Lam Trạch")

    _edit(ward_by_file, _first_parcels(ward_by_file, 2), "note", "Chuyển qua USB")
    changes, answer = str(folder / "thay_doi_bac_trach.qhz"), str(folder / "cap_nhat_bac_trach.qhz")
    by_file = run("changesexport", WORKING_COPY=ward_by_file, MESSAGE="Cập nhật quý IV",
                  DEPARTMENT="Phường Bắc Trạch", OUTPUT=changes)["CHANGES"]
    run("changesapply", HUB=hub, INPUT=changes)
    run("updateexport", HUB=hub, INPUT=changes, OUTPUT=answer)
    run("pull", WORKING_COPY=ward_by_file, INPUT=answer)

    for copy in (ward, department):
        run("pull", WORKING_COPY=copy, HUB=hub)
    _agree(ward, ward_by_file, department)
    return Story(out, conflicts, sent=len(first) + 2, by_file=by_file)


def _first_parcels(copy: str, count: int) -> list[str]:
    layer = _parcels(copy)
    return sorted(feature["feature_id"] for feature in layer.getFeatures())[:count]


def _edit(copy: str, feature_ids: list[str], field: str, value: str) -> None:
    """Edit as a planner does: in QGIS, in edit mode, saved."""
    layer = _parcels(copy)
    column = layer.fields().lookupField(field)
    listed = ", ".join(f"'{id}'" for id in feature_ids)
    layer.startEditing()
    for feature in layer.getFeatures(f'"feature_id" IN ({listed})'):
        layer.changeAttributeValue(feature.id(), column, value)
    if not layer.commitChanges():
        raise InputError("; ".join(layer.commitErrors()))


def _parcels(copy: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{copy}|layername=parcel", "Thửa đất", "ogr")
    if not layer.isValid():
        raise InputError(say("Không mở được {path}.", "{path} cannot be opened.").format(path=copy))
    return layer


def _told_to_pull(copy: str, hub: str) -> None:
    try:
        run("push", WORKING_COPY=copy, HUB=hub, MESSAGE="Cập nhật kết quả đo đạc")
    except AlgorithmFailed:
        return
    raise InputError(say("Cập nhật trùng với người khác mà không bị yêu cầu nhận cập nhật trước.",
                         "A push that met somebody else's edits was not told to pull first."))


def _agree(*copies: str) -> None:
    """Check that nobody has anything left to send, and that all copies tell the same of every parcel."""
    notes: dict[str, set[str]] = {}
    for copy in copies:
        status = run("status", WORKING_COPY=copy)
        if status["EDITS"] or status["CONFLICTS"] or status["WAITING"]:
            raise InputError(say("{path} còn chỉnh sửa hoặc xung đột.", "{path} has edits or conflicts left.").format(path=copy))
        for feature in _parcels(copy).getFeatures():
            notes.setdefault(feature["feature_id"], set()).add(f"{feature['note']}|{feature['address']}")
    differing = [id for id, told in notes.items() if len(told) > 1]
    if differing:
        raise InputError(say("{n} thửa khác nhau giữa các bản dữ liệu làm việc.",
                             "{n} parcels differ between the working copies.").format(n=len(differing)))
