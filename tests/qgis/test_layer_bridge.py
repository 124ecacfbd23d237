"""What a person sees in QGIS is what the engines get, whichever way it is read."""

import datetime

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from qgis.core import (
    Qgis,
    QgsFeature,
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common import qgis_file_reading, qgis_layers
from quyhoach.processing_algorithms.common import qgis_parameters as ask
from quyhoach.processing_algorithms.common.files import write_vector
from quyhoach.processing_algorithms.common.qgis_algorithm import QuyHoachAlgorithm

BIG = 2**60 + 1  # not exact as float64


class Copy(QuyHoachAlgorithm):
    """The thinnest algorithm: reads a layer and writes it again."""

    ID = "copy"
    ROOM = "land_use"

    def title(self):
        return "Copy"

    def help(self):
        return "Copies."

    def parameters(self):
        return [
            ask.layer("INPUT", "in", "in", ask.ANY_GEOMETRY),
            ask.layer_output("OUTPUT", "out", "out", Qgis.ProcessingSourceType.VectorPolygon),
        ]

    def prepare(self, parameters, context, feedback):
        self.input = self.layer(parameters, "INPUT", context)

    def process(self, parameters, context, feedback):
        self.frame = self.input.read()
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, self.frame, Qgis.WkbType.MultiPolygon)}


def frame():
    return geopandas.GeoDataFrame(
        {
            "tên": ["Phường Vĩnh Hà", None, ""],
            "code": pandas.array([BIG, None, 3], dtype="Int64"),
            "area": [1.5, np.nan, 0.0],
            "ok": pandas.array([True, None, False], dtype="boolean"),
            "day": pandas.Series([datetime.date(1965, 2, 3), None, datetime.date(2026, 11, 22)], dtype=object),
            "at": pandas.to_datetime(["1969-12-31 23:59:59.123", None, "2026-11-22 07:00:00.000"]),
        },
        geometry=[shapely.box(0, 0, 1, 1), None, shapely.box(2, 0, 3, 1)],
        crs="EPSG:9214",
    )


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "thư mục có dấu"
    folder.mkdir()
    target = folder / "lớp thử.gpkg"
    write_vector(frame(), target, "MultiPolygon")
    return str(target)


def read(value, columns=None):
    algorithm = Copy().create()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return algorithm, algorithm.layer({"INPUT": value}, "INPUT", context), context


def check(result):
    assert list(result["tên"]) == ["Phường Vĩnh Hà", None, ""]
    assert result["code"].isna().tolist() == [False, True, False] and result["code"].iloc[0] == BIG
    assert result["area"].iloc[0] == 1.5 and np.isnan(result["area"].iloc[1])
    assert result["ok"].isna().tolist() == [False, True, False] and bool(result["ok"].iloc[0]) is True
    assert list(result["day"]) == [datetime.date(1965, 2, 3), None, datetime.date(2026, 11, 22)]
    assert result["at"].iloc[0] == pandas.Timestamp("1969-12-31 23:59:59.123") and result["at"].isna().iloc[1]
    assert list(result.index) == [1, 2, 3]
    assert result.geometry.iloc[1] is None and result.geometry.iloc[2].area == 1.0
    assert result.crs.to_epsg() == 9214


def test_file_and_walk_give_the_same(path):
    _, layer, _ = read(path)
    assert layer.file is not None
    check(layer.read())
    check(qgis_layers._walk(layer, layer.columns()))


def test_texts_of_a_shapefile_are_read_in_the_encoding_the_layer_has(tmp_path):
    """Without a .cpg GDAL takes Latin-1 and QGIS UTF-8; what cannot be right is told."""
    names = frame().iloc[[0]][["tên", "geometry"]].rename(columns={"tên": "ten"})
    utf8, latin = tmp_path / "u.shp", tmp_path / "l.shp"
    names.to_file(utf8, engine="pyogrio", encoding="UTF-8")
    names.assign(ten="Phường".encode().decode("latin-1")).to_file(latin, engine="pyogrio", encoding="UTF-8")
    utf8.with_suffix(".cpg").unlink()
    _, layer, _ = read(str(utf8))
    assert layer.file is not None and layer.read()["ten"].tolist() == ["Phường Vĩnh Hà"] and not layer.notes
    algorithm, layer, _ = read(str(latin))
    layer.read()
    assert len(algorithm.late_notes) == 1 and "bảng mã" in algorithm.late_notes[0] or "encoding" in algorithm.late_notes[0]


def test_a_unicode_shapefile_with_a_cut_letter_stays_unicode(tmp_path):
    """A text cut at the field's end is no UTF-8, but no reason to take the whole file for TCVN3."""
    path = tmp_path / "cắt.shp"
    names = geopandas.GeoDataFrame({"ten": ["Phường Vĩnh Hà", "Xã Đông Hoà @"]}, geometry=[shapely.Point(0, 0)] * 2, crs="EPSG:9214")
    names.to_file(path, engine="pyogrio", encoding="UTF-8")
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"@", b"\xe1"))
    path.with_suffix(".cpg").unlink()
    _, layer, _ = read(str(path))
    assert layer.read()["ten"].tolist() == ["Phường Vĩnh Hà", "Xã Đông Hoà \ufffd"]


@pytest.mark.parametrize("ending", [".shp", ".fgb", ".geojson", ".gpkg"])
def test_a_filter_may_ask_for_fields_that_are_not_read(tmp_path, ending):
    made = geopandas.GeoDataFrame({"ten": ["a", "b", "c"], "so": [1, 2, 3]}, geometry=geopandas.points_from_xy([0, 1, 2], [0, 0, 0]), crs=9214)
    made.to_file(tmp_path / f"lớp{ending}", engine="pyogrio")
    _, layer, _ = read(str(tmp_path / f"lớp{ending}") + "|subset=so > 1")
    assert layer.file is not None and sorted(layer.read(["ten"])["ten"]) == ["b", "c"]


def test_collections_keep_the_system_of_their_file(tmp_path):
    """QGIS takes a layer of geometry collections for a table without one."""
    mixed = geopandas.GeoDataFrame({"ma": ["LUC"]}, geometry=[shapely.GeometryCollection([shapely.box(0, 0, 1, 1)])], crs="EPSG:9214")
    write_vector(mixed, tmp_path / "gc.gpkg", "GeometryCollection")
    _, layer, _ = read(str(tmp_path / "gc.gpkg"))
    assert layer.crs.to_epsg() == 9214 and layer.read().geometry.area.tolist() == [1.0]


def test_whole_columns_are_read_when_integers_are_small(tmp_path):
    small = frame()
    small["code"] = pandas.array([1, None, 3], dtype="Int64")
    target = tmp_path / "small.gpkg"
    write_vector(small, target, "MultiPolygon")
    _, layer, _ = read(str(target))
    quick = qgis_file_reading.read_file(layer.file, layer.fields, layer.columns(), layer.crs)
    assert str(quick["code"].dtype) == "Int64" and quick["code"].iloc[2] == 3


def test_selection_filter_edits_and_memory(path):
    layer = QgsVectorLayer(path, "lớp", "ogr")
    QgsProject.instance().addMapLayer(layer)
    layer.selectByIds([3])
    _, chosen, _ = read(QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True))
    assert chosen.file is None and list(chosen.read().index) == [3]
    _, filtered, _ = read(QgsProcessingFeatureSourceDefinition(layer.id(), filterExpression='"area" > 1'))
    assert list(filtered.read().index) == [1] and filtered.feature_count == 1
    layer.setSubsetString("\"area\" = 0")
    _, subset, _ = read(layer.id())
    assert subset.file is not None and list(subset.read().index) == [3]
    layer.setSubsetString("")
    assert layer.startEditing()
    feature = QgsFeature(layer.fields())
    assert layer.addFeature(feature)
    _, edited, _ = read(layer.id())
    assert edited.file is None and len(edited.read()) == 4
    layer.rollBack()
    memory = layer.materialize(QgsFeatureRequest())
    QgsProject.instance().addMapLayer(memory)
    _, walked, _ = read(memory.id())
    check(walked.read())
    QgsProject.instance().clear()


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_written_file_reads_back(path, tmp_path, ending):
    algorithm, _, context = read(path)
    target = tmp_path / f"ra.{ending}"
    results, ok = algorithm.run({"INPUT": path, "OUTPUT": str(target)}, context, QgsProcessingFeedback())
    assert ok and results["OUTPUT"] == str(target)
    again = QgsVectorLayer(str(target), "", "ogr")
    assert again.featureCount() == 3 and "tên" in again.fields().names()
    if ending == "gpkg":
        check(read(str(target))[1].read())
        assert again.wkbType() == Qgis.WkbType.MultiPolygon
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".quyhoach")) == []


def test_memory_and_geopackage_table_outputs(path, tmp_path):
    algorithm, _, context = read(path)
    feedback = QgsProcessingFeedback()
    results, ok = algorithm.run({"INPUT": path, "OUTPUT": "memory:"}, context, feedback)
    assert ok, feedback.textLog()
    check(read_frame(context.takeResultLayer(results["OUTPUT"])))
    table = f"ogr:dbname='{tmp_path / 'nhiều lớp.gpkg'}' table=\"một lớp\" (geom)"
    results, ok = algorithm.create().run({"INPUT": path, "OUTPUT": table}, context, QgsProcessingFeedback())
    assert ok
    stored = QgsVectorLayer(results["OUTPUT"], "", "ogr")
    assert stored.featureCount() == 3


def read_frame(layer):
    QgsProject.instance().addMapLayer(layer)
    return read(layer.id())[1].read()


def test_own_input_and_unwritable_folder_are_refused(path, tmp_path):
    algorithm, _, context = read(path)
    feedback = QgsProcessingFeedback()
    _, ok = algorithm.run({"INPUT": path, "OUTPUT": path}, context, feedback)
    assert not ok and "đầu vào" in feedback.textLog()
    feedback = QgsProcessingFeedback()
    _, ok = algorithm.create().run({"INPUT": path, "OUTPUT": str(tmp_path / "không có" / "a.gpkg")}, context, feedback)
    assert not ok and "Không có thư mục" in feedback.textLog()


def test_failure_leaves_the_old_file(path, tmp_path, monkeypatch):
    target = tmp_path / "cũ.gpkg"
    write_vector(frame(), target, "MultiPolygon")
    before = target.read_bytes()
    broken = frame().assign(x=[1, 2, 3])
    broken.loc[:, "x"] = [shapely.Point(0, 0)] * 3
    monkeypatch.setattr("pyogrio.raw.write",
                        lambda *a, **k: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    from quyhoach.processing_algorithms.common.errors import OutputError

    with pytest.raises(OutputError, match="No space left"):
        write_vector(broken, target, "MultiPolygon")
    assert target.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


def test_flatgeobuf_refuses_to_lose_features(path, tmp_path):
    from quyhoach.processing_algorithms.common.errors import OutputError

    with pytest.raises(OutputError, match="gpkg"):
        write_vector(frame(), tmp_path / "a.fgb", "MultiPolygon")
    write_vector(frame().dropna(subset=["geometry"]), tmp_path / "a.fgb", "MultiPolygon")
    assert QgsVectorLayer(str(tmp_path / "a.fgb"), "", "ogr").featureCount() == 2


def test_curves_are_read_as_qgis_cuts_them_and_stay_curves_in_qgis(tmp_path):
    """Radius 50 m in pieces of one degree: 360 triangles of 2,500 sin(1 degree) / 2 m2."""
    from osgeo import gdal, ogr, osr

    # Other tests read files by pyogrio directly, which leaves the flag off for the process.
    ogr.SetNonLinearGeometriesEnabledFlag(True)
    path = str(tmp_path / "vòng xuyến.gpkg")
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(path)
    system = osr.SpatialReference()
    system.ImportFromEPSG(9214)
    table = dataset.CreateLayer("circle", system, ogr.wkbCurvePolygon)
    feature = ogr.Feature(table.GetLayerDefn())
    feature.SetGeometry(ogr.CreateGeometryFromWkt("CURVEPOLYGON (CIRCULARSTRING (0 0, 50 50, 100 0, 50 -50, 0 0))"))
    table.CreateFeature(feature)
    feature = table = dataset = None
    before = gdal.GetConfigOption("OGR_ARC_STEPSIZE")
    reader = Copy().create()
    inputs = reader.layer({"INPUT": QgsVectorLayer(path, "circle", "ogr")}, "INPUT", QgsProcessingContext())
    assert inputs.file is not None
    expected = 360 * 2500 * np.sin(np.radians(1)) / 2
    assert inputs.read().area.sum() == pytest.approx(expected, rel=1e-6)  # GDAL and QGIS begin arcs elsewhere
    assert gdal.GetConfigOption("OGR_ARC_STEPSIZE") == before
    after = QgsVectorLayer(path, "circle", "ogr")
    assert [f.geometry().area() for f in after.getFeatures()] == [pytest.approx(np.pi * 2500, rel=1e-12)]
    assert qgis_layers._walk(inputs, []).area.sum() == pytest.approx(expected, rel=1e-9)
