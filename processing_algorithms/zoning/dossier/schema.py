"""What the standard asks of a dossier: databases, classes, fields and codes, read from the norms."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from ...common.errors import refuse_if
from ...common.language import say
from ...common.norms import load_table, regulations
from ...common.norms.loader import CONFIDENCE, NormTable, confidence_label

DATABASES = ("HienTrang", "QuyHoach", "NenDiaHinh", "MocGioi")
#: Names of the folder and of the files a project may be kept in.
FOLDER_NAME = "HoSoGIS"
PROJECT_ENDINGS = (".qgz", ".qgs", ".aprx", ".ppkx", ".mxd", ".mpk")
#: Classes the checks know by name.
BOUNDARY, FUNCTIONS, ZONES, SUB_AREAS = ("RanhGioiQuyHoach_A", "ChucNangSuDungDat_A", "PhanOQuyHoach_A",
                                         "PhanKhuQuyHoach_A")
MARKER_POINTS, MARKER_LINES = "MocGioiQuyHoach_P", "MocGioiQuyHoach_L"
#: Fields the checks know by name.
PLAN_CODE, DOSSIER_CODE, OBJECT_CODE, OBJECT_NAME, KIND = ("maThongTinQH", "maHoSoQH", "maDoiTuong", "tenDoiTuong",
                                                           "phanLoai")
#: What a class name looks like; a class the list does not know must be named so, too.
CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(?:_[A-Z][A-Za-z0-9]*)*_[APL]")


@dataclass(frozen=True)
class DossierClass:
    """One class. ``geometry`` is A, P or L; ``required`` is "features", "class" or empty; ``heights``: may have Z."""

    database: str
    dataset: str
    dataset_vi: str
    name: str
    geometry: str
    name_vi: str
    name_en: str
    required: str
    heights: bool

    @property
    def label(self) -> str:
        """Its name in the language spoken."""
        return say(self.name_vi, self.name_en)


@dataclass(frozen=True)
class DossierField:
    """One field. ``classes`` is empty for a field of every class; ``also``: other spellings it is found under."""

    name: str
    classes: tuple[str, ...]
    type: str
    length: int | None
    decimals: int | None
    value_required: bool
    name_vi: str
    name_en: str
    minimum: float | None
    maximum: float | None
    also: frozenset[str]

    @property
    def label(self) -> str:
        """Its name in the language spoken."""
        return say(self.name_vi, self.name_en)


@dataclass(frozen=True)
class CodePart:
    """One part of a code; ``values`` are the allowed ones with what they mean, where the standard lists them."""

    name: str
    length: int | None
    pattern: str
    values: Mapping[str, str]
    label: str


@dataclass(frozen=True)
class DossierSchema:
    """The standard as it stands on a day.

    Attributes
    ----------
    classes : tuple of DossierClass
        In the order of the annex.
    mandatory, supplementary : tuple of DossierField
        Of every class; and those that carry the control figures.
    codes : mapping of str to tuple of CodePart
    functions : tuple of mapping
        Rows of the norms table of land functions: key, name_vi, layer names.
    provinces : mapping of str to (name, EPSG code)
        Present provinces by code.
    tables : tuple of NormTable
        Where all this was read.
    """

    classes: tuple[DossierClass, ...]
    mandatory: tuple[DossierField, ...]
    supplementary: tuple[DossierField, ...]
    codes: Mapping[str, tuple[CodePart, ...]]
    functions: tuple[Mapping[str, object], ...]
    provinces: Mapping[str, tuple[str, int]]
    tables: tuple[NormTable, ...] = field(repr=False)

    @cached_property
    def by_name(self) -> dict[tuple[str, str], DossierClass]:
        """Classes by database and name."""
        return {(item.database, item.name): item for item in self.classes}

    def fields_of(self, class_name: str) -> tuple[DossierField, ...]:
        """Return the fields of a class: the mandatory ones, then those with its figures."""
        return self.mandatory + tuple(item for item in self.supplementary if class_name in item.classes)

    def pattern(self, code: str) -> re.Pattern[str]:
        """Return the pattern of a code with its parts as named groups."""
        return re.compile("".join(f"(?P<{part.name}>{part.pattern})" for part in self.codes[code]))

    @property
    def version(self) -> str:
        """Name the standard, its state, and how sure it is, as every report prints it."""
        regulation = regulations()[str(self.tables[0].rows[0]["regulation"])]
        return f"{regulation.number}, {self.tables[0].version}"

    @property
    def confidence(self) -> str:
        """The least sure of what the schema is made of, class list and mandatory fields."""
        found = {str(row["confidence"]) for table in self.tables for row in table.rows
                 if row["confidence"] != "analogy"}
        return max(found, key=CONFIDENCE.index)

    @property
    def confidence_text(self) -> str:
        """Say the confidence in words, and which part is our proposal."""
        return say("{words}; tên các trường chỉ tiêu bổ sung: {proposal}",
                   "{words}; names of the fields with control figures: {proposal}").format(
            words=confidence_label(self.confidence), proposal=confidence_label("analogy"))


def load_schema(on: datetime.date, province_folder: str | Path | None = None) -> DossierSchema:
    """Read the standard as it stands on a day.

    Parameters
    ----------
    on : date
    province_folder : path, optional
        Where a province keeps its own tables; see `load_table`.

    Raises
    ------
    InputError
        The standard did not hold on that day.

    Examples
    --------
    >>> schema = load_schema(datetime.date(2026, 11, 22))
    >>> len(schema.classes), schema.pattern("maHoSoQH").fullmatch("46QPK0000001")["level"]
    (149, 'QPK')
    """
    classes, fields, codes = (load_table(name, on=on, province_folder=province_folder)
                              for name in ("tt16_classes", "tt16_fields", "tt16_codes"))
    functions = load_table("planning_land_functions", on=on, province_folder=province_folder)
    refuse_if(table.reason for table in (classes, fields, codes, functions))
    zones = load_table("vn2000_zones", on=None, province_folder=province_folder)
    parts: dict[str, list[CodePart]] = {}
    for row in codes.rows:
        parts.setdefault(str(row["code"]), []).append(_code_part(row))
    every = tuple(_field(row) for row in fields.rows)
    return DossierSchema(
        classes=tuple(DossierClass(str(row["database"]), str(row["dataset"]), str(row["dataset_vi"]), str(row["class"]),
                                   str(row["geometry"]), str(row["name_vi"]), str(row["name_en"]),
                                   str(row["required"]), row["heights"] == "yes") for row in classes.rows),
        mandatory=tuple(item for item in every if not item.classes),
        supplementary=tuple(item for item in every if item.classes),
        codes={code: tuple(found) for code, found in parts.items()}, functions=functions.rows,
        provinces={str(row["new_code"]): (str(row["province_new"]), int(str(row["epsg_new"]))) for row in zones.rows},
        tables=(classes, fields, codes))


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a name as people mean it: no diacritics, case, spaces or signs.

    Examples
    --------
    >>> plain("Mật độ XD"), plain("mat_do_xd")
    ('matdoxd', 'matdoxd')
    """
    flat = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]", "", flat.replace("đ", "d"))


def _field(row: Mapping[str, object]) -> DossierField:
    return DossierField(
        name=str(row["field"]), classes=tuple(str(row["classes"]).split()), type=str(row["type"]),
        length=row["length"], decimals=row["decimals"], value_required=row["value_required"] == "yes",
        name_vi=str(row["name_vi"]), name_en=str(row["name_en"]), minimum=row["minimum"], maximum=row["maximum"],
        also=frozenset(plain(word) for word in (*str(row["also"]).split(";"), str(row["field"])) if word))


def _code_part(row: Mapping[str, object]) -> CodePart:
    values = dict(item.split("=", 1) for item in str(row["values"]).split(";") if item)
    return CodePart(str(row["part"]), row["length"], str(row["pattern"]), values,
                    say(str(row["name_vi"]), str(row["name_en"])))
