"""The end of the demo: the figures a person would ask for, where the files lie, and how long it took."""

from __future__ import annotations

from pathlib import Path

from ...processing_algorithms.common.numbers_vi import format_number
from . import analyses
from .analyses import Findings
from .database import Filled
from .folder import Folder
from .offices import Story
from .sheet_tables import estimate, flood_totals
from .terminal import Steps


def tell(folder: Folder, filled: Filled, findings: Findings, story: Story, steps: Steps) -> None:
    """Print the summary."""
    use, change, zone = findings.land_use, findings.changes, findings.zoning
    access, flood, hit = findings.access, findings.flood, flood_totals(Path(findings.flood["GPKG"]))
    lines = [
        ("Cơ sở dữ liệu", f"{filled.datasets} lớp, {number(filled.rows)} đối tượng; "
                          f"{filled.rejected} đối tượng bị từ chối, giữ lại kèm lý do"),
        ("Sử dụng đất", f"{hectares(use['TOTAL_AREA'])} ha; mã ngoài danh mục: {hectares(use['UNKNOWN_AREA'])} ha"),
        ("Chu chuyển", f"{hectares(change['CHANGED_AREA'])} ha đổi loại đất 2020-2025; nhiễu ranh giới "
                       f"{hectares(change['NOISE_AREA'])} ha tính riêng"),
        ("Quy hoạch", f"{number(zone['PIECES'])} phần thửa trong ô quy hoạch; "
                      f"{number(zone['SPLIT_PARCELS'])} thửa thuộc nhiều ô, "
                      f"{number(zone['SPLIT_BEYOND_TOLERANCE'])} thửa ngoài sai số ghép bản đồ"),
        ("Giao thông", f"{access['ORIGINS_USED']} cơ sở y tế; "
                       f"{number(access['REACHED_LENGTH'] / 1000)} km đường đến được trong "
                       f"{analyses.BREAKS.split(';')[-1]} phút"),
        ("Ngập lụt", f"theo bản tin 05 giờ 00 ngày 02/11/2026: ngập {number(flood['WET_AREA'] / 1e4)} ha"),
        ("Bị ảnh hưởng", f"khoảng {estimate(hit['buildings'])} công trình, {estimate(hit['households'])} hộ, {estimate(hit['residents'])} khẩu; "
                         f"{estimate(flood['CUT_OFF_RESIDENTS'])} khẩu bị cô lập, chia cắt"),
        ("Nhiều cơ quan", f"3 bản dữ liệu làm việc ({number(story.checked_out)} thửa); {story.sent} chỉnh sửa qua mạng, "
                          f"{story.by_file} qua tệp; {story.conflicts} xung đột đã xử lý; ba nơi giống nhau"),
    ]
    print("\nKẾT QUẢ (dữ liệu mẫu, không có giá trị pháp lý)")
    for head, text in lines:
        print(f"  {head:<14} {text}")
    print("\nTIN NHẮN (dán vào nhóm trực ban)")
    for line in flood["MESSAGE"].split("\n"):
        print(f"  {line}")
    print("\nTỆP KẾT QUẢ")
    for head, path in (("Dự án QGIS", folder.project), ("Bản đồ in", folder.sheet("")), ("Bảng xlsx", folder.table("")),
                       ("Phụ lục ngập", flood["PDF"]), ("Ảnh ngập", flood["PNG"]), ("Cơ sở dữ liệu", folder.hub)):
        print(f"  {head:<14} {path}")
    print(f"\nXong trong {format_number(steps.elapsed(), 0)} giây.", flush=True)


def number(value: float, decimals: int = 0) -> str:
    """A number as it is written in Vietnam."""
    return format_number(value, decimals)


def hectares(square_metres: float) -> str:
    """Hectares with two decimals."""
    return format_number(square_metres / 1e4, 2)
