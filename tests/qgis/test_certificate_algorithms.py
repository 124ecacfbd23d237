"""Papers through the registry: one, a batch, pasted corners, the shared database; bad inputs; signing and printing again."""

import re
import subprocess
from pathlib import Path

import pyproj
import pytest
from qgis.core import (
    Qgis,
    QgsFeature,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.word_reading import read_words
from quyhoach.processing_algorithms.zoning.paper.certificate_register_algorithm import ACTIONS

TOWN = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"


def town(name, where=""):
    source = QgsProcessingFeatureSourceDefinition(f"{TOWN}|layername={name}")
    source.filterExpression = where
    return source


PLANS = {"PLANS": town("plan"), "ZONES": town("zone"), "OVERLAYS": town("constraint_overlay")}
ONE = "\"old_commune_code\" = '99101' AND \"sheet_no\" = '1' AND \"parcel_no\" = 3"


@pytest.fixture(scope="module")
def made(provider, tmp_path_factory):
    """The papers of three parcels, with maps, in a folder with spaces and diacritics."""
    import processing

    folder = tmp_path_factory.mktemp("giấy") / "hồ sơ đã lập"
    where = ONE.replace("= 3", "IN (1, 2, 3)")
    return processing.run("quyhoach:parcelcertificate", PLANS | {
        "PARCELS": town("parcel", where), "OUTPUT": str(folder), "DATE": "25/11/2026", "PLACE": "Lam Trạch",
        "LOCATION": "phường Lam Trạch", "REQUEST_NUMBER": "H49.12-7", "REQUEST_DATE": "20/11/2026"})


def pdf_text(path):
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True,
                          check=True).stdout.decode("utf-8")


def test_papers_maps_and_register(made):
    files = [Path(name) for name in made["FILES"].split(";")]
    assert made["COUNT"] == made["NEW"] == 3 and len(files) == 6 and all(file.is_file() for file in files)
    folder = Path(made["OUTPUT"])
    assert sorted(file.name for file in folder.iterdir()) == sorted([*(file.name for file in files),
                                                                     Path(made["REGISTER"]).name])
    assert [file for file in files if file.suffix == ".docx"] and "thua_3" in files[4].name
    said = " ".join(item.text for item in read_words(files[4].read_bytes()))
    assert "Thửa đất số 3, tờ bản đồ số 1" in said and "2046/QĐ-UBND" in said
    register = QgsVectorLayer(f"{made['REGISTER']}|layername=planning_paper")
    rows = list(register.getFeatures())
    assert [row["status"] for row in rows] == ["draft"] * 3 and {row["paper_code"]
                                                                 for row in rows} == set(made["CODES"].split(";"))
    assert {row["due_date"].toString("yyyy-MM-dd") for row in rows} == {"2026-12-11"}


def test_the_map_annex_says_scale_system_and_corners(made):
    pdf = made["FILES"].split(";")[5]
    text = re.sub(r"\s+", " ", pdf_text(pdf))
    assert "Tỷ lệ 1/500" in text and "kinh tuyến trục 107°00′, múi chiếu 3°" in text and "Thửa đất số 3, tờ bản đồ số 1" in text
    assert "X (Bắc)" in text and "1831896,60" in text and "551706,62" in text and made["CODES"].split(";")[2] in text
    assert "Nhóm nhà ở (NO)" in text
    pages = subprocess.run(["pdfinfo", pdf], capture_output=True, check=True).stdout.decode()
    assert re.search(r"Pages:\s+1\b", pages) and "842 x 595 pts (A4)" in pages


def test_the_same_run_again_makes_no_second_entry(made, run):
    again = run("quyhoach:parcelcertificate", PLANS | {
        "PARCELS": town("parcel", ONE), "OUTPUT": made["OUTPUT"], "DATE": "25/11/2026", "PLACE": "Lam Trạch",
        "LOCATION": "phường Lam Trạch", "REQUEST_NUMBER": "H49.12-7", "REQUEST_DATE": "20/11/2026"})
    assert (again["COUNT"], again["NEW"], again["CODES"]) == (1, 0, made["CODES"].split(";")[2])


def test_signing_printing_again_and_verifying(made, run, tmp_path):
    code, document = made["CODES"].split(";")[1], made["FILES"].split(";")[2]
    verified = run("quyhoach:certificateverify", PLANS | {
        "CODE": code.lower(), "DOCX": document, "REGISTER": made["REGISTER"], "PARCELS": town("parcel"),
        "DATE": "25/11/2026",
        "OUTPUT": "memory:"})
    assert (verified["DIFFERENCES"], verified["CHANGES"], verified["STATUS"]) == (0, 0, "draft")
    signed = run("quyhoach:certificateregister", {
        "CODE": code, "ACTION": ACTIONS.index("signed"), "NUMBER": "12/SXD-QLQH", "DATE": "26/11/2026",
        "REGISTER": made["REGISTER"], "OUTPUT": str(tmp_path / "in lại")})
    files = signed["FILES"].split(";")
    assert signed["STATUS"] == "signed" and len(files) == 2 and "12/SXD-QLQH" in str(read_words(Path(files[0]).read_bytes())[0])
    asked = {"NUMBER": "12/SXD-QLQH", "CODE": code, "REGISTER": made["REGISTER"], "OUTPUT": "memory:"}
    assert run("quyhoach:certificateverify", asked | {"DOCX": files[0]})["DIFFERENCES"] == 0
    old = run("quyhoach:certificateverify", asked | {"DOCX": document})  # the draft has no number yet
    assert old["DIFFERENCES"] == 2 and {f["kind"] for f in old["OUTPUT"].getFeatures()} <= {"figure", "text"}
    with pytest.raises(QgsProcessingException, match="không chuyển sang"):
        run("quyhoach:certificateregister", {"CODE": code, "ACTION": ACTIONS.index("draft"),
                                             "REGISTER": made["REGISTER"]})
    with pytest.raises(QgsProcessingException, match="không phải văn bản đã đăng ký"):
        run("quyhoach:certificateverify", asked | {"CODE": "0000-0000"})


def test_corners_in_the_old_meridian_are_the_parcel(run, tmp_path):
    """Parcel 3 of sheet 1, its corners in the zone of 107°45' by pyproj's own projections."""
    layer = QgsVectorLayer(f"{TOWN}|layername=parcel")
    layer.setSubsetString(ONE)
    shape = next(layer.getFeatures()).geometry()
    new, old = (pyproj.Proj(f"+proj=tmerc +lat_0=0 +lon_0={meridian} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84")
                for meridian in (107, 107.75))
    points = [(vertex.x(), vertex.y()) for vertex in shape.vertices()][:-1]
    lines = [f"{at}\t{y:.4f}\t{x:.4f}" for at, (x, y) in enumerate((old(*new(*point,
                                                                             inverse=True)) for point in points), 1)]
    pasted = {"CORNERS": "\n".join(["STT\tX\tY", *lines]).replace(".", ","), "OUTPUT": str(tmp_path / "ra"),
              "DATE": "25/11/2026",
              "MAP": False}
    with pytest.raises(QgsProcessingException, match="CORNERS_CRS"):
        run("quyhoach:parcelcertificate", PLANS | pasted)
    assert not (tmp_path / "ra").exists()
    result = run("quyhoach:parcelcertificate", PLANS | pasted | {"CORNERS_CRS": "EPSG:5899"})
    register = QgsVectorLayer(f"{result['REGISTER']}|layername=planning_paper")
    landed = next(register.getFeatures()).geometry()
    assert landed.hausdorffDistance(shape) < 0.001
    assert register.crs().authid() == "EPSG:9214"


@pytest.mark.parametrize(("given", "why"), [
    ({}, "đúng một trong ba"),
    ({"PARCELS": town("parcel", ONE), "CORNERS": "1 2"}, "đúng một trong ba"),
    ({"PARCELS": town("parcel", "false")}, "không có đối tượng nào"),
    ({"PARCELS": town("parcel", ONE), "ZONES": None}, "PLANS"),
    ({"PARCELS": town("parcel", ONE), "DATE": "31/02/2026"}, "không phải là ngày"),
    ({"PARCELS": town("parcel", ONE), "SHEET_FIELD": "so_to"}, "không có trường \"so_to\""),
    ({"PARCELS": town("parcel", ONE), "TEMPLATE": "hỏng.docx"}, "không phải là tệp Word"),
    ({"PARCELS": town("parcel", ONE), "REPLACES": "abc"}, "không phải mã đối chiếu"),
    ({"PARCELS": town("parcel", ONE), "REPLACES": "0000-0000"}, "không có văn bản mã 0000-0000"),
    ({"PARCELS": town("parcel", ONE), "ZONES": town("parcel", ONE)}, "thiếu trường plan_ref"),
    ({"WHERE": "parcel_no = 3"}, "cần cơ sở dữ liệu dùng chung"),
    ({"CORNERS": "1 1831896,60 551706,62; 2 1831876,80 551710,18", "CORNERS_CRS": "EPSG:9214"}, "Chỉ đọc được 2 góc"),
    ({"CORNERS": "551706 1831896; 551710 1831876; 551684 1831870", "CORNERS_CRS": "EPSG:9214"}, "có vẻ bị đảo"),
])
def test_bad_inputs_are_refused_and_nothing_is_written(run, tmp_path, given, why):
    if "TEMPLATE" in given:
        (tmp_path / given["TEMPLATE"]).write_bytes(b"no document")
        given = given | {"TEMPLATE": str(tmp_path / given["TEMPLATE"])}
    with pytest.raises(QgsProcessingException, match=why):
        run("quyhoach:parcelcertificate", PLANS | {"OUTPUT": str(tmp_path / "ra")} | given)
    assert not (tmp_path / "ra").exists()


def test_parcels_without_a_shape_leave_nothing_and_an_older_register_stays(run, tmp_path):
    nowhere = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=sheet_no:string&field=parcel_no:integer", "không hình", "memory")
    nowhere.dataProvider().addFeatures([QgsFeature(nowhere.fields())])
    for folder, left in ((tmp_path / "mới", []), (tmp_path / "cũ", ["so_dang_ky_thong_tin_quy_hoach.gpkg"])):
        if left:
            run("quyhoach:parcelcertificate",
                PLANS | {"PARCELS": town("parcel", ONE), "OUTPUT": str(folder), "MAP": False})
            left = sorted(file.name for file in folder.iterdir())
        with pytest.raises(QgsProcessingException, match="không có hình"):
            run("quyhoach:parcelcertificate", PLANS | {"PARCELS": nowhere, "OUTPUT": str(folder)})
        assert (sorted(file.name for file in folder.iterdir()) if folder.exists() else []) == left


def test_a_stopped_run_writes_no_paper(run, tmp_path):
    class Stopped(QgsProcessingFeedback):
        def setProgress(self, value):  # noqa: N802
            if value > 12:
                self.cancel()

    with pytest.raises(QgsProcessingException, match="dừng"):
        run("quyhoach:parcelcertificate", PLANS | {"PARCELS": town("parcel", ONE), "OUTPUT": str(tmp_path),
                                                   "MAP": False},
            feedback=Stopped())
    assert not list(tmp_path.glob("*.docx"))


def test_with_the_shared_database(run, tmp_path):
    hub = str(tmp_path / "tỉnh.gpkg")
    run("quyhoach:hubcreate", {"HUB": hub, "CRS": "EPSG:9214"})
    for name in ("administrative_unit", "parcel", "plan", "zone", "constraint_overlay"):
        layer = town(name, "\"old_commune_code\" = '99101' AND \"sheet_no\" = '1'" if name == "parcel" else "")
        run("quyhoach:hubimport", {"HUB": hub, "INPUT": layer, "DATASET": name})
    result = run("quyhoach:parcelcertificate", {
        "HUB": hub, "WHERE": "old_commune_code = '99101' AND sheet_no = '1' AND parcel_no = 3",
        "OUTPUT": str(tmp_path / "ra"),
        "DATE": "25/11/2026", "MAP": False})
    assert result["REGISTER"] == hub and result["COUNT"] == 1 and not (tmp_path / "ra" / "so_dang_ky.gpkg").exists()
    document = Path(result["FILES"].split(";")[0])
    assert "2046/QĐ-UBND" in " ".join(item.text for item in read_words(document.read_bytes()))
    asked = {"HUB": hub, "CODE": result["CODES"], "DOCX": str(document), "DATE": "25/11/2026", "OUTPUT": "memory:"}
    same = run("quyhoach:certificateverify", asked)
    assert (same["DIFFERENCES"], same["CHANGES"]) == (0, 0)
    layer = QgsVectorLayer(f"{hub}|layername=parcel")
    layer.setSubsetString(ONE)
    feature = next(layer.getFeatures())
    layer.startEditing()
    layer.changeAttributeValue(feature.id(), layer.fields().indexOf("legal_area_m2"), 500.0)
    assert layer.commitChanges()
    changed = run("quyhoach:certificateverify", asked)
    assert (changed["DIFFERENCES"], changed["CHANGES"]) == (0, 1)
    assert [f["found"] for f in changed["OUTPUT"].getFeatures()] == ["500,0"]
    assert Qgis.versionInt() >= 34000
