"""The end of the demo: the figures a person would ask for, where the files lie, and how long it took."""

from __future__ import annotations

from ...processing_algorithms.common.numbers_vi import format_number
from . import analyses
from .analyses import Findings
from .database import Filled
from .folder import Folder
from .offices import Story
from .sheet_tables import estimate
from .terminal import Steps


def tell(folder: Folder, filled: Filled, findings: Findings, story: Story, steps: Steps) -> None:
    """Print the summary."""
    use, change, zone = findings.land_use, findings.changes, findings.zoning
    access, depth, hit = findings.access, findings.depth, findings.exposure
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
        ("Ngập lụt", f"{analyses.scenario()}: ngập {number(depth['WET_AREA'] / 1e4)} ha, "
                     f"sâu nhất {number(depth['MAX_DEPTH'], 1)} m"),
        ("Bị ảnh hưởng", f"khoảng {estimate(hit['WET_BUILDINGS'])} công trình, {estimate(hit['WET_HOUSEHOLDS'])} hộ, "
                         f"{estimate(hit['WET_RESIDENTS'])} khẩu; {number(hit['WET_ROAD'] / 1000)} km đường"),
        ("Nhiều cơ quan", f"3 bản dữ liệu làm việc ({number(story.checked_out)} thửa); {story.sent} chỉnh sửa qua mạng, "
                          f"{story.by_file} qua tệp; {story.conflicts} xung đột đã xử lý; ba nơi giống nhau"),
    ]
    print("\nKẾT QUẢ (dữ liệu mẫu, không có giá trị pháp lý)")
    for head, text in lines:
        print(f"  {head:<14} {text}")
    print("\nTỆP KẾT QUẢ")
    for head, path in (("Dự án QGIS", folder.project), ("Bản đồ in", folder.sheet("")), ("Bảng xlsx", folder.table("")),
                       ("Cơ sở dữ liệu", folder.hub)):
        print(f"  {head:<14} {path}")
    print(f"\nXong trong {format_number(steps.elapsed(), 0)} giây.", flush=True)


def number(value: float, decimals: int = 0) -> str:
    """A number as it is written in Vietnam."""
    return format_number(value, decimals)


def hectares(square_metres: float) -> str:
    """Hectares with two decimals."""
    return format_number(square_metres / 1e4, 2)
