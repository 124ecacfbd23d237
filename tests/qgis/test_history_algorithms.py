"""History and administration of a hub through the registry: as of a date, changes, reverting, check, backup, restore."""

import sqlite3

import geopandas
import pytest
import shapely
from qgis.core import QgsProcessingException, QgsVectorLayer
from quyhoach.processing_algorithms.common.files import write_vector


@pytest.fixture
def place(tmp_path, run):
    """A hub with three parcels (changeset 1), of which one was changed by an import (changeset 2)."""
    folder = tmp_path / "Sở Xây dựng tỉnh Quảng Ngãi"
    folder.mkdir()
    hub = str(folder / "dùng chung.gpkg")
    run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": hub, "DATASETS": "parcel,facility"})
    parcels = geopandas.GeoDataFrame(
        {"old_commune_code": ["19801"] * 3, "commune_code": ["19801"] * 3, "sheet_no": ["1"] * 3, "parcel_no": [1, 2, 3],
         "land_code": ["ODT", "LUC", "CLN"], "certificate_no": ["CS 1", "CS 2", "CS 3"]},
        geometry=[shapely.box(500000 + 20 * i, 1800000, 500020 + 20 * i, 1800030) for i in range(3)], crs=9214)
    for name, frame in (("một", parcels),
                        ("hai", parcels.assign(land_code=["CLN", "LUC", "CLN"], certificate_no="mới").iloc[:1])):
        write_vector(frame, folder / f"{name}.gpkg", "MultiPolygon")
        run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": str(folder / f"{name}.gpkg"), "EXISTING": 1})
    return folder, hub


def features(answer):
    layer = QgsVectorLayer(answer["OUTPUT"], "", "ogr")
    assert layer.isValid()
    return list(layer.getFeatures())


def test_as_of_and_between(place, run):
    folder, hub = place
    first = run("quyhoach:asofdate", {"HUB": hub, "DATASET": "parcel", "CHANGESET": 1, "OUTPUT": str(folder / "xưa.gpkg")})
    assert first["FEATURE_COUNT"] == 3 and sorted(f["land_code"] for f in features(first)) == ["CLN", "LUC", "ODT"]
    assert "certificate_no" not in features(first)[0].fields().names(), "personal data only when asked for"
    now = run("quyhoach:asofdate", {"HUB": hub, "DATASET": "Thửa đất", "DATE": "31/12/2199", "RESTRICTED": True, "OUTPUT": str(folder / "nay.gpkg")})
    assert sorted(f["certificate_no"] for f in features(now)) == ["CS 2", "CS 3", "mới"]
    answer = run("quyhoach:changesbetween", {"HUB": hub, "DATASET": "parcel", "FROM_CHANGESET": 1, "OUTPUT": str(folder / "khác.gpkg")})
    assert (answer["ADDED"], answer["CHANGED"], answer["DELETED"]) == (0, 1, 0)
    [row] = features(answer)
    assert (row["change"], row["changed_fields"], row["land_code"]) == ("changed", "land_code", "CLN")
    whole = run("quyhoach:changesbetween", {"HUB": hub, "DATASET": "parcel", "FROM_DATE": "2020-01-01", "TO_CHANGESET": 1, "OUTPUT": "memory:"})
    assert whole["ADDED"] == 3


@pytest.mark.parametrize("given, told", [
    ({}, "chỉ một trong hai"), ({"DATE": "2026-01-01", "CHANGESET": 1}, "chỉ một trong hai"), ({"DATE": "hôm qua"}, "không phải là thời điểm"),
    ({"CHANGESET": 99}, "Không có đợt cập nhật số 99"), ({"CHANGESET": 1, "DATASET": "road"}, "không có tập dữ liệu"),
    ({"CHANGESET": 1, "HUB": "không có.gpkg"}, "Không có tệp cơ sở dữ liệu")])
def test_wrong_moments_are_refused_in_one_sentence(place, run, given, told):
    folder, hub = place
    with pytest.raises(QgsProcessingException, match=told):
        run("quyhoach:asofdate", {"HUB": hub, "DATASET": "parcel", "OUTPUT": "memory:", **given})


def test_reverting_by_a_new_changeset(place, run):
    folder, hub = place
    with pytest.raises(QgsProcessingException, match="cả đối tượng đã được sửa tiếp ở đợt cập nhật số 2"):
        run("quyhoach:revertchangeset", {"HUB": hub, "CHANGESET": 1})
    answer = run("quyhoach:revertchangeset", {"HUB": hub, "CHANGESET": 2, "MESSAGE": "Nhập nhầm"})
    assert answer["NUMBER"] == 3
    now = run("quyhoach:asofdate", {"HUB": hub, "DATASET": "parcel", "CHANGESET": 3, "OUTPUT": str(folder / "nay.gpkg")})
    assert sorted(f["land_code"] for f in features(now)) == ["CLN", "LUC", "ODT"]
    with pytest.raises(QgsProcessingException, match="Không có đợt"):
        run("quyhoach:revertchangeset", {"HUB": hub, "CHANGESET": 50})


def test_check_back_up_and_restore(place, run):
    folder, hub = place
    answer = run("quyhoach:hubcheck", {"HUB": hub, "OUTPUT": str(folder / "kiểm tra.csv")})
    assert (answer["ERRORS"], answer["WARNINGS"]) == (0, 0)
    assert {row["state_label"] for row in features(answer)} == {"tốt"}
    with sqlite3.connect(hub) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'parcel'").fetchall()
        for statement in (*(f'DROP TRIGGER "{name}"' for name, _ in triggers), "UPDATE parcel SET note = 'lén'", *(text for _, text in triggers)):
            database.execute(statement)
    assert run("quyhoach:hubcheck", {"HUB": hub})["ERRORS"] == 1
    assert run("quyhoach:hubcheck", {"HUB": hub, "ENTER": True})["ERRORS"] == 0
    backup = str(folder / "sao lưu.gpkg")
    drilled = run("quyhoach:hubbackup", {"HUB": hub, "OUTPUT": backup, "DRILL": True})
    assert drilled["ROWS_COMPARED"] > 3
    with pytest.raises(QgsProcessingException, match="không ghi đè"):
        run("quyhoach:hubbackup", {"HUB": hub, "OUTPUT": backup})
    copy = str(folder / "xã.gpkg")
    run("quyhoach:checkout", {"HUB": hub, "DATASETS": "parcel", "WORKING_COPY": copy})
    with pytest.raises(QgsProcessingException, match="không ghi đè"):
        run("quyhoach:hubrestore", {"INPUT": backup, "HUB": hub})
    with pytest.raises(QgsProcessingException, match="bản sao lưu"):
        run("quyhoach:hublist", {"HUB": backup})
    restored = run("quyhoach:hubrestore", {"INPUT": backup, "HUB": str(folder / "mới.gpkg")})
    assert restored["FEATURE_COUNT"] == 3
    assert run("quyhoach:pull", {"WORKING_COPY": copy, "HUB": restored["HUB"]})["CONFLICTS"] == 0
    with pytest.raises(QgsProcessingException, match="không phải là bản sao lưu"):
        run("quyhoach:hubrestore", {"INPUT": str(folder / "một.gpkg"), "HUB": str(folder / "khác.gpkg")})
