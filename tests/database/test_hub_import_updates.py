"""Updating rows a hub has: only what the layer speaks of changes, and look-alikes stay apart."""

import geopandas
import pytest
import shapely
from hub_rows import CRS, counts, parcels
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.hub_export import export_dataset
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import Existing, import_layer


@pytest.fixture
def hub(tmp_path):
    with create_hub(str(tmp_path / "cập nhật.gpkg"), CRS) as made:
        yield made


def test_fields_the_layer_does_not_have_keep_their_values(hub):
    import_layer(hub, "parcel", parcels(3, address=["Thôn 1", None, "Thôn 3"], map_scale=[500, 1000, 2000]))
    # The same parcels without address and scale: nothing to change.
    assert counts(import_layer(hub, "parcel", parcels(3), existing=Existing.UPDATE)) == (0, 0, 3, 0)
    # One new code: one row changes, in one field.
    report = import_layer(hub, "parcel", parcels(3, land_code=["ONT", "ONT", "CLN"]), existing=Existing.UPDATE)
    assert counts(report) == (0, 1, 2, 0)
    back = hub.read(hub.dataset("parcel"))
    assert back["land_code"].tolist() == ["ONT", "ONT", "CLN"]
    assert back["address"].tolist() == ["Thôn 1", None, "Thôn 3"] and back["map_scale"].tolist() == [500, 1000, 2000]


def test_a_null_the_layer_states_does_empty_the_field(hub):
    import_layer(hub, "parcel", parcels(1, address=["Thôn 1"]))
    assert counts(import_layer(hub, "parcel", parcels(1, address=[None]), existing=Existing.UPDATE)) == (0, 1, 0, 0)
    assert hub.read(hub.dataset("parcel"))["address"].tolist() == [None]


def gauge(**levels):
    return geopandas.GeoDataFrame(
        {"station_code": ["A"], "name": "Kim Long", "river_name": "Hương", "kind": "river", "datum": "national", **levels},
        geometry=[shapely.Point(500000, 1800000)], crs=CRS)


def test_an_update_that_contradicts_what_is_there_is_kept_aside_not_the_whole_import(hub):
    import_layer(hub, "gauge", gauge(alarm_1_m=[1.0], alarm_2_m=[2.0]))
    report = import_layer(hub, "gauge", gauge(alarm_1_m=[2.5]), existing=Existing.UPDATE)
    assert counts(report) == (0, 0, 0, 1)
    assert report.rejections[0].reasons == ("Mực nước báo động 1 cao hơn báo động 2",)
    assert counts(import_layer(hub, "gauge", gauge(alarm_1_m=[1.5]), existing=Existing.UPDATE)) == (0, 1, 0, 0)
    assert hub.read(hub.dataset("gauge"))[["alarm_1_m", "alarm_2_m"]].values.tolist() == [[1.5, 2.0]]


def test_look_alikes_with_their_own_identity_come_back_as_two(hub):
    ids = [f"3f0a8c1e-0000-4000-8000-00000000000{n}" for n in (1, 2)]
    twins = geopandas.GeoDataFrame({"feature_id": ids, "event_name": "Lũ 1999", "datum": "national"},
                                   geometry=[shapely.Point(500000, 1800000)] * 2, crs=CRS)
    assert counts(import_layer(hub, "flood_mark", twins)) == (2, 0, 0, 0)
    assert counts(import_layer(hub, "flood_mark", export_dataset(hub, "flood_mark"))) == (0, 0, 2, 0)
    # Without identity the second can only be a repetition.
    assert counts(import_layer(hub, "flood_mark", twins.drop(columns="feature_id"))) == (0, 0, 1, 1)


def test_ten_thousand_rows_are_compared_in_seconds(hub):
    import time

    frame = parcels(10_000)
    import_layer(hub, "parcel", frame)
    start = time.process_time()
    assert import_layer(hub, "parcel", frame).unchanged == 10_000
    assert time.process_time() - start < 3.0   # 0.4 s on the machine this was written on
