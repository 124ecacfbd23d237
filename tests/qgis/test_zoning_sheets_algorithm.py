"""quyhoach:zoningsheets through the registry, the sheets read back as the person who signs them sees them."""

import re
import subprocess
from pathlib import Path

import geopandas
import processing
import pytest
import shapely
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt.QtGui import QImage
from quyhoach.processing_algorithms.common.files import write_vector
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.layout.qgis_layout_drawing_page import DRAWING_PAPERS, drawing_frames

ROOT = Path(__file__).resolve().parents[2]
TOWN = ROOT / "data_samples" / "town.gpkg"
ID = "quyhoach:zoningsheets"
WEST, SOUTH = 553_000.0, 1_831_000.0
A4, A3 = 4, 3


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "bản vẽ"
    place.mkdir(parents=True)
    return place


def save(folder, name, shapes, crs="EPSG:9214", **columns):
    path = folder / f"{name}.gpkg"
    write_vector(geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(shapes, dtype="geometry"), crs=crs),
                 path, "MultiPolygon")
    return str(path)


def square(x, y, size=40.0):
    return shapely.box(WEST + x, SOUTH + y, WEST + x + size, SOUTH + y + size)


@pytest.fixture
def case(folder):
    return case_in(folder)


def case_in(folder):
    """Two zones near each other and one so far east that the sheets between are empty; A4 at 1/500."""
    zones = save(folder, "ô", [square(0, 0), square(40, 0), square(300, 0)], zone_code=["A-01", "A-02", "A-03"],
                 function_code=["NO", "BDX", "CXCC"], max_density_pct=[60.0, 40.0, None], max_storeys=[5, 3, None],
                 min_storeys=[2, 3, None], max_far=[3.25, 1.2, None])
    return {"ZONES": zones, "FUNCTION_FIELD": "function_code", "SCALE": 500, "PAPER": A4, "LEVEL": 3,
            "PLAN_NAME": "Quy hoạch chi tiết khu Bàu Sen, tỷ lệ 1/500", "DRAWING_NUMBER": "QH-04",
            "APPROVING_AGENCY": "Ủy ban nhân dân tỉnh Hương Nguyên", "DECISION_NUMBER": "2046/QĐ-UBND",
            "DECISION_DATE": "14/10/2025", "DATE": "03/02/2026",
            "FOLDER": str(folder / "in"), "OUTPUT": str(folder / "chắp mảnh.gpkg")}


@pytest.fixture(scope="module")
def printed(tmp_path_factory, provider):
    """The case printed once, for tests that only read: parameters, results, and the two sheets."""
    place = tmp_path_factory.mktemp("Nguyễn Văn Ân")
    parameters = case_in(place)
    result = processing.run(ID, parameters)
    return parameters, result, sorted(Path(parameters["FOLDER"]).iterdir())


def text_of(path):
    told = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    return " ".join(told.split())


def fail(parameters, feedback=None):
    """Run what must fail; return its sentence. Nothing may be left behind."""
    feedback = feedback or QgsProcessingFeedback()
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ID, parameters, feedback=feedback)
    assert not Path(parameters["OUTPUT"]).exists() and not Path(parameters["FOLDER"]).exists()
    return f"{caught.value}\n{feedback.textLog()}"


def test_a_sheet_says_what_a_drawing_must_say(printed):
    _, result, files = printed
    assert (result["SHEET_COUNT"], result["PRINTED"], result["OUTSIDE_LABELS"]) == (2, 2, 0)
    first, second = map(text_of, files)
    for expected in ("BẢN ĐỒ SỬ DỤNG ĐẤT QUY HOẠCH", "Quy hoạch chi tiết khu Bàu Sen, tỷ lệ 1/500", "mảnh 1/2",
                     "Tỷ lệ 1/500", "QH-04", "VN-2000, kinh tuyến trục 107°00′, múi chiếu 3°", "03/02/2026",
                     "CƠ QUAN PHÊ DUYỆT", "CƠ QUAN THẨM ĐỊNH", "CƠ QUAN TỔ CHỨC LẬP", "ĐƠN VỊ LẬP QUY HOẠCH",
                     "Quyết định số 2046/QĐ-UBND", "14/10/2025", "Chủ nhiệm: …", "CHÚ GIẢI", "Nhóm nhà ở (NO)",
                     "Bãi đỗ xe (BDX) *", "* Màu ký hiệu chưa chính thức, cần xác nhận: BDX.", "A-01 (NO)",
                     "60% | 2-5 tầng | 3,25 lần", "40% | 3 tầng | 1,2 lần", "553 040", "1 831 040"):
        assert expected in first, expected
    # The second sheet has the green zone alone, whose colour is official and which has no figures.
    assert "mảnh 2/2" in second and "Cây xanh sử dụng công cộng (CXCC)" in second and "A-03 (CXCC)" in second
    assert "(NO)" not in second and "*" not in second and "Ghi trong ô" not in second


def test_the_index_tells_where_each_sheet_lies(printed):
    index = geopandas.read_file(printed[1]["OUTPUT"])
    assert index[["sheet", "sheets", "zones", "functions", "pdf"]].values.tolist() == [
        [1, 2, 2, "NO, BDX", "QH-04_1-500_manh_1-2.pdf"], [2, 2, 1, "CXCC", "QH-04_1-500_manh_2-2.pdf"]]
    width, height = (length * 0.5 for length in drawing_frames("A4", False).map_mm)  # 1/500: half a metre a millimetre
    assert index.area.tolist() == pytest.approx([width * height] * 2)
    # Between the sheets lies at least one that is empty and was left out: 340 m of zones, each sheet 90 m wide.
    assert index["column"].tolist() == [1, 4] and index["e"].tolist() == [0, 0]
    assert index["area_m2"].sum() == pytest.approx(3 * 1600)


def test_one_hundred_metres_on_the_ground_are_200_mm_on_paper(printed):
    path = printed[2][0]
    # The file's own coordinates: metres of one dot of its page. 100 m = 200 mm = 200 / 25.4 * 288 dots.
    page = gdal.OpenEx(str(path), open_options=["DPI=288"])
    transform = page.GetGeoTransform()
    assert 100 / transform[1] == pytest.approx(200 / 25.4 * 288, rel=2e-4)
    assert 100 / -transform[5] == pytest.approx(200 / 25.4 * 288, rel=2e-4)
    assert page.GetSpatialRef().GetName() == "VN-2000 / TM-3 107-00"
    # And what is drawn: the sides of the parking lot, 40 m = 80 mm = 907 dots, by its grey (132) in the rendered page.
    grey = (page.ReadAsArray()[:3] == 132).all(axis=0)
    columns, rows = (grey.sum(axis=axis) > 450 for axis in (0, 1))
    assert columns.sum() / 288 * 25.4 == pytest.approx(80.0, abs=0.4)  # its outline is 0.18 mm wide
    assert rows.sum() / 288 * 25.4 == pytest.approx(80.0, abs=0.4)
    # Coordinates and drawing agree: the lot begins where both zones meet, and ends 40 m north of the southern edge.
    assert transform[0] + columns.argmax() * transform[1] == pytest.approx(WEST + 40, abs=0.15)
    assert transform[3] + rows.argmax() * transform[5] == pytest.approx(SOUTH + 40, abs=0.15)


def test_papers_have_their_sizes_and_the_picture_its_resolution(case, run):
    result = run(ID, {**case, "PAPER": A3, "ORIENTATION": 1, "FORMAT": 2, "DPI": 100, "SHEETS": "1"})
    assert result["PRINTED"] == 1
    names = sorted(path.name for path in Path(case["FOLDER"]).iterdir())
    assert [name.split(".")[1] for name in names] == ["pdf", "png"]
    info = subprocess.run(["pdfinfo", str(Path(case["FOLDER"]) / names[0])], capture_output=True, text=True).stdout
    assert "(A3)" in info and "842 x 1191" in info.replace("841.89", "842").replace("1190.55", "1191")
    assert re.search(r"Author:\s*root", info) is None
    image = QImage(str(Path(case["FOLDER"]) / names[1]))
    height, width = DRAWING_PAPERS["A3"]
    assert (image.width(), image.height()) == (pytest.approx(width / 25.4 * 100, abs=1),
                                               pytest.approx(height / 25.4 * 100, abs=1))
    drawn = subprocess.run(["pdfimages", "-list", str(Path(case["FOLDER"]) / names[0])], capture_output=True, text=True)
    assert len(drawn.stdout.splitlines()) == 2, "all is vector"


def test_a_code_without_a_symbol_stops_the_print(case, folder):
    zones = save(folder, "lạ", [square(0, 0), square(50, 0), square(100, 0)], function_code=["NO", "XYZ", None])
    message = fail({**case, "ZONES": zones})
    assert "\"XYZ\"" in message and "fid: 2" in message and "fid: 3" in message and "không có ký hiệu" in message


def test_zones_on_the_same_ground_are_named_beside_each_other_and_those_without_room_are_told(case, folder):
    count = 40
    zones = save(folder, "chồng", [square(0, 0)] * count, function_code=["NO"] * count,
                 zone_code=[f"A-{at:03d}" for at in range(count)])
    feedback = QgsProcessingFeedback()
    index = geopandas.read_file(processing.run(ID, {**case, "ZONES": zones}, feedback=feedback)["OUTPUT"]).iloc[0]
    text = text_of(next(Path(case["FOLDER"]).iterdir()))
    assert index["nameless"] > 0 and f"không còn chỗ ghi ký hiệu của {index['nameless']} ô" in feedback.textLog()
    assert index["outside_labels"] == count - 1 - index["nameless"]
    assert sum(f"A-{at:03d}" in text for at in range(count)) == count - index["nameless"]


def test_a_province_states_its_own_functions(case, folder, run):
    (folder / "planning_land_functions.csv").write_text(
        "key,name_vi,name_en,hex,aci,r,g,b,regulation,table,row,source,valid_from,valid_to,confidence\n"
        "XYZ,Đất riêng của tỉnh,Own,#336699,,51,102,153,,,,tỉnh,,,analogy\n", encoding="utf-8")
    zones = save(folder, "riêng", [square(0, 0)], function_code=["XYZ"])
    run(ID, {**case, "ZONES": zones, "PROVINCE_FOLDER": str(folder)})
    assert "Đất riêng của tỉnh (XYZ) *" in text_of(next(Path(case["FOLDER"]).iterdir()))


def test_effects_without_a_symbol_stop_the_print(case, folder):
    over = save(folder, "hạn chế", [square(0, 0), square(5, 5)], effect=["no_building", "cấm"])
    message = fail({**case, "CONSTRAINTS": over})
    assert "\"cấm\"" in message and "fid: 2" in message


def test_a_text_too_long_for_the_paper_is_refused(case):
    assert "quá dài cho khổ giấy" in fail({**case, "APPROVING_AGENCY": "Ủy ban nhân dân tỉnh Hương Nguyên " * 12})


def test_all_problems_are_told_together(case):
    message = fail({**case, "FUNCTION_FIELD": "không có", "SCALE": 750, "PLAN_NAME": " ", "DATE": "32/1/2026",
                    "PROVINCE_FOLDER": "/không/có"})
    for expected in ("không có trường \"không có\"", "1/750", "Tên đồ án", "32/1/2026", "/không/có"):
        assert expected in message, expected


def test_degrees_no_system_and_nothing_to_print(case, folder):
    degrees = save(folder, "độ", [shapely.box(107, 16, 107.001, 16.001)], crs="EPSG:4326", function_code=["NO"])
    assert "độ" in fail({**case, "ZONES": degrees})
    assert "hệ tọa độ" in fail({**case, "ZONES": save(folder, "x", [square(0, 0)], crs=None, function_code=["NO"])})
    assert "không có đối tượng" in fail({**case, "ZONES": save(folder, "rỗng", [], function_code=[])})


def test_zones_in_degrees_are_printed_in_the_system_asked_for(case, folder, run):
    from quyhoach.processing_algorithms.common.crs import to_crs

    metres = geopandas.GeoDataFrame({"function_code": ["NO"]}, geometry=[square(0, 0)], crs="EPSG:9214")
    degrees = save(folder, "độ", to_crs(metres, "EPSG:4326").geometry.tolist(), crs="EPSG:4326", function_code=["NO"])
    index = geopandas.read_file(run(ID, {**case, "ZONES": degrees, "CRS": "EPSG:9214"})["OUTPUT"])
    assert index.crs.to_epsg() == 9214 and index["area_m2"].tolist() == pytest.approx([1600], abs=0.1)


def test_the_scale_of_another_level_is_warned_about(case):
    feedback = QgsProcessingFeedback()
    processing.run(ID, {**case, "LEVEL": 2, "SHEETS": "1"}, feedback=feedback)
    assert "không thuộc tỷ lệ của loại quy hoạch" in feedback.textLog() and "1/2.000, 1/5.000" in feedback.textLog()


def test_a_stopped_run_leaves_nothing(case):
    class Impatient(QgsProcessingFeedback):
        """Stops when the first sheet is done."""

        def isCanceled(self):  # noqa: N802
            return self.progress() > 40

    assert "Đã dừng" in fail(case, feedback=Impatient())


def test_a_failed_run_keeps_the_former_sheets(case):
    processing.run(ID, case)
    before = {path.name: path.read_bytes() for path in Path(case["FOLDER"]).iterdir()}
    with pytest.raises(QgsProcessingException, match="mảnh"):
        processing.run(ID, {**case, "SHEETS": "7"})
    assert {path.name: path.read_bytes() for path in Path(case["FOLDER"]).iterdir()} == before


def test_the_sheets_of_the_sample_town_with_all_overlays(case, run):
    plan = "plan_ref = 'QCT-BS-500'"
    with speaking("en"):  # printed matter is Vietnamese whatever the interface speaks
        result = run(ID, {
            **case, "ZONES": f"{TOWN}|layername=zone|subset={plan}", "BOUNDARY": f"{TOWN}|layername=plan|subset={plan}",
            "CONSTRAINTS": f"{TOWN}|layername=constraint_overlay", "RED_LINES": f"{TOWN}|layername=road",
            "RED_LINE_WIDTH_FIELD": "red_line_width_m", "PARCELS": f"{TOWN}|layername=parcel", "PAPER": A3,
            "SHEETS": "5"})
    index = geopandas.read_file(result["OUTPUT"])
    zones = geopandas.read_file(TOWN, layer="zone", where=plan)
    assert index["area_m2"].sum() == pytest.approx(zones.area.sum())
    told = text_of(next(Path(case["FOLDER"]).iterdir()))
    for expected in ("Ranh giới lập quy hoạch", "Chỉ giới đường đỏ", "Ranh giới thửa đất", "Chức năng sử dụng đất",
                     f"mảnh 5/{len(index)}", "Sơ đồ ghép mảnh"):
        assert expected in told, expected
