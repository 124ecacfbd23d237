"""Styles of the land-use room. Colours of land types come from the table ``land_use_codes``, with how sure they are.

Labels of legends are Vietnamese, as on the printed sheet. Colours the table only has by analogy, from one source or in
conflict are marked with an asterisk: a province confirms them before printing.
"""

from __future__ import annotations

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLinePatternFillSymbolLayer,
    QgsRendererCategory,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.norms.loader import load_table
from zoning import fill, label, polygons

OTHER = "225,225,225"
#: Colours two or more sources agree on.
SURE = ("agree",)


def styled_layers() -> dict[str, QgsVectorLayer]:
    """Return a memory layer with symbols and labels for each style."""
    return {"land_use": by_land_type("land_code", 10_000), "land_use_plan": by_land_type("land_code", 10_000),
            "parcel": parcel(), "land_use_change": land_use_change()}


def by_land_type(field: str, smallest_scale: float) -> QgsVectorLayer:
    """Polygons by land type, in the order of the law, labelled with the code."""
    layer = polygons(f"{field}:string")
    layer.setRenderer(QgsCategorizedSymbolRenderer(field, categories()))
    label(layer, f'"{field}"', smallest_scale=smallest_scale)
    return layer


def parcel() -> QgsVectorLayer:
    """Parcels by land type; labelled as cadastral maps are: code, parcel number over area."""
    layer = polygons("land_code:string", "parcel_no:string", "legal_area_m2:double")
    layer.setRenderer(QgsCategorizedSymbolRenderer("land_code", categories()))
    label(layer, "concat(\"land_code\", ' ', \"parcel_no\", '\\n', format_number(\"legal_area_m2\", 1, 'vi'))", smallest_scale=1_500)
    return layer


def land_use_change() -> QgsVectorLayer:
    """Changed pieces by what the land became, half transparent and outlined so that the map below can be read."""
    layer = polygons("before_code:string", "after_code:string", "change:string", "area_m2:double")
    found = [QgsRendererCategory(code, outlined(colour), f"Thành {text}") for code, colour, text in land_types()]
    found.append(QgsRendererCategory(None, outlined(OTHER), "Thành loại đất khác"))
    layer.setRenderer(QgsCategorizedSymbolRenderer("after_code", found))
    label(layer, '"change"', smallest_scale=5_000)
    return layer


def categories() -> list[QgsRendererCategory]:
    """One category per land type, then everything else."""
    found = [QgsRendererCategory(code, salt(colour) if code == "LMU" else fill(colour), text)
             for code, colour, text in land_types()]
    return [*found, QgsRendererCategory(None, fill(OTHER), "Mã khác hoặc không ghi mã")]


def land_types() -> list[tuple[str, str, str]]:
    """Return code, colour as ``r,g,b`` and legend text: today's types, then codes of the list before."""
    rows = [row for row in load_table("land_use_codes", on=None).rows if row["r"] is not None]
    rows.sort(key=lambda row: row["status"] != "current")  # stable: the order of the law is kept
    return [(str(row["code"]), f"{row['r']},{row['g']},{row['b']}", legend(row)) for row in rows]


def legend(row: dict[str, object]) -> str:
    """Name and code; an asterisk where the colour is not certain, a note where the code is of the former list."""
    text = f"{row['name_vi']} ({row['code']})"
    if row["status"] == "legacy":
        text += ", mã cũ"
    if row["rgb_confidence"] not in SURE:
        text += " *"
    return text


def salt(colour: str) -> QgsFillSymbol:
    """Salt land is white with lines, by the standard of 2014-2018."""
    symbol = fill(colour)
    symbol.appendSymbolLayer(QgsLinePatternFillSymbolLayer.create(
        {"color": "120,120,120", "line_width": "0.15", "angle": "0", "distance": "1.5"}))
    return symbol


def outlined(colour: str) -> QgsFillSymbol:
    """A half-transparent filling with a strong outline."""
    red, green, blue = colour.split(",")
    return QgsFillSymbol.createSimple({"color": f"{red},{green},{blue},130", "outline_color": "150,0,60", "outline_width": "0.5"})
