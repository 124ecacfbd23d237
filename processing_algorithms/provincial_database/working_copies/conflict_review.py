"""Conflicts of a working copy (xung đột dữ liệu): noted by a pull, kept in the file, settled one by one or by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import pandas
import shapely

from ...common.errors import InputError
from ...common.language import say
from ..catalogue import Dataset
from ..catalogue.model import GEOMETRY
from ..changes import Row
from ..merge import Clash, Merge, same_row
from ..rows import blob_of, now, row_from_json, row_to_json
from .working_copy import WorkingCopy


class Rule(Enum):
    """Whose value a conflict takes."""

    OURS = "ours"
    THEIRS = "theirs"
    BASE = "base"
    #: The row as it stands in the layer now, after somebody edited it by hand.
    EDITED = "edited"


@dataclass(frozen=True)
class Conflict:
    """One feature that could not be merged. ``fields`` are those both sides changed apart.

    What ``base`` lacks nobody knows: the hub was restored, and it cannot tell where it and the working copy parted.
    """

    dataset: str
    feature_id: str
    clash: Clash
    fields: frozenset[str]
    base: Row | None
    ours: Row | None
    theirs: Row | None
    noticed_at: str


def conflicts(copy: WorkingCopy) -> Iterator[Conflict]:
    """Yield all conflicts, oldest first."""
    names = {dataset.id: dataset.name for dataset in copy.datasets.values()}
    sql = "SELECT dataset_id, feature_id, clash, fields, base, ours, theirs, noticed_at FROM quyhoach_conflict ORDER BY noticed_at, rowid"
    for dataset_id, feature_id, clash, fields, base, ours, theirs, noticed_at in copy.database.execute(sql).fetchall():
        yield Conflict(names[dataset_id], feature_id, Clash(clash), frozenset(json.loads(fields)), row_from_json(base),
                       row_from_json(ours),
                       row_from_json(theirs), noticed_at)


def note_conflict(
    copy: WorkingCopy, dataset: Dataset, feature_id: str, merged: Merge, base: Row | None, ours: Row | None,
    theirs: Row | None
) -> None:
    """Keep a conflict, within `WorkingCopy.applying`; a newer pull renews theirs and keeps the oldest base."""
    earlier = copy.database.execute("SELECT base, base_geom FROM quyhoach_conflict WHERE dataset_id = ? AND feature_id = ?",
                                    (dataset.id, feature_id)).fetchone()
    shapes = [blob_of(row.get(GEOMETRY), copy.srs_id) if row else None for row in (base, ours, theirs)]
    texts = [row_to_json(row) for row in (base, ours, theirs)]
    if earlier:
        texts[0], shapes[0] = earlier
    withdraw_conflict(copy, dataset, feature_id)
    copy.database.execute(
        "INSERT INTO quyhoach_conflict (dataset_id, feature_id, clash, fields, base, ours, theirs, base_geom, ours_geom, theirs_geom, noticed_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (dataset.id, feature_id, merged.clash.value, json.dumps(sorted(merged.fields)), *texts, *shapes, now()))


def dispute_of(copy: WorkingCopy, dataset: Dataset, feature_id: str) -> tuple[Clash, frozenset[str]] | None:
    """Return kind and fields of the conflict a feature is in; None when it is in none."""
    found = copy.database.execute("SELECT clash, fields FROM quyhoach_conflict WHERE dataset_id = ? AND feature_id = ?",
                                  (dataset.id, feature_id)).fetchone()
    return None if found is None else (Clash(found[0]), frozenset(json.loads(found[1])))


def base_in_dispute(copy: WorkingCopy, dataset: Dataset, feature_id: str, base: Row | None) -> Row | None:
    """The base a further merge has to use: for what is still disputed, the one from before the dispute.

    Else the value theirs had at the first pull would count as agreed, and ours would silently win at the next.
    """
    found = copy.database.execute("SELECT clash, fields, base FROM quyhoach_conflict WHERE dataset_id = ? AND feature_id = ?",
                                  (dataset.id, feature_id)).fetchone()
    if found is None:
        return base
    clash, fields, earlier = Clash(found[0]), json.loads(found[1]), row_from_json(found[2])
    if clash is not Clash.FIELDS or base is None:
        return earlier
    return {name: value for name, value in base.items() if name not in fields} | {
        name: earlier[name] for name in fields if earlier is not None and name in earlier}


def withdraw_conflict(copy: WorkingCopy, dataset: Dataset, feature_id: str) -> None:
    """Drop a conflict that is no more, within `WorkingCopy.applying`."""
    copy.database.execute("DELETE FROM quyhoach_conflict WHERE dataset_id = ? AND feature_id = ?", (dataset.id, feature_id))


def resolve(copy: WorkingCopy, rule: Rule, *, dataset: str | None = None, feature_ids: set[str] | None = None,
            field: str | None = None) -> int:
    """Settle conflicts by a rule; return how many features are settled wholly.

    `Rule.BASE` leaves in dispute what was before but nobody knows (see `Conflict`).

    Parameters
    ----------
    rule : Rule
    dataset, feature_ids : optional
        Only these; all by default.
    field : str, optional
        Only this disputed field; the others of the feature stay open. Not for features one side deleted.

    Raises
    ------
    InputError
        Nothing matches.
    """
    chosen = [conflict for conflict in conflicts(copy) if (dataset is None or conflict.dataset == dataset)
              and (feature_ids is None or conflict.feature_id in feature_ids)
              and (field is None or field in conflict.fields)]
    if not chosen:
        raise InputError(say("Không có xung đột dữ liệu nào khớp với lựa chọn.", "No conflict matches the choice."))
    settled = 0
    with copy.applying("resolve"):
        for conflict in chosen:
            settled += _settle(copy, conflict, rule, field)
    return settled


def _settle(copy: WorkingCopy, conflict: Conflict, rule: Rule, field: str | None) -> bool:
    held = copy.datasets[conflict.dataset]
    present = copy.row(held, conflict.feature_id)
    # What was edited, deleted or put back since the conflict was noticed is ours too: the row noted then is not.
    side = {Rule.THEIRS: conflict.theirs, Rule.BASE: conflict.base}.get(rule, present)
    names = conflict.fields if field is None else frozenset([field])
    unknown = names - side.keys() if rule is Rule.BASE and side is not None else frozenset()
    if conflict.clash is Clash.FIELDS and present is not None and side is not None:
        result = {**present, **{name: side[name] for name in names if name in side}}
        left = conflict.fields - names | unknown
    elif unknown:
        return False  # there is no such row to put in its place
    else:
        result, left = side, frozenset()
    if not same_row(result, present):
        copy.put_row(held, conflict.feature_id, result)
    if result is None and conflict.theirs is None:
        copy.forget_base(held, conflict.feature_id)
    else:
        # Also where it is now as the hub has it: the next pull asks for it, and lets go of what is only here for the conflict.
        copy.put_base(held, conflict.feature_id, conflict.theirs)
    if left:
        copy.database.execute("UPDATE quyhoach_conflict SET fields = ? WHERE dataset_id = ? AND feature_id = ?",
                              (json.dumps(sorted(left)), held.id, conflict.feature_id))
        return False
    withdraw_conflict(copy, held, conflict.feature_id)
    return True


def conflict_table(copy: WorkingCopy) -> pandas.DataFrame:
    """Return one row per disputed field: dataset, feature_id, clash, field, label, base, ours, theirs, noticed_at.

    Shapes are WKT. Features one side deleted have one row without a field.
    """
    lines = []
    for conflict in conflicts(copy):
        dataset = copy.datasets[conflict.dataset]
        whole = conflict.clash is not Clash.FIELDS
        for name in [None] if whole else sorted(conflict.fields):
            label = (
                str(dataset.field(name).label) if name and name != GEOMETRY else say("Hình", "Shape") if name else None
            )
            sides = [_shown(row, name) for row in (conflict.base, conflict.ours, conflict.theirs)]
            lines.append((conflict.dataset, conflict.feature_id, conflict.clash.value, name, label, *sides,
                          conflict.noticed_at))
    columns = ["dataset", "feature_id", "clash", "field", "label", "base", "ours", "theirs", "noticed_at"]
    return pandas.DataFrame(lines, columns=columns, dtype=object)


def _shown(row: Row | None, name: str | None) -> str | None:
    if row is None:
        return say("(không có)", "(none)")
    if name is None:
        return say("(có)", "(there)")
    if name not in row:
        return say("(không rõ)", "(not known)")
    value = row[name]
    if isinstance(value, bytes):
        return shapely.to_wkt(shapely.from_wkb(value), rounding_precision=3)
    return None if value is None else str(value)
