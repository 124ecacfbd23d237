"""Command line of the demo; see scripts/demo."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from ...processing_algorithms.common.errors import InputError, QuyHoachError
from ...processing_algorithms.common.language import say, set_language
from .folder import Folder, new_folder
from .terminal import Steps, complain

_ROOT = Path(__file__).resolve().parents[2]
SAMPLES = _ROOT / "data_samples"


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/demo",
                                     description="Chạy trình diễn QuyHoach trên đô thị mẫu Lam Trạch.")
    parser.add_argument("--output", type=Path, default=_ROOT / "demo_output",
                        help="thư mục kết quả (mặc định: demo_output)")
    parser.add_argument("--pictures", type=Path, help="ghi thêm hình của README vào thư mục này")
    parser.add_argument("--postgis", action="store_true",
                        help="làm lại phần nhiều cơ quan cùng cập nhật trên một PostGIS thật (tự khởi động)")
    parser.add_argument("--show", action="store_true", help="mở dự án trong QGIS sau khi xong")
    parser.add_argument("--project-note", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    set_language("vi")
    try:
        folder = demonstrate(options.output, options.pictures, postgis=options.postgis)
    except QuyHoachError as error:
        complain(str(error))
        return 1
    if options.project_note is not None:
        options.project_note.write_text(str(folder.project), encoding="utf-8")
    return 0


def demonstrate(output: Path, pictures: Path | None = None, *, postgis: bool = False) -> Folder:
    """Do the whole job.

    Raises
    ------
    QuyHoachError
        A step failed; what was made before it stays.
    """
    steps = Steps(total=17 if postgis else 16)
    with steps.step("Khởi động QGIS"):
        from .running import start_qgis

        start_qgis()
        from ...processing_algorithms.provincial_database.catalogue import load_catalogue
        from . import analyses, database, offices, summary
        from . import project as projects
        from .sheets import SHEETS, print_sheet

    with steps.step("Chuẩn bị thư mục và dữ liệu mẫu"):
        town, terrain, bulletin = SAMPLES / "town.gpkg", SAMPLES / "terrain.tif", SAMPLES / "bulletin_alarm_3.txt"
        for needed in (town, terrain, bulletin):
            if not needed.exists():
                raise InputError(say("Thiếu dữ liệu mẫu {path}; hãy chạy scripts/make_samples.",
                                     "The sample {path} is missing; run scripts/make_samples.").format(path=needed))
        folder = new_folder(output)
        shutil.copyfile(terrain, folder.terrain)
    with steps.step("Tạo cơ sở dữ liệu dùng chung"):
        database.create_database(folder, "EPSG:9214")
    with steps.step("Nhập dữ liệu mẫu vào cơ sở dữ liệu"):
        filled = database.fill_database(folder, town, set(load_catalogue()))
    with steps.step("Thống kê diện tích theo loại đất"):
        land_use = analyses.land_use_statistics(folder)
    with steps.step("Chu chuyển diện tích các loại đất 2020-2025"):
        changes = analyses.land_use_changes(folder)
    with steps.step("Tra cứu quy hoạch theo thửa đất"):
        zoning = analyses.parcel_zoning(folder)
    with steps.step("Phạm vi phục vụ theo mạng lưới đường"):
        access = analyses.service_areas(folder)
    with steps.step("Sáng mưa lũ: từ bản tin đến phụ lục báo cáo"):
        flood = analyses.flood_morning(folder, town, bulletin)
    with steps.step("Hai phường và Sở Xây dựng cùng cập nhật"):
        story = offices.work_together(str(folder.hub), folder.offices, town)
    if postgis:
        from .postgis import work_together_on_postgis

        with steps.step("Cùng cập nhật trên PostGIS"):
            work_together_on_postgis(folder.offices / "postgis", town)
    findings = analyses.Findings(land_use, changes, zoning, access, flood)
    with steps.step("Lập dự án QGIS"):
        project, layers = projects.make_project(folder)
    sheets = []
    for sheet in SHEETS:
        with steps.step(f"In bản đồ: {sheet.layout}"):
            sheets.append(print_sheet(sheet, folder, project, layers, findings))
    with steps.step("Lưu dự án QGIS"):
        projects.save_project(project)
        if pictures is not None:
            write_pictures(pictures, folder)
    summary.tell(folder, filled, findings, story, steps)
    return folder


def write_pictures(target: Path, folder: Folder) -> None:
    """Write the two pictures of the README from the printed maps."""
    from .pictures import picture

    target.mkdir(parents=True, exist_ok=True)
    picture(folder.sheet("4_do_sau_ngap.png"), target / "demo_flood.png")
    picture(folder.sheet("2_quy_hoach_phan_khu.png"), target / "demo_zoning.png")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # QGIS's own clean-up may outlive Python's
