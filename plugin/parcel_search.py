"""Finding a parcel: by a place on the map, by sheet and number, and the communes a search can name.

Every question goes to the layer's index or its database; no layer is read whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import (
    QgsExpression,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsPointXY,
    QgsRectangle,
    QgsVectorLayer,
)

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say

#: Around a place that was clicked, in units of the layer: enough to find what the point lies in.
_NEAR = 0.001
#: More parcels of one number than anybody wants to choose from.
_MOST = 20


@dataclass(frozen=True)
class Commune:
    """A commune a search can name: as it is now, or as it was before July 2025."""

    code: str
    name: str
    old: bool

    @property
    def label(self) -> str:
        """Name, what it is, and code, as listed."""
        kind = say("cũ", "former") if self.old else say("hiện nay", "present")
        return f"{self.name} ({kind}, {self.code})"


def communes(units: QgsVectorLayer | None, parcels: QgsVectorLayer) -> list[Commune]:
    """Return the communes of the layer of units; without it the codes that the parcels have."""
    if units is None:
        found = []
        for field, old in (("commune_code", False), ("old_commune_code", True)):
            index = parcels.fields().lookupField(field)
            codes = sorted(str(value) for value in parcels.uniqueValues(index, 500) if value) if index >= 0 else []
            found += [Commune(code, say("Mã {code}", "Code {code}").format(code=code), old) for code in codes]
        return found
    names = [name for name in ("unit_code", "name", "unit_type") if units.fields().lookupField(name) >= 0]
    request = (
        QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry).setSubsetOfAttributes(names, units.fields())
    )
    listed = []
    for unit in units.getFeatures(request):
        code, name = str(unit["unit_code"] or ""), str(unit["name"] or "")
        kind = str(unit["unit_type"] or "") if "unit_type" in names else ""
        if code and kind not in ("province", "old_province", "old_district"):
            listed.append(Commune(code, name, kind.startswith("old_")))
    return sorted(listed, key=lambda one: (one.old, one.code))


def parcel_at(parcels: QgsVectorLayer, place: QgsPointXY) -> tuple[QgsFeature | None, int]:
    """Return the parcel a place lies in, and how many there are; of overlapping ones the smallest. In the layer's system."""
    request = QgsFeatureRequest().setFilterRect(
        QgsRectangle(place.x() - _NEAR, place.y() - _NEAR, place.x() + _NEAR, place.y() + _NEAR)
    )
    point = QgsGeometry.fromPointXY(place)
    found = [
        parcel
        for parcel in parcels.getFeatures(request)
        if parcel.hasGeometry() and parcel.geometry().intersects(point)
    ]
    return (min(found, key=lambda one: one.geometry().area()), len(found)) if found else (None, 0)


def parcels_of_number(parcels: QgsVectorLayer, commune: Commune | None, sheet: str, number: str) -> list[QgsFeature]:
    """Return the parcels of a sheet and number, in a commune where one is given.

    Raises
    ------
    InputError
        A number is missing, the layer lacks the fields, or there are too many parcels.
    """
    number, sheet = number.strip(), sheet.strip()
    if not number:
        raise InputError(say("Hãy nhập số thửa.", "Type the parcel number."))
    if commune is None and not sheet:
        raise InputError(say("Hãy chọn xã hoặc nhập số tờ bản đồ.", "Choose a commune or type the map sheet."))
    wanted = {
        "parcel_no": int(number) if number.isdigit() and parcels.fields().field("parcel_no").isNumeric() else number
    }
    if sheet:
        wanted["sheet_no"] = sheet
    if commune is not None:
        wanted["old_commune_code" if commune.old else "commune_code"] = commune.code
    missing = [name for name in wanted if parcels.fields().lookupField(name) < 0]
    if missing:
        raise InputError(say("Lớp thửa đất {layer} không có trường {fields}; chọn lớp khác trong \"Nguồn dữ liệu\".",
                             "The parcel layer {layer} has no field {fields}; choose another under \"Data\".")
                         .format(layer=parcels.name(), fields=", ".join(missing)))
    where = " AND ".join(f"{QgsExpression.quotedColumnRef(name)} = {QgsExpression.quotedValue(value)}" for name, value in wanted.items())
    found = []
    for parcel in parcels.getFeatures(QgsFeatureRequest().setFilterExpression(where).setLimit(_MOST + 1)):
        found.append(parcel)
    if len(found) > _MOST:
        raise InputError(say("Có hơn {n} thửa cùng số; hãy chọn xã và nhập số tờ.", "More than {n} parcels have that number; choose a commune and sheet.").format(n=_MOST))
    return found
