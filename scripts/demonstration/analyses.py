"""The algorithms on the shared database, each with the layers a planner or a duty officer would give it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import QgsVectorLayer

from .database import hub_layer
from .folder import Folder
from .running import run

#: Minutes of travel for the service areas.
BREAKS = "1;2;3;5"
#: Width of the land on each side of a street that counts as served, metres.
STRIP_M = 150
SUB_AREA_PLAN = "QPK-TT-2035"


@dataclass(frozen=True)
class Findings:
    """The outputs of the algorithms."""

    land_use: dict[str, Any]
    changes: dict[str, Any]
    zoning: dict[str, Any]
    access: dict[str, Any]
    flood: dict[str, Any]


def units(folder: Folder) -> QgsVectorLayer:
    """The wards and communes of today; the database also keeps those before July 2025."""
    return hub_layer(folder, "administrative_unit", "Đơn vị hành chính cấp xã", "valid_to IS NULL")


def land_use(folder: Folder, year: int) -> QgsVectorLayer:
    """The land use of one inventory."""
    return hub_layer(folder, "land_use", f"Hiện trạng sử dụng đất năm {year}", f"year = {year}")


def zones(folder: Folder) -> QgsVectorLayer:
    """The zones of the sub-area plan."""
    return hub_layer(folder, "zone", "Ô quy hoạch", f"plan_ref = '{SUB_AREA_PLAN}'")


def clinics(folder: Folder) -> QgsVectorLayer:
    """Health stations and hospitals."""
    return hub_layer(folder, "facility", "Trạm y tế, bệnh viện", "kind IN ('clinic', 'hospital')")


def land_use_statistics(folder: Folder) -> dict[str, Any]:
    """Area by land type and ward."""
    return run("landusestatistics", INPUT=land_use(folder, 2025), CODE_FIELD="land_code", UNITS=units(folder),
               UNIT_FIELD="name",
               OUTPUT=str(folder.result("dien_tich_loai_dat.gpkg")),
               XLSX=str(folder.table("dien_tich_theo_loai_dat.xlsx")))


def land_use_changes(folder: Folder) -> dict[str, Any]:
    """What became of the land between the two inventories."""
    return run("landusechangematrix", BEFORE=land_use(folder, 2020), BEFORE_CODE="land_code",
               AFTER=land_use(folder, 2025),
               AFTER_CODE="land_code", MIN_AREA=20, OUTPUT=str(folder.result("chu_chuyen.gpkg")),
               MATRIX=str(folder.result("ma_tran_chu_chuyen.gpkg")), XLSX=str(folder.table("chu_chuyen_dat_dai.xlsx")))


def parcel_zoning(folder: Folder) -> dict[str, Any]:
    """In which zones of the sub-area plan each parcel lies."""
    return run("parcelzoning", PARCELS=hub_layer(folder, "parcel", "Thửa đất"), ZONES=zones(folder),
               ZONE_FIELD="function_code",
               SCALE=2000, OUTPUT=str(folder.result("thua_theo_o_quy_hoach.gpkg")))


def service_areas(folder: Folder) -> dict[str, Any]:
    """How far an ambulance gets from the health stations and the hospital."""
    return run("servicearea", NETWORK=hub_layer(folder, "road", "Đường giao thông"), ORIGINS=clinics(folder),
               ORIGIN_FIELD="name",
               BREAKS=BREAKS, COST=1, MERGE=2, RINGS=True, WIDTH=STRIP_M,
               SPEED_FIELD="speed_kmh", DIRECTION_FIELD="direction",
               OUTPUT_LINES=str(folder.result("duong_den_duoc.gpkg")),
               OUTPUT_AREAS=str(folder.result("pham_vi_phuc_vu.gpkg")),
               OUTPUT_ORIGINS=str(folder.result("noi_xuat_phat.gpkg")))


def flood_morning(folder: Folder, town: Path, bulletin: Path) -> dict[str, Any]:
    """From the bulletin to picture, text, annex and tables.

    Water comes from the river only: sluices of the canals behind the dyke are shut. Axes of rivers and dykes are the sample's own.
    """
    return run("floodreport", FILE=str(bulletin), STATIONS=hub_layer(folder, "gauge", "Trạm thủy văn"), READINGS=1,
               TERRAIN=str(folder.terrain),
               VERTICAL_DATUM="Hòn Dấu (Việt Nam 2000)", SOURCE=hub_layer(folder, "river", "Sông", "kind = 'river'"),
               RIVERS=f"{town}|layername=river_axis", DYKES=f"{town}|layername=dyke", BUILDINGS=hub_layer(folder, "building", "Công trình"),
               UNITS=units(folder), HAMLETS=hub_layer(folder, "hamlet", "Thôn, tổ dân phố"),
               ROADS=hub_layer(folder, "road", "Đường giao thông"),
               FACILITIES=hub_layer(folder, "facility", "Công trình dịch vụ"),
               SHELTERS=hub_layer(folder, "shelter", "Điểm sơ tán"),
               PLACE="đô thị mẫu Lam Trạch", RISK_LEVEL="cấp 3", OUTPUT=str(folder.report))
