"""Styles of the disaster room: colours and labels of depth classes come from the table ``flood_depth_classes``, names
of kinds from the catalogue.

Labels of legends are Vietnamese, as on the printed map. The default set of classes has the plain name, other sets carry
theirs, as `depth_classes.style_name` says.
"""

from __future__ import annotations

from collections.abc import Callable

from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsMapLayer,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor
from quyhoach.processing_algorithms.common.numbers_vi import format_number
from quyhoach.processing_algorithms.disaster.exposure.depth_classes import (
    DRY,
    DepthClass,
    class_sets,
    depth_classes,
    style_name,
)
from quyhoach.processing_algorithms.disaster.streets.vehicles import vehicles
from zoning import domain

#: A depth on the border of two classes belongs to the deeper one; a colour ramp would count it to the one below.
_JUST_BELOW = 1e-6


def styled_layers() -> dict[str, QgsMapLayer]:
    """Return a layer with its symbols for each style."""
    made: dict[str, QgsMapLayer] = {}
    for name in class_sets():
        classes = depth_classes(name)
        made[style_name("flood_depth", name)] = depth_raster(classes.classes)
        made[style_name("flood_exposure_buildings", name)] = exposed_buildings(classes.all)
    return {**made, "building": building(), "river": river(), "gauge": gauge(), "flood_mark": flood_mark(),
            "flood_zone": flood_zone(),
            "landslide_zone": landslide_zone(), "shelter": shelter(), "field_report": field_report(),
            "flooded_network": flooded_network(), "flood_report_streets": flood_report_streets()}


def depth_raster(classes: tuple[DepthClass, ...]) -> QgsRasterLayer:
    """Depth in classes; dry land is transparent, and so is unknown terrain."""
    gdal.GetDriverByName("GTiff").Create("/vsimem/depth.tif", 1, 1, 1,
                                         gdal.GDT_Float32).SetGeoTransform((0, 1, 0, 1, 0, -1))
    layer = QgsRasterLayer("/vsimem/depth.tif", "depth", "gdal")
    items = [QgsColorRampShader.ColorRampItem(0.0, QColor(255, 255, 255, 0), "Không ngập")]
    for one in classes:
        bound = float("inf") if one.maximum_m is None else one.maximum_m - _JUST_BELOW
        items.append(QgsColorRampShader.ColorRampItem(bound, QColor(*one.colour, 217), one.label_vi))
    ramp = QgsColorRampShader(0.0, classes[-1].minimum_m + 1.0)
    ramp.setColorRampType(Qgis.ShaderInterpolationMethod.Discrete)
    ramp.setColorRampItemList(items)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader)
    renderer.setClassificationMin(ramp.minimumValue())
    renderer.setClassificationMax(ramp.maximumValue())
    layer.setRenderer(renderer)
    return layer


def exposed_buildings(classes: tuple[DepthClass, ...]) -> QgsVectorLayer:
    """Buildings of ``quyhoach:floodexposure`` by depth class; dry ones are outlined only."""
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=depth_class:integer", "", "memory")
    categories = []
    for one in classes:
        symbol = QgsFillSymbol.createSimple({"color": ",".join(map(str, one.colour)), "outline_color": "70,70,70",
                                             "outline_width": "0.1"})
        if one.code == DRY:
            symbol.symbolLayer(0).setFillColor(QColor(255, 255, 255, 0))
        categories.append(QgsRendererCategory(one.code, symbol, one.label_vi))
    layer.setRenderer(QgsCategorizedSymbolRenderer("depth_class", categories))
    return layer


def building() -> QgsVectorLayer:
    """Buildings by use."""
    look = {"residential": "232,214,190", "apartment": "222,190,160", "mixed": "226,176,136",
            "commercial": "214,140,120",
            "office": "176,170,205", "education": "240,205,90", "health": "235,110,110", "culture": "170,200,160",
            "religious": "200,170,120", "industrial": "170,165,180", "agricultural": "200,210,160",
            "technical": "150,165,175", "other": "205,205,205"}
    layer = memory("MultiPolygon", "use:string")
    layer.setRenderer(categorized("building", "use", lambda code: polygon(look[code], "90,90,90", 0.1)))
    return layer


def river() -> QgsVectorLayer:
    """Water by kind, with its name."""
    layer = memory("MultiPolygon", "name:string", "kind:string")
    look = {"sea": "170,205,235", "reservoir": "150,195,230", "lake": "160,205,235"}
    layer.setRenderer(categorized(
        "river", "kind", lambda code: polygon(look.get(code, "140,190,225"), "70,130,180", 0.15)))
    label(layer, '"name"', 50_000, italic=True, colour=QColor(30, 80, 140))
    return layer


def gauge() -> QgsVectorLayer:
    """Gauges by kind, labelled with the name, and with the level where one was read, else the alarm levels 1 to 3 where they are known."""
    layer = memory("Point", "name:string", "kind:string", "alarm_1_m:double", "alarm_2_m:double", "alarm_3_m:double")
    look = {"river": "triangle", "tide": "diamond", "reservoir": "square"}
    layer.setRenderer(categorized("gauge", "kind", lambda code: marker(look[code], "30,90,170", 3.2)))
    levels = [f"replace(format_number(\"alarm_{k}_m\", 2, 'en'), '.', ',')" for k in (1, 2, 3)]
    alarms = ", ' / ', ".join(levels)
    level = "attribute(@feature, 'level_m')"  # gauges themselves have no such field
    read = f"concat('\\n', replace(format_number({level}, 2, 'en'), '.', ','), ' m')"
    text = f"""concat("name", if({level} IS NOT NULL, {read}, if("alarm_3_m" IS NULL, '', concat('\\nBĐ1-3: ', {alarms}, ' m'))))"""
    label(layer, text, 100_000)
    return layer


def flood_mark() -> QgsVectorLayer:
    """Flood marks, labelled with their water level."""
    layer = memory("Point", "level_m:double")
    layer.setRenderer(QgsSingleSymbolRenderer(marker("cross_fill", "20,60,160", 2.6)))
    label(layer, """concat(replace(format_number("level_m", 2, 'en'), '.', ','), ' m')""", 10_000)
    return layer


def flood_zone() -> QgsVectorLayer:
    """Flooded areas by origin: observed solid, modelled and planned dashed."""
    layer = memory("MultiPolygon", "name:string", "origin:string")
    look = {"observed": "solid", "modelled": "dash", "planned": "dot"}
    layer.setRenderer(categorized(
        "flood_zone", "origin", lambda code: polygon("107,174,214,110", "33,113,181", 0.4, look[code])))
    return layer


def landslide_zone() -> QgsVectorLayer:
    """Landslide areas by susceptibility."""
    layer = memory("MultiPolygon", "name:string", "susceptibility:string")
    look = {"low": "255,240,190,150", "medium": "253,190,110,150", "high": "240,110,60,150",
            "very_high": "190,20,40,150"}
    layer.setRenderer(categorized("landslide_zone", "susceptibility",
                                  lambda code: polygon(look[code], "130,50,20", 0.3)))
    return layer


def shelter() -> QgsVectorLayer:
    """Shelters, labelled with name and capacity; community flood shelters stand out."""
    layer = memory("Point", "name:string", "kind:string", "capacity:integer")
    layer.setRenderer(categorized("shelter", "kind", lambda code: marker(
        "pentagon", "0,120,60" if code == "flood_shelter" else "70,170,100", 4.0 if code == "flood_shelter" else 3.0)))
    label(layer, """concat("name", if("capacity" IS NULL, '', concat(' (', "capacity", ')')))""", 15_000)
    return layer


def field_report() -> QgsVectorLayer:
    """Observations from the field by kind; dismissed ones are kept small and grey."""
    layer = memory("Point", "kind:string", "status:string")
    look = {"flooding": ("circle", "33,113,181"), "landslide": ("triangle", "150,90,40"),
            "road_blocked": ("square", "215,25,28"),
            "people_in_need": ("star", "230,0,110"), "damage": ("diamond", "240,130,0"),
            "dyke_incident": ("pentagon", "120,0,120"),
            "other": ("circle", "110,110,110")}
    root, rule = QgsRuleBasedRenderer.Rule(None), QgsRuleBasedRenderer.Rule
    for value in domain("field_report", "kind"):
        shape, colour = look[value.code]
        root.appendChild(rule(marker(shape, colour, 3.4), 0, 0,
                              f"\"kind\" = '{value.code}' AND coalesce(\"status\", '') <> 'dismissed'", value.label.vi))
    root.appendChild(rule(marker("circle", "190,190,190", 1.6), 0, 0, "\"status\" = 'dismissed'", "Không chính xác"))
    layer.setRenderer(QgsRuleBasedRenderer(root))
    return layer


def flooded_network() -> QgsVectorLayer:
    """Stretches of ``quyhoach:floodednetwork`` by the vehicles the water stops; what is cut off has a dark casing."""
    layer = memory("MultiLineString", "passability:integer", "cut_off:boolean")
    kinds = vehicles()
    looks = [(0, "Không ngập", "150,150,150", 0.35), (1, "Ngập, mọi loại xe còn đi được", "66,146,198", 0.7)]
    reds = ["254,217,118", "253,141,60", "240,59,32", "189,0,38", "110,0,60"]
    looks += [(k + 2, f"{kind.name} không đi được (sâu hơn {format_number(kind.depth_max_m, 1)} m)", reds[min(k, len(reds) - 1)], 0.9 + 0.15 * k)
              for k, kind in enumerate(kinds)]
    looks.append((-1, "Chưa rõ độ sâu", "120,90,160", 0.6))
    root, rule = QgsRuleBasedRenderer.Rule(None), QgsRuleBasedRenderer.Rule
    root.appendChild(rule(line("40,40,40", 2.2), 0, 0, '"cut_off"', "Nối với nơi bị cô lập, chia cắt"))
    for code, text, colour, width in looks:
        root.appendChild(rule(line(colour, width, "dash" if code == -1 else "solid"), 0, 0, f'"passability" = {code}',
                              text))
    layer.setRenderer(QgsRuleBasedRenderer(root))
    return layer


def flood_report_streets() -> QgsVectorLayer:
    """Streets not passable on the map of a report: one thin line, so that the depth below stays readable."""
    layer = memory("MultiLineString", "passability:integer")
    layer.setRenderer(QgsSingleSymbolRenderer(line("215,25,28", 0.35)))
    return layer


def line(colour: str, width: float, style: str = "solid") -> QgsLineSymbol:
    """A line; width in mm."""
    return QgsLineSymbol.createSimple({"line_color": colour, "line_width": str(width), "line_style": style,
                                       "capstyle": "round"})


def memory(kind: str, *fields: str) -> QgsVectorLayer:
    """Return an empty layer with fields given as ``name:type``."""
    return QgsVectorLayer(f"{kind}?crs=EPSG:9214" + "".join(f"&field={field}" for field in fields), "", "memory")


def categorized(dataset: str, field: str, symbol: Callable[[str], QgsSymbol]) -> QgsCategorizedSymbolRenderer:
    """Categories of a field's domain in the catalogue, with its Vietnamese labels."""
    return QgsCategorizedSymbolRenderer(
        field, [QgsRendererCategory(value.code, symbol(value.code), value.label.vi)
                for value in domain(dataset, field)])


def polygon(colour: str, outline: str, width: float, style: str = "solid") -> QgsFillSymbol:
    """A filled polygon; width in mm."""
    return QgsFillSymbol.createSimple(
        {"color": colour, "outline_color": outline, "outline_width": str(width), "outline_style": style})


def marker(shape: str, colour: str, size: float) -> QgsMarkerSymbol:
    """A point symbol with a white border; size in mm."""
    return QgsMarkerSymbol.createSimple(
        {"name": shape, "color": colour, "outline_color": "255,255,255", "outline_width": "0.3", "size": str(size)})


def label(
    layer: QgsVectorLayer, expression: str, smallest_scale: float, italic: bool = False,
    colour: QColor = QColor(30, 30, 30),
) -> None:
    """Label with a white halo, from a scale on."""
    text = QgsTextFormat()
    text.setSize(7)
    text.setSizeUnit(Qgis.RenderUnit.Points)
    text.setColor(colour)
    text.setForcedItalic(italic)
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.6)
    text.setBuffer(halo)
    settings = QgsPalLayerSettings()
    settings.fieldName, settings.isExpression = expression, True
    settings.dist = 1.5  # mm, clear of the point symbol
    settings.scaleVisibility, settings.minimumScale = True, smallest_scale
    settings.setFormat(text)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
