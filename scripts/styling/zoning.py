"""Styles of the zoning room. Colours of land functions come from the table ``planning_land_functions`` (TT 16/2025).

Labels of legends are Vietnamese, as on the printed sheet.
"""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFeatureRequest,
    QgsFillSymbol,
    QgsLinePatternFillSymbolLayer,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor
from quyhoach.processing_algorithms.common.norms.loader import load_table
from quyhoach.processing_algorithms.provincial_database.catalogue.loader import find_dataset, load_catalogue

OUTLINE = "70,70,70"
OTHER = "225,225,215"


def styled_layers() -> dict[str, QgsVectorLayer]:
    """Return a memory layer with symbols and labels for each style."""
    return {"zone": zone(), "parcel_zoning": parcel_zoning(), "plan": plan(),
            "constraint_overlay": constraint_overlay(), "parcel_override": parcel_override(),
            "plan_answers": plan_answers(),
            "compliance": compliance(),
            "plan_difference": plan_difference(), "sheet_index": sheet_index(), "dossier_errors": dossier_errors()}


def zone() -> QgsVectorLayer:
    """Zones of a plan by land function, labelled with their code."""
    layer = polygons("zone_code:string", "function_code:string")
    categories = [QgsRendererCategory(code, fill(colour), label) for code, colour, label in functions()]
    categories.append(QgsRendererCategory(None, fill(OTHER), "Chức năng khác"))
    layer.setRenderer(QgsCategorizedSymbolRenderer("function_code", categories))
    label(layer, '"zone_code"', smallest_scale=15_000)
    return layer


def parcel_zoning() -> QgsVectorLayer:
    """Pieces of ``quyhoach:parcelzoning``: by function where the zone's value is one, slivers hatched in red on top."""
    layer = polygons("zone_fid:integer", "zone:string", "share_pct:double", "sliver:boolean")
    root = QgsRuleBasedRenderer.Rule(None)
    rule = QgsRuleBasedRenderer.Rule
    for code, colour, text in functions():
        root.appendChild(rule(fill(colour), 0, 0, f"to_string(\"zone\") = '{code}'", text))
    known = ", ".join(f"'{code}'" for code, _, _ in functions())
    root.appendChild(rule(fill(OTHER), 0, 0,
                          f'"zone_fid" IS NOT NULL AND coalesce(to_string("zone") NOT IN ({known}), true)',
                          "Ô quy hoạch khác"))
    root.appendChild(rule(hatch("150,150,150", 0.2, 45), 0, 0, '"zone_fid" IS NULL', "Ngoài mọi ô quy hoạch"))
    root.appendChild(rule(hatch("215,25,28", 0.3, 135), 0, 0, '"sliver"', "Phần hẹp trong sai số ghép bản đồ"))
    layer.setRenderer(QgsRuleBasedRenderer(root))
    share = """replace(format_number("share_pct", 1, 'en'), '.', ',')"""
    label(layer, f"""if("sliver", '', concat(to_string("zone"), '\\n', {share}, ' %'))""", smallest_scale=2_500)
    return layer


def plan_answers() -> QgsVectorLayer:
    """Pieces of ``quyhoach:parcelzoning`` with plans: what answers by function; other plans are there, not drawn."""
    layer = polygons("zone_fid:integer", "function_code:string", "share_pct:double", "sliver:boolean",
                     "is_answer:boolean", "role:string")
    rule = QgsRuleBasedRenderer.Rule
    root = rule(None)
    answers = rule(None, 0, 0, '"is_answer"', "Quy hoạch áp dụng")
    for code, colour, text in functions():
        answers.appendChild(rule(fill(colour), 0, 0, f"\"function_code\" = '{code}'", text))
    answers.appendChild(rule(hatch("150,150,150", 0.2, 45), 0, 0, '"zone_fid" IS NULL', "Không thuộc ô nào"))
    answers.appendChild(rule(hatch("215,25,28", 0.3, 135), 0, 0, '"sliver"', "Trong hạn sai ghép bản đồ"))
    root.appendChild(answers)
    root.appendChild(rule(hatch("150,150,150", 0.2, 45), 0, 0, "\"role\" = 'no_plan'", "Không có quy hoạch"))
    others = rule(outline("110,110,110", "dash"), 0, 0, "NOT \"is_answer\" AND \"role\" <> 'no_plan'", "Đồ án khác")
    others.setActive(False)
    root.appendChild(others)
    layer.setRenderer(QgsRuleBasedRenderer(root))
    share = """replace(format_number("share_pct", 1, 'en'), '.', ',')"""
    label(layer, f"""if("is_answer" AND NOT "sliver", concat("function_code", '\\n', {share}, ' %'), '')""",
          smallest_scale=2_500)
    return layer


def plan_difference() -> QgsVectorLayer:
    """Pieces of ``quyhoach:plandifference`` by what happened to them."""
    layer = polygons("kind:string", "before_function:string", "after_function:string", "within_tolerance:boolean")
    root = QgsRuleBasedRenderer.Rule(None)
    rule = QgsRuleBasedRenderer.Rule
    for kind, colour, text in (("function", "240,120,90", "Đổi chức năng"), ("figures", "255,215,120", "Đổi chỉ tiêu"),
                               ("added", "130,190,120", "Thêm"), ("removed", "120,150,210", "Bớt"),
                               ("renamed", "225,225,225", "Đổi ký hiệu"), ("same", "248,248,248", "Không đổi")):
        root.appendChild(rule(fill(colour), 0, 0, f"\"kind\" = '{kind}'", text))
    root.appendChild(rule(hatch("110,110,110", 0.3, 135), 0, 0, '"within_tolerance"', "Trong hạn sai ghép bản đồ"))
    layer.setRenderer(QgsRuleBasedRenderer(root))
    label(layer, """if("kind" = 'function' AND NOT "within_tolerance", concat("before_function", ' → ', """
                 """"after_function"), '')""", smallest_scale=10_000)
    return layer


def plan() -> QgsVectorLayer:
    """Boundaries of plans by status: approved solid, others dashed."""
    layer = polygons("name:string", "status:string")
    look = {"approved": ("200,0,0", "solid"), "in_appraisal": ("200,110,0", "dash"), "draft": ("110,110,110", "dash"),
            "superseded": ("150,150,150", "dot")}
    categories = [QgsRendererCategory(value.code, outline(*look[value.code]), value.label.vi)
                  for value in domain("plan", "status")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("status", categories))
    label(layer, '"name"', smallest_scale=50_000)
    return layer


def constraint_overlay() -> QgsVectorLayer:
    """Areas where building is restricted, by effect: hatches that leave the plan below readable."""
    layer = polygons("name:string", "effect:string")
    look = {"no_building": ("215,25,28", 45, 2.0), "limited": ("230,120,0", 45, 3.0),
            "height_limit": ("60,60,200", 135, 3.0)}
    categories = []
    for value in domain("constraint_overlay", "effect"):
        colour, angle, distance = look[value.code]
        categories.append(QgsRendererCategory(value.code, hatch(colour, 0.3, angle, distance), value.label.vi))
    layer.setRenderer(QgsCategorizedSymbolRenderer("effect", categories))
    return layer


def parcel_override() -> QgsVectorLayer:
    """Parcels with figures of their own, by status; labelled with the document."""
    layer = polygons("decision_number:string", "status:string")
    look = {"approved": ("120,30,140", "solid"), "in_appraisal": ("120,30,140", "dash"),
            "draft": ("110,110,110", "dash"), "superseded": ("150,150,150", "dot")}
    categories = [QgsRendererCategory(value.code, outline(*look[value.code]), value.label.vi)
                  for value in domain("parcel_override", "status")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("status", categories))
    label(layer, '"decision_number"', smallest_scale=5_000)
    return layer


def compliance() -> QgsVectorLayer:
    """Checks and lots of ``quyhoach:zoningcompliance`` by verdict: what is broken on top of what is open."""
    layer = polygons("verdict:string")
    look = (("kept", "170,215,160", "Phù hợp"), ("open", "250,225,130", "Chưa đủ căn cứ đánh giá"),
            ("broken", "225,110,100", "Chưa phù hợp"))
    renderer = QgsCategorizedSymbolRenderer("verdict", [QgsRendererCategory(code, fill(colour), text)
                                                        for code, colour, text in look])
    renderer.setOrderBy(QgsFeatureRequest.OrderBy([QgsFeatureRequest.OrderByClause(
        "array_find(array('kept', 'open', 'broken'), \"verdict\")")]))
    renderer.setOrderByEnabled(True)
    layer.setRenderer(renderer)
    return layer


def sheet_index() -> QgsVectorLayer:
    """Sheets of a printed plan, with their numbers."""
    layer = polygons("sheet:integer")
    layer.setRenderer(QgsSingleSymbolRenderer(outline("40,40,40", "solid")))
    label(layer, '"sheet"', smallest_scale=0)
    return layer


def polygons(*fields: str) -> QgsVectorLayer:
    """Return an empty polygon layer with fields given as ``name:type``."""
    return QgsVectorLayer("MultiPolygon?crs=EPSG:9214" + "".join(f"&field={field}" for field in fields), "", "memory")


def functions() -> list[tuple[str, str, str]]:
    """Return code, colour as ``r,g,b`` and Vietnamese legend text of all land functions."""
    rows = load_table("planning_land_functions", on=None).rows
    return [(str(row["key"]), f"{row['r']},{row['g']},{row['b']}", f"{row['name_vi']} ({row['key']})") for row in rows]


def domain(dataset: str, field: str) -> list:
    """Return the values of a field's domain from the catalogue."""
    found = find_dataset(load_catalogue(), dataset)
    return list(next(item for item in found.fields if item.name == field).domain.values)


def fill(colour: str) -> QgsFillSymbol:
    """A filled polygon with a thin dark outline."""
    return QgsFillSymbol.createSimple({"color": colour, "outline_color": OUTLINE, "outline_width": "0.15"})


def outline(colour: str, style: str) -> QgsFillSymbol:
    """A boundary without filling."""
    return QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": colour, "outline_width": "0.7", "outline_style": style})


def hatch(colour: str, width: float, angle: float, distance: float = 1.2) -> QgsFillSymbol:
    """A hatch with an outline of its colour; lengths in mm."""
    symbol = QgsFillSymbol.createSimple({"style": "no", "outline_color": colour, "outline_width": str(width)})
    lines = QgsLinePatternFillSymbolLayer.create(
        {"color": colour, "line_width": str(width), "angle": str(angle), "distance": str(distance)})
    symbol.insertSymbolLayer(0, lines)
    return symbol


def label(layer: QgsVectorLayer, expression: str, smallest_scale: float) -> None:
    """Label with a white halo, from a scale on; at all scales when it is 0."""
    text = QgsTextFormat()
    text.setSize(7)
    text.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
    text.setColor(QColor(30, 30, 30))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.6)
    text.setBuffer(halo)
    settings = QgsPalLayerSettings()
    settings.fieldName, settings.isExpression = expression, True
    settings.placement = Qgis.LabelPlacement.Horizontal
    settings.scaleVisibility, settings.minimumScale = smallest_scale > 0, smallest_scale
    settings.setFormat(text)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)


def dossier_errors() -> QgsVectorLayer:
    """Places of findings of ``quyhoach:plandossiercheck`` by severity, labelled with the rule."""
    layer = QgsVectorLayer("Point?crs=EPSG:9214&field=rule:string&field=severity:string", "", "memory")
    look = (("lỗi", "error", "215,25,28", "4"), ("cảnh báo", "warning", "253,141,60", "3.4"),
            ("lưu ý", "note", "120,120,120", "2.6"))
    categories = [QgsRendererCategory([vi, en], QgsMarkerSymbol.createSimple(
        {"name": "cross_fill" if vi == "lỗi" else "triangle", "color": colour, "outline_color": "255,255,255", "size": size}),
        vi.capitalize()) for vi, en, colour, size in look]
    layer.setRenderer(QgsCategorizedSymbolRenderer("severity", categories))
    label(layer, '"rule"', smallest_scale=10_000)
    return layer
