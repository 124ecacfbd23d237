"""Any layer's texts in Unicode through the registry: what is old changes and is told, all else stays to the byte."""

import geopandas
import pytest
import shapely
from osgeo import gdal, ogr
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsVectorLayer,
)

ADDRESSES = ["Ph\u00ad\u00eang VÜnh Hµ", "®­êng Lª Lîi", None, "HUYÖN VÜNH B¶O"]
READ = ["Phường Vĩnh Hà", "đường Lê Lợi", None, "HUYỆN VĨNH BẢO"]
KINDS = ["§Êt ë t¹i n«ng th«n", "LUC", "§Êt chuyªn trång lóa", "§Êt giao th«ng"]
KINDS_READ = ["Đất ở tại nông thôn", "LUC", "Đất chuyên trồng lúa", "Đất giao thông"]


def shapefile(folder, encoding="ISO-8859-1"):
    """A shapefile of TCVN3 bytes; without an encoding QGIS takes it for UTF-8 and shows U+FFFD."""
    path = folder / "thửa đất cũ.shp"
    data = {"SO": [1, 2, 3, 4], "LOAIDAT": KINDS, "DIACHI": ADDRESSES, "DT": [1.5, None, 3.25, 4.0]}
    before = gdal.GetConfigOption("SHAPE_ENCODING")  # QGIS turns the recoding off when it opens a shapefile
    gdal.SetConfigOption("SHAPE_ENCODING", None)
    geopandas.GeoDataFrame(data, geometry=[shapely.box(x, 0, x + 10, 10) for x in range(0, 80, 20)], crs=9214).to_file(
        path, engine="pyogrio", encoding="ISO-8859-1")
    gdal.SetConfigOption("SHAPE_ENCODING", before)
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"LOAIDAT\0", "Lo¹i ®Êt".encode("latin-1")))
    path.with_suffix(".cpg").unlink() if encoding is None else path.with_suffix(".cpg").write_text(encoding)
    return str(path)


def done(run, layer, output="TEMPORARY_OUTPUT", **more):
    feedback = QgsProcessingFeedback(False)
    result = run("quyhoach:decodetext", {"INPUT": layer, "OUTPUT": output, **more}, feedback=feedback)
    made = result["OUTPUT"]
    made = made if isinstance(made, QgsVectorLayer) else QgsVectorLayer(made, "a", "ogr")
    rows = [[value if value else None for value in feature.attributes()] for feature in made.getFeatures()]
    return result, made, rows, feedback.textLog()


def memory(fields, rows, geometry="None"):
    layer = QgsVectorLayer(geometry + "?" + "&".join(f"field={field}" for field in fields), "sổ cũ", "memory")
    features = []
    for row in rows:
        feature = QgsFeature(layer.fields())
        feature.setAttributes(list(row))
        features.append(feature)
    assert layer.dataProvider().addFeatures(features)[0]
    return layer


@pytest.mark.parametrize("encoding", ["ISO-8859-1", None])
@pytest.mark.parametrize("output", ["TEMPORARY_OUTPUT", "kết quả.gpkg", "kết quả.shp"])
def test_a_shapefile_in_tcvn3(run, tmp_path, encoding, output):
    old = shapefile(tmp_path, encoding)
    result, made, rows, log = done(run, old, output if "." not in output else str(tmp_path / output))
    names = made.fields().names()
    rows = [row[-4:] for row in rows]  # a GeoPackage numbers its rows
    assert names[-4:] == ["SO", "Loai dat" if output.endswith("shp") else "Loại đất", "DIACHI", "DT"]
    assert [row[1:3] for row in rows] == [list(pair) for pair in zip(KINDS_READ, READ)] and [row[0] for row in rows] == [1, 2, 3, 4]
    assert [row[3] for row in rows] == [1.5, None, 3.25, 4.0]
    assert made.crs().authid() == "EPSG:9214" and made.fields().field("SO").type() == QgsVectorLayer(old).fields().field("SO").type()
    assert [feature.geometry().asWkb() for feature in made.getFeatures()] == [feature.geometry().asWkb() for feature in QgsVectorLayer(old).getFeatures()]
    assert (result["CONVERTED"], result["CONVERTED_FIELDS"], result["RENAMED_FIELDS"]) == (6, 2, 1)
    assert 'Trường "DIACHI": đã chuyển 3 đối tượng từ TCVN3 sang Unicode' in log and '"Lo¹i ®Êt" → "Loại đất"' in log
    assert ("10 byte" in log) == output.endswith("shp")


@pytest.mark.parametrize("encoding", ["ISO-8859-1", None])
def test_only_what_is_selected_and_the_whole_layer_tells(run, tmp_path, encoding):
    layer = QgsVectorLayer(shapefile(tmp_path, encoding), "cũ", "ogr")
    layer.selectByIds([1])
    result, _, rows, log = done(run, _selected(layer))
    assert rows == [[2, "LUC", "đường Lê Lợi", None]] and result["CONVERTED"] == 1 and "đã chuyển 1 đối tượng" in log


def test_a_filter_holds(run, tmp_path):
    _, _, rows, _ = done(run, shapefile(tmp_path) + "|subset=SO IN (1, 3)", str(tmp_path / "b.csv"))
    assert [row[1] for row in rows] == ["Đất ở tại nông thôn", "Đất chuyên trồng lúa"]
    assert (tmp_path / "b.csv").read_text("utf-8").startswith("SO,Loại đất,DIACHI,DT\n1,")


def _selected(layer):
    from qgis.core import QgsProject

    QgsProject.instance().addMapLayer(layer)
    return QgsProcessingFeatureSourceDefinition(layer.id(), True)


def test_a_table_without_geometry_and_names_that_are_taken(run):
    names = ["Tªn x·:string(40)", "Tên xã:string(40)", "DiÖn tÝch:integer", "Địa chỉ:string"]
    rows = [("X· VÜnh Hµ", "Xã An Hòa", 7, "A\u0302"), ("ThÞ trÊn VÜnh B¶o", None, None, None), ("X· §«ng Hßa", "Xã Bình", 9, "m²")]
    _, made, found, log = done(run, memory(names, rows))
    assert made.fields().names() == ["Tên xã_2", "Tên xã", "Diện tích", "Địa chỉ"] and not made.isSpatial()
    assert found == [["Xã Vĩnh Hà", "Xã An Hòa", 7, "Â"], ["Thị trấn Vĩnh Bảo", None, None, None], ["Xã Đông Hòa", "Xã Bình", 9, "m²"]]
    assert made.fields().at(0).length() == 40 and "dựng sẵn (NFC)" in log


@pytest.mark.parametrize(("more", "first", "told"), [
    ({"OLD_TEXT": 1}, KINDS[0], "giữ nguyên như đã chọn"), ({"OLD_TEXT": 3}, KINDS[0], "không phải VNI"), ({"OLD_TEXT": 2}, KINDS_READ[0], "từ TCVN3"),
    ({"FIELDS": ["DIACHI"]}, KINDS[0], '"DIACHI": đã chuyển'), ({"RENAME_FIELDS": False}, KINDS_READ[0], "đã chuyển")])
def test_as_chosen(run, tmp_path, more, first, told):
    _, made, rows, log = done(run, shapefile(tmp_path), **more)
    assert rows[0][1] == first and told in log
    assert (made.fields().names()[1] == "Loại đất") == (more.get("OLD_TEXT") not in (1, 3) and more.get("RENAME_FIELDS", True))


@pytest.mark.parametrize("choice", [0, 1, 2, 3])
def test_a_unicode_layer_stays_byte_for_byte(run, tmp_path, choice):
    ogr.SetNonLinearGeometriesEnabledFlag(True)  # other tests read files by pyogrio directly, which leaves it off
    layer = memory(["fid:integer", "Tên:string(30)", "geom:string", "n:int2", "d:date", "m:double"],
                   [(9, "Xã Vĩnh Hà", "5 m² – K1×2" if choice > 1 else "Straße – 5 m²", 3, None, 0.1), (4, "", None, None, None, None), (6, "Đường Lê Lợi ×2", "a", 0, None, -1)],
                   "CompoundCurveZM")
    for number, feature in enumerate(list(layer.getFeatures())[:2]):
        curve = QgsGeometry.fromWkt(f"CompoundCurveZM (CircularString ZM (0 0 1 1, 1 1 2 2, 2 {number} 3 3))")
        assert layer.dataProvider().changeGeometryValues({feature.id(): curve})
    before = [(f.attributes(), f.geometry().asWkt()) for f in layer.getFeatures()]
    result, made, _, log = done(run, layer, OLD_TEXT=choice)
    assert [(f.attributes(), f.geometry().asWkt()) for f in made.getFeatures()] == before
    assert [(f.name(), f.type(), f.length()) for f in made.fields()] == [(f.name(), f.type(), f.length()) for f in layer.fields()]
    assert result["CONVERTED"] == result["CONVERTED_FIELDS"] == result["RENAMED_FIELDS"] == 0 and "đã chuyển" not in log
    _, again, _, _ = done(run, layer, str(tmp_path / "mới.gpkg"), OLD_TEXT=choice)
    written = sorted((f.id(), f.attribute("Tên"), f.attribute("geom"), f.geometry().asWkt()) for f in again.getFeatures())
    assert [row[:2] for row in written] == [(4, ""), (6, "Đường Lê Lợi ×2"), (9, "Xã Vĩnh Hà")], "numbers of rows stay"
    assert ogr.GetNonLinearGeometriesEnabledFlag(), "what QGIS shows stays curved"
    assert written[2][3] == before[0][1] and again.fields().names() == layer.fields().names()


def test_a_column_fid_that_is_no_number_of_rows_gets_another_name(run, tmp_path):
    result, made, rows, log = done(run, memory(["FID:integer", "a:string"], [(1, "x"), (1, "y")]), str(tmp_path / "b.gpkg"))
    assert made.fields().names() == ["fid", "fid_source", "a"] and [row[1:] for row in rows] == [[1, "x"], [1, "y"]] and "fid_source" in log


def test_bad_inputs_are_refused_together_and_nothing_is_written(run, tmp_path):
    table = memory(["a:string", "n:integer"], [("x", 1)])
    for layer, more, told in ((table, {"FIELDS": ["b", "n"]}, ["không có trường \"b\"", "\"n\" không phải kiểu chữ"]),
                              (memory(["a:string"], []), {}, ["không có đối tượng nào"]), (table, {"OLD_TEXT": 9}, ["OLD_TEXT"]),
                              (table, {"OUTPUT": str(tmp_path / "a.shp")}, ["shapefile"])):
        with pytest.raises(QgsProcessingException) as failure:
            run("quyhoach:decodetext", {"INPUT": layer, "OUTPUT": str(tmp_path / "a.gpkg"), **more})
        assert all(words in str(failure.value) for words in told)
    assert not list(tmp_path.iterdir())


def test_found_by_its_name(provider):
    found = {a.id() for a in provider.algorithms() if "chuyển mã chữ tcvn3" in a.displayName().lower()}
    plain = {a.id() for a in provider.algorithms() if any("chuyen ma chu tcvn3" in tag.lower() for tag in a.tags())}
    assert found == plain == {"quyhoach:decodetext"}


def test_a_stopped_run_leaves_the_old_file(run, tmp_path):
    class Stopped(QgsProcessingFeedback):
        def setProgress(self, percent):
            if percent >= 50:
                self.cancel()

    old = tmp_path / "kết quả.gpkg"
    old.write_bytes(b"cu")
    with pytest.raises(QgsProcessingException, match="Đã dừng"):
        run("quyhoach:decodetext", {"INPUT": shapefile(tmp_path), "OUTPUT": str(old)}, feedback=Stopped(False))
    assert old.read_bytes() == b"cu" and not [path for path in tmp_path.iterdir() if path.is_dir()]
