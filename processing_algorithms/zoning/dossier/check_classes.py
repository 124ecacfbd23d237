"""Rules on classes (LOP) and fields (TRG); finds out which table is which class."""

from __future__ import annotations

from collections.abc import Iterator

from ...common.errors import name_some
from ...common.language import say
from .examined import Examined, ExaminedClass, examined_class
from .reading import Layer
from .rules import RULES, Finding
from .schema import CLASS_NAME, FUNCTIONS, ZONES, DossierClass, DossierField, plain

#: Control figures a plan must give (art. 2.19); storeys and height stand for one another.
FIGURES = (("matDoXayDung",), ("tangCaoToiDa", "chieuCaoToiDa"), ("heSoSuDungDat",), ("khoangLui",))


def check_classes(examined: Examined) -> Iterator[Finding]:
    """Yield findings on classes; fill ``examined.classes``."""
    schema = examined.schema
    for file in examined.dossier.files:
        database = file.database or ""
        known = {plain(item.name): item for item in schema.classes if item.database == database}
        elsewhere = {plain(item.name): item for item in schema.classes}
        names = {item.name for item in known.values()}
        # Rightly named tables first: of two tables of one class the other is the surplus.
        for layer in sorted(file.layers, key=lambda one: one.name not in names):
            item = known.get(plain(layer.name))
            if item is not None:
                yield from _take(examined, item, layer)
            elif plain(layer.name) in elsewhere:
                right = elsewhere[plain(layer.name)]
                yield Finding(RULES["LOP-06"], say("Lớp {name} nằm trong {here}, phải nằm trong {right}.",
                                                   "Class {name} is in {here}, belongs to {right}.")
                              .format(name=layer.name, here=database, right=right.database), database, layer.name)
            elif database != "NenDiaHinh":  # its classes are another ministry's
                yield _unknown(layer, database)
    yield from _missing(examined)


def _take(examined: Examined, item: DossierClass, layer: Layer) -> Iterator[Finding]:
    key = (item.database, item.name)
    if key in examined.classes:
        yield Finding(RULES["LOP-09"], say("Lớp {name} có nhiều bảng ({one}, {other}); chỉ bảng đầu được kiểm tra.",
                                           "Class {name} has several tables ({one}, {other}); only the first is checked.")
                      .format(name=item.name, one=examined.classes[key].layer.name, other=layer.name),
                      item.database, item.name)
        return
    if layer.name != item.name:
        yield Finding(RULES["LOP-05"], say("Lớp tên là \"{name}\", phải là \"{right}\".",
                                           "The class is \"{name}\", must be \"{right}\".")
                      .format(name=layer.name, right=item.name), item.database, item.name)
    examined.classes[key] = examined_class(item, layer, examined.schema.fields_of(item.name))


def _unknown(layer: Layer, database: str) -> Finding:
    if CLASS_NAME.fullmatch(layer.name):
        return Finding(RULES["LOP-04"], say("Lớp {name} không có trong danh mục.", "Class {name} is not in the list.")
                       .format(name=layer.name), database, layer.name)
    return Finding(RULES["LOP-07"], say("Lớp \"{name}\" không có trong danh mục và không theo mẫu <TenLop>_<A|P|L>.",
                                        "Class \"{name}\" is not in the list and not named <Name>_<A|P|L>.")
                   .format(name=layer.name), database, layer.name)


def _missing(examined: Examined) -> Iterator[Finding]:
    readable = {file.database for file in examined.dossier.files if not file.error}
    # A class in a database that does not have it is misplaced, not missing too.
    proper = {(item.database, plain(item.name)) for item in examined.schema.classes}
    misplaced = {plain(layer.name) for file in examined.dossier.files for layer in file.layers
                 if (file.database, plain(layer.name)) not in proper}
    groups: dict[tuple[str, str], list[DossierClass]] = {}
    for item in examined.schema.classes:
        if item.database in readable:
            groups.setdefault((item.database, item.dataset), []).append(item)
    for (database, dataset), classes in groups.items():
        gone = [item for item in classes if (database, item.name) not in examined.classes]
        for item in gone:
            if item.required and plain(item.name) not in misplaced:
                yield Finding(RULES["LOP-01"], say("Thiếu lớp {name} ({label}).", "Class {name} ({label}) is missing.")
                              .format(name=item.name, label=item.label), database, item.name)
        if len(gone) == len(classes):
            yield Finding(
                RULES["LOP-02"],
                say("Thiếu cả nhóm {group}, gồm {n} lớp.", "The group {group} of {n} classes is missing.").format(
                    group=dataset, n=len(classes)
                ),
                database,
            )
            continue
        optional = [item.name for item in gone if not item.required and plain(item.name) not in misplaced]
        if optional:
            yield Finding(
                RULES["LOP-03"],
                say("Nhóm {group} thiếu {n} lớp: {names}.", "Group {group} lacks {n} classes: {names}.").format(
                    group=dataset, n=len(optional), names=name_some(optional)
                ),
                database,
            )
    for key, found in examined.classes.items():
        if examined.schema.by_name[key].required == "features" and not len(found.frame):
            yield found.finding("LOP-08", say("Lớp {name} ({label}) không có đối tượng nào.",
                                              "Class {name} ({label}) has no features.")
                                .format(name=found.item.name, label=found.item.label))


def check_fields(examined: Examined) -> Iterator[Finding]:
    """Yield findings on fields: there, spelled, typed and long enough."""
    for found in examined.classes.values():
        for one in examined.schema.mandatory:
            yield from _field(found, one)
    primary = primary_zones(examined)
    if primary is not None:
        labels = {one.name: one.label for one in examined.schema.supplementary}
        for names in FIGURES:
            if not any(name in primary.info for name in names):
                yield primary.finding("TRG-06", say("Lớp {layer} không có trường {names} ({label}).",
                                                    "Class {layer} has no field {names} ({label}).").format(
                    layer=primary.item.name, names=say(" hoặc ", " or ").join(names), label=labels[names[0]]))


def _field(found: ExaminedClass, one: DossierField) -> Iterator[Finding]:
    info = found.info.get(one.name)
    if info is None:
        yield found.finding("TRG-01", say("Lớp {layer} thiếu trường {name} ({label}, text {length}).",
                                          "Class {layer} lacks the field {name} ({label}, text {length}).")
                            .format(layer=found.item.name, name=one.name, label=one.label, length=one.length))
        return
    if info.name != one.name:
        yield found.finding("TRG-05", say("Trường tên là \"{name}\", phải là \"{right}\".",
                                          "The field is \"{name}\", must be \"{right}\".")
                            .format(name=info.name, right=one.name))
    if info.kind != one.type:
        yield found.finding("TRG-02", say("Trường {name} kiểu {kind}, phải là {right}.",
                                          "Field {name} is of type {kind}, must be {right}.")
                            .format(name=one.name, kind=info.kind, right=one.type))
    elif one.length is not None and info.length != one.length:
        longer = info.length == 0 or info.length > one.length
        yield found.finding("TRG-04" if longer else "TRG-03", say(
            "Trường {name} dài {length} ký tự, quy định {right}.",
            "Field {name} has {length} signs, required are {right}.").format(
                name=one.name, length=info.length or say("không giới hạn", "unlimited"), right=one.length))


def primary_zones(examined: Examined) -> ExaminedClass | None:
    """Return the class that carries the control figures: of zones and functions the one with more densities."""
    found = [one for one in (examined.get("QuyHoach", ZONES), examined.get("QuyHoach", FUNCTIONS)) if one is not None]
    return max(found, key=lambda one: sum(name in one.info for names in FIGURES for name in names), default=None)
