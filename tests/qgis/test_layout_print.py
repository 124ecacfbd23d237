"""Printed maps: read back from the PDF and the picture, as the person who holds the sheet sees them."""

import datetime
import subprocess

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRectangle,
    QgsRendererCategory,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor, QImage
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.common.language import set_language
from quyhoach.processing_algorithms.common.layout.qgis_layout import PAPERS, SCALES, LegendEntry, MapSheet, SheetTexts
from quyhoach.processing_algorithms.common.layout.qgis_layout_table import SheetTable

TITLE = "BẢN ĐỒ HIỆN TRẠNG SỬ DỤNG ĐẤT, ƯỚC TÍNH Ẳ Ễ Ợ Ữ"
TEXTS = SheetTexts(title=TITLE, subtitle="Phường Lam Trạch", source="dữ liệu thử", notice="KHÔNG CÓ GIÁ TRỊ PHÁP LÝ",
                   date=datetime.date(2026, 2, 3))
WEST, SOUTH = 548_000.0, 1_829_000.0
COLOURS = ("#ff0000", "#00ff00", "#0000ff", "#ffff00")


@pytest.fixture
def project():
    made = QgsProject.instance()  # outlives every layout, as in QGIS
    made.clear()
    made.setCrs(QgsCoordinateReferenceSystem("EPSG:9214"))
    yield made
    made.clear()


def squares(project, labels, name="Loại đất", size=100.0):
    """A row of squares from west to east, one class each."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:9214&field=code:integer", name, "memory")
    features = []
    for at in range(len(labels)):
        feature = QgsFeature(layer.fields())
        feature["code"] = at
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(WEST + at * size, SOUTH, WEST + (at + 1) * size,
                                                              SOUTH + size)))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    layer.setRenderer(QgsCategorizedSymbolRenderer("code", [
        QgsRendererCategory(at, QgsFillSymbol.createSimple({"color": COLOURS[at % 4], "outline_style": "no"}), label)
        for at, label in enumerate(labels)]))
    project.addMapLayer(layer)
    return layer


def printed(sheet, path):
    """The text of the PDF, page by page."""
    sheet.to_pdf(path)
    text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    return [" ".join(page.split()) for page in text.split("\f")[:-1]]


def test_the_sheet_says_what_a_sheet_must_say(project, tmp_path):
    layer = squares(project, ["Đất ở", "Đất lúa"])
    set_language("en")  # printed matter is Vietnamese whatever the interface speaks
    sheet = MapSheet(project, paper="A4")
    shown = sheet.show([layer], TEXTS, extent=layer.extent())
    (page,) = printed(sheet, tmp_path / "bản đồ.pdf")
    # 200 m on a map 201 mm wide (297 less margins 2 x 7, panel 68, gaps 3 x 3 and 5 of lettering): 1:1,000 just takes
    # it.
    assert sheet.map.sizeWithUnits().width() == pytest.approx(201.0)
    assert shown.scale == 1000 and shown.scale in SCALES
    for expected in (TITLE, "Phường Lam Trạch", f"Tỷ lệ 1/{shown.scale:,.0f}".replace(",", "."), "CHÚ GIẢI", "Đất ở",
                     "Đất lúa",
                     "VN-2000, kinh tuyến trục 107°00′, múi chiếu 3°", "Ngày lập: 03/02/2026", "Nguồn: dữ liệu thử",
                     "KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"):
        assert expected in page, expected
    # The grid is lettered in whole metres of the sheet's own system.
    assert "548\u2009" in page or "548 " in page


def test_the_legend_has_only_what_the_map_shows_and_follows_it(project, tmp_path):
    layer = squares(project, ["Thứ nhất", "Thứ hai", "Thứ ba", "Thứ tư"])
    sheet = MapSheet(project, paper="A4")
    items = len(sheet.layout.items())
    wanted = layer.extent()
    west = QgsRectangle(wanted.xMinimum() + 1, wanted.yMinimum(), wanted.xMinimum() + 150, wanted.yMaximum())
    shown = sheet.show([layer], TEXTS, extent=west,
                       scale=740)  # 201 mm x 740 = 149 m: the first two squares and nothing more
    assert shown.legend.classes == 2
    (page,) = printed(sheet, tmp_path / "tây.pdf")
    assert "Thứ nhất" in page and "Thứ hai" in page and "Thứ ba" not in page and "Thứ tư" not in page
    shown = sheet.show([layer], TEXTS, extent=wanted)
    assert shown.legend.classes == 4 and len(sheet.layout.items()) == items, "filled again, not built again"
    (page,) = printed(sheet, tmp_path / "cả.pdf")
    assert "Thứ nhất" in page and "Thứ tư" in page


def test_a_shape_whose_box_touches_the_map_but_not_itself_is_not_in_the_legend(project):
    layer = squares(project, ["Thấy", "Không thấy"])
    hook = QgsGeometry.fromWkt("Polygon((547000 1828000, 552000 1828000, "
                               "552000 1828010, 547010 1828010, 547010 1833000, "
                               "547000 1833000, 547000 1828000))")  # an L around the map, its box covers the map
    fid = next(feature.id() for feature in layer.getFeatures("code = 1"))
    layer.dataProvider().changeGeometryValues({fid: hook})
    layer.updateExtents()
    shown = MapSheet(project, paper="A4").show([layer], TEXTS,
                                               extent=QgsRectangle(WEST, SOUTH, WEST + 100, SOUTH + 100))
    assert shown.legend.classes == 1


def test_the_picture_shows_the_colours_of_the_map(project, tmp_path):
    layer = squares(project, ["a", "b", "c", "d"])
    sheet = MapSheet(project, paper="A4")
    sheet.show([layer], TEXTS, extent=layer.extent())
    sheet.to_png(tmp_path / "bản đồ.png", dpi=100)
    image = QImage(str(tmp_path / "bản đồ.png"))
    width, height = PAPERS["A4"]
    assert (image.width(), image.height()) == (pytest.approx(width / 25.4 * 100, abs=1),
                                               pytest.approx(height / 25.4 * 100, abs=1))
    place = sheet.map.sceneBoundingRect()
    for at, colour in enumerate(COLOURS):
        share = (WEST + (at + 0.55) * 100 - sheet.map.extent().xMinimum()) / sheet.map.extent().width()
        x, y = place.x() + share * place.width(), place.y() + 0.45 * place.height()
        found = image.pixelColor(int(x / 25.4 * 100), int(y / 25.4 * 100)).name()
        assert found == colour
    assert [path.name for path in tmp_path.iterdir()] == ["bản đồ.png"]


LONG = [f"Loại đất có tên gọi khá dài dùng để thử việc xuống dòng, số {at}" for at in range(60)]


def test_a_long_legend_is_set_smaller_and_stays_in_its_panel(project, tmp_path):
    layer = squares(project, LONG)
    sheet = MapSheet(project, paper="A3")
    shown = sheet.show([layer], TEXTS, extent=layer.extent())
    assert shown.legend.page == 0 and (shown.legend.columns > 1 or shown.legend.points < 8)
    box = sheet.legend.sceneBoundingRect()
    assert box.bottom() <= sheet.remarks.sceneBoundingRect().top() + 0.01 and box.right() <= PAPERS["A3"][0] - 10
    (page,) = printed(sheet, tmp_path / "dài.pdf")
    for at in range(60):
        assert f"số {at}" in page, f"entry {at} is cut"


def test_a_legend_too_long_for_the_panel_gets_a_page_of_its_own_and_gives_it_back(project, tmp_path):
    layer = squares(project, LONG + [f"{text} (tiếp theo)" for text in LONG])
    sheet = MapSheet(project, paper="A4")
    shown = sheet.show([layer], TEXTS, extent=layer.extent())
    assert shown.legend.page == 1
    first, second = printed(sheet, tmp_path / "hai trang.pdf")
    assert "xem trang 2" in first and TITLE in first
    assert second.count("Loại đất có tên") >= 100
    sheet.show([layer], TEXTS, extent=QgsRectangle(WEST, SOUTH, WEST + 100, SOUTH + 100))
    assert len(printed(sheet, tmp_path / "một trang.pdf")) == 1


def test_no_paper_takes_a_legend_of_a_thousand_entries(project):
    layer = squares(project, [f"Loại đất thứ {at}" for at in range(1000)], size=10.0)
    with pytest.raises(InputError, match="Chú giải có 1000 mục"):
        MapSheet(project, paper="A4").show([layer], TEXTS, extent=layer.extent())


def test_classes_of_a_raster_that_the_map_does_not_show_are_left_out(project, tmp_path):
    path = str(tmp_path / "độ sâu.tif")
    data = gdal.GetDriverByName("GTiff").Create(path, 100, 100, 1, gdal.GDT_Float32)
    data.SetGeoTransform((WEST, 1, 0, SOUTH + 100, 0, -1))
    system = osr.SpatialReference()
    system.ImportFromEPSG(9214)
    data.SetProjection(system.ExportToWkt())
    depth = np.full((100, 100), -9999, dtype=np.float32)  # unknown in the north
    depth[50:, :50], depth[50:, 50:] = 0.5, 2.5  # on the border of the first class: it belongs to it; and in the third
    data.GetRasterBand(1).SetNoDataValue(-9999)
    data.GetRasterBand(1).WriteArray(depth)
    data = None
    layer = QgsRasterLayer(path, "Độ sâu", "gdal")
    ramp = QgsColorRampShader(0, 3)
    ramp.setColorRampType(Qgis.ShaderInterpolationMethod.Discrete)
    ramp.setColorRampItemList([QgsColorRampShader.ColorRampItem(value, QColor(colour), text) for value, colour,
                               text in (
        (0.5, "#ddeeff", "dưới 0,5 m"), (1.0, "#99bbee", "0,5-1 m"), (float("inf"), "#003366", "trên 1 m"))])
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader))
    project.addMapLayer(layer)
    sheet = MapSheet(project, paper="A4")
    assert sheet.show([layer], TEXTS, extent=layer.extent()).legend.classes == 2
    (page,) = printed(sheet, tmp_path / "ngập.pdf")
    assert "dưới 0,5 m" in page and "trên 1 m" in page and "0,5-1 m" not in page


def test_every_row_of_a_table_is_printed(project, tmp_path):
    layer = squares(project, ["Đất ở"])
    sheet = MapSheet(project, paper="A3")
    for count in (1, 4, 9):
        table = SheetTable("Thống kê", ["Xã, phường", "Công trình", "Hộ"],
                           [*[[f"Phường thứ {at}", f"{at}00", "1.234,5"] for at in range(count)],
                            ["Tổng cộng", "9.999", "8.888"]], total=True)
        sheet.show([layer], SheetTexts(title="T", source="s", table=table), extent=layer.extent())
        (page,) = printed(sheet, tmp_path / f"bảng {count}.pdf")
        assert all(f"Phường thứ {at}" in page for at in range(count)) and "Tổng cộng" in page and "8.888" in page
    sheet.show([layer], TEXTS, extent=layer.extent())
    assert "Tổng cộng" not in printed(sheet, tmp_path / "không bảng.pdf")[0]


def test_headings_can_be_renamed_and_a_single_symbol_takes_the_layer_name(project, tmp_path):
    classes, plain = squares(project, ["a1", "b1"], name="Tên lớp"), squares(project, ["x"], name="Ranh giới")
    plain.setRenderer(plain.renderer().defaultRenderer(plain.geometryType()))
    sheet = MapSheet(project, paper="A4")
    sheet.show([plain, classes], TEXTS, extent=classes.extent(),
               legend=[LegendEntry(plain), LegendEntry(classes, "Phân loại")])
    (page,) = printed(sheet, tmp_path / "tên.pdf")
    assert page.count("Ranh giới") == 1 and "Phân loại" in page and "Tên lớp" not in page


def test_bad_requests_get_one_clear_sentence(project, tmp_path):
    layer = squares(project, ["a"])
    with pytest.raises(InputError, match="A5.*A4, A3"):
        MapSheet(project, paper="A5")
    sheet = MapSheet(project, paper="A4")
    with pytest.raises(InputError, match="Phạm vi in trống"):
        sheet.show([layer], TEXTS, extent=QgsRectangle())
    sheet.show([layer], TEXTS, extent=layer.extent())
    with pytest.raises(OutputError, match="Không có thư mục"):
        sheet.to_pdf(tmp_path / "chưa có" / "x.pdf")
    assert not list(tmp_path.iterdir())


def test_a_named_sheet_stays_in_the_project_and_replaces_its_former(project, tmp_path):
    layer = squares(project, ["a"])
    for _ in range(2):
        MapSheet(project, paper="A4", name="Bản in").show([layer], TEXTS, extent=layer.extent())
    assert [layout.name() for layout in project.layoutManager().layouts()] == ["Bản in"]
    assert project.write(str(tmp_path / "dự án.qgz"))
    again = QgsProject()
    assert again.read(str(tmp_path / "dự án.qgz"))
    assert [layout.name() for layout in again.layoutManager().layouts()] == ["Bản in"]
