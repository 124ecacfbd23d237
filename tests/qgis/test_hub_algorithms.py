"""The shared database through the Processing registry, and its datasets opened and edited in QGIS."""

import csv
import sqlite3
from contextlib import closing

import geopandas
import pytest
import shapely
from qgis.core import (
    QgsFeature,
    QgsFieldConstraints,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.qgis_forms import configure_form, form_style
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue

SQUARE = "Polygon((500000 1800000, 500010 1800000, 500010 1800010, 500000 1800010, 500000 1800000))"


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "Dữ liệu"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def hub(run, folder):
    path = str(folder / "tỉnh thử.gpkg")
    assert run("quyhoach:hubcreate", {"HUB": path, "CRS": "EPSG:9214", "NAME": "Tỉnh thử"}) == {"HUB": path, "DATASET_COUNT": len(load_catalogue())}
    return path


def layer_of(hub, dataset):
    layer = QgsVectorLayer(f"{hub}|layername={dataset}", dataset, "ogr")
    assert layer.isValid()
    return layer


def parcels(rows):
    """A memory layer: old commune, sheet, number, code, shape."""
    fields = "field=XA_CU:string&field=TO:string&field=SO:integer&field=LOAI:string&field=luc:datetime"
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:9214&{fields}", "Bản đồ cũ", "memory")
    for *attributes, wkt in rows:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([*attributes, None])
        if wkt:
            feature.setGeometry(QgsGeometry.fromWkt(wkt))
        assert layer.dataProvider().addFeature(feature)
    return layer


def refusal(run, algorithm, parameters):
    """What the user is told when a run is refused, wherever Processing puts it."""
    feedback = QgsProcessingFeedback(False)
    with pytest.raises(QgsProcessingException) as failure:
        run(algorithm, parameters, feedback=feedback)
    assert "Traceback" not in feedback.textLog()
    return f"{feedback.textLog()}\n{failure.value}"


MAPPING = "old_commune_code = XA_CU; sheet_no = TO; parcel_no = SO; land_code = LOAI"
ROWS = [("20044", "1", 1, "ONT", SQUARE), ("20044", "1", 2, "XYZ", SQUARE), ("20044", "1", 3, "LUC", None)]


def test_a_layer_goes_in_and_comes_out(run, hub, folder):
    done = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "Thửa đất", "INPUT": parcels(ROWS), "FIELD_MAPPING": MAPPING,
                                      "REPORT": "TEMPORARY_OUTPUT"})
    assert {key: done[key] for key in ("TOTAL", "ADDED", "UPDATED", "UNCHANGED", "REJECTED")} == {
        "TOTAL": 3, "ADDED": 1, "UPDATED": 0, "UNCHANGED": 0, "REJECTED": 2}
    report = done["REPORT"]
    assert [(f["source_fid"], f["reasons"], f.hasGeometry()) for f in report.getFeatures()] == [
        ("2", 'Loại đất: mã "XYZ" không có trong danh mục Mã loại đất', True), ("3", "không có hình", False)]

    out = str(folder / "xuất.gpkg")
    assert run("quyhoach:hubexport", {"HUB": hub, "DATASET": "D03", "FILTER": "parcel_no >= 1", "OUTPUT": out})["FEATURE_COUNT"] == 1
    again = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": out})
    assert (again["ADDED"], again["UNCHANGED"], again["REJECTED"]) == (0, 1, 0)

    table = str(folder / "danh sách.csv")
    listed = run("quyhoach:hublist", {"HUB": hub, "DATASETS": "parcel, road", "OUTPUT": table})
    assert (listed["DATASET_COUNT"], listed["FEATURE_COUNT"]) == (2, 1)
    with open(table, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["dataset"], row["label"], row["features"], row["rejected"]) for row in rows] == [
        ("parcel", "Thửa đất", "1", "2"), ("road", "Đường giao thông", "0", "0")]


def test_names_longer_than_a_server_takes_come_in(run, hub, folder):
    """A GeoPackage of somebody's own, whose layer and fields have names of more than 63 bytes that differ in the last letter."""
    start = "Số thứ tự thửa đất theo bản đồ địa chính chính quy của xã Hòa Bình "
    frame = geopandas.GeoDataFrame({f"{start}a": [5], f"{start}b": [6], "TO": ["1"], "XA_CU": ["20044"], "LOAI": ["ONT"]},
                                   geometry=[shapely.box(500000, 1800000, 500010, 1800010)], crs=9214)
    frame.to_file(folder / "dài.gpkg", layer=f"{start}c", engine="pyogrio")
    mapping = MAPPING.replace("= SO", f'= "{start}b"')
    done = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": f"{folder / 'dài.gpkg'}|layername={start}c", "FIELD_MAPPING": mapping})
    assert done["ADDED"] == 1 and [feature["parcel_no"] for feature in layer_of(hub, "parcel").getFeatures()] == [6]


def test_what_a_hub_does_not_keep_of_shapes_is_told(run, hub):
    layer = QgsVectorLayer("CurvePolygonM?crs=EPSG:9214&field=XA_CU:string&field=TO:string&field=SO:integer&field=LOAI:string", "cong", "memory")
    feature = QgsFeature(layer.fields())
    feature.setAttributes(["20044", "1", 1, "ONT"])
    feature.setGeometry(QgsGeometry.fromWkt("CurvePolygonM(CircularStringM(500000 1800000 1, 500010 1800010 1, 500020 1800000 1, "
                                            "500010 1799990 1, 500000 1800000 1))"))
    assert layer.dataProvider().addFeature(feature)
    feedback = QgsProcessingFeedback(False)
    assert run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": layer, "FIELD_MAPPING": MAPPING}, feedback=feedback)["ADDED"] == 1
    assert "cung tròn" in feedback.textLog() and "trị đo (M)" in feedback.textLog()
    [stored] = layer_of(hub, "parcel").getFeatures()
    assert abs(stored.geometry().area() - 314.159) < 0.1


def test_an_instant_survives_memory_layers_and_files(run, hub, folder):
    layer = QgsVectorLayer("Point?crs=EPSG:9214&field=reported_at:datetime&field=kind:string&field=description:string&field=status:string",
                           "tin", "memory")
    from qgis.PyQt.QtCore import QDateTime, Qt

    times = [QDateTime.fromString("2026-11-02T14:30:00",
                                  Qt.DateFormat.ISODate),           # the clock on the wall, UTC+7
             QDateTime.fromString("2026-11-02T07:30:00Z", Qt.DateFormat.ISODate)]           # the same instant
    for number, time in enumerate(times):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([time, "flooding", f"tin {number}", "new"])
        feature.setGeometry(QgsGeometry.fromWkt("Point(500000 1800000)"))
        layer.dataProvider().addFeature(feature)
    run("quyhoach:hubimport", {"HUB": hub, "DATASET": "field_report", "INPUT": layer})
    with closing(sqlite3.connect(hub)) as database:
        assert database.execute("SELECT DISTINCT reported_at FROM field_report").fetchall() == [("2026-11-02T07:30:00.000Z",)]
    for output in ("TEMPORARY_OUTPUT", str(folder / "tin.gpkg")):
        exported = run("quyhoach:hubexport", {"HUB": hub, "DATASET": "field_report", "OUTPUT": output})["OUTPUT"]
        assert run("quyhoach:hubimport", {"HUB": hub, "DATASET": "field_report", "INPUT": exported})["UNCHANGED"] == 2


@pytest.mark.parametrize(("change", "told"), [
    ({"HUB": "/không có/hub.gpkg"}, "Không có tệp"),
    ({"DATASET": "plot"}, 'không có tập dữ liệu "plot"'),
    ({"FIELD_MAPPING": ""}, "Chưa biết lấy các trường bắt buộc từ đâu"),
    ({"FIELD_MAPPING": MAPPING + "; colour = X"}, 'không có trường "colour"'),
    ({"FIELD_MAPPING": "land_code"}, "Không hiểu phần gán trường"),
])
def test_bad_input_is_one_clear_refusal(run, hub, change, told):
    good = {"HUB": hub, "DATASET": "parcel", "INPUT": parcels(ROWS), "FIELD_MAPPING": MAPPING}
    assert told in refusal(run, "quyhoach:hubimport", {**good, **change})


def test_an_empty_layer_and_one_without_a_system_are_refused(run, hub):
    assert "không có đối tượng nào" in refusal(run, "quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": parcels([]), "FIELD_MAPPING": MAPPING})
    from qgis.core import QgsCoordinateReferenceSystem

    layer = parcels(ROWS)
    layer.setCrs(QgsCoordinateReferenceSystem())
    assert "không khai báo hệ tọa độ" in refusal(run, "quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": layer, "FIELD_MAPPING": MAPPING})


def test_creating_over_a_hub_or_in_degrees_is_refused(run, hub, folder):
    before = open(hub, "rb").read()
    assert "không ghi đè" in refusal(run, "quyhoach:hubcreate", {"HUB": hub, "CRS": "EPSG:9214"})
    assert open(hub, "rb").read() == before
    assert "hệ tọa độ độ" in refusal(run, "quyhoach:hubcreate", {"HUB": str(folder / "mới.gpkg"), "CRS": "EPSG:4326"})
    assert sorted(path.name for path in folder.iterdir()) == ["tỉnh thử.gpkg"]


def test_no_result_overwrites_a_hub(run, hub):
    assert "không ghi đè" in refusal(run, "quyhoach:hubexport", {"HUB": hub, "DATASET": "parcel", "OUTPUT": hub})


def test_a_cancelled_import_writes_nothing(run, hub):
    feedback = QgsProcessingFeedback()
    feedback.progressChanged.connect(lambda percent: feedback.cancel() if percent > 30 else None)
    with pytest.raises(QgsProcessingException, match="Đã dừng theo yêu cầu"):
        run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": parcels(ROWS), "FIELD_MAPPING": MAPPING}, feedback=feedback)
    with closing(sqlite3.connect(hub)) as database:
        assert database.execute("SELECT (SELECT count(*) FROM parcel), (SELECT count(*) FROM quyhoach_import)").fetchone() == (0, 0)


# QGIS ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", list(load_catalogue().values()), ids=list(load_catalogue()))
def test_qgis_opens_every_dataset_with_its_vietnamese_form(hub_once, dataset):
    layer = layer_of(hub_once, dataset.name)
    assert layer.crs().authid() == "EPSG:9214" and layer.featureCount() == 0
    assert layer.displayExpression() == f'"{dataset.title_field}"'
    assert layer.metadata().title() == dataset.label.vi
    fields = layer.fields()
    for name in ("fid", "feature_id"):
        assert layer.editorWidgetSetup(fields.lookupField(name)).type() == "Hidden"
    for field in dataset.fields:
        position = fields.lookupField(field.name)
        assert layer.attributeAlias(position) == field.label.vi
        setup = layer.editorWidgetSetup(position)
        if field.domain:
            codes = [code for choice in setup.config()["map"] for code in choice.values()]
            assert setup.type() == "ValueMap" and set(codes) >= field.domain.codes
        not_null = layer.fieldConstraints(position) & QgsFieldConstraints.Constraint.ConstraintNotNull
        assert bool(not_null) == field.required


@pytest.fixture(scope="session")
def hub_once(provider, tmp_path_factory):
    import processing
    from quyhoach.processing_algorithms.common.language import set_language

    set_language("vi")
    path = str(tmp_path_factory.mktemp("Biểu mẫu") / "hub.gpkg")
    processing.run("quyhoach:hubcreate", {"HUB": path, "CRS": "EPSG:9214"})
    return path


def valid(layer, feature):
    """Names of fields whose hard constraints the feature breaks."""
    return [field.name() for position, field in enumerate(layer.fields())
            if not QgsVectorLayerUtils.validateAttribute(layer, feature, position,
                                                         QgsFieldConstraints.ConstraintStrength.ConstraintStrengthHard)[0]
            and field.name() != "fid"]


def test_the_form_lets_pass_what_the_hub_takes_and_stops_what_it_refuses(hub_once):
    layer = layer_of(hub_once, "parcel")
    feature = QgsFeature(layer.fields())
    for name, value in {"old_commune_code": "20044", "sheet_no": "1", "parcel_no": 1, "land_code": "ONT"}.items():
        feature[name] = value
    assert valid(layer, feature) == []
    for name, wrong in {"old_commune_code": "2004", "sheet_no": " ", "parcel_no": 0, "land_code": None, "map_scale": 100, "legal_area_m2": -1.0,
                        "address": "x" * 201}.items():
        before = feature[name]
        feature[name] = wrong
        assert valid(layer, feature) == [name], name
        feature[name] = before
    gauge = layer_of(hub_once, "gauge")
    feature = QgsFeature(gauge.fields())
    for name, value in {"station_code": "A", "name": "A", "river_name": "Hương", "kind": "river", "datum": "national", "alarm_1_m": 2.0}.items():
        feature[name] = value
    assert valid(gauge, feature) == []
    feature["alarm_2_m"] = 1.0
    assert valid(gauge, feature) == ["alarm_2_m"]


def test_the_reason_of_a_constraint_is_vietnamese(hub_once):
    layer = layer_of(hub_once, "parcel")
    assert layer.constraintDescription(layer.fields().lookupField("map_scale")).startswith("Từ 200 trở lên. Không quá 25000.")


def test_edits_in_qgis_are_taken_or_refused_with_our_words(hub):
    layer = layer_of(hub, "parcel")
    feature = QgsFeature(layer.fields())
    for name, value in {"old_commune_code": "20044", "sheet_no": "1", "parcel_no": 1, "land_code": "ONT", "address": "Thôn Hạ"}.items():
        feature[name] = value
    feature.setGeometry(QgsGeometry.fromWkt("Multi" + SQUARE.replace("((", "(((").replace("))", ")))")))
    layer.startEditing()
    assert layer.addFeature(feature) and layer.commitChanges(), layer.commitErrors()
    written = next(layer.getFeatures())
    assert len(written["feature_id"]) == 36 and written["address"] == "Thôn Hạ"
    layer.startEditing()
    layer.changeAttributeValue(written.id(), layer.fields().lookupField("land_code"), "XYZ")
    assert not layer.commitChanges()
    assert any("mã không có trong danh mục" in error for error in layer.commitErrors())
    layer.rollBack()


def test_a_form_can_be_given_to_any_layer_in_english_too():
    dataset = load_catalogue()["road"]
    layer = QgsVectorLayer("LineString?field=name:string&field=direction:string", "roads", "memory")
    with speaking("en"):
        lacking = configure_form(layer, dataset)
    assert layer.attributeAlias(1) == "Direction of traffic"
    assert {"Both directions": "both"} in layer.editorWidgetSetup(1).config()["map"]
    assert set(lacking) == set(dataset.field_names) - {"name", "direction"}


def test_symbols_go_into_the_style_where_there_are_any(tmp_path):
    dataset = load_catalogue()["gauge"]
    assert "renderer-v2" not in form_style(dataset)
    other = QgsVectorLayer("Point", "x", "memory")
    other.saveNamedStyle(str(tmp_path / "gauge.qml"))
    assert "renderer-v2" in form_style(dataset,
                                       tmp_path / "gauge.qml") and "Báo động 1" in form_style(dataset, tmp_path / "gauge.qml")
    assert QgsProject.instance() is not None
