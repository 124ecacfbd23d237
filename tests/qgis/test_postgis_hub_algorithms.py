"""A hub in a real PostGIS through the registry, by the name of a stored connection: everything a GeoPackage hub can do."""

import uuid
import zipfile

import geopandas
import pytest
import shapely
from qgis.core import QgsProcessingException, QgsProcessingFeedback, QgsSettings, QgsVectorLayer
from quyhoach.processing_algorithms.common.files import write_vector


@pytest.fixture
def place(tmp_path, run, stored, empty_database):
    """A hub with three parcels (changeset 1), of which one was changed by an import (changeset 2)."""
    folder = tmp_path / "Sở Xây dựng tỉnh Quảng Ngãi"
    folder.mkdir()
    hub = stored("Tỉnh thử", empty_database)
    made = run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": hub, "NAME": "Quảng Ngãi", "DATASETS": "parcel,facility"})
    assert made == {"HUB": hub, "DATASET_COUNT": 2}
    parcels = geopandas.GeoDataFrame(
        {"old_commune_code": ["19801"] * 3, "commune_code": ["19801"] * 3, "sheet_no": ["1"] * 3, "parcel_no": [1, 2, 3],
         "land_code": ["ODT", "LUC", "CLN"], "certificate_no": ["CS 1", "CS 2", "CS 3"]},
        geometry=[shapely.box(500000 + 20 * i, 1800000, 500020 + 20 * i, 1800030) for i in range(3)], crs=9214)
    for name, frame in (("một", parcels),
                        ("hai", parcels.assign(land_code=["CLN", "LUC", "CLN"], certificate_no="mới").iloc[:1])):
        write_vector(frame, folder / f"{name}.gpkg", "MultiPolygon")
        done = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": str(folder / f"{name}.gpkg"), "EXISTING": 1})
        assert done["REJECTED"] == 0
    return folder, hub


def features(answer):
    layer = QgsVectorLayer(answer["OUTPUT"], "", "ogr")
    assert layer.isValid()
    return list(layer.getFeatures())


def refusal(run, algorithm, parameters):
    feedback = QgsProcessingFeedback(False)
    with pytest.raises(QgsProcessingException) as failure:
        run(algorithm, parameters, feedback=feedback)
    assert "Traceback" not in feedback.textLog()
    return f"{feedback.textLog()}\n{failure.value}"


def test_rows_go_in_and_out_and_the_past_comes_back(place, run, server, empty_database):
    folder, hub = place
    out = run("quyhoach:hubexport", {"HUB": hub, "DATASET": "D03", "FILTER": "parcel_no >= 2", "OUTPUT": str(folder / "ra.gpkg")})
    assert out["FEATURE_COUNT"] == 2 and sorted(f["land_code"] for f in features(out)) == ["CLN", "LUC"]
    assert run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": out["OUTPUT"]})["UNCHANGED"] == 2
    listed = run("quyhoach:hublist", {"HUB": hub, "OUTPUT": str(folder / "kê.csv")})
    assert (listed["DATASET_COUNT"], listed["FEATURE_COUNT"]) == (2, 3)
    first = run("quyhoach:asofdate", {"HUB": hub, "DATASET": "parcel", "CHANGESET": 1, "OUTPUT": str(folder / "xưa.gpkg")})
    assert sorted(f["land_code"] for f in features(first)) == ["CLN", "LUC", "ODT"]
    assert "certificate_no" not in features(first)[0].fields().names(), "personal data only when asked for"
    now = run("quyhoach:asofdate", {"HUB": hub, "DATASET": "Thửa đất", "DATE": "31/12/2199", "RESTRICTED": True, "OUTPUT": str(folder / "nay.gpkg")})
    assert sorted(f["certificate_no"] for f in features(now)) == ["CS 2", "CS 3", "mới"]
    between = run("quyhoach:changesbetween", {"HUB": hub, "DATASET": "parcel", "FROM_CHANGESET": 1, "OUTPUT": str(folder / "khác.gpkg")})
    assert (between["ADDED"], between["CHANGED"], between["DELETED"]) == (0, 1, 0)
    [row] = features(between)
    assert (row["change"], row["changed_fields"], row["land_code"]) == ("changed", "land_code", "CLN")
    assert "sửa tiếp" in refusal(run, "quyhoach:revertchangeset", {"HUB": hub, "CHANGESET": 1})
    taken_back = run("quyhoach:revertchangeset", {"HUB": hub, "CHANGESET": 2, "MESSAGE": "Nhập nhầm"})["NUMBER"]
    now = run("quyhoach:asofdate", {"HUB": hub, "DATASET": "parcel", "CHANGESET": taken_back, "OUTPUT": str(folder / "sau.gpkg")})
    assert sorted(f["land_code"] for f in features(now)) == ["CLN", "LUC", "ODT"]
    assert "Không có đợt" in refusal(run, "quyhoach:revertchangeset", {"HUB": hub, "CHANGESET": 50})
    # QGIS opens a dataset with its Vietnamese form.
    layer = QgsVectorLayer(f"host='{server.folder}' port={server.port} user=postgres dbname='{empty_database}' key='fid' "
                           "table=\"quyhoach_data\".\"parcel\" (geom)", "", "postgres")
    assert layer.isValid() and layer.attributeAlias(layer.fields().lookupField("land_code")) == "Loại đất"


def test_creating_touches_nothing_that_is_there(run, stored, empty_database, sql, server):
    sql(empty_database, "CREATE TABLE public.cua_ai_do (id int); INSERT INTO public.cua_ai_do VALUES (7);"
                        "CREATE TABLE public.layer_styles (id int); CREATE SCHEMA quyhoach_cua_toi; "
                        f"CREATE ROLE {empty_database}_owner")  # of a database that is gone, perhaps
    hub = stored("Có sẵn", empty_database)
    systems = sql(empty_database, "SELECT count(*), md5(string_agg(s::text, '' ORDER BY srid)) FROM spatial_ref_sys s WHERE srid < 9205")
    feedback = QgsProcessingFeedback(False)
    made = run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": f"./{hub}"}, feedback=feedback)
    assert "layer_styles" in feedback.textLog(), "somebody's own table of that name is told, not altered"
    assert sql(empty_database, "SELECT count(*) FROM public.layer_styles") == [(0,)]
    assert made["HUB"] == hub, "the dialog puts its folder before what is typed"
    assert sql(empty_database, "SELECT id FROM public.cua_ai_do") == [(7,)]
    assert sql(empty_database, "SELECT count(*), md5(string_agg(s::text, '' ORDER BY srid)) FROM spatial_ref_sys s WHERE srid < 9205") == systems
    assert sql(empty_database, "SELECT roles FROM quyhoach.hub") == [(f"{empty_database}_2",)], "nobody's role is taken over"
    assert sql(empty_database, f"SELECT count(*) FROM pg_shdepend WHERE refobjid = '{empty_database}_owner'::regrole") == [(0,)]
    before = sql(empty_database, "SELECT incarnation FROM quyhoach.hub")
    assert "không bao giờ ghi đè" in refusal(run, "quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": hub})
    assert sql(empty_database, "SELECT incarnation FROM quyhoach.hub") == before
    assert "hệ tọa độ độ" in refusal(run, "quyhoach:hubcreate", {"CRS": "EPSG:4326", "HUB": hub})


def test_checked_backed_up_and_restored(place, run, stored, sql, server, tmp_path):
    folder, hub = place
    checked = run("quyhoach:hubcheck", {"HUB": hub, "OUTPUT": str(folder / "kiểm tra.csv")})
    assert (checked["ERRORS"], checked["WARNINGS"]) == (0, 0)
    assert {row["state_label"] for row in features(checked)} == {"tốt"}
    copy = str(folder / "xã.gpkg")
    run("quyhoach:checkout", {"HUB": hub, "DATASETS": "parcel", "WORKING_COPY": copy})
    backup = str(folder / "sao lưu tỉnh.dump")
    assert run("quyhoach:hubbackup", {"HUB": hub, "OUTPUT": backup, "DRILL": True})["ROWS_COMPARED"] > 3
    assert "không ghi đè" in refusal(run, "quyhoach:hubbackup", {"HUB": hub, "OUTPUT": backup})
    assert ".dump" in refusal(run, "quyhoach:hubbackup", {"HUB": hub, "OUTPUT": str(folder / "sao lưu.gpkg")})
    assert "trống" in refusal(run, "quyhoach:hubrestore", {"INPUT": backup, "HUB": hub})
    assert "bản sao lưu PostGIS" in refusal(run, "quyhoach:hubrestore", {"INPUT": backup, "HUB": str(folder / "mới.gpkg")})
    # Something sent after the backup: the copy that pulled it brings it back.
    run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": str(folder / "một.gpkg"), "EXISTING": 1})
    run("quyhoach:pull", {"WORKING_COPY": copy})
    other = f"{hub}_2"
    sql("postgres", 'CREATE DATABASE "phục hồi"')
    try:
        stored(other, "phục hồi")
        assert "không phải là bản sao lưu" in refusal(run, "quyhoach:hubrestore", {"INPUT": str(folder / "một.gpkg"), "HUB": other})
        restored = run("quyhoach:hubrestore", {"INPUT": backup, "HUB": other})
        assert restored == {"HUB": other, "FEATURE_COUNT": 3}
        assert run("quyhoach:hubcheck", {"HUB": other})["ERRORS"] == 0
        run("quyhoach:pull", {"WORKING_COPY": copy, "HUB": other})
        run("quyhoach:push", {"WORKING_COPY": copy, "HUB": other, "MESSAGE": "Gửi lại phần bản sao lưu thiếu"})
        rows = sql("phục hồi", "SELECT parcel_no, land_code, certificate_no FROM quyhoach_data.parcel ORDER BY 1")
        assert rows == [(1, "ODT", "CS 1"), (2, "LUC", "CS 2"), (3, "CLN", "CS 3")]
    finally:
        sql("postgres", 'DROP DATABASE "phục hồi" WITH (FORCE)')


@pytest.mark.parametrize("algorithm, more", [
    ("hubcreate", {"CRS": "EPSG:9214"}), ("hublist", {}), ("hubcheck", {}), ("hubbackup", {"OUTPUT": "{folder}/b.dump"}),
    ("hubimport", {"DATASET": "parcel", "INPUT": "{folder}/một.gpkg"}), ("hubexport", {"DATASET": "parcel", "OUTPUT": "memory:"}),
    ("checkout", {"WORKING_COPY": "{folder}/c.gpkg"}), ("asofdate", {"DATASET": "parcel", "CHANGESET": 1, "OUTPUT": "memory:"}),
    ("changesbetween", {"DATASET": "parcel", "FROM_CHANGESET": 1, "OUTPUT": "memory:"}), ("revertchangeset", {"CHANGESET": 1}),
    ("hubrestore", {"INPUT": "{folder}/một.gpkg"}), ("hubgrant", {"DEPARTMENT": "so_a", "LABEL": "Sở A"}), ("hubperson", {"LOGIN": "lan"}),
    ("hublock", {"DATASET": "land_use", "VALUE": "2024", "REASON": "x"}), ("hubupgrade", {}), ("changesapply", {"INPUT": "{folder}/một.qhz"}),
    ("updateexport", {"INPUT": "{folder}/một.qhz", "OUTPUT": "{folder}/đáp.qhz"}), ("openlayers", {"LOAD": False})])
def test_an_address_with_a_password_is_refused_and_not_repeated(run, tmp_path, algorithm, more):
    write_vector(geopandas.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=9214),
                 tmp_path / "một.gpkg", "MultiPolygon")
    (tmp_path / "một.dump").write_bytes(b"PGDMP")
    (tmp_path / "một.qhz").write_bytes(b"PK")
    more = {key: value.format(folder=tmp_path) if isinstance(value, str) else value for key, value in more.items()}
    if algorithm == "hubrestore":
        more["INPUT"] = str(tmp_path / "một.dump")
    place = "INPUT" if algorithm == "openlayers" else "HUB"
    for address in ("postgresql://lan:bimat@may-chu/tinh", "host=may-chu dbname=tinh password=bimat"):
        told = refusal(run, f"quyhoach:{algorithm}", {place: address, **more})
        assert "không được chứa mật khẩu" in told and "bimat" not in told
    for mistyped in ("lan:bimat@may-chu/tinh", "mysql://lan:bimat@may-chu/tinh", "PASSWORD=bimat host=may-chu"):
        told = refusal(run, f"quyhoach:{algorithm}", {place: mistyped, **more})
        assert "Không đọc được địa chỉ" in told and "bimat" not in told


def test_a_password_saved_with_a_connection_is_in_no_project_and_no_file(place, run, stored, sql, empty_database, tmp_path):
    """QGIS can keep it in its settings; what is made of the connection goes to others."""
    folder, _ = place
    login, secret = f"lan_{uuid.uuid4().hex[:8]}", "mật-khẩu-trong-cài-đặt"
    sql("postgres", f"CREATE ROLE {login} LOGIN SUPERUSER PASSWORD '{secret}'")
    try:
        hub = stored("Lưu mật khẩu", empty_database, user=login, host="127.0.0.1")
        QgsSettings().setValue(f"PostgreSQL/connections/{hub}/password", secret)
        QgsSettings().setValue(f"PostgreSQL/connections/{hub}/savePassword", "true")
        feedback = QgsProcessingFeedback(False)
        opened = run("quyhoach:openlayers", {"INPUT": hub, "DATASETS": "parcel", "LOAD": False, "PROJECT": str(folder / "dự án.qgz"),
                                             "OUTPUT": str(folder / "lớp.csv")}, feedback=feedback)
        [layer] = opened["LAYERS"]
        assert layer.isValid() and layer.featureCount() == 3 and secret not in layer.source() + feedback.textLog() + feedback.htmlLog()
        run("quyhoach:checkout", {"HUB": hub, "DATASETS": "parcel", "WORKING_COPY": str(folder / "bản.gpkg")})
        with zipfile.ZipFile(folder / "dự án.qgz") as archive:
            written = [archive.read(name) for name in archive.namelist()]
        written += [path.read_bytes() for path in folder.iterdir()]
        assert len(written) > 5 and not any(secret.encode() in content for content in written)
    finally:
        sql("postgres", f"DROP ROLE {login}")


def test_a_table_with_capitals_and_very_long_names_comes_in(place, run, server, sql, empty_database):
    """63 bytes are the most PostgreSQL keeps of a name; letters with marks take two or three each."""
    _, hub = place
    table, column = "Thửa đất đã đo " + "x" * 40, 'Loại "đất" theo hiện trạng ' + "y" * 27
    assert [len(name.encode()) for name in (table, column)] == [63, 63]
    quoted = column.replace('"', '""')
    sql(empty_database, f'CREATE SCHEMA "Của Tôi"; CREATE TABLE "Của Tôi"."{table}" ("ID" serial PRIMARY KEY, "SELECT" text, "{quoted}" text, "Số tờ" text, '
        f'"Số thửa" int, "Xã" text, "Hình" geometry(MultiPolygon, 9214)); INSERT INTO "Của Tôi"."{table}" ("SELECT", "{quoted}", "Số tờ", "Số thửa", "Xã", "Hình") '
        "VALUES ('19801', 'ONT', '7', 70, '19801', ST_Multi(ST_MakeEnvelope(500000, 1800000, 500009, 1800009, 9214)))")
    source = (f"postgres://dbname='{empty_database}' host='{server.folder}' port={server.port} user='postgres' key='ID' srid=9214 type=MultiPolygon "
              f'table="Của Tôi"."{table}" (Hình)')
    done = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": source, "FIELD_MAPPING":
               f"old_commune_code=SELECT; commune_code=Xã; sheet_no=Số tờ; parcel_no=Số thửa; land_code={column}"})
    assert (done["ADDED"], done["REJECTED"]) == (1, 0)
    assert sql(empty_database, "SELECT old_commune_code, sheet_no, land_code FROM quyhoach_data.parcel WHERE parcel_no = 70") == [("19801", "7", "ONT")]
