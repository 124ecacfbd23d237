"""Styles of the zoning room load, and show the colours of the table of land functions."""

import pytest
from qgis.core import QgsExpression, QgsVectorLayer
from quyhoach.processing_algorithms.common.norms.loader import load_table
from quyhoach.processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER

STYLES = PLUGIN_FOLDER / "styles" / "zoning"


def styled(name):
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=zone:string&field=zone_fid:integer&field=sliver:boolean"
                           "&field=share_pct:double&field=function_code:string&field=zone_code:string", "", "memory")
    message, loaded = layer.loadNamedStyle(str(STYLES / f"{name}.qml"))
    assert loaded, message
    return layer


def test_zones_have_the_colours_of_the_circular():
    layer = styled("zone")  # owns its renderer
    shown = {item.value(): item.symbol().color() for item in layer.renderer().categories()}
    for row in load_table("planning_land_functions", on=None).rows:
        colour = shown[row["key"]]
        assert (colour.red(), colour.green(), colour.blue()) == (row["r"], row["g"], row["b"])


@pytest.mark.parametrize(("zone", "zone_fid", "sliver", "labels"), [
    ("'NO'", "7", "false", ["Nhóm nhà ở (NO)"]),
    ("'A1-01'", "7", "false", ["Ô quy hoạch khác"]),
    ("NULL", "7", "false", ["Ô quy hoạch khác"]),
    ("NULL", "NULL", "false", ["Ngoài mọi ô quy hoạch"]),
    ("'NO'", "7", "true", ["Nhóm nhà ở (NO)", "Phần hẹp trong sai số ghép bản đồ"]),
])
def test_every_piece_has_one_filling_and_slivers_a_hatch_on_top(zone, zone_fid, sliver, labels):
    drawn, layer = [], styled("parcel_zoning")
    for rule in layer.renderer().rootRule().children():
        filled = rule.filterExpression()
        for name, value in (("zone_fid", zone_fid), ("sliver", sliver), ("zone", zone)):
            filled = filled.replace(f'"{name}"', value)
        if QgsExpression(filled).evaluate():
            drawn.append(rule.label())
    assert drawn == labels


def test_answers_of_plans_are_drawn_and_other_plans_only_on_request():
    layer = styled("plan_answers")
    answers, none, others = layer.renderer().rootRule().children()
    assert len(answers.children()) == len(load_table("planning_land_functions", on=None).rows) + 2
    assert answers.active() and none.active() and not others.active()
