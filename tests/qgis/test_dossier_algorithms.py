"""quyhoach:plandossiercreate, plandossiercheck and plandossierexport: from the sample town to a project plain QGIS opens."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas
import processing
import pytest
from docx import Document
from openpyxl import load_workbook
from osgeo import ogr
from qgis.core import QgsProcessingException, QgsProcessingFeedback
from quyhoach.processing_algorithms.common.language import speaking

ROOT = Path(__file__).resolve().parents[2]
CREATE, CHECK, EXPORT = (f"quyhoach:plandossier{verb}" for verb in ("create", "check", "export"))
TOWN = ROOT / "data_samples" / "town.gpkg"
HUE = 19  # the place of province 46 in the list: meridian 107°00', as the sample town
#: Opens a project with no plugin in sight and says what it finds: layers, not valid, without symbols of their own, functions.
PLAIN = """
import sys
from qgis.core import QgsApplication, QgsProject, QgsFeatureRequest, QgsRenderContext
application = QgsApplication([], False); application.initQgis()
assert not [path for path in sys.path if "quyhoach" in path]
project = QgsProject.instance()
assert project.read(sys.argv[1]), project.error()
layers = list(project.mapLayers().values())
functions = next(one for one in layers if "QuyHoach.gpkg|layername=ChucNangSuDungDat_A" in one.source())
renderer = functions.renderer(); context = QgsRenderContext()
renderer.startRender(context, functions.fields())
colours = {f["phanLoai"]: renderer.symbolForFeature(f, context).color().name() for f in functions.getFeatures()}
print(len(layers), sum(not one.isValid() for one in layers), sum(one.renderer() is None for one in layers),
      colours["Nhóm nhà ở"], colours["Đường giao thông"], project.crs().authid(), sep="|", flush=True)
import os; os._exit(0)
"""


@pytest.fixture(scope="module")
def made(provider, tmp_path_factory):
    place = tmp_path_factory.mktemp("Nguyễn Văn Ân") / "hồ sơ đồ án"
    result = processing.run(CREATE, {"PROVINCE": HUE, "PLAN_CODE": "462521012345", "DOSSIER_CODE": "46QPK0000001",
                                     "SOURCE": str(TOWN), "PLAN_REF": "QPK-TT-2035", "OUTPUT": str(place)})
    return result


def fail(id_, parameters):
    feedback = QgsProcessingFeedback()
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(id_, parameters, feedback=feedback)
    return f"{caught.value}\n{feedback.textLog()}"


def test_the_sample_town_passes_its_own_check(made, tmp_path):
    assert made["CLASSES"] == 149 and made["FILLED"] == 9 and Path(made["OUTPUT"]).name == "HoSoGIS"
    result = processing.run(CHECK, {"DOSSIER": made["OUTPUT"], "OUTPUT": str(tmp_path / "lỗi.gpkg"),
                                    "REPORT": str(tmp_path / "kiểm tra.xlsx"), "AGENCY": "Sở Xây dựng"})
    assert result["PASSES"] and (result["ERRORS"], result["WARNINGS"], result["NOTES"],
                                 result["RULES"]) == (0, 0, 0, "")
    assert len(geopandas.read_file(result["OUTPUT"])) == 0
    book = load_workbook(result["REPORT"])
    assert book.sheetnames == ["Tổng hợp", "Danh sách", "Chưa đủ căn cứ", "Lớp dữ liệu"]
    words = "\n".join(paragraph.text for paragraph in Document(result["LETTER"]).paragraphs)
    told = "\n".join(str(cell.value) for row in book["Tổng hợp"].iter_rows() for cell in row)
    for text in (words, told):
        assert "59/VBHN-BXD" in text and "cần đối chiếu với bản gốc" in text and "đạt yêu cầu kiểm tra" in text


def test_faults_reach_layer_workbook_and_letter(made, tmp_path):
    place = tmp_path / "HoSoGIS"
    shutil.copytree(made["OUTPUT"], place)
    database = ogr.Open(str(place / "QuyHoach.gpkg"), 1)
    database.ExecuteSQL("UPDATE PhanOQuyHoach_A SET heSoSuDungDat = 9, maHoSoQH = NULL WHERE fid = 3")
    del database
    with speaking("en"):
        result = processing.run(CHECK, {"DOSSIER": str(place), "OUTPUT": str(tmp_path / "e.gpkg"),
                                        "AREAS": str(tmp_path / "a.gpkg"), "REPORT": str(tmp_path / "r.xlsx")})
    assert not result["PASSES"] and result["RULES"] == "GT-01: 1, CT-04: 1"
    layer = geopandas.read_file(result["OUTPUT"])
    assert layer[["rule", "severity", "database", "class", "source_fid"]].values.tolist() == [
        ["GT-01", "error", "QuyHoach", "PhanOQuyHoach_A", "3"], ["CT-04", "error", "QuyHoach", "PhanOQuyHoach_A", "3"]]
    zone = geopandas.read_file(place / "QuyHoach.gpkg", layer="PhanOQuyHoach_A", rows=3).geometry.iloc[2]
    assert layer.within(zone).all() and layer.crs.to_epsg() == 9214
    # Printed matter is Vietnamese whatever QGIS speaks.
    rows = [[cell.value for cell in row]
            for row in load_workbook(result["REPORT"])["Danh sách"].iter_rows(min_row=5, max_row=6)]
    assert [row[1] for row in rows] == ["GT-01", "CT-04"] and "bỏ trống maHoSoQH" in rows[0][8]
    tables = Document(result["LETTER"]).tables
    assert any(cell.text == "CT-04" for table in tables for row in table.rows for cell in row.cells)


def test_the_exported_project_opens_in_plain_qgis(made, tmp_path):
    target = tmp_path / "bàn giao"
    result = processing.run(EXPORT,
                            {"DOSSIER": made["OUTPUT"], "OUTPUT": str(target), "PLAN_NAME": "Trung tâm 1/2.000"})
    project = Path(result["PROJECT"])
    assert project == target / "HoSoGIS" / "Trung tâm 1-2.000.qgz" and result["LAYERS"] == 149
    moved = tmp_path / "chỗ khác"
    target.rename(moved)  # relative paths: the dossier may be moved
    environment = {**os.environ, "PYTHONPATH": "", "QGIS_PLUGINPATH": "", "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "hồ sơ qgis")}
    ran = subprocess.run([sys.executable, "-c", PLAIN, str(moved / "HoSoGIS" / project.name)], env=environment,
                         check=False,
                         capture_output=True, text=True, timeout=120)
    # Nhóm nhà ở is ACI 42 = 204,153,0, roads ACI 251 = 91,91,91 (TT 16/2025 annex I).
    assert ran.stdout.strip().split("\n")[-1] == "149|0|0|#cc9900|#5b5b5b|EPSG:9214", ran.stderr
    again = processing.run(CHECK, {"DOSSIER": str(moved), "OUTPUT": "memory:"})
    assert again["PASSES"] and again["RULES"] == ""


def test_an_empty_dossier_tells_what_it_lacks(tmp_path):
    result = processing.run(CREATE, {"PROVINCE": 0, "OUTPUT": str(tmp_path)})
    assert (result["FILLED"], result["FEATURES"]) == (0, 0)
    checked = processing.run(CHECK, {"DOSSIER": result["OUTPUT"], "PROVINCE": 1, "OUTPUT": "memory:"})
    # Boundary and land functions must have features; nothing else is wrong with an empty dossier of Hà Nội.
    assert checked["RULES"] == "LOP-08: 2" and not checked["PASSES"]
    assert "không ghi đè" in fail(CREATE, {"PROVINCE": 0, "OUTPUT": str(tmp_path)})


def test_bad_input_is_told_together(tmp_path):
    message = fail(CREATE, {"PROVINCE": HUE, "PLAN_CODE": "4625", "DOSSIER_CODE": "48QPK0000001", "SOURCE": "không có.gpkg",
                            "OUTPUT": str(tmp_path / "x")})
    assert "\"4625\" sai mẫu" in message and "không thuộc tỉnh đã chọn" in message and "Không có nguồn dữ liệu" in message
    assert not (tmp_path / "x" / "HoSoGIS").exists()
    message = fail(CREATE, {"PROVINCE": HUE, "PLAN_CODE": "462521012345", "SOURCE": str(TOWN), "OUTPUT": str(tmp_path)})
    assert "Mã hồ sơ quy hoạch chưa nhập" in message
    message = fail(CREATE, {"PROVINCE": HUE, "PLAN_CODE": "462521012345", "DOSSIER_CODE": "46QPK0000001", "SOURCE": str(TOWN),
                            "OUTPUT": str(tmp_path)})
    assert "QCT-BS-500" in message and not (tmp_path / "HoSoGIS").exists()
    message = fail(CHECK, {"DOSSIER": str(tmp_path), "APPROVED": "32/1/2026", "OUTPUT": "memory:"})
    assert "\"32/1/2026\" không phải là ngày" in message and "không có cơ sở dữ liệu nào" in message
    assert "Không có thư mục hồ sơ" in fail(EXPORT, {"DOSSIER": str(tmp_path / "không")})


def test_the_ready_model_takes_in_a_plan(made, tmp_path):
    def town(layer):
        return f"{TOWN}|layername={layer}"

    part = tmp_path / "HoSoGIS"  # the other files are told as missing, which is quicker than reading them
    part.mkdir()
    shutil.copy(Path(made["OUTPUT"]) / "MocGioi.gpkg", part)
    result = processing.run("quyhoach:planintake", {
        "DOSSIER": str(part), "NEW_ZONES": town("zone|subset=plan_ref = 'QPK-TT-2035'"), "PLANS": town("plan"), "ZONES": town("zone"),
        "plandossiercheck_output": "memory:", "plandossiercheck_report": str(tmp_path / "kiểm tra.xlsx"), "landbalance_output": "memory:",
        "landbalance_xlsx": str(tmp_path / "cân bằng.xlsx"), "planconflicts_output": "memory:", "planconflicts_xlsx": str(tmp_path / "mâu thuẫn.xlsx")})
    assert {path.name for path in tmp_path.iterdir()} == {"HoSoGIS", "kiểm tra.xlsx", "kiểm tra.docx", "cân bằng.xlsx", "mâu thuẫn.xlsx"}
    assert result["planconflicts_output"].featureCount() > 0 and result["landbalance_output"].featureCount() > 5
