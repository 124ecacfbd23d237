"""The Department of Construction's whole story, from the first start: dossier, sheets, a citizen's parcel, the signed paper."""

import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from docx import Document
from openpyxl import load_workbook
from walking import hands

ROOT = Path(__file__).resolve().parents[2]


def test_from_the_first_start_to_the_signed_paper(window, artefacts, tmp_path):
    folder = tmp_path / "Sở Xây dựng" / "hồ sơ tháng 11"
    folder.mkdir(parents=True)
    result = window(hands(artefacts) + f"FOLDER = Path({str(folder)!r})\n" + '''
# The sample town in one click.
start = child(QDialog, "quyhoach_start")
click(button("Mở đô thị mẫu", start))
until(lambda: len(project.mapLayers()) > 20)
see("department_01_sample")
click(button("Đóng", start))
from quyhoach.plugin.sample import folder_of_sample
TOWN = str(folder_of_sample() / "town.gpkg")

# What a consultant would have sent: made from the sample town, as the help says.
def make(dialog):
    province = control(dialog, "PROVINCE")
    province.setCurrentIndex(province.findText("Huế", Qt.MatchFlag.MatchContains))
    for key, text in (("PLAN_CODE", "462521012345"), ("DOSSIER_CODE", "46QPK0000001"), ("PLAN_REF", "QPK-TT-2035"), ("SOURCE", TOWN), ("OUTPUT", str(FOLDER / "tư vấn nộp"))):
        rewrite(typed_in(dialog, key), text)
    see("department_02_dossier_made")
    result["dossier"] = run_dialog(dialog)["OUTPUT"]
toolbox("lap co so du lieu gis", "Lập cơ sở dữ liệu GIS của đồ án quy hoạch", make)

# The check.
def check(dialog):
    rewrite(typed_in(dialog, "DOSSIER"), result["dossier"])
    rewrite(typed_in(dialog, "REPORT"), str(FOLDER / "kiểm tra.xlsx"))
    see("department_03_check")
    results = run_dialog(dialog)
    result["check"] = {key: results[key] for key in ("PASSES", "ERRORS")}
    see("department_04_checked")
toolbox("kiểm tra cơ sở dữ liệu gis", "Kiểm tra cơ sở dữ liệu GIS của đồ án quy hoạch", check)
result["error_layer"] = layer_named("Lớp lỗi").featureCount()

# Sheets of one plan, filtered as the help says.
def sheets(dialog):
    from qgis.core import QgsProcessingFeatureSourceDefinition
    zones = next(one for one in project.mapLayers().values() if one.source().endswith("layername=zone"))
    definition = QgsProcessingFeatureSourceDefinition(zones.id())
    definition.filterExpression = "plan_ref = 'QPK-TT-2035'"
    dialog.mainWidget().wrappers["ZONES"].setParameterValue(definition, dialog.processingContext())
    rewrite(typed_in(dialog, "PLAN_NAME"), "Quy hoạch phân khu Trung tâm, tỷ lệ 1/2.000")
    rewrite(typed_in(dialog, "FOLDER"), str(FOLDER / "bản vẽ"))
    see("department_05_sheets")
    result["sheets"] = run_dialog(dialog)["PRINTED"]
    see("department_06_printed")
toolbox("in ban ve", "In bản vẽ quy hoạch theo mảnh", sheets)

# A citizen comes with a former address, then with coordinates of the old meridian.
tool("Tra cứu thửa đất")
dock = child(QDockWidget, "QuyHoachParcelDock")
write(child(QComboBox, "commune", dock).lineEdit(), "Phường Trung Tâm (")
child(QComboBox, "commune", dock).completer().popup().hide()
write(child(QLineEdit, "sheet", dock), "3")
write(child(QLineEdit, "number", dock), "40")
press("find", dock)
answer = child(QTextBrowser, "answer", dock)
until(lambda: child(QPushButton, "paper", dock).isEnabled())
result["searched"] = answer.toPlainText()
result["scale"] = canvas.scale()
wait(1)
see("department_07_parcel")
from qgis.core import QgsCoordinateReferenceSystem as Crs, QgsCoordinateTransform
moved = QgsCoordinateTransform(Crs("EPSG:9214"), Crs("EPSG:9215"), project)
shape = dock._land.shape
corners = [moved.transform(QgsPointXY(p.x(), p.y())) for p in list(shape.vertices())[:-1]]
dock.tabs.setCurrentIndex(1)
systems = child(QComboBox, "meridian", dock)
systems.setCurrentIndex(systems.findData(9215))
result["whose"] = dock.meridian._told.text()
text = child(QPlainTextEdit, "corners", dock)
text.setFocus()
QApplication.clipboard().setText("\\n".join(f"{n}\\t{p.y():.2f}\\t{p.x():.2f}".replace(".", ",") for n, p in enumerate(corners, 1)))
text.paste()
press("look_up", dock)
until(lambda: child(QPushButton, "paper", dock).isEnabled() and "tọa độ đã dán" in answer.toPlainText())
result["corners"] = answer.toPlainText()
see("department_08_old_meridian")
dock.tabs.setCurrentIndex(0)
press("find", dock)
until(lambda: child(QPushButton, "paper", dock).isEnabled() and "Thửa đất số 40" in answer.toPlainText())

# The paper.
press("paper", dock)
wait(0.4)
dialog = child(QDialog, "paper_dialog", dock)
write(child(QLineEdit, "request_number", dialog), "H99-261125-0012")
rewrite(child(QLineEdit, "folder", dialog), str(FOLDER / "văn bản"))
press("make", dialog)
told = child(QLabel, "told", dialog)
until(lambda: "docx" in told.text())
result["paper"] = told.text().split("Mã đối chiếu ")[1].split(",")[0]
see("department_09_paper")
click(button("Đóng", dialog))

# It comes back signed: number and date are entered; and somebody brings it to be verified.
(register,) = (FOLDER / "văn bản").glob("so_dang_ky*.gpkg")
def enter(dialog):
    for action in ("Trình ký", "Ghi số, ngày đã ký"):
        rewrite(typed_in(dialog, "CODE"), result["paper"].lower())
        box = control(dialog, "ACTION")
        box = box if isinstance(box, QComboBox) else box.findChild(QComboBox)
        box.setCurrentIndex(box.findText(action))
        rewrite(typed_in(dialog, "REGISTER"), str(register))
        if action.startswith("Ghi"):
            rewrite(typed_in(dialog, "NUMBER"), "1234/SXD-QLQH")
            rewrite(typed_in(dialog, "DATE"), "26/11/2026")
        see("department_10_" + ("signed" if action.startswith("Ghi") else "submitted"))
        result.setdefault("states", []).append(run_dialog(dialog)["STATUS"])
        dialog.showParameters()
toolbox("so dang ky van ban", "Sổ đăng ký văn bản thông tin quy hoạch", enter)
fine()
''', timeout=300)
    assert result["check"] == {"PASSES": True, "ERRORS": 0} and result["error_layer"] == 0
    book = load_workbook(folder / "kiểm tra.xlsx")
    assert "Tổng hợp" in book.sheetnames and "đạt yêu cầu kiểm tra" in "\n".join(p.text for p in Document(folder / "kiểm tra.docx").paragraphs)
    sheets = sorted((folder / "bản vẽ").glob("*.pdf"))
    assert len(sheets) == result["sheets"] > 0
    printed = subprocess.run(["pdftotext", str(sheets[0]), "-"], capture_output=True, check=True).stdout.decode("utf-8")
    assert "phân khu Trung tâm" in " ".join(printed.split())
    assert "Thửa đất số 40, tờ bản đồ số 3" in result["searched"] and "Phường Trung Tâm (cũ)" in result["searched"]
    # Typed to the centimetre: the same land, its area to the decimetre.
    assert "Lạng Sơn" in result["whose"] and result["scale"] < 2_500, "the parcel can be seen"
    assert "Khu đất theo tọa độ đã dán" in result["corners"] and "NO-61" in result["corners"] and re.search("221,[2345] m²", result["corners"])
    files = {path.suffix: path for path in (folder / "văn bản").iterdir()}
    assert set(files) == {".docx", ".pdf", ".gpkg"}
    said = "\n".join(cell.text for table in Document(files[".docx"]).tables for row in table.rows for cell in row.cells) + \
        "\n".join(p.text for p in Document(files[".docx"]).paragraphs)
    assert "Thửa đất số 40" in said
    with closing(sqlite3.connect(shutil.copy(files[".gpkg"], tmp_path / "sổ.gpkg"))) as register:
        rows = register.execute("SELECT paper_code, status, paper_number, issued_date FROM planning_paper").fetchall()
    assert rows == [(result["paper"], "signed", "1234/SXD-QLQH", "2026-11-26")]
