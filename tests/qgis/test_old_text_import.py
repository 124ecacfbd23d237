"""Layers in TCVN3, as old shapefiles are, through the registry: converted as chosen, always told, nothing else touched."""

import shutil
import sqlite3
from contextlib import closing

import geopandas
import pytest
import shapely
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProcessingFeedback

ADDRESSES = ["Ph\u00ad\u00eang VÜnh Hµ", "®­êng Lª Lîi", "Müller"]
READ = ["Phường Vĩnh Hà", "đường Lê Lợi", "Müller"]
MAPPING = "old_commune_code = '20044'; sheet_no = TO; parcel_no = SO; land_code = Loại đất; address = DIACHI"


@pytest.fixture(scope="module")
def empty_hub(tmp_path_factory, provider):
    import processing

    return processing.run("quyhoach:hubcreate", {"HUB": str(tmp_path_factory.mktemp("Kho dữ liệu") / "tỉnh.gpkg"), "CRS": "EPSG:9214"})["HUB"]


@pytest.fixture
def hub(empty_hub, tmp_path):
    return str(shutil.copy(empty_hub, tmp_path / "tỉnh.gpkg"))


def shapefile(folder, encoding="ISO-8859-1"):
    """A shapefile whose bytes are TCVN3, names of fields too; without an encoding it says nothing of them, as most do."""
    path = folder / "thửa đất cũ.shp"
    data = {"TO": ["1"] * 3, "SO": [1, 2, 3], "LOAIDAT": ["§Êt ë t¹i n«ng th«n", "LUC", "§Êt chuyªn trång lóa"], "DIACHI": ADDRESSES}
    boxes = [shapely.box(x, 1800000, x + 10, 1800010) for x in (500000, 500020, 500040)]
    before = gdal.GetConfigOption("SHAPE_ENCODING")  # QGIS turns the recoding off when it opens a shapefile
    gdal.SetConfigOption("SHAPE_ENCODING", None)
    geopandas.GeoDataFrame(data, geometry=boxes, crs=9214).to_file(path, engine="pyogrio", encoding="ISO-8859-1")
    gdal.SetConfigOption("SHAPE_ENCODING", before)
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"LOAIDAT\0", "Lo¹i ®Êt".encode("latin-1")))
    path.with_suffix(".cpg").unlink() if encoding is None else path.with_suffix(".cpg").write_text(encoding)
    return str(path)


def imported(run, hub, layer, **more):
    feedback = QgsProcessingFeedback(False)
    done = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": layer, "FIELD_MAPPING": MAPPING, **more}, feedback=feedback)
    with closing(sqlite3.connect(hub)) as database:
        rows = database.execute("SELECT land_code, address FROM parcel ORDER BY parcel_no").fetchall()
    return done, rows, feedback.textLog()


def test_found_converted_and_told(run, hub, tmp_path):
    done, rows, log = imported(run, hub, shapefile(tmp_path))
    assert done["ADDED"] == 3
    assert rows == list(zip(["ONT", "LUC", "LUC"], [READ[0], READ[1], "Mỹller"])), "by label, through the name of the field, too"
    assert ('Trường "DIACHI": đã chuyển 3 đối tượng từ TCVN3 sang Unicode, ví dụ "Ph\u00ad\u00eang VÜnh Hµ" thành "Phường Vĩnh Hà".') in log
    assert log.count("TCVN3") == 2 and "sẽ ghi y như vậy" not in log, "the field of the land type is told, too, and nothing twice"


@pytest.mark.parametrize(("choice", "address", "told"), [
    (1, ADDRESSES[1], "giữ nguyên như đã chọn"), (2, READ[1], "đã chuyển 3 đối tượng từ TCVN3"), (3, ADDRESSES[1], "không phải VNI")])
def test_as_chosen(run, hub, tmp_path, choice, address, told):
    _, rows, log = imported(run, hub, shapefile(tmp_path), OLD_TEXT=choice)
    assert told in log and address in [row[1] for row in rows]


def test_a_shapefile_that_tells_no_encoding_loses_nothing(run, hub, tmp_path):
    """QGIS reads it as UTF-8 and shows U+FFFD for every letter; names of fields are lost so, texts are not."""
    _, rows, log = imported(run, hub, shapefile(tmp_path, None), FIELD_MAPPING=MAPPING.replace("Loại đất", "'LUC'"))
    assert [row[1] for row in rows][:2] == READ[:2] and "TCVN3" in log


def test_unicode_comes_in_as_it_is(run, hub, tmp_path):
    names = ["Xã An Hòa", "Phường Vĩnh Hà", "Strauß – 5 m²"]
    layer = geopandas.GeoDataFrame({"TO": ["1"] * 3, "SO": [1, 2, 3], "Loại đất": ["LUC"] * 3, "DIACHI": names},
                                   geometry=[shapely.box(x, 1800000, x + 10, 1800010) for x in (500000, 500020, 500040)], crs=9214)
    layer.to_file(tmp_path / "mới.gpkg", engine="pyogrio")
    for choice in (0, 2, 3):
        _, rows, log = imported(run, hub, str(tmp_path / "mới.gpkg"), OLD_TEXT=choice)
        assert [row[1] for row in rows][:2] == names[:2] and "đã chuyển" not in log


def test_bad_choices_are_refused(run, hub, tmp_path):
    for wrong in ({"OLD_TEXT": 7}, {"FIELD_MAPPING": MAPPING.replace("Loại đất", "Mục đích")}):
        with pytest.raises(QgsProcessingException) as failure:
            imported(run, hub, shapefile(tmp_path), **wrong)
        assert "OLD_TEXT" in str(failure.value) or "không có trường \"Mục đích\"" in str(failure.value)


def test_other_algorithms_name_the_encoding_and_where_to_convert_it(run, tmp_path):
    feedback = QgsProcessingFeedback(False)
    run("quyhoach:landusestatistics", {"INPUT": shapefile(tmp_path), "CODE_FIELD": "Lo¹i ®Êt", "OUTPUT": "TEMPORARY_OUTPUT"}, feedback=feedback)
    log = feedback.textLog()
    assert "bảng mã cũ TCVN3" in log and "tức là \"Đất ở tại nông thôn\"" in log and "Nhập lớp dữ liệu vào cơ sở dữ liệu dùng chung" in log
