"""scripts/demo from start to end, in a folder with spaces and diacritics, judged by what it leaves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from qgis.core import Qgis, QgsProject

ROOT = Path(__file__).resolve().parents[2]
NOTICE = "DỮ LIỆU MẪU, KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"


def demo(output):
    """Run the driver in a process of its own, because it owns its QGIS."""
    return subprocess.run([sys.executable, "-m", "quyhoach.scripts.demonstration", "--output", str(output)], cwd=ROOT,
                          env={**os.environ, "PYTHONIOENCODING": "utf-8"}, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "Nguyễn Văn Ân" / "kết quả thử"
    finished = demo(folder)
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-3000:]
    return folder, finished


def text_of(pdf):
    found = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    return " ".join(found.split())


def test_it_tells_each_step_with_its_time_and_the_figures(made):
    folder, finished = made
    steps = re.findall(r"^\[ ?(\d+)/(\d+)\] .+?\.{3,} +\d+,\d giây$", finished.stdout, re.M)
    assert [int(number) for number, _ in steps] == list(range(1, int(steps[0][1]) + 1))
    for expected in ("KẾT QUẢ (dữ liệu mẫu, không có giá trị pháp lý)", "Chu chuyển", "Bị ảnh hưởng", str(folder),
                     "Xong trong"):
        assert expected in finished.stdout
    assert "Warning" not in finished.stderr and "Traceback" not in finished.stderr


@pytest.mark.parametrize(("file", "title", "words"), [
    ("1_hien_trang_su_dung_dat_2025", "BẢN ĐỒ HIỆN TRẠNG SỬ DỤNG ĐẤT NĂM 2025",
     ["Đất chuyên trồng lúa (LUC)", "Cơ cấu sử dụng đất"]),
    ("2_quy_hoach_phan_khu", "BẢN ĐỒ SỬ DỤNG ĐẤT QUY HOẠCH", ["Nhóm nhà ở (NO)", "Bảng cân bằng sử dụng đất"]),
    ("3_pham_vi_phuc_vu_y_te", "PHẠM VI PHỤC VỤ CỦA TRẠM Y TẾ", ["Đến 1 phút", "Chiều dài đường đến được"]),
    ("4_do_sau_ngap", "BẢN ĐỒ ĐỘ SÂU NGẬP", ["Ngập dưới 0,5 m", "Trạm Lam Trạch", "Khẩu"]),
])
def test_a_printed_map_for_each_domain(made, file, title, words):
    folder, _ = made
    text = text_of(folder / "ban_do" / f"{file}.pdf")
    for expected in (title, NOTICE, "Tỷ lệ 1/", "VN-2000, kinh tuyến trục 107°00′, múi chiếu 3°", "Ngày lập:",
                     "Nguồn:", "CHÚ GIẢI", *words):
        assert expected in text, expected
    # Vectors, not one picture of the page: a page scanned at 300 dpi has no text and no fonts.
    fonts = subprocess.run(["pdffonts", str(folder / "ban_do" / f"{file}.pdf")], capture_output=True, text=True,
                           check=True).stdout
    assert len(fonts.strip().split("\n")) > 2
    assert (folder / "ban_do" / f"{file}.png").stat().st_size > 100_000


def test_the_balance_of_the_plan_adds_up(made):
    folder, _ = made
    text = text_of(folder / "ban_do" / "2_quy_hoach_phan_khu.pdf")
    table = text[text.index("Bảng cân bằng sử dụng đất"):text.index("Tổng cộng")]
    total = float(re.search(r"Tổng cộng ([\d.,]+)", text)[1].replace(".", "").replace(",", "."))
    parts = [float(number.replace(".", "").replace(",", ".")) for number,
             _ in re.findall(r"(\d[\d.]*,\d\d) (\d+,\d)\b", table)]
    assert len(parts) >= 5 and sum(parts) == pytest.approx(total, abs=1e-9)


def test_tables_are_workbooks(made):
    folder, _ = made
    found = sorted(path.name for path in (folder / "bang").iterdir())
    assert found == ["chu_chuyen_dat_dai.xlsx", "dien_tich_theo_loai_dat.xlsx"]
    for name in found:
        workbook = openpyxl.load_workbook(folder / "bang" / name)
        assert workbook.worksheets[0].max_row > 5


def test_the_flood_morning_leaves_annex_picture_text_and_tables(made):
    folder, finished = made
    report = folder / "bao_cao_ngap_lut"
    assert {"phu_luc_ngap_lut.pdf", "anh_dien_thoai.png", "tin_nhan.txt", "so_lieu.xlsx", "bao_cao.gpkg"} <= {path.name for path in report.iterdir()}
    lines = (report / "tin_nhan.txt").read_text("utf-8-sig").strip().splitlines()
    assert len(lines) == 10 and all(line in finished.stdout for line in lines)
    assert str(report / "anh_dien_thoai.png") in finished.stdout and "PHỤ LỤC ƯỚC TÍNH NGẬP LỤT" in text_of(report / "phu_luc_ngap_lut.pdf")


def test_the_project_opens_whole_after_the_folder_has_moved(made, tmp_path):
    folder, _ = made
    moved = tmp_path / "ở nơi khác"
    shutil.copytree(folder, moved)
    project = QgsProject()
    assert project.read(str(moved / "du_an.qgz"))
    layers = project.mapLayers().values()
    assert len(layers) >= 20 and all(layer.isValid() for layer in layers)
    assert all(Path(layer.source().split("|")[0]).is_relative_to(moved) for layer in layers)
    assert project.filePathStorage() == Qgis.FilePathType.Relative and project.crs().authid() == "EPSG:9214"
    assert sorted(project.mapThemeCollection().mapThemes()) == ["Giao thông", "Hiện trạng sử dụng đất", "Ngập lụt",
                                                                "Quy hoạch"]
    assert len(project.layoutManager().layouts()) == 4
    groups = [group.name() for group in project.layerTreeRoot().findGroups()]
    assert "Phòng, chống thiên tai" in groups and "Mạng lưới giao thông" in groups
    # The official shift is pinned, so that what is drawn over a web map agrees with what is computed.
    context = project.transformContext()
    from qgis.core import QgsCoordinateReferenceSystem as System

    assert "-191.904" in context.calculateCoordinateOperation(System("EPSG:9214"), System("EPSG:3857"))


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    precious = tmp_path / "thư mục của tôi"
    precious.mkdir()
    (precious / "co_so_du_lieu.gpkg").write_text("của tôi", encoding="utf-8")
    finished = demo(precious)
    assert finished.returncode == 1
    assert "đang chứa dữ liệu khác" in finished.stderr and "Traceback" not in finished.stderr
    assert [path.name for path in precious.iterdir()] == ["co_so_du_lieu.gpkg"]
    assert (precious / "co_so_du_lieu.gpkg").read_text(encoding="utf-8") == "của tôi"


def test_a_second_run_replaces_the_first(made):
    from quyhoach.scripts.demonstration.folder import new_folder

    folder, _ = made
    copy = folder.parent / "lần hai"
    shutil.copytree(folder, copy)
    (copy / "ghi chú.txt").write_text("giữ lại", encoding="utf-8")
    new_folder(copy)
    assert sorted(path.name for path in copy.iterdir()) == [".quyhoach-demo", "ban_do", "bang", "ghi chú.txt",
                                                            "ket_qua"]
