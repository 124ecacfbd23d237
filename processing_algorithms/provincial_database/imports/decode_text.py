"""A layer of any origin with its texts and the names of its fields in Unicode; all else stays."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import geopandas

from ...common.columns import free_names
from ...common.language import say
from .old_text import Judged, OldText, in_unicode, judged, texts_of

#: What the names of the fields are judged as: one more column of the layer, under a name no field has.
_NAMES = "\0"
#: Bytes of a field's name in a shapefile.
_SHAPEFILE_NAME = 10


@dataclass(frozen=True)
class LayerInUnicode:
    """What became of a layer: its texts, the names of all its fields in their order, what to tell."""

    frame: geopandas.GeoDataFrame
    names: list[str]
    converted: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def layer_in_unicode(frame: geopandas.GeoDataFrame, columns: Iterable[str], names: Sequence[str] = (), *,
                     old_text: OldText = OldText.DETECT, evidence: geopandas.GeoDataFrame | None = None) -> LayerInUnicode:
    """Return a layer's texts and names in Unicode (NFC).

    Parameters
    ----------
    frame : GeoDataFrame
        Its columns of texts; stays as it is.
    columns : iterable of str
        Those to convert.
    names : sequence of str
        The names of all fields of the layer, those of numbers too; judged with the texts.
    old_text : OldText
        See `in_unicode`; with KEEP nothing is changed, only told.
    evidence : GeoDataFrame, optional
        The whole layer where ``frame`` is a part of it: few words are no proof.

    Returns
    -------
    LayerInUnicode
        ``converted`` counts the changed texts of each changed column; no two names are the same, in capitals or not.

    Examples
    --------
    >>> old = geopandas.GeoDataFrame({"Tªn x·": ["X· VÜnh Hµ", "ThÞ trÊn VÜnh B¶o"]})
    >>> done = layer_in_unicode(old, ["Tªn x·"], ["Tªn x·", "SO"])
    >>> done.frame["Tªn x·"].tolist(), done.names
    (['Xã Vĩnh Hà', 'Thị trấn Vĩnh Bảo'], ['Tên xã', 'SO'])
    """
    wanted, notes = list(dict.fromkeys(columns)), []
    known = judged({**texts_of(frame if evidence is None else evidence), _NAMES: names}, old_text)
    converted = in_unicode(frame, wanted, old_text, notes, known=known)
    if old_text is not OldText.KEEP:
        converted = _composed(converted, wanted, notes)
    new_names = _free([_name(name, known, old_text) for name in names], names)
    if renamed := [(old, new) for old, new in zip(names, new_names) if old != new]:
        notes.append(say("Tên trường đã đổi sang Unicode: {pairs}.", "Names of fields made Unicode: {pairs}.").format(
            pairs="; ".join(f'"{old}" → "{new}"' for old, new in renamed)))
    counts = {name: int((converted[name] != frame[name])[frame[name].notna()].sum()) for name in wanted if name in frame.columns}
    return LayerInUnicode(converted, new_names, {name: count for name, count in counts.items() if count}, notes)


def names_for_shapefile(names: Sequence[str], old: Sequence[str]) -> list[str]:
    """Return names of which those that were changed fit into ten bytes; GDAL would cut them within a letter.

    Examples
    --------
    >>> names_for_shapefile(["Tên xã", "Loại đất", "Loại đường", "so_thua_dat"], ["Tªn x·", "Lo¹i ®Êt", "Lo¹i ®­êng", "so_thua_dat"])
    ['Tên xã', 'Loai dat', 'Loai duong', 'so_thua_dat']
    """
    fitting = list(names)
    for at, (name, before) in enumerate(zip(names, old)):
        if name == before or len(name.encode()) <= _SHAPEFILE_NAME:
            continue
        taken = {one.lower() for place, one in enumerate(fitting) if place != at}
        plain = _without_marks(name)
        candidate, number = plain[:_SHAPEFILE_NAME], 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{plain[:_SHAPEFILE_NAME - 1 - len(str(number))]}_{number}"
        fitting[at] = candidate
    return fitting


def _name(name: str, known: Judged, old_text: OldText) -> str:
    if old_text is OldText.KEEP:
        return name
    verdict = None if _NAMES in known.other else known.verdicts.get(_NAMES)
    if verdict and _NAMES not in known.certain:
        verdict = replace(verdict, mixed=True)  # what is said of the texts is not said of names that read well: "Tên" is no "Tờn"
    return unicodedata.normalize("NFC", verdict.convert(name) if verdict else name)


def _free(wanted: Sequence[str], names: Sequence[str]) -> list[str]:
    """Number new names another field has already; names that stay go first."""
    taken = [name for name, new in zip(names, wanted) if name == new]
    free = []
    for name, new in zip(names, wanted):
        if name != new:
            new = free_names([new], taken)[new]
            taken.append(new)
        free.append(new)
    return free


def _composed(frame: geopandas.GeoDataFrame, columns: Iterable[str], notes: list[str]) -> geopandas.GeoDataFrame:
    """Join the tone marks some programs set behind their letters; such a text looks the same and is never found."""
    changed = {}
    for name in columns:
        if name not in frame.columns or frame[name].dtype != object:
            continue
        apart = frame[name].map(lambda value: isinstance(value, str) and not unicodedata.is_normalized("NFC", value))
        if apart.any():
            changed[name] = frame[name].where(~apart, frame[name][apart].map(lambda value: unicodedata.normalize("NFC", value)))
            notes.append(say("Trường \"{field}\": {n} đối tượng có chữ Unicode tổ hợp (dấu rời), đã đổi sang dựng sẵn (NFC).",
                             "Field \"{field}\": {n} rows had Unicode letters with separate marks, now composed (NFC).")
                         .format(field=name, n=int(apart.sum())))
    return frame.assign(**changed) if changed else frame


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in apart if letter.isascii())
