"""A hub in a GeoPackage: made whole, valid for other programs, and refusing what the catalogue forbids in any of them."""

import datetime
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hub_rows import CRS, parcels, sql
from osgeo import ogr
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.geopackage.hub import SCHEMA_VERSION
from quyhoach.processing_algorithms.provincial_database.hub import chosen_datasets, open_hub
from quyhoach.processing_algorithms.provincial_database.hub_export import export_dataset
from quyhoach.processing_algorithms.provincial_database.hub_list import list_datasets
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer


@pytest.fixture
def hub(folder):
    with create_hub(str(folder / "tỉnh thử.gpkg"), CRS, name="Tỉnh thử") as made:
        yield made


# the file ---------------------------------------------------------------------------------------------------------


def test_a_new_hub_says_what_it_is(hub, folder):
    assert hub.info.name == "Tỉnh thử" and hub.info.crs.to_epsg() == 9214 and hub.info.schema_version == SCHEMA_VERSION
    assert list(hub.datasets) == list(load_catalogue())
    with open_hub(str(folder / "tỉnh thử.gpkg")) as again:
        assert again.info == hub.info


def test_gdal_finds_every_dataset_with_type_system_and_fields(hub):
    layers = dict(pyogrio.list_layers(hub.info.location))
    assert set(load_catalogue()) <= set(layers) and not [name for name in layers if name.startswith("quyhoach_")]
    for dataset in load_catalogue().values():
        info = pyogrio.read_info(hub.info.location, layer=dataset.name)
        assert info["crs"] == "EPSG:9214" and info["geometry_type"] == dataset.geometry == layers[dataset.name]
        assert list(info["fields"]) == ["feature_id", *dataset.field_names]
        assert info["fid_column"] == "fid" and info["geometry_name"] == "geom"


def test_the_file_keeps_the_geopackage_rules(hub):
    assert sql(hub, "PRAGMA application_id") == [(0x47504B47,)]
    assert sql(hub, "PRAGMA integrity_check") == [("ok",)] and sql(hub, "PRAGMA foreign_key_check") == []
    systems = {row[0]: row for row in sql(hub,
                                          "SELECT srs_id, organization, organization_coordsys_id, definition FROM "
                                          "gpkg_spatial_ref_sys")}
    assert {-1, 0, 4326, 9214} == set(systems)
    assert systems[9214][1:3] == ("EPSG", 9214) and "VN-2000" in systems[9214][3]
    tables = {row[0] for row in sql(hub, "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'")}
    assert tables == set(load_catalogue())
    assert {row[0] for row in sql(hub,
                                  "SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'")} == tables
    # Every domain a column names exists.
    assert sql(hub, "SELECT constraint_name FROM gpkg_data_columns WHERE constraint_name IS NOT NULL EXCEPT "
                    "SELECT constraint_name FROM gpkg_data_column_constraints") == []


def test_a_system_without_a_number_is_kept(folder):
    text = "+proj=tmerc +lat_0=0 +lon_0=107.25 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 +units=m +no_defs"
    with create_hub(str(folder / "riêng.gpkg"), text) as hub:
        import_layer(hub, "parcel", parcels().set_crs(hub.info.crs, allow_override=True))
        assert pyogrio.read_dataframe(hub.info.location, layer="parcel").crs.equals(hub.info.crs)


def test_only_some_datasets(folder):
    chosen = chosen_datasets(load_catalogue(), "gauge; Thửa đất, D10")
    with create_hub(folder / "ít.gpkg", CRS, datasets=chosen) as hub:
        assert list(hub.datasets) == ["parcel", "road", "gauge"]
        with pytest.raises(InputError, match='không có tập dữ liệu "zone"'):
            hub.dataset("zone")


@pytest.mark.parametrize("content", [b"", b"not a database", None])
def test_whatever_exists_is_never_overwritten(folder, content):
    path = folder / "có sẵn.gpkg"
    if content is None:
        create_hub(str(path), CRS).close()
        content = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(OutputError, match="không bao giờ được ghi đè|không ghi đè"):
        create_hub(str(path), CRS)
    assert path.read_bytes() == content


def test_a_stopped_or_failed_creation_leaves_nothing(folder):
    def stop(fraction, message=None):
        if fraction > 0.5:
            raise Cancelled()

    with pytest.raises(Cancelled):
        create_hub(str(folder / "dở.gpkg"), CRS, progress=stop)
    with pytest.raises(InputError, match="hệ tọa độ độ"):
        create_hub(str(folder / "độ.gpkg"), "EPSG:4326")
    with pytest.raises(InputError, match="kết thúc bằng .gpkg"):
        create_hub(str(folder / "hub.sqlite"), CRS)
    with pytest.raises(OutputError, match="Không có thư mục"):
        create_hub(str(folder / "không có" / "hub.gpkg"), CRS)
    assert list(folder.iterdir()) == []


def test_what_is_no_hub_is_refused_in_one_sentence(folder, hub):
    with pytest.raises(InputError, match="Không có tệp"):
        open_hub(str(folder / "vắng.gpkg"))
    with pytest.raises(InputError, match="Chưa chọn"):
        open_hub(" ")
    parcels().to_file(folder / "lớp.gpkg", engine="pyogrio")
    (folder / "rác.gpkg").write_bytes(b"rubbish" * 999)
    for name in ("lớp.gpkg", "rác.gpkg"):
        with pytest.raises(InputError, match="không phải là cơ sở dữ liệu dùng chung"):
            open_hub(str(folder / name))
    sql(hub, f"UPDATE quyhoach_hub SET value = '{SCHEMA_VERSION + 1}' WHERE key = 'schema_version'")
    with pytest.raises(InputError, match="phiên bản QuyHoach mới hơn"):
        open_hub(hub.info.location)


@pytest.mark.parametrize("lie", [
    "UPDATE quyhoach_dataset SET table_name = 'sqlite_master' WHERE table_name = 'parcel'", "DROP TABLE quyhoach_field", "DROP TABLE quyhoach_dataset",
    "UPDATE quyhoach_dataset SET table_name = 'parcel\"; DROP TABLE quyhoach_hub; --' WHERE table_name = 'parcel'", "ALTER TABLE parcel RENAME TO cu",
    "ALTER TABLE parcel RENAME COLUMN note TO cu", "UPDATE quyhoach_hub SET value = 'x' WHERE key = 'srs_id'",
    "DELETE FROM gpkg_spatial_ref_sys WHERE srs_id > 4326"])
def test_a_file_that_lies_about_its_tables_is_refused(hub, lie):
    """In a sentence, and nothing is done to it."""
    with closing(sqlite3.connect(hub.info.location, isolation_level=None)) as other:
        other.execute(lie)
    before = Path(hub.info.location).read_bytes()
    with pytest.raises(InputError, match="bị hỏng: thiếu"):
        open_hub(hub.info.location)
    assert Path(hub.info.location).read_bytes() == before


# other people's hands ---------------------------------------------------------------------------------------------

INSERT = "INSERT INTO parcel (geom, old_commune_code, sheet_no, parcel_no, land_code{names}) SELECT geom, '20044', '9', 1, 'ONT'{values} FROM parcel LIMIT 1"


@pytest.mark.parametrize(("assignment", "refused"), [
    ("land_code = 'XYZ'", "Loại đất: mã không có trong danh mục"),
    ("sheet_no = ' '", "Tờ bản đồ số: không được để trống"),
    ("old_commune_code = '2004'", "Mã xã cũ: sai dạng mã"),
    ("map_scale = 100", "Mẫu số tỷ lệ bản đồ: nhỏ hơn 200"),
    ("legal_area_m2 = 'rộng'", "Diện tích pháp lý: sai kiểu dữ liệu"),
    ("survey_date = '31/12/2024'", "Ngày đo đạc, chỉnh lý: không phải là ngày"),
    ("address = printf('%.*c', 201, 'x')", "Địa chỉ thửa đất: dài quá 200 ký tự"),
    ("feature_id = '3f0a8c1e-0000-4000-8000-00000000000a'", "feature_id không được thay đổi"),
    ("land_code = NULL", "NOT NULL"),
])
def test_the_hub_refuses_what_the_catalogue_forbids_in_any_program(hub, assignment, refused):
    import_layer(hub, "parcel", parcels(1))
    with closing(sqlite3.connect(hub.info.location)) as other:
        register_functions(other)
        with pytest.raises(sqlite3.IntegrityError, match=refused):
            other.execute(f"UPDATE parcel SET {assignment}")
    sql(hub,
        "UPDATE parcel SET land_code = 'CLN', map_scale = 200, survey_date = '2024-12-31', legal_area_m2 = 5")   # and takes what it allows


def test_checks_between_fields_hold_in_any_program(hub):
    gauge = geopandas.GeoDataFrame({"station_code": ["A"], "name": "A", "river_name": "Hương", "kind": "river",
                                    "datum": "national", "alarm_1_m": [1.0]},
                                   geometry=[shapely.Point(500000, 1800000)], crs=CRS)
    import_layer(hub, "gauge", gauge)
    with pytest.raises(sqlite3.IntegrityError, match="báo động 1 cao hơn báo động 2"):
        sql(hub, "UPDATE gauge SET alarm_2_m = 0.5")
    sql(hub, "UPDATE gauge SET alarm_2_m = 2")


def test_a_new_code_in_the_list_is_taken_at_once(hub):
    import_layer(hub, "parcel", parcels(1))
    sql(hub,
        "INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value) VALUES ('land_use_code', "
        "'enum', 'MOI')")
    sql(hub, "UPDATE parcel SET land_code = 'MOI'")


def test_rows_from_other_programs_get_an_identity_and_an_index(hub):
    import_layer(hub, "parcel", parcels(1))
    for names, values in (("", ""), (", feature_id", ", ''"), (", feature_id", ", 'not a uuid'")):
        sql(hub, INSERT.format(names=names, values=values))
    ids = [row[0] for row in sql(hub, "SELECT feature_id FROM parcel")]
    assert len(set(ids)) == 4 and all(len(id) == 36 and id[14] == "4" and id[19] in "89ab" for id in ids)
    assert sql(hub, "SELECT count(*) FROM rtree_parcel_geom") == [(4,)]
    assert sql(hub, "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = 'parcel'") == [(4,)]
    sql(hub, "DELETE FROM parcel WHERE fid > 1")
    assert sql(hub, "SELECT count(*) FROM rtree_parcel_geom") == [(1,)] and sql(hub,
                                                                                "SELECT rtreecheck('rtree_parcel_geom')") == [("ok",)]


def test_replace_keeps_the_index_right(hub):
    import_layer(hub, "parcel", parcels(2))
    sql(hub, "PRAGMA recursive_triggers = ON")
    sql(hub, "REPLACE INTO parcel (fid, geom, old_commune_code, sheet_no, parcel_no, land_code) "
             "SELECT 1, geom, old_commune_code, sheet_no, 5, land_code FROM parcel WHERE fid = 2")
    assert sql(hub, "SELECT count(*) FROM parcel") == [(2,)] and sql(hub,
                                                                     "SELECT rtreecheck('rtree_parcel_geom')") == [("ok",)]
    assert sql(hub, "SELECT minx FROM rtree_parcel_geom WHERE id = 1") == [(500020.0,)]


def test_gdal_can_append_and_is_told_what_is_wrong(hub, folder):
    from osgeo import gdal, ogr

    gdal.UseExceptions()
    ogr.UseExceptions()
    frame = parcels(2)
    frame.to_file(folder / "thêm.gpkg", engine="pyogrio")
    append = {"format": "GPKG", "accessMode": "append", "layerName": "parcel", "geometryType": "PROMOTE_TO_MULTI"}
    gdal.VectorTranslate(hub.info.location, str(folder / "thêm.gpkg"), **append)
    back = hub.read(hub.dataset("parcel"))
    assert len(back) == 2 and back["feature_id"].notna().all()
    assert sql(hub, "SELECT rtreecheck('rtree_parcel_geom')") == [("ok",)]
    dataset = ogr.Open(hub.info.location, update=1)
    layer = dataset.GetLayerByName("parcel")
    feature = layer.GetFeature(1)
    feature.SetField("land_code", "XYZ")
    with pytest.raises(RuntimeError, match="mã không có trong danh mục"):
        layer.SetFeature(feature)


def test_hostile_values_are_only_values(hub):
    evil = "'); DROP TABLE parcel; --"
    frame = parcels(1, address=[evil]).rename(columns={"sheet_no": 'x"; DROP TABLE parcel; --'})
    report = import_layer(hub, "parcel", frame, field_mapping={"sheet_no": 'x"; DROP TABLE parcel; --'}, source=evil)
    assert report.added == 1 and hub.read(hub.dataset("parcel"))["address"].tolist() == [evil]


# reading ----------------------------------------------------------------------------------------------------------


def test_export_by_condition_commune_extent_and_secrecy(hub):
    import_layer(hub, "parcel",
                 parcels(4, commune_code=["00001", "00001", "00002", None], land_code=["ONT", "LUC", "ONT", "ONT"],
                         certificate_no=["AA 1"] * 4))
    numbers = lambda **options: export_dataset(hub, "parcel", **options)["parcel_no"].tolist()  # noqa: E731
    assert numbers() == [1, 2, 3, 4]
    assert numbers(condition="land_code = 'ONT'") == [1, 3, 4]
    assert numbers(units="00001; 00002") == [1, 2, 3]
    assert numbers(units="00001", condition="land_code = 'ONT' OR land_code = 'LUC'") == [1, 2]
    assert numbers(extent=(500015, 1799990, 500031, 1800000)) == [2]      # touches the lower edge of the second
    assert "certificate_no" not in export_dataset(hub, "parcel").columns
    assert export_dataset(hub, "parcel", secrecy="restricted")["certificate_no"].tolist() == ["AA 1"] * 4
    with pytest.raises(InputError, match="không ghi mã xã"):
        export_dataset(hub, "gauge", units="00001")
    with pytest.raises(InputError, match="không xuất ở mức"):
        export_dataset(hub, "field_report", secrecy="public")
    assert export_dataset(hub, "parcel", crs=geopandas.GeoSeries(crs="EPSG:4326").crs).crs.to_epsg() == 4326


def test_the_list_counts_places_and_dates(hub):
    import_layer(hub, "parcel", parcels(2, land_code=["ONT", "XYZ"]))
    table = list_datasets(hub).set_index("dataset")
    row = table.loc["parcel"]
    assert (row["features"], row["imports"], row["rejected"], row["label"]) == (1, 1, 1, "Thửa đất")
    assert [row[name] for name in ("x_min", "y_min", "x_max", "y_max")] == [500000, 1800000, 500010, 1800010]
    assert datetime.datetime.fromisoformat(row["changed_at"])
    assert np.isnan(table.loc["road", "x_min"]) and table.loc["road", "features"] == 0
    assert list_datasets(hub, "road, Thửa đất")["dataset"].tolist() == ["parcel", "road"]
    with pytest.raises(InputError) as refusal:
        list_datasets(hub, "street, plot")
    assert len(refusal.value.problems) == 2


def test_a_field_the_program_has_and_the_file_lacks_is_left_alone(hub):
    # An older hub: its table has no note, and calls the address otherwise; ids tell which field is which.
    sql(hub, "DELETE FROM quyhoach_field WHERE field_id = 'D11.10'")
    sql(hub, "UPDATE quyhoach_field SET column_name = 'place' WHERE field_id = 'D11.08'")
    for table in ("facility", "quyhoach_ledger_facility", "quyhoach_replaced_facility"):
        sql(hub, f"ALTER TABLE {table} RENAME COLUMN address TO place")
    with open_hub(hub.info.location) as older:
        names = older.dataset("facility").field_names
        assert "note" not in names and "place" in names and "address" not in names
        frame = geopandas.GeoDataFrame({"name": ["Chợ A"], "kind": "market", "Địa chỉ": ["Thôn 1"]},
                                       geometry=[shapely.Point(500000, 1800000)], crs=CRS)
        import_layer(older, "facility", frame)
        assert older.read(older.dataset("facility"))["place"].tolist() == ["Thôn 1"]


def test_a_shape_that_cannot_be_read_is_named_to_whoever_takes_it_home(folder):
    """Another program has drawn an arc into the hub's file."""
    area = shapely.to_wkb(shapely.box(0, 0, 100, 100))
    with create_hub(str(folder / "hub.gpkg"), "EPSG:9214", datasets=[load_catalogue()["parcel"]]) as hub:
        source = ogr.Open(str(folder / "hub.gpkg"), 1)
        layer = source.GetLayer("parcel")
        feature = ogr.Feature(layer.GetLayerDefn())
        for name, value in {"old_commune_code": "00001", "commune_code": "25001", "sheet_no": "1", "parcel_no": 1, "land_code": "ONT"}.items():
            feature[name] = value
        feature.SetGeometry(ogr.CreateGeometryFromWkt("CURVEPOLYGON (CIRCULARSTRING (0 0, 5 5, 10 0, 5 -5, 0 0))"))
        layer.CreateFeature(feature)
        del layer, source
        for scope in (Scope("parcel"), Scope("parcel", polygon=area)):
            with pytest.raises(InputError, match="cung tròn"), hub.deliver([scope], None) as delivery:
                list(delivery.rows)
