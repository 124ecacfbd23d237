"""Departments, people and locks through the registry, and that no algorithm leads a department beyond its rights."""

import csv
import json
import shutil
import uuid
import zipfile

import geopandas
import pytest
import shapely
from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsSettings,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.files import write_vector

SECRET = "mật-khẩu-của-Lan"


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Phường Thuận Hóa"
    place.mkdir()
    return place


@pytest.fixture(params=["geopackage", "postgis"])
def hub(request, run, folder):
    """A hub with two parcels in each of two communes."""
    if request.param == "postgis":
        place = request.getfixturevalue("stored")(f"Tỉnh {uuid.uuid4().hex[:6]}",
                                                  request.getfixturevalue("empty_database"))
    else:
        place = str(folder / "hub.gpkg")
    return filled(run, folder, place)


def filled(run, folder, place):
    run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": place, "DATASETS": "parcel,road,land_use"})
    write_vector(parcels(folder), folder / "thửa.gpkg", "MultiPolygon")
    assert run("quyhoach:hubimport", {"HUB": place, "DATASET": "parcel", "INPUT": str(folder / "thửa.gpkg")})["ADDED"] == 4
    return place


def parcels(folder):
    communes = ["25001", "25001", "25002", "25002"]
    return geopandas.GeoDataFrame(
        {"old_commune_code": communes, "commune_code": communes, "sheet_no": ["1"] * 4, "parcel_no": [1, 2, 3, 4], "land_code": ["ONT"] * 4,
         "certificate_no": [f"CS {i}" for i in range(4)]},
        geometry=[shapely.box(500000 + 20 * i, 1800000, 500020 + 20 * i, 1800030) for i in range(4)], crs=9214)


def refusal(run, algorithm, parameters):
    feedback = QgsProcessingFeedback(False)
    with pytest.raises(QgsProcessingException) as failure:
        run(algorithm, parameters, feedback=feedback)
    assert "Traceback" not in feedback.textLog()
    return f"{feedback.textLog()}\n{failure.value}"


def rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [tuple(row.values()) for row in csv.DictReader(file)]


def test_a_department_gets_further_rights_and_loses_them(hub, run, folder):
    table = str(folder / "quyền.csv")

    def grant(**more):
        return run("quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "p_thuan_hoa", "OUTPUT": table, **more})["RIGHTS"]

    assert grant(LABEL="Phường Thuận Hóa", KIND=2, UNITS="25001") == 3  # the kind "land" writes parcel and land_use
    assert sorted(row[3:] for row in rows(table)) == [("", "25001", "read"), ("land_use", "25001", "write"), ("parcel", "25001", "write")]
    assert rows(table)[0][:3] == ("p_thuan_hoa", "Phường Thuận Hóa", "land")
    assert grant(ACCESS=2, DATASETS="Đường giao thông", UNITS="25001; 25002") == 5
    assert grant(ACCESS=1, DATASETS="parcel", ANEW=True) == 1 and rows(table)[0][3:] == ("parcel", "", "read")
    assert grant(ACCESS=3) == 0 and rows(table) == []
    assert "không hợp lệ" in refusal(run, "quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "Sở Xây dựng", "LABEL": "x", "KIND": 1})
    assert "cần tên đầy đủ" in refusal(run, "quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "so_moi"})
    assert "không phải là mã" in refusal(run, "quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "p_thuan_hoa", "UNITS": "Thuận Hóa"})
    assert "không có tập dữ liệu" in refusal(run, "quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "p_thuan_hoa", "DATASETS": "thửa"})


def test_a_closed_year_is_locked_and_opened(hub, run, folder):
    land = geopandas.GeoDataFrame({"commune_code": ["25001"], "year": [2024], "patch_no": [1], "land_code": ["ONT"]},
                                  geometry=[shapely.box(500000, 1800000, 500020, 1800030)], crs=9214)
    write_vector(land, folder / "2024.gpkg", "MultiPolygon")
    close = {"HUB": hub, "DATASET": "land_use", "VALUE": "2024", "REASON": "Kiểm kê 2024 đã khóa sổ"}
    add = {"HUB": hub, "DATASET": "land_use", "INPUT": str(folder / "2024.gpkg")}
    assert run("quyhoach:hublock", close)["LOCKS"] == 1
    assert "khóa sổ" in refusal(run, "quyhoach:hubimport", add)
    assert run("quyhoach:hublock", {**close, "LIFT": True, "REASON": "Đính chính"})["LOCKS"] == 0
    assert run("quyhoach:hubimport", add)["ADDED"] == 1
    assert "không bị khóa" in refusal(run, "quyhoach:hublock", {**close, "LIFT": True})
    assert "không có trường đồ án hoặc năm" in refusal(run, "quyhoach:hublock", {**close, "DATASET": "road"})
    assert "lý do" in refusal(run, "quyhoach:hublock", {**close, "REASON": " "})


def test_a_hub_gets_what_the_catalogue_has_more(hub, run):
    assert run("quyhoach:hubupgrade", {"HUB": hub, "DATASETS": "parcel, facility"})["ADDED"] == 1
    assert run("quyhoach:hubupgrade", {"HUB": hub, "DATASETS": "parcel, facility"})["ADDED"] == 0
    assert run("quyhoach:hublist", {"HUB": hub})["DATASET_COUNT"] == 4 and run("quyhoach:hubcheck", {"HUB": hub})["ERRORS"] == 0
    assert "không có tập dữ liệu" in refusal(run, "quyhoach:hubupgrade", {"HUB": hub, "DATASETS": "không có"})


def communes_in(path):
    """The communes of the parcels an update file hands over."""
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("rows.jsonl").decode().splitlines()
    return {row["commune_code"] for _, _, row in map(json.loads, lines) if row is not None}


def edit(path, sql):
    import sqlite3
    from contextlib import closing

    from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions

    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        register_functions(database)
        database.execute(sql)


def test_a_geopackage_hub_notices_what_a_department_sends_by_mistake(run, folder):
    hub = filled(run, folder, str(folder / "hub.gpkg"))
    run("quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "p_thuan_hoa", "LABEL": "Phường Thuận Hóa", "KIND": 2, "UNITS": "25001"})
    copy = str(folder / "bản.gpkg")
    run("quyhoach:checkout", {"HUB": hub, "DATASETS": "parcel", "WORKING_COPY": copy})
    edit(copy, "UPDATE parcel SET land_code = 'ODT' WHERE parcel_no = 1")
    push = {"WORKING_COPY": copy, "MESSAGE": "thử"}
    assert "không có trong cơ sở dữ liệu dùng chung" in refusal(run, "quyhoach:push", push)
    assert run("quyhoach:push", {**push, "DEPARTMENT": "phường thuận hóa"})["NUMBER"] > 1
    edit(copy, "UPDATE parcel SET land_code = 'ODT' WHERE parcel_no = 3")
    assert "không có quyền ghi ở xã, phường 25002" in refusal(run, "quyhoach:push", {**push, "DEPARTMENT": "p_thuan_hoa"})
    assert "không có tài khoản" in refusal(run, "quyhoach:hubperson", {"HUB": hub, "LOGIN": "lan"})


@pytest.fixture
def account(qgis_app):
    """An entry of QGIS's authentication store with the name and password of a new account."""
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword("chính", True)
    stored = QgsAuthMethodConfig("Basic")
    stored.setName("Lan")
    stored.setConfig("username", f"lan_{uuid.uuid4().hex[:8]}")
    stored.setConfig("password", SECRET)
    assert manager.storeAuthenticationConfig(stored)[0]
    yield stored
    manager.removeAuthenticationConfig(stored.id())


@pytest.fixture
def ward(run, folder, stored, empty_database, account):
    """The hub as its administrator sees it, and as somebody of one ward does: both names of stored connections."""
    hub = filled(run, folder, stored("Quản trị", empty_database))
    run("quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": "p_thuan_hoa", "LABEL": "Phường Thuận Hóa", "KIND": 2, "UNITS": "25001"})
    feedback = QgsProcessingFeedback(False)
    run("quyhoach:hubperson", {"HUB": hub, "DEPARTMENTS": "p_thuan_hoa", "AUTHENTICATION": account.id(), "OUTPUT": str(folder / "người.csv")},
        feedback=feedback)
    assert SECRET not in feedback.textLog() + feedback.htmlLog()
    login = account.config("username")
    assert (login, "p_thuan_hoa", "public", "no") in rows(folder / "người.csv")
    return hub, stored("Phường", empty_database, user="", authcfg=account.id(), host="127.0.0.1")


def test_no_algorithm_leads_beyond_the_rights_of_a_department(run, folder, ward, server, empty_database, sql):
    administrators, theirs = ward
    # The password comes from the authentication store, over TCP, where the server asks for it.
    listed = run("quyhoach:hublist", {"HUB": theirs, "OUTPUT": str(folder / "kê.csv")})
    assert listed["FEATURE_COUNT"] == 2, "two of the four parcels"
    out = {"HUB": theirs, "DATASET": "parcel", "RESTRICTED": True}
    for algorithm, more in (("hubexport", {}), ("asofdate", {"DATE": "31/12/2199"}), ("changesbetween", {"FROM_CHANGESET": 1, "FROM_DATE": ""}),
                            ("changesbetween", {"FROM_DATE": "2020-01-01"})):
        if algorithm == "changesbetween" and more.get("FROM_CHANGESET"):
            more = {"FROM_DATE": "2020-01-01", "TO_CHANGESET": 1}
        answer = run(f"quyhoach:{algorithm}", {**out, **more, "OUTPUT": str(folder / f"{algorithm}.gpkg")})
        layer = QgsVectorLayer(answer["OUTPUT"], "", "ogr")
        assert {feature["commune_code"] for feature in layer.getFeatures()} == {"25001"}, algorithm
        assert "certificate_no" not in layer.fields().names(), f"{algorithm}: personal data are above this person's level"
    copy = str(folder / "bản.gpkg")
    assert run("quyhoach:checkout", {"HUB": theirs, "DATASETS": "parcel,road", "WORKING_COPY": copy})["FEATURE_COUNT"] == 2
    before = sql(empty_database, "SELECT parcel_no, land_code, commune_code FROM quyhoach_data.parcel ORDER BY 1")
    # Writing: their own is taken; a parcel carried off to another ward, one made there and a road are not.
    edit(copy, "UPDATE parcel SET land_code = 'ODT' WHERE parcel_no = 1")
    assert run("quyhoach:push", {"WORKING_COPY": copy, "MESSAGE": "được"})["NUMBER"] > 1
    changed = [(1, "ODT", "25001"), *before[1:]]
    edit(copy, "UPDATE parcel SET commune_code = '25002' WHERE parcel_no = 2")
    told = refusal(run, "quyhoach:push", {"WORKING_COPY": copy, "MESSAGE": "không được"})
    assert "không có quyền ghi ở xã, phường 25002" in told
    file = str(folder / "thay đổi.qhz")
    run("quyhoach:changesexport", {"WORKING_COPY": copy, "MESSAGE": "bằng tệp", "OUTPUT": file})
    assert "không có quyền ghi" in refusal(run, "quyhoach:changesapply", {"HUB": theirs, "INPUT": file})
    assert sql(empty_database, "SELECT parcel_no, land_code, commune_code FROM quyhoach_data.parcel ORDER BY 1") == changed
    # The keeper holds a file to the rights of the department that sent it: in writing and in what is handed back.
    assert "không có quyền ghi" in refusal(run, "quyhoach:changesapply", {"HUB": administrators, "INPUT": file, "DEPARTMENT": "p_thuan_hoa"})
    assert "Không có cơ quan" in refusal(run, "quyhoach:changesapply", {"HUB": administrators, "INPUT": file, "DEPARTMENT": "lạ"})
    # A copy cannot grow beyond the rights of who asks, nor can a file that asks for everything.
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": str(shutil.copy(copy, folder / "rộng.gpkg")), "DATASETS": "parcel", "ACTION": 0})["ADDED"] == 0
    wide = str(folder / "tham lam.gpkg")
    run("quyhoach:checkout", {"HUB": theirs, "DATASETS": "parcel", "WORKING_COPY": wide})
    edit(wide, "UPDATE quyhoach_scope SET communes = NULL, polygon = NULL")
    edit(wide, "DROP TRIGGER quyhoach_track_update_parcel")  # so that it asks for everything
    greedy, answer = str(folder / "tham lam.qhz"), str(folder / "trả lời.qhz")
    run("quyhoach:changesexport", {"WORKING_COPY": wide, "OUTPUT": greedy})
    run("quyhoach:updateexport", {"HUB": theirs, "INPUT": greedy, "OUTPUT": answer})
    assert communes_in(answer) == {"25001"}
    run("quyhoach:updateexport", {"HUB": administrators, "INPUT": greedy, "OUTPUT": answer})
    assert communes_in(answer) == {"25001", "25002"}, "by the rights of the account in use"
    run("quyhoach:updateexport", {"HUB": administrators, "INPUT": greedy, "OUTPUT": answer, "DEPARTMENT": "Phường Thuận Hóa"})
    assert communes_in(answer) == {"25001"}
    run("quyhoach:pull", {"WORKING_COPY": wide})
    assert QgsVectorLayer(f"{wide}|layername=parcel", "", "ogr").featureCount() == 2
    update = str(folder / "cập nhật.qhz")
    run("quyhoach:updateexport", {"HUB": theirs, "INPUT": file, "OUTPUT": update})
    write_vector(parcels(folder).iloc[2:].assign(land_code="LUC", parcel_no=[7, 8]), folder / "lạ.gpkg", "MultiPolygon")
    assert "không có quyền ghi" in refusal(run, "quyhoach:hubimport", {"HUB": theirs, "DATASET": "parcel", "INPUT": str(folder / "lạ.gpkg")})
    whole = run("quyhoach:hubexport", {"HUB": administrators, "DATASET": "parcel", "OUTPUT": str(folder / "tất cả.gpkg")})["OUTPUT"]
    assert "một phần" in refusal(run, "quyhoach:revertchangeset", {"HUB": theirs, "CHANGESET": 1})
    # What only administrators do.
    for algorithm, more in (("hubgrant", {"DEPARTMENT": "p_thuan_hoa", "ACCESS": 2}), ("hubperson", {"LOGIN": "ai_do", "SECRECY": 2}),
                            ("hubcheck", {}), ("hubupgrade", {}), ("hubbackup", {"OUTPUT": str(folder / "trộm.dump")}),
                            ("hublock", {"DATASET": "land_use", "VALUE": "2024", "REASON": "x"})):
        told = refusal(run, f"quyhoach:{algorithm}", {"HUB": theirs, **more})
        assert "quản trị" in told or "không đủ quyền" in told, (algorithm, told)
        assert SECRET not in told
    assert not (folder / "trộm.dump").exists()
    assert "không bao giờ ghi đè" in refusal(run, "quyhoach:hubcreate", {"HUB": theirs, "CRS": "EPSG:9214"})
    assert sql(empty_database, "SELECT parcel_no, land_code, commune_code FROM quyhoach_data.parcel ORDER BY 1") == changed
    # Nothing of the password is in what was written.
    for path in folder.iterdir():
        assert SECRET.encode() not in path.read_bytes(), path.name
    assert SECRET not in (server.folder / "log").read_text("utf-8")
    # Taken out, they see nothing at all.
    login = next(row[0] for row in rows(folder / "người.csv") if row[1] == "p_thuan_hoa")
    run("quyhoach:hubperson", {"HUB": administrators, "LOGIN": login, "REMOVE": True})
    assert "chưa được cấp quyền" in refusal(run, "quyhoach:hublist", {"HUB": theirs})
    assert whole


def test_who_may_not_see_every_field_opens_the_others_in_qgis(run, folder, ward):
    """QGIS opens no table of which it may not read a column: there are views for that, which algorithm and desks find by themselves."""
    from quyhoach.plugin.dataset_layers import DatasetLayers

    administrators, theirs = ward
    for hub, count, sees in ((theirs, 2, False), (administrators, 4, True)):
        opened = run("quyhoach:openlayers", {"INPUT": hub, "DATASETS": "parcel", "LOAD": False, "PROJECT": str(folder / f"{count}.qgz"),
                                             "OUTPUT": str(folder / f"{count}.csv")})
        desk = DatasetLayers()
        desk.choose_place(hub)
        try:
            for layer in (opened["LAYERS"][0], desk.layer("parcel")):
                assert len(list(layer.getFeatures())) == layer.featureCount() == count
                assert (layer.fields().lookupField("certificate_no") >= 0) is sees
        finally:
            desk.close()
            QgsSettings().remove("quyhoach/desks")


def test_people_change_departments_and_levels(run, folder, stored, empty_database, sql):
    hub = stored("Quản trị", empty_database)
    run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": hub, "DATASETS": "parcel"})
    for name in ("so_a", "so_b"):
        run("quyhoach:hubgrant", {"HUB": hub, "DEPARTMENT": name, "LABEL": f"Sở {name}", "KIND": 3})
    login, table = f"minh_{uuid.uuid4().hex[:8]}", str(folder / "người.csv")

    def person(**more):
        run("quyhoach:hubperson", {"HUB": hub, "LOGIN": login, "OUTPUT": table, **more})
        return next((row[1:] for row in rows(table) if row[0] == login), None)

    assert person(DEPARTMENTS="so_a, so_b", SECRECY=1) == ("so_a, so_b", "internal", "no")
    assert person(DEPARTMENTS="so_b", SECRECY=0) == ("so_b", "public", "no")
    assert person(DEPARTMENTS="so_b", ADMINISTRATOR=True) == ("so_b", "restricted", "yes")
    assert person(REMOVE=True) is None
    assert sql("postgres", "SELECT rolcreaterole FROM pg_roles WHERE rolname = %s", (login,)) == [(False,)]
    assert "không có trong cơ sở dữ liệu" in refusal(run, "quyhoach:hubperson", {"HUB": hub, "LOGIN": login, "REMOVE": True})
    assert "hãy thêm cơ quan trước" in refusal(run, "quyhoach:hubperson", {"HUB": hub, "LOGIN": "ai_do", "DEPARTMENTS": "so_c"})
    assert "không hợp lệ" in refusal(run, "quyhoach:hubperson", {"HUB": hub, "LOGIN": "Lan'; DROP ROLE postgres; --"})
    assert "hãy mở khóa" in refusal(run, "quyhoach:hubperson", {"HUB": hub, "LOGIN": "ai_do", "AUTHENTICATION": "khong_co"})
    assert sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'ai_do'") == [(0,)], "nothing is half done"
