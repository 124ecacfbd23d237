"""Two offices and a department through the registry: check out, edit in QGIS, push, pull, conflict, resolve, by file."""

import geopandas
import pytest
import shapely
from qgis.core import (
    QgsPointXY,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from quyhoach.processing_algorithms.common.files import write_vector
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy


@pytest.fixture
def place(tmp_path, run):
    folder = tmp_path / "Văn phòng xã Hòa Bình"
    folder.mkdir()
    hub = str(folder / "dùng chung.gpkg")
    run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "HUB": hub, "DATASETS": "parcel,facility"})
    parcels = geopandas.GeoDataFrame(
        {"old_commune_code": ["19801", "19801", "19804"], "commune_code": ["19801", "19801", "19804"], "sheet_no": ["1"] * 3,
         "parcel_no": [1, 2, 3], "land_code": ["ODT", "LUC", "CLN"]},
        geometry=[shapely.box(500000 + 20 * i, 1800000, 500020 + 20 * i, 1800030) for i in range(3)], crs=9214)
    write_vector(parcels, folder / "thửa.gpkg", "MultiPolygon")
    answer = run("quyhoach:hubimport", {"HUB": hub, "DATASET": "parcel", "INPUT": str(folder / "thửa.gpkg")})
    assert answer["ADDED"] == 3
    return folder, hub


def checked_out(run, folder, hub, name, **more):
    path = str(folder / f"{name}.gpkg")
    run("quyhoach:checkout", {"HUB": hub, "DATASETS": "parcel", "WORKING_COPY": path, **more})
    return path


def layer_of(path):
    layer = QgsVectorLayer(f"{path}|layername=parcel", "Thửa đất", "ogr")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


@pytest.fixture(autouse=True)
def clean_project():
    yield
    QgsProject.instance().clear()


def status(run, path):
    answer = run("quyhoach:status", {"WORKING_COPY": path})
    return answer["EDITS"], answer["CONFLICTS"], answer["WAITING"]


def test_edits_in_qgis_travel(place, run):
    folder, hub = place
    here, there = checked_out(run, folder, hub, "xã A"), checked_out(run, folder, hub, "xã B")
    layer = layer_of(here)
    assert layer.startEditing()
    # Split one parcel, duplicate another, delete a third: what a planner does in an afternoon.
    layer.selectByExpression('"parcel_no" = 1')
    assert layer.splitFeatures([QgsPointXY(500010, 1799990), QgsPointXY(500010, 1800040)]) == 0
    second = next(f for f in layer.getFeatures('"parcel_no" = 2'))
    copied = QgsVectorLayerUtils.createFeature(layer, second.geometry(), dict(enumerate(second.attributes()[:])))
    assert layer.addFeature(copied)
    third = next(f for f in layer.getFeatures('"parcel_no" = 3'))
    assert layer.deleteFeature(third.id())
    with pytest.raises(QgsProcessingException, match="đang ở chế độ chỉnh sửa"):
        run("quyhoach:pull", {"WORKING_COPY": here})
    assert layer.commitChanges(), layer.commitErrors()
    with WorkingCopy(here) as copy:
        [line] = copy.status()
        assert (line.added, line.changed, line.deleted, line.count) == (2, 1, 1, 4)
        ids = [row[0] for row in copy.database.execute("SELECT feature_id FROM parcel")]
        assert len(set(ids)) == 4
        assert sum(change.parent_id is not None for change in copy.edits(copy.datasets["parcel"])) == 2
    sent = run("quyhoach:push", {"WORKING_COPY": here, "MESSAGE": "Tách thửa 1", "DECISION": "12/QĐ-UBND"})
    assert sent["NUMBER"] > 0 and status(run, here) == (0, 0, 0)
    received = run("quyhoach:pull", {"WORKING_COPY": there})
    assert (received["RECEIVED"], received["REMOVED"]) == (3, 1)
    assert layer_of(there).featureCount() == 4


def rename(path, number, value):
    layer = layer_of(path)
    assert layer.startEditing()
    for feature in layer.getFeatures(f'"parcel_no" = {number}'):
        layer.changeAttributeValue(feature.id(), layer.fields().lookupField("land_code"), value)
    assert layer.commitChanges(), layer.commitErrors()
    QgsProject.instance().clear()


def test_conflict_is_told_listed_and_resolved(place, run):
    folder, hub = place
    here, there = checked_out(run, folder, hub, "xã A"), checked_out(run, folder, hub, "xã B")
    rename(here, 2, "ODT")
    rename(there, 2, "CLN")
    run("quyhoach:push", {"WORKING_COPY": here, "MESSAGE": "Chuyển mục đích"})
    with pytest.raises(QgsProcessingException, match="nhận cập nhật"):
        run("quyhoach:push", {"WORKING_COPY": there, "MESSAGE": "Chuyển mục đích"})
    assert run("quyhoach:pull", {"WORKING_COPY": there})["CONFLICTS"] == 1
    table = run("quyhoach:conflicts", {"WORKING_COPY": there, "OUTPUT": str(folder / "xung đột.csv")})
    [row] = QgsVectorLayer(table["OUTPUT"], "", "ogr").getFeatures()
    assert (row["field"], row["label"], row["base"], row["ours"], row["theirs"]) == ("land_code", "Loại đất", "LUC", "CLN", "ODT")
    assert run("quyhoach:push", {"WORKING_COPY": there, "MESSAGE": "thử"})["HELD_BACK"] == 1
    assert run("quyhoach:resolve", {"WORKING_COPY": there, "RULE": 1})["CONFLICTS"] == 0
    assert status(run, there) == (0, 0, 0)


def test_by_file_with_the_department(place, run):
    folder, hub = place
    here = checked_out(run, folder, hub, "xã A", UNITS="19801")
    assert layer_of(here).featureCount() == 2
    QgsProject.instance().clear()
    rename(here, 1, "CLN")
    with pytest.raises(QgsProcessingException, match="nội dung"):
        run("quyhoach:changesexport", {"WORKING_COPY": here, "OUTPUT": str(folder / "thay đổi.qhz")})
    out = run("quyhoach:changesexport", {"WORKING_COPY": here, "MESSAGE": "Gửi qua USB", "OUTPUT": str(folder / "thay đổi.qhz")})
    assert out["CHANGES"] == 1 and status(run, here) == (1, 0, 1)
    assert run("quyhoach:changesapply", {"HUB": hub, "INPUT": out["OUTPUT"]}) == {"APPLIED": 1, "ALREADY_APPLIED": 0}
    assert run("quyhoach:changesapply", {"HUB": hub, "INPUT": out["OUTPUT"]}) == {"APPLIED": 0, "ALREADY_APPLIED": 1}
    with pytest.raises(QgsProcessingException, match="dữ liệu đầu vào"):
        run("quyhoach:updateexport", {"HUB": hub, "INPUT": out["OUTPUT"], "OUTPUT": out["OUTPUT"]})
    answer = run("quyhoach:updateexport", {"HUB": hub, "INPUT": out["OUTPUT"], "OUTPUT": str(folder / "trả lời.qhz")})
    assert (answer["APPLIED"], answer["NOT_APPLIED"]) == (1, 0)
    run("quyhoach:pull", {"WORKING_COPY": here, "INPUT": answer["OUTPUT"]})
    assert status(run, here) == (0, 0, 0)


@pytest.mark.parametrize("given, told", [
    ({"WORKING_COPY": "không có.gpkg"}, "Không có bản dữ liệu làm việc"), ({"WORKING_COPY": "thửa.gpkg"}, "không phải là bản dữ liệu làm việc"),
    ({"WORKING_COPY": "dùng chung.gpkg"}, "không phải là bản dữ liệu làm việc")])
def test_wrong_files_are_refused_in_one_sentence(place, run, given, told):
    folder, _ = place
    given = {key: str(folder / value) for key, value in given.items()}
    for algorithm in ("status", "pull", "conflicts"):
        with pytest.raises(QgsProcessingException, match=told):
            run(f"quyhoach:{algorithm}", {**given, "OUTPUT": "memory:"})


def test_bad_units_and_existing_file_are_refused(place, run):
    folder, hub = place
    with pytest.raises(QgsProcessingException, match="5 chữ số"):
        checked_out(run, folder, hub, "x", UNITS="Hòa Bình")
    checked_out(run, folder, hub, "x")
    with pytest.raises(QgsProcessingException, match="không ghi đè"):
        checked_out(run, folder, hub, "x")


def test_a_working_copy_grows_and_shrinks(place, run):
    folder, hub = place
    here = checked_out(run, folder, hub, "xã A", UNITS="19801")
    grown = run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 0, "UNITS": "19804"})
    assert (grown["ADDED"], grown["REMOVED"]) == (1, 0)
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 0, "DATASETS": "facility"})["ADDED"] == 0
    assert layer_of(here).featureCount() == 3
    QgsProject.instance().clear()
    rename(here, 3, "ODT")
    with pytest.raises(QgsProcessingException, match="1 đối tượng có chỉnh sửa chưa gửi"):
        run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 1, "DATASETS": "parcel", "UNITS": "19804"})
    run("quyhoach:push", {"WORKING_COPY": here, "MESSAGE": "thử"})
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 2, "DATASETS": "parcel", "UNITS": "19801"})["REMOVED"] == 1
    run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 1, "DATASETS": "facility"})
    with WorkingCopy(here) as copy:
        assert list(copy.datasets) == ["parcel"] and copy.scopes()[0].communes == {"19801"}
    with pytest.raises(QgsProcessingException, match="Chưa chọn bỏ gì"):
        run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 1})


def test_by_extent_in_any_system(place, run):
    """The three parcels lie side by side; an extent may come from a map in another system."""
    folder, hub = place
    first, third = (f"{500001 + 20 * i},{500019 + 20 * i},1800001,1800029 [EPSG:9214]" for i in (0, 2))
    west, south, east, north = geopandas.GeoSeries([shapely.box(500021, 1800001, 500039, 1800029)], crs=9214).to_crs(4326).total_bounds
    second = f"{west},{east},{south},{north} [EPSG:4326]"

    def numbers(path):
        with WorkingCopy(path) as copy:
            return sorted(number for (number,) in copy.database.execute("SELECT parcel_no FROM parcel"))

    here = checked_out(run, folder, hub, "xã A", EXTENT=first)
    assert numbers(here) == [1]
    rename(here, 1, "CLN")
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 0, "EXTENT": second})["ADDED"] == 1
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 0, "EXTENT": third})["ADDED"] == 1
    assert numbers(here) == [1, 2, 3] and status(run, here) == (1, 0, 0), "the edit is an edit still"
    with pytest.raises(QgsProcessingException, match="chưa gửi"):
        run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 1, "EXTENT": first})
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 1, "EXTENT": third})["REMOVED"] == 1
    assert run("quyhoach:workingcopyscope", {"WORKING_COPY": here, "ACTION": 2, "EXTENT": first})["REMOVED"] == 1
    assert numbers(here) == [1] and status(run, here) == (1, 0, 0)
    with pytest.raises(QgsProcessingException, match="không chọn cả hai"):
        checked_out(run, folder, hub, "xã B", EXTENT=first, UNITS="19801")
    feedback = QgsProcessingFeedback(False)
    run("quyhoach:checkout", {"HUB": hub, "DATASETS": "parcel", "WORKING_COPY": str(folder / "không.gpkg"), "UNITS": "99999"}, feedback=feedback)
    assert "Không có đối tượng nào trong phạm vi" in feedback.textLog()
    exported = run("quyhoach:hubexport", {"HUB": hub, "DATASET": "parcel", "EXTENT": second, "OUTPUT": str(folder / "ra.gpkg")})
    assert exported["FEATURE_COUNT"] == 1


@pytest.mark.parametrize(("algorithm", "more"), [("pull", {}), ("push", {"MESSAGE": "thử"}), ("workingcopyscope", {"ACTION": 0})])
def test_an_address_with_a_password_is_refused_by_a_working_copy_too(place, run, algorithm, more):
    folder, hub = place
    here = checked_out(run, folder, hub, "xã A")
    rename(here, 1, "CLN")
    for address in ("postgresql://lan:bimat@may-chu/tinh", "lan:bimat@may-chu/tinh"):
        with pytest.raises(QgsProcessingException, match="(?i)địa chỉ") as refused:
            run(f"quyhoach:{algorithm}", {"WORKING_COPY": here, "HUB": address, **more})
        assert "bimat" not in str(refused.value)
    assert status(run, here)[0] == 1
    with open(here, "rb") as file:
        assert b"bimat" not in file.read()
