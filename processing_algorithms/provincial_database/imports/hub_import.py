"""Importing a layer into a dataset of a hub.

Every row ends in exactly one place: added, updated, unchanged (the hub has it already), or kept as a rejection with
all its reasons. Import the same layer twice and the second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import geopandas
import numpy as np
import pandas
from numpy.typing import NDArray

from ...common.crs import require_crs
from ...common.errors import name_some
from ...common.geometry import InvalidGeometry
from ...common.language import say
from ...common.progress import Progress, part, silent
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import UUID
from ..hub import Batch, Hub, Rejection
from .field_mapping import Constant, as_text, parse_mapping, resolve_mapping
from .incoming_shapes import fit_shapes
from .incoming_values import convert
from .old_text import OldText, in_unicode
from .rejected_rows import rejection
from .same_rows import NEW, REPEATED, Matches, match_rows


class Existing(IntEnum):
    """What to do with a row the hub has already, by feature_id or by key, when their values differ."""

    REFUSE = 0
    UPDATE = 1


@dataclass(frozen=True)
class ImportReport:
    """What became of a layer. ``total`` is the sum of the four counts."""

    import_id: int
    dataset: Dataset
    total: int
    added: int
    updated: int
    unchanged: int
    rejections: tuple[Rejection, ...]
    notes: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Tell the outcome: the counts, then what was changed on the way, then the commonest reasons of refusal."""
        told = [say("{dataset}: {total} đối tượng; nhập mới {added}, cập nhật {updated}, đã có sẵn {unchanged}, bị từ "
                    "chối {rejected}.",
                    "{dataset}: {total} rows; {added} added, {updated} updated, {unchanged} there already, {rejected} "
                    "rejected.")
                .format(dataset=self.dataset.label, total=self.total, added=self.added, updated=self.updated,
                        unchanged=self.unchanged, rejected=len(self.rejections))]
        told += self.notes
        by_reason: dict[str, list[object]] = {}
        for refused in self.rejections:
            for reason in refused.reasons:
                by_reason.setdefault(reason, []).append(refused.source_fid)
        for reason, ids in sorted(by_reason.items(), key=lambda item: -len(item[1]))[:20]:
            told.append(say("Từ chối: {reason} - {n} đối tượng (fid: {ids}).",
                            "Rejected: {reason} - {n} rows (ids: {ids}).")
                        .format(reason=reason, n=len(ids), ids=name_some(ids)))
        return told


def import_layer(
    hub: Hub,
    dataset_name: str,
    frame: geopandas.GeoDataFrame,
    *,
    field_mapping: str | Mapping[str, str] = "",
    source: str = "",
    existing: Existing = Existing.REFUSE,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    old_text: OldText = OldText.DETECT,
    progress: Progress = silent,
) -> ImportReport:
    """Import a layer.

    Parameters
    ----------
    hub : Hub
    dataset_name : str
        Name, id or label of the dataset.
    frame : GeoDataFrame
        Any attributes; the index holds the ids people know the rows by. A dataset without geometry takes a frame
        without shapes.
    field_mapping : str or mapping
        See `field_mapping.parse_mapping`; fields not mentioned are found by name.
    source : str
        Where the layer comes from, for the record.
    existing : Existing
    invalid : InvalidGeometry
        Invalid polygons are repaired and counted, or those rows are refused.
    old_text : OldText
        What to do with texts in TCVN3 or VNI: columns that certainly are so become Unicode, and the notes tell (DETECT).
        Rejected rows are kept as they came.
    progress : Progress

    Returns
    -------
    ImportReport

    Raises
    ------
    InputError
        No coordinate system, unknown fields or columns, required fields without a source: before anything is written.
    Cancelled, OutputError
        Nothing was written.
    """
    dataset = hub.dataset(dataset_name)
    columns = [name for name in frame.columns if name != frame.geometry.name]
    mapping = resolve_mapping(dataset, columns, parse_mapping(field_mapping))
    if dataset.geometry:
        require_crs(frame, say("Lớp nhập", "The layer"))
    reasons: dict[int, list[str]] = {}
    notes: list[str] = []
    readable = in_unicode(frame, [column for column in mapping.values() if isinstance(column, str)], old_text, notes)
    rows = _typed_rows(dataset, readable, mapping, reasons, notes, part(progress, 0.0, 0.4))
    if dataset.geometry:
        shapes = fit_shapes(frame, dataset.geometry, hub.info.crs, invalid)
        _collect(reasons, shapes.refused)
        notes += _counted(shapes.changes)
        rows = rows.set_geometry(geopandas.GeoSeries(shapes.geometry, crs=hub.info.crs))
    progress(0.5)
    for position, broken in _broken_checks(dataset, rows):
        reasons.setdefault(position, []).append(broken)
    taken = np.ones(len(rows), dtype=bool)
    taken[list(reasons)] = False
    given = [name for name in dataset.field_names if name in mapping]
    matches = match_rows(hub, dataset, rows, taken, given, part(progress, 0.5, 0.65))
    # Again for rows completed from the hub: what the layer says may not go with what was there.
    for position, broken in _broken_checks(dataset, rows[matches.differs]):
        reasons.setdefault(position, []).append(broken)
    _judge(dataset, frame, matches, existing, reasons)
    notes += _dangling(hub, dataset, rows, taken)
    added, updated, unchanged = _sorted_out(matches, reasons)
    rejections = tuple(rejection(frame, position, reasons[position]) for position in sorted(reasons))
    batch = Batch(
        source=source, field_mapping=as_text(mapping), total=len(frame), added=rows[added],
        updated=rows[updated].set_index(pandas.Index(matches.fid[updated])), unchanged=int(unchanged.sum()),
        rejections=rejections, notes=notes)
    import_id = hub.write(dataset, batch, progress=part(progress, 0.65, 1.0))
    return ImportReport(import_id, dataset, len(frame), int(added.sum()), int(updated.sum()), int(unchanged.sum()),
                        rejections, tuple(notes))


def _typed_rows(
    dataset: Dataset,
    frame: geopandas.GeoDataFrame,
    mapping: Mapping[str, str | Constant],
    reasons: dict[int, list[str]],
    notes: list[str],
    progress: Progress,
) -> geopandas.GeoDataFrame:
    """Convert all fields; rows get positions 0, 1, ... as their index."""
    data: dict[str, object] = {FEATURE_ID: _feature_ids(frame, mapping, notes)}
    changes: dict[str, int] = {}
    for number, field in enumerate(dataset.fields):
        progress(number / len(dataset.fields))
        source = mapping.get(field.name)
        raw = frame[source].reset_index(drop=True) if isinstance(source, str) else _constant(source, len(frame))
        outcome = convert(raw, field)
        _collect(reasons, outcome.refused)
        for note, count in outcome.changes.items():
            changes[note] = changes.get(note, 0) + count
        data[field.name] = outcome.column.array
    notes += _counted(changes)
    blank = geopandas.GeoSeries(np.full(len(frame), None, dtype=object))
    return geopandas.GeoDataFrame(data, geometry=blank.array, index=pandas.RangeIndex(len(frame)))


def _constant(source: Constant | None, count: int) -> pandas.Series:
    value = [] if source is None else [source.value]
    return pandas.Series(pandas.Categorical.from_codes(np.full(count, len(value) - 1),
                                                       categories=pandas.Index(value, dtype=object)))


def _feature_ids(frame: geopandas.GeoDataFrame, mapping: Mapping[str, str | Constant],
                 notes: list[str]) -> NDArray[np.object_]:
    """Return well-formed ids, each once; the hub gives the others."""
    ids = np.full(len(frame), None, dtype=object)
    source = mapping.get(FEATURE_ID)
    if not isinstance(source, str):
        return ids
    for position, value in enumerate(frame[source].astype(object)):
        text = value.strip().strip("{}").lower() if isinstance(value, str) else ""
        if UUID.fullmatch(text):
            ids[position] = text
    return ids


def _collect(reasons: dict[int, list[str]], refused: Mapping[int, str]) -> None:
    for position, reason in refused.items():
        reasons.setdefault(position, []).append(reason)


def _counted(changes: Mapping[str, int]) -> list[str]:
    return [say("{note}: {n} đối tượng.", "{note}: {n} rows.").format(note=note[:1].upper() + note[1:], n=n) for note,
            n in changes.items()]


def _broken_checks(dataset: Dataset, rows: geopandas.GeoDataFrame) -> list[tuple[int, str]]:
    compare = {"<=": np.less_equal, "<": np.less, "=": np.equal, ">=": np.greater_equal, ">": np.greater}
    broken = []
    for check in dataset.checks:
        both = rows[rows[check.left].notna() & rows[check.right].notna()]
        left, right = (both[name].to_numpy().astype(object) for name in (check.left, check.right))
        for position in both.index[~compare[check.operator](left, right).astype(bool)]:
            broken.append((int(position), str(check.message).rstrip(".")))
    return broken


def _judge(
    dataset: Dataset, frame: geopandas.GeoDataFrame, matches: Matches, existing: Existing, reasons: dict[int, list[str]]
) -> None:
    """Refuse rows that repeat another of the layer, and rows that differ from the hub's when those are to stay."""
    key = ", ".join(str(dataset.field(name).label) for name in dataset.key)
    for position in np.flatnonzero(matches.state == REPEATED):
        reasons.setdefault(int(position), []).append(
            say("trùng {what} với đối tượng fid {other} của lớp nhập",
                "has the same {what} as row {other} of the layer").format(
                what=f"({key})" if key else say("toàn bộ giá trị và hình", "values and shape"),
                other=frame.index[matches.twin[position]]))
    if existing is Existing.REFUSE:
        for position in np.flatnonzero(matches.differs):
            reasons.setdefault(int(position), []).append(
                say("cơ sở dữ liệu đã có đối tượng này (fid {fid}) với giá trị khác",
                    "the database has this row (fid {fid}) with other values")
                .format(fid=matches.fid[position]))


def _sorted_out(matches: Matches, reasons: Mapping[int, Sequence[str]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_],
                                                                                 NDArray[np.bool_]]:
    free = np.ones(len(matches.state), dtype=bool)
    free[list(reasons)] = False
    return free & (matches.state == NEW), free & matches.differs, free & matches.same


def _dangling(hub: Hub, dataset: Dataset, rows: geopandas.GeoDataFrame, taken: NDArray[np.bool_]) -> list[str]:
    """Tell references that lead nowhere; never refused, because datasets come in any order."""
    notes = []
    for field in dataset.fields:
        if field.references is None:
            continue
        target, column = field.references.split(".")
        if target not in hub.datasets:
            continue
        present = {value for value in rows[field.name][taken] if value is not None}
        known = hub.values(hub.datasets[target], column)
        if target == dataset.name:
            known |= set(rows[column][taken])
        missing = sorted(present - known, key=str)
        if missing and known:
            notes.append(say("{field}: {n} giá trị chưa có trong {target} ({values}).",
                             "{field}: {n} values are not in {target} ({values}).")
                         .format(field=field.label, n=len(missing), target=hub.datasets[target].label,
                                 values=name_some(missing)))
    return notes
