"""Results never replace an input of their run or each other, and keep the user's columns whatever they are called."""

import geopandas
import pyogrio
import pytest
import shapely
from qgis.core import QgsProcessingException, QgsProcessingFeedback, QgsVectorLayer
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue

ZONING, CHANGE = "quyhoach:parcelzoning", "quyhoach:landusechangematrix"


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


@pytest.fixture
def case(tmp_path):
    """Four parcels of 100 m x 100 m in a row, and a zone over the first two."""
    folder = tmp_path / "kết quả"
    folder.mkdir()
    parcels = geopandas.GeoDataFrame({"code": ["LUC", "ONT", "CLN", "LUC"], "geom": list("abcd")},
                                     geometry=shapely.box([0, 100, 200, 300], 0, [100, 200, 300, 400], 100), crs=9214)
    zones = geopandas.GeoDataFrame({"zone": ["A"]}, geometry=[shapely.box(0, 0, 200, 100)], crs=9214)
    pyogrio.write_dataframe(parcels, folder / "thửa.geojson")
    pyogrio.write_dataframe(parcels.drop(columns="geom"), folder / "town.gpkg", layer="parcel")
    pyogrio.write_dataframe(zones, folder / "town.gpkg", layer="zone", append=True)
    return folder


def zoning(folder, output, parcels="town.gpkg|layername=parcel", zones="town.gpkg|layername=zone"):
    return {"PARCELS": f"{folder}/{parcels}", "ZONES": f"{folder}/{zones}", "ZONE_FIELD": "zone", "SCALE": 500,
            "OUTPUT": str(output)}


def change(folder, **outputs):
    layer = f"{folder}/town.gpkg|layername=parcel"
    return {"BEFORE": layer, "BEFORE_CODE": "code", "AFTER": layer, "AFTER_CODE": "code", **outputs}


def test_two_results_in_one_file_are_refused(run, case):
    one = str(case / "both.gpkg")
    with pytest.raises(QgsProcessingException, match="go to one file"):
        run(CHANGE, change(case, OUTPUT=one, MATRIX=one))
    assert not (case / "both.gpkg").exists()


def test_two_results_in_two_tables_of_one_file(run, case):
    def table(name):
        return f"ogr:dbname='{case}/both.gpkg' table=\"{name}\" (geom)"

    run(CHANGE, change(case, OUTPUT=table("thay đổi"), MATRIX=table("ma trận")))
    assert {name for name, _ in pyogrio.list_layers(case / "both.gpkg")} == {"thay đổi", "ma trận"}


@pytest.mark.parametrize("parcels", ["town.gpkg|layername=parcel", "town.gpkg"])
def test_the_table_an_input_is_read_from_is_kept(run, case, parcels):
    target = f"ogr:dbname='{case}/town.gpkg' table=\"parcel\" (geom)"
    with pytest.raises(QgsProcessingException, match="own input"):
        run(ZONING, zoning(case, target, parcels=parcels))
    assert pyogrio.read_info(case / "town.gpkg", layer="parcel")["fields"].tolist() == ["code"]


def test_another_table_of_an_input_file_is_free(run, case):
    result = run(ZONING, zoning(case, f"ogr:dbname='{case}/town.gpkg' table=\"pieces\" (geom)"))
    assert result["PIECES"] == 2
    assert {"parcel", "zone", "pieces"} == {name for name, _ in pyogrio.list_layers(case / "town.gpkg")}


@pytest.mark.parametrize("table, told", [("parcel", "never overwritten"), ("PARCEL", "never overwritten"), ("quyhoach_ledger", "never overwritten"),
                                         ("pieces", "")])
def test_no_result_goes_over_the_data_of_a_hub(run, case, table, told):
    """As by "Save to GeoPackage…" in the dialog of any algorithm."""
    hub = create_hub(str(case / "tỉnh.gpkg"), "EPSG:9214", datasets=[load_catalogue()["parcel"]])
    hub.close()
    before = (case / "tỉnh.gpkg").read_bytes()
    wanted = zoning(case, f"ogr:dbname='{case}/tỉnh.gpkg' table=\"{table}\" (geom)")
    if not told:
        assert run(ZONING, wanted)["PIECES"] == 2
        return
    with pytest.raises(QgsProcessingException, match=told):
        run(ZONING, wanted)
    assert (case / "tỉnh.gpkg").read_bytes() == before
    with pytest.raises(QgsProcessingException, match=told):
        run(ZONING, zoning(case, "postgis:service='tinh' table=\"quyhoach_data\".\"parcel\" (geom)"))


def test_the_text_file_of_a_layer_of_points_is_kept(run, case):
    text = case / "points.csv"
    text.write_text("x,y,code\n50,50,a\n", encoding="utf-8")
    layer = QgsVectorLayer(f"{text.as_uri()}?xField=x&yField=y&crs=EPSG:9214", "points", "delimitedtext")
    assert layer.isValid()
    with pytest.raises(QgsProcessingException, match="own input"):
        run("quyhoach:servicearea", {
            "NETWORK": f"{case}/town.gpkg|layername=parcel", "ORIGINS": layer, "BREAKS": "100",
            "OUTPUT_LINES": str(text)})
    assert text.read_text("utf-8").startswith("x,y,code")


def test_an_attribute_named_like_the_shapes_keeps_its_name(run, case):
    run(ZONING, zoning(case, case / "pieces.gpkg", parcels="thửa.geojson"))
    written = pyogrio.read_dataframe(case / "pieces.gpkg")
    assert written["geom"].tolist() == ["a", "b"] and written.geometry.area.tolist() == [10_000.0, 10_000.0]


def test_a_cancel_that_comes_when_the_result_is_written_takes_nothing_back(run, case):
    """Else a file would stand there beside the message that nothing was written."""
    class Late(QgsProcessingFeedback):
        def pushInfo(self, text):
            if "pieces" in text:  # said between computing and writing
                self.cancel()

    result = run(ZONING, zoning(case, case / "pieces.gpkg"), feedback=Late())
    assert result["PIECES"] == 2 and pyogrio.read_info(case / "pieces.gpkg")["features"] == 2


def test_optional_numbers_are_never_taken_for_zero(run, case):
    """QGIS takes an optional number it cannot read for 0: a tolerance of "0,4" mm would be none at all."""
    texts = {"0,4": 1, "0.4": 1, 0.4: 1, "0": 0, "1e-3": 0, "abc": None, "0,4e": None, "14.500": None, "-1": None,
             "nan": None}
    # The zone reaches 0.1 m into the third parcel: within 0.4 mm at 1/500 (0.2 m), a piece without tolerance.
    zones = geopandas.GeoDataFrame({"zone": ["A"]}, geometry=[shapely.box(0, 0, 200.1, 100)], crs=9214)
    pyogrio.write_dataframe(zones, case / "zones.gpkg")
    for value, expected in texts.items():
        inputs = zoning(case, "memory:", zones="zones.gpkg") | {"TOLERANCE_MM": value}
        if expected is None:
            with pytest.raises(QgsProcessingException, match="not a number|may mean|out of range|Incorrect parameter value"):
                run(ZONING, inputs)
        else:
            assert run(ZONING, inputs)["SLIVERS"] == expected, value


def test_a_cut_off_geojson_is_no_result(tmp_path):
    """As on a full disk, where GDAL reports success."""
    from quyhoach.processing_algorithms.common.errors import OutputError
    from quyhoach.processing_algorithms.common.files import _refuse_cut_off, write_vector

    frame = geopandas.GeoDataFrame({"a": [1, 2]}, geometry=shapely.points([0, 1], 0), crs=9214)
    whole = tmp_path / "whole.geojson"
    write_vector(frame, whole, "Point")
    write_vector(frame.iloc[:0], tmp_path / "none.geojson", "Point")
    assert len(pyogrio.read_dataframe(whole)) == 2
    cut = tmp_path / "cut.geojson"
    cut.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(OutputError, match="could not be written whole"):
        _refuse_cut_off(cut, cut)
