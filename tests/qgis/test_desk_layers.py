"""What the desks find and read without a window: layers of a hub of either kind, parcels by place and number, the answer."""

import datetime
import shutil
from pathlib import Path

import geopandas
import pytest
import shapely
from qgis.core import QgsPointXY, QgsProject, QgsSettings, QgsVectorLayer
from quyhoach.plugin.dataset_layers import DatasetLayers
from quyhoach.plugin.flood_layers import report_layers
from quyhoach.plugin.parcel_data import brief_job, parcel_land
from quyhoach.plugin.parcel_search import Commune, communes, parcel_at, parcels_of_number
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.progress import silent
from quyhoach.processing_algorithms.common.qgis_hub_parameters import resolved
from quyhoach.processing_algorithms.provincial_database.interface import create_hub, import_layer, open_hub

TOWN = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"
DAY = datetime.date(2026, 11, 25)
DATASETS = ("administrative_unit", "plan", "zone", "parcel")


@pytest.fixture
def town(tmp_path):
    """A copy: QGIS writes into a GeoPackage it merely opens."""
    return Path(shutil.copy(TOWN, tmp_path / "đô thị.gpkg"))


@pytest.fixture
def layers():
    found = DatasetLayers()
    yield found
    found.close()
    QgsSettings().remove("quyhoach/desks")


def near_the_market(name):
    """The town around one parcel: what a hub of two hundred rows holds of it."""
    frame = geopandas.read_file(TOWN, layer=name, engine="pyogrio", fid_as_index=True)
    return frame if name in ("plan", "administrative_unit") else frame[frame.intersects(shapely.box(551100, 1831400, 551300, 1831600))]


@pytest.fixture(params=["geopackage", "postgis"])
def hub(request, tmp_path):
    if request.param == "postgis":
        place = request.getfixturevalue("stored")("Tỉnh Hương Nguyên", request.getfixturevalue("empty_database"))
        create_hub(resolved(place), "EPSG:9214", name="Hương Nguyên").close()
    else:
        place = str(tmp_path / "tỉnh.gpkg")
        create_hub(place, "EPSG:9214", name="Hương Nguyên").close()
    with open_hub(resolved(place)) as opened:
        for name in DATASETS:
            import_layer(opened, name, near_the_market(name), source="mẫu")
    return place


def test_a_hub_of_either_kind_is_all_a_desk_needs(hub, layers):
    layers.choose_place(hub)
    parcels = layers.layer("parcel")
    assert parcels is not None and parcels.featureCount() > 20
    assert layers.layer("building").featureCount() == 0 and layers.layer("river_axis") is None
    listed = communes(layers.layer("administrative_unit"), parcels)
    assert Commune("99101", "Phường Trung Tâm", True) in listed and Commune("99004", "Phường Lam Trạch", False) in listed
    [parcel] = parcels_of_number(parcels, Commune("99101", "", True), "3", "40")
    assert [p.id() for p in parcels_of_number(parcels, Commune("99004", "", False), "3", "40")] == [parcel.id()]
    assert parcels_of_number(parcels, None, "3", "4000") == []
    inside = parcel.geometry().pointOnSurface().asPoint()
    found, count = parcel_at(parcels, inside)
    assert found.id() == parcel.id() and count == 1
    assert parcel_at(parcels, QgsPointXY(0, 0)) == (None, 0)
    brief = brief_job(parcel_land(parcels, parcel), layers, listed, DAY)(silent)
    assert brief.title == "Thửa đất số 40, tờ bản đồ số 3, Phường Trung Tâm (cũ), Phường Lam Trạch"
    assert "Ô NO-61" in brief.text() and "xác định tại thực địa" in brief.text()


def test_what_is_chosen_by_hand_goes_first_and_is_remembered(layers, town, tmp_path):
    copy = tmp_path / "thửa cũ.gpkg"
    shutil.copy(town, copy)
    other = QgsVectorLayer(f"{copy}|layername=parcel", "Thửa đất năm ngoái", "ogr")
    QgsProject.instance().addMapLayer(other)
    try:
        layers.choose_place(str(town))
        assert layers.layer("parcel").source().startswith(str(town))
        layers.choose("parcel", other)
        assert DatasetLayers().layer("parcel").id() == other.id()
        layers.choose("parcel", None)
        layers.choose_place("")
        assert layers.layer("parcel").id() == other.id() and layers.layer("zone") is None  # by the table it shows
    finally:
        QgsProject.instance().removeMapLayer(other.id())


def test_what_lacks_is_said(layers, town):
    parcels = QgsVectorLayer(f"{town}|layername=parcel", "parcel", "ogr")
    with pytest.raises(InputError, match="Đồ án quy hoạch, Ô quy hoạch"):
        brief_job(parcel_land(parcels, next(parcels.getFeatures())), layers, [], DAY)
    with pytest.raises(InputError, match="nhập số thửa"):
        parcels_of_number(parcels, None, "3", " ")
    with pytest.raises(InputError, match="Hãy chọn xã"):
        parcels_of_number(parcels, None, "", "3")
    with pytest.raises(InputError, match="Chưa có: Trạm thủy văn, Công trình, nhà ở, Địa hình"):
        report_layers(layers)


def test_the_report_gets_rivers_not_canals_and_present_communes(layers, town):
    layers.choose_place(str(town))
    layers.choose_file("terrain", str(TOWN.parent / "terrain.tif"))
    values = report_layers(layers)
    assert values["SOURCE"].filterExpression == "\"kind\" = 'river'" and values["TERRAIN"].endswith("terrain.tif")
    units = QgsVectorLayer(values["UNITS"].source.staticValue(), "", "ogr")
    units.setSubsetString(values["UNITS"].filterExpression)
    assert units.featureCount() == 8
    assert {"STATIONS", "RIVERS", "DYKES", "BUILDINGS", "HAMLETS", "ROADS", "FACILITIES", "SHELTERS"} < set(values)
