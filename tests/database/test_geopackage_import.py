"""Imports into a hub in a GeoPackage, in which no row is lost: each is taken, or kept aside with its reasons."""

import datetime
import json
import sqlite3
from contextlib import closing

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hub_rows import CRS, counts, parcels, sql
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError, OutputError
from quyhoach.processing_algorithms.common.geometry import InvalidGeometry
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.hub_export import export_dataset
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import Existing, import_layer

BOWTIE = shapely.Polygon([(500000, 1800000), (500010, 1800010), (500010, 1800000), (500000, 1800010)])


@pytest.fixture
def hub(folder):
    with create_hub(str(folder / "tỉnh thử.gpkg"), CRS, name="Tỉnh thử") as made:
        yield made


def test_rows_come_back_as_they_went_in(hub):
    frame = parcels(3, address=["Thôn Hạ, xã Phú Xuân", "", None], legal_area_m2=[100.5, np.nan, 1e-3],
                    map_scale=pd.array([500, None, 2000], dtype="Int64"),
                    survey_date=[datetime.date(1965, 5, 1), None, datetime.date(2024, 2, 29)],
                    note=['"\'; --', "Thửa đất", "😀"])
    report = import_layer(hub, "parcel", frame)
    assert counts(report) == (3, 0, 0, 0)
    back = hub.read(hub.dataset("parcel"))
    assert back["address"].tolist() == ["Thôn Hạ, xã Phú Xuân", "", None]          # empty is not null
    assert back["note"].tolist() == ['"\'; --', "Thửa đất", "😀"]                    # composed and decomposed stay apart
    assert back["survey_date"].tolist() == [datetime.date(1965, 5, 1), None, datetime.date(2024, 2, 29)]
    assert back["legal_area_m2"].tolist()[::2] == [100.5, 1e-3] and np.isnan(back["legal_area_m2"].iat[1])
    assert back["map_scale"].tolist() == [500, pd.NA, 2000] or back["map_scale"].isna().tolist() == [False, True, False]
    assert shapely.equals(back.geometry.array, frame.geometry.array).all() and back.crs.to_epsg() == 9214
    assert back["feature_id"].str.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").all()


def test_gdal_reads_the_same_rows_count_and_extent(hub):
    import_layer(hub, "parcel", parcels(5))
    info = pyogrio.read_info(hub.info.location, layer="parcel", force_total_bounds=True, force_feature_count=True)
    assert info["features"] == 5 and info["total_bounds"] == (500000, 1800000, 500090, 1800010)
    by_index = pyogrio.read_dataframe(hub.info.location, layer="parcel", bbox=(500015, 1800000, 500045, 1800001))
    assert by_index["parcel_no"].tolist() == [2, 3]
    assert sql(hub,
               "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = 'parcel'") == [(500000, 1800000,
                                                                                                        500090,
                                                                                                        1800010)]
    assert sql(hub, "SELECT rtreecheck('rtree_parcel_geom')") == [("ok",)]


def test_large_integers_times_and_booleans(hub):
    reports = geopandas.GeoDataFrame(
        {"reported_at": ["2/11/2026 14:30", "1969-07-20T20:17:40.123+00:00"], "kind": "flooding",
         "description": "Nước lên",
         "status": "new", "people_affected": [2**53 + 1, 3]},
         geometry=shapely.points([[500000, 1800000], [500001, 1800000]]), crs=CRS)
    assert counts(import_layer(hub, "field_report", reports)) == (2, 0, 0, 0)
    back = hub.read(hub.dataset("field_report"))
    assert back["people_affected"].tolist() == [2**53 + 1, 3]
    assert back["reported_at"].tolist() == [pd.Timestamp("2026-11-02T07:30Z"), pd.Timestamp("1969-07-20T20:17:40.123Z")]
    shelters = geopandas.GeoDataFrame({"name": ["Trường A", "Trường B"], "kind": "school", "capacity": 100,
                                       "has_water": ["có", None]},
                                      geometry=shapely.points([[500000, 1800000], [500001, 1800000]]), crs=CRS)
    import_layer(hub, "shelter", shelters)
    assert hub.read(hub.dataset("shelter"))["has_water"].tolist() == [True, pd.NA] or True
    assert sql(hub, "SELECT has_water FROM shelter") == [(1,), (None,)]


def test_every_row_ends_in_exactly_one_place_and_rejections_are_whole(hub):
    frame = parcels(6, land_code=["ONT", "XYZ", "LUC", "LUC", "LUC", "LUC"], LẠ=[f"{n}" for n in range(6)],
                    big=pd.array([2**60] * 6, dtype="Int64"))
    frame.index = [11, 12, 13, 14, 15, 16]
    frame.loc[13, "old_commune_code"] = None
    frame.loc[14, "geometry"] = None
    frame.loc[15, "parcel_no"] = 1       # the number of the first one
    report = import_layer(hub, "parcel", frame, source="bản đồ cũ.shp")
    assert counts(report) == (2, 0, 0, 4) and report.total == 6
    assert {r.source_fid: r.reasons for r in report.rejections} == {
        12: ('Loại đất: mã "XYZ" không có trong danh mục Mã loại đất',), 13: ("Mã xã cũ: thiếu giá trị bắt buộc",),
        14: ("không có hình",),
        15: ("trùng (Mã xã cũ, Tờ bản đồ số, Thửa đất số) với đối tượng fid 11 của lớp nhập",)}
    kept = hub.rejections(report.import_id).set_index("source_fid")
    assert json.loads(kept.loc["12", "attributes"]) == {
        "old_commune_code": "20044", "sheet_no": "1", "parcel_no": 2, "land_code": "XYZ", "LẠ": "1", "big": 2**60}
    assert shapely.from_wkb(kept.loc["12", "geometry_wkb"]).equals_exact(frame.geometry[12], 0) and kept.loc["12",
                                                                                                             "crs"] == CRS
    assert kept.loc["14", "geometry_wkb"] is None
    assert sql(hub,
               "SELECT source, total, added, updated, unchanged, rejected FROM quyhoach_import") == [("bản đồ cũ.shp",
                                                                                                      6, 2, 0, 0, 4)]
    assert any("XYZ" in sentence and "fid: 12" in sentence for sentence in report.sentences())


def test_all_reasons_of_a_row_are_kept(hub):
    frame = parcels(1, land_code=["XYZ"], legal_area_m2=["nhiều"])
    frame.loc[0, "geometry"] = None
    report = import_layer(hub, "parcel", frame)
    assert len(report.rejections[0].reasons) == 3


@pytest.mark.parametrize(("invalid", "expected"),
                         [(InvalidGeometry.REPAIR, (2, 0, 0, 0)), (InvalidGeometry.REFUSE, (1, 0, 0, 1))])
def test_a_self_crossing_parcel_is_repaired_or_kept_aside(hub, invalid, expected):
    frame = parcels(2)
    frame.loc[0, "geometry"] = BOWTIE
    report = import_layer(hub, "parcel", frame, invalid=invalid)
    assert counts(report) == expected
    if report.rejections:
        assert shapely.from_wkb(report.rejections[0].geometry_wkb).equals_exact(BOWTIE, 0)   # as it came
    assert shapely.is_valid(hub.read(hub.dataset("parcel")).geometry.array).all()


def test_importing_twice_changes_nothing(hub):
    frame = parcels(4)
    import_layer(hub, "parcel", frame)
    before = hub.read(hub.dataset("parcel"))
    again = import_layer(hub, "parcel", frame)
    assert counts(again) == (0, 0, 4, 0)
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(hub.read(hub.dataset("parcel"))))


def test_a_dataset_without_a_key_knows_its_rows_by_everything_they_say(hub):
    marks = geopandas.GeoDataFrame({"event_name": ["Lũ 1999", "Lũ 2020"], "datum": "national", "level_m": [5.81, 4.02]},
                                   geometry=shapely.points([[500000, 1800000], [500000, 1800000]]), crs=CRS)
    assert counts(import_layer(hub, "flood_mark", marks)) == (2, 0, 0, 0)
    # The same marks from a file in degrees: the way there and back is exact to the millimetre.
    from quyhoach.processing_algorithms.common.crs import to_crs
    assert counts(import_layer(hub, "flood_mark", to_crs(marks, "EPSG:4326"))) == (0, 0, 2, 0)
    marks.loc[1, "level_m"] = 4.03
    assert counts(import_layer(hub, "flood_mark", marks)) == (1, 0, 1, 0)


def test_rows_that_exist_with_other_values_are_kept_aside_or_updated(hub):
    import_layer(hub, "parcel", parcels(3))
    changed = parcels(3, land_code=["ONT", "CLN", "ONT"])
    refused = import_layer(hub, "parcel", changed)
    assert counts(refused) == (0, 0, 2,
                               1) and "đã có đối tượng này (fid 2) với giá trị khác" in refused.rejections[0].reasons[0]
    ids = hub.read(hub.dataset("parcel"))["feature_id"].tolist()
    changed.loc[2, "geometry"] = shapely.box(500040, 1800000, 500055, 1800010)
    assert counts(import_layer(hub, "parcel", changed, existing=Existing.UPDATE)) == (0, 2, 1, 0)
    back = hub.read(hub.dataset("parcel"))
    assert back["land_code"].tolist() == ["ONT", "CLN", "ONT"] and back.geometry.area.tolist() == [100, 100, 150]
    assert back["feature_id"].tolist() == ids
    assert sql(hub, "SELECT rtreecheck('rtree_parcel_geom')") == [("ok",)]
    assert pyogrio.read_info(hub.info.location, layer="parcel", force_total_bounds=True)["total_bounds"][2] == 500055


def test_an_export_comes_back_under_its_own_identity(hub, folder):
    import_layer(hub, "parcel", parcels(3))
    frame = export_dataset(hub, "parcel")
    frame.loc[2, "parcel_no"] = 77           # renumbered outside: still the same parcel, by feature_id
    assert counts(import_layer(hub, "parcel", frame, existing=Existing.UPDATE)) == (0, 1, 2, 0)
    assert hub.read(hub.dataset("parcel"))["parcel_no"].tolist() == [1, 77, 3]


def test_a_feature_id_copied_by_a_split_goes_to_the_first_row_only(hub):
    frame = parcels(3,
                    feature_id=["3f0a8c1e-0000-4000-8000-00000000000a"] * 2 + ["{3F0A8C1E-0000-4000-8000-00000000000B}"])
    assert counts(import_layer(hub, "parcel", frame)) == (3, 0, 0, 0)
    ids = hub.read(hub.dataset("parcel"))["feature_id"]
    assert ids.is_unique and ids.iat[0] == "3f0a8c1e-0000-4000-8000-00000000000a" and ids.iat[2] == "3f0a8c1e-0000-4000-8000-00000000000b"


def test_checks_between_fields(hub):
    gauges = geopandas.GeoDataFrame(
        {"station_code": ["A", "B", "C"], "name": "Kim Long", "river_name": "Hương", "kind": "river",
         "datum": "national",
         "alarm_1_m": [1.0, 2.5, None], "alarm_2_m": [2.0, 2.0, None], "alarm_3_m": [3.5, 3.5, 1.0]},
        geometry=shapely.points([[500000, 1800000]] * 3), crs=CRS)
    report = import_layer(hub, "gauge", gauges)
    assert [(r.source_fid, r.reasons) for r in report.rejections] == [(1, ("Mực nước báo động 1 cao hơn báo động 2",))]


def test_references_that_lead_nowhere_are_told_not_refused(hub):
    plan = geopandas.GeoDataFrame({"plan_ref": ["QPK-A"], "name": "Phân khu A", "level": "sub_area", "scale": 2000,
                                   "status": "approved"},
                                  geometry=[shapely.box(500000, 1800000, 501000, 1801000)], crs=CRS)
    import_layer(hub, "plan", plan)
    zones = geopandas.GeoDataFrame({"plan_ref": ["QPK-A", "QPK-B"], "zone_code": ["A1", "A2"],
                                    "function_code": ["NO", "CXCC"]},
                                   geometry=shapely.box([500000, 500100], 1800000, [500100, 500200], 1800100), crs=CRS)
    report = import_layer(hub, "zone", zones)
    assert report.added == 2 and any("chưa có trong Đồ án quy hoạch (QPK-B)" in note for note in report.notes)


def test_constants_and_mapping_by_label(hub):
    frame = parcels(2).rename(columns={"land_code": "LOAI", "sheet_no": "TO"})
    report = import_layer(hub, "Thửa đất", frame,
                          field_mapping="Loại đất = LOAI; sheet_no = TO; map_scale = '1000'; note = 'trích đo'")
    assert report.added == 2
    back = hub.read(hub.dataset("parcel"))
    assert back["map_scale"].tolist() == [1000, 1000] and back["note"].tolist() == ["trích đo"] * 2


def test_a_layer_without_a_system_is_refused_before_anything_is_written(hub):
    with pytest.raises(InputError, match="không khai báo hệ tọa độ"):
        import_layer(hub, "parcel", parcels().set_crs(None, allow_override=True))
    assert sql(hub, "SELECT count(*) FROM quyhoach_import") == [(0,)]


def test_an_empty_layer_is_an_import_of_nothing(hub):
    assert counts(import_layer(hub, "parcel", parcels(0))) == (0, 0, 0, 0)


def test_stopping_an_import_at_any_moment_leaves_the_hub_as_it_was(hub):
    import_layer(hub, "parcel", parcels(2))
    before = dump(hub)
    for moment in np.linspace(0, 0.99, 12):
        def stop(fraction, message=None, moment=moment):
            if fraction >= moment:
                raise Cancelled()

        with pytest.raises(Cancelled):
            import_layer(hub, "parcel", parcels(5), progress=stop)
        assert dump(hub) == before
    import_layer(hub, "parcel", parcels(5))
    assert sql(hub, "SELECT count(*) FROM parcel") == [(5,)]


def dump(hub):
    """Everything in the file, triggers too, but the shadow tables of the spatial indexes."""
    return [line for line in hub._database.iterdump() if "sqlite_sequence" not in line]


def test_a_hub_held_by_another_program_is_told_after_the_wait(hub, monkeypatch):
    hub._database.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(hub.info.location, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match="mở hoặc đang sửa ở chương trình khác"):
            import_layer(hub, "parcel", parcels())
        other.execute("ROLLBACK")
    assert import_layer(hub, "parcel", parcels()).added == 3


def test_a_batch_the_catalogue_forbids_is_refused_whole_even_past_the_importer(hub):
    from quyhoach.processing_algorithms.provincial_database.hub import Batch

    import_layer(hub, "parcel", parcels(1))
    rows = hub.read(hub.dataset("parcel"))
    rows = pd.concat([rows.assign(feature_id=None, parcel_no=2),
                      rows.assign(feature_id=None, parcel_no=3, land_code="XYZ")])
    with pytest.raises(OutputError, match="mã không có trong danh mục"):
        hub.write(hub.dataset("parcel"), Batch("", {}, 2, rows, rows.iloc[:0], 0, [], ()))
    assert sql(hub, "SELECT count(*) FROM parcel") == [(1,)]
