"""The printed maps, one per domain, as PDF and PNG; their layouts stay in the project to be printed again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsMapLayer, QgsProject, QgsRectangle

from ...processing_algorithms.common.layout.qgis_layout import LegendEntry, MapSheet, SheetTexts
from ...processing_algorithms.common.numbers_vi import format_number
from . import analyses
from .analyses import Findings
from .folder import Folder
from .project import layers_of
from .sheet_tables import estimate, exposure_by_unit, land_by_group, reach_by_break, zones_by_function

NOTICE = "DỮ LIỆU MẪU, KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"
_SOURCE = "cơ sở dữ liệu dùng chung (dữ liệu mẫu đô thị Lam Trạch, giả định)"
_TOWN = "Đô thị Lam Trạch, tỉnh Hương Nguyên (giả định)"


@dataclass(frozen=True)
class Content:
    """What one sheet shows."""

    layers: list[QgsMapLayer]
    texts: SheetTexts
    extent: QgsRectangle
    legend: list[LegendEntry]


@dataclass(frozen=True)
class Sheet:
    """One printed map: its file and layout name, and what goes on it."""

    file: str
    layout: str
    content: Callable[[dict[str, QgsMapLayer], Findings], Content]


def print_sheet(sheet: Sheet, folder: Folder, project: QgsProject, layers: dict[str, QgsMapLayer],
                findings: Findings) -> MapSheet:
    """Make the layout in the project and print it."""
    content = sheet.content(layers, findings)
    made = MapSheet(project, paper="A3", name=sheet.layout)
    made.show(content.layers, content.texts, extent=content.extent, legend=content.legend)
    made.to_pdf(folder.sheet(f"{sheet.file}.pdf"))
    made.to_png(folder.sheet(f"{sheet.file}.png"))
    return made


def _land_use(layers: dict[str, QgsMapLayer], findings: Findings) -> Content:
    return Content(
        layers_of(layers, "l"),
        SheetTexts(
            title="BẢN ĐỒ HIỆN TRẠNG SỬ DỤNG ĐẤT NĂM 2025", subtitle=_TOWN, notice=NOTICE,
            source=f"{_SOURCE}, lớp hiện trạng sử dụng đất năm 2025.",
            table=land_by_group(findings.land_use["OUTPUT"]),
            remarks=["Diện tích tính trên mặt phẳng bản đồ.",
                     "* Màu ký hiệu chưa có trong quy định hoặc các nguồn chưa thống nhất."]),
        layers["land_use"].extent(),
        [LegendEntry(layers["units"], "Ranh giới xã, phường"), LegendEntry(layers["land_use"], "Loại đất")])


def _zoning(layers: dict[str, QgsMapLayer], findings: Findings) -> Content:
    result = findings.zoning
    return Content(
        layers_of(layers, "z"),
        SheetTexts(
            title="BẢN ĐỒ SỬ DỤNG ĐẤT QUY HOẠCH",
            subtitle="Quy hoạch phân khu Trung tâm, phường Lam Trạch, tỷ lệ 1/2.000 (giả định)", notice=NOTICE,
            source=f"{_SOURCE}, đồ án {analyses.SUB_AREA_PLAN}.",
            table=zones_by_function(layers["zones"]),
            remarks=[f"{format_number(result['SPLIT_PARCELS'])} thửa đất thuộc nhiều ô quy hoạch, trong đó "
                     f"{format_number(result['SPLIT_BEYOND_TOLERANCE'])} thửa ngoài sai số ghép bản đồ "
                     "(0,4 mm trên giấy)."]),
        layers["zones"].extent(),
        [LegendEntry(layers["plan"], "Ranh giới đồ án"), LegendEntry(layers["constraints"]),
         LegendEntry(layers["parcels"]),
         LegendEntry(layers["zones"], "Chức năng sử dụng đất"), LegendEntry(layers["river"])])


def _traffic(layers: dict[str, QgsMapLayer], findings: Findings) -> Content:
    result = findings.access
    return Content(
        layers_of(layers, "t"),
        SheetTexts(
            title="PHẠM VI PHỤC VỤ CỦA TRẠM Y TẾ, BỆNH VIỆN THEO MẠNG LƯỚI ĐƯỜNG", subtitle=_TOWN, notice=NOTICE,
            source=f"{_SOURCE}, lớp đường giao thông và công trình dịch vụ.",
            table=reach_by_break(layers["reached"], analyses.BREAKS.split(";")),
            remarks=["Thời gian đi theo tốc độ và chiều lưu thông của từng đoạn đường từ "
                     f"{result['ORIGINS_USED']} cơ sở y tế; vùng gồm đất cách đường đến được không quá "
                     f"{analyses.STRIP_M} m."]),
        layers["streets"].extent(),
        [LegendEntry(layers["origins"]), LegendEntry(layers["areas"], "Phạm vi phục vụ"),
         LegendEntry(layers["streets"], "Đường giao thông"),
         LegendEntry(layers["units"], "Ranh giới xã, phường"), LegendEntry(layers["river"])])


def _flood(layers: dict[str, QgsMapLayer], findings: Findings) -> Content:
    report = Path(findings.flood["GPKG"])
    return Content(
        layers_of(layers, "d"),
        SheetTexts(
            title="BẢN ĐỒ ĐỘ SÂU NGẬP VÀ CÔNG TRÌNH BỊ NGẬP",
            subtitle=f"{_TOWN}. Theo bản tin phát lúc 05 giờ 00 ngày 02/11/2026 (giả định)", notice=NOTICE,
            source=f"{_SOURCE}, mô hình số độ cao ô lưới 5 m.",
            table=exposure_by_unit(report),
            remarks=[
                f"Khoảng {estimate(findings.flood['CUT_OFF_RESIDENTS'])} khẩu bị cô lập, chia cắt.",
                "Mặt nước dọc theo sông giữa các trạm; đê giữ đến khi tràn.",
                "Phụ lục có mức thấp - giữa - cao theo sai số địa hình."]),
        layers["hillshade"].extent(),
        [LegendEntry(layers["levels"]), LegendEntry(layers["depth"], "Độ sâu ngập"),
         LegendEntry(layers["exposed"], "Công trình bị ngập"), LegendEntry(layers["buildings"], "Công trình khác"),
         LegendEntry(layers["streets"], "Đường giao thông"), LegendEntry(layers["units"], "Ranh giới xã, phường"),
         LegendEntry(layers["river"])])


SHEETS = (
    Sheet("1_hien_trang_su_dung_dat_2025", "Hiện trạng sử dụng đất", _land_use),
    Sheet("2_quy_hoach_phan_khu", "Quy hoạch phân khu", _zoning),
    Sheet("3_pham_vi_phuc_vu_y_te", "Phạm vi phục vụ", _traffic),
    Sheet("4_do_sau_ngap", "Độ sâu ngập", _flood),
)
