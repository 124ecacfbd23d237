"""The six algorithms on the shared database, each with the layers a planner would give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qgis.core import QgsFeature, QgsField, QgsVectorFileWriter, QgsVectorLayer
from qgis.PyQt.QtCore import QMetaType

from ...processing_algorithms.common.numbers_vi import format_number
from .database import hub_layer
from .folder import Folder
from .running import AlgorithmFailed, run

#: The scenario of the flood: which alarm level, and metres above it at every gauge.
ALARM, ABOVE_ALARM = 3, 0.10
#: Minutes of travel for the service areas.
BREAKS = "1;2;3;5"
#: Width of the land on each side of a street that counts as served, metres.
STRIP_M = 150
SUB_AREA_PLAN = "QPK-TT-2035"


@dataclass(frozen=True)
class Findings:
    """The outputs of the six algorithms by their id."""

    land_use: dict[str, Any]
    changes: dict[str, Any]
    zoning: dict[str, Any]
    access: dict[str, Any]
    depth: dict[str, Any]
    exposure: dict[str, Any]


def scenario() -> str:
    """The scenario of the flood in words."""
    return f"mực nước các trạm trên BĐ{ALARM} {format_number(ABOVE_ALARM, 2)} m"


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


def flood_depth(folder: Folder) -> dict[str, Any]:
    """The depth of the scenario. Water comes from the river only: sluices of the canals behind the dyke are shut."""
    return run("flooddepth", TERRAIN=str(folder.terrain), LEVELS=write_levels(folder), LEVEL_FIELD="level_m",
               SOURCE=hub_layer(folder, "river", "Sông", "kind = 'river'"), VERTICAL_DATUM="Hòn Dấu (Việt Nam 2000)",
               OUTPUT=str(folder.result("do_sau_ngap.tif")))


def flood_exposure(folder: Folder) -> dict[str, Any]:
    """Who and what stands in the water."""
    return run("floodexposure", DEPTH=str(folder.result("do_sau_ngap.tif")),
               BUILDINGS=hub_layer(folder, "building", "Công trình"),
               RESIDENTS_FIELD="residents", HOUSEHOLDS_FIELD="households", UNITS=units(folder), UNIT_FIELD="name",
               ROADS=hub_layer(folder, "road", "Đường giao thông"), LAND_USE=land_use(folder, 2025),
               LAND_USE_FIELD="land_code",
               OUTPUT_BUILDINGS=str(folder.result("cong_trinh_bi_ngap.gpkg")),
               OUTPUT=str(folder.result("doi_tuong_bi_ngap.gpkg")),
               OUTPUT_LAND_USE=str(folder.result("dat_bi_ngap.gpkg")), XLSX=str(folder.table("doi_tuong_bi_ngap.xlsx")))


def write_levels(folder: Folder) -> str:
    """Write the gauges with the level of the scenario in the national height system, as one types a bulletin.

    A gauge that counts from its own zero is brought to the national system first.
    """
    gauges = hub_layer(folder, "gauge", "Trạm thủy văn")
    levels = QgsVectorLayer(f"Point?crs={gauges.crs().authid()}", "levels", "memory")
    levels.dataProvider().addAttributes([QgsField("name", QMetaType.Type.QString),
                                         QgsField("level_m", QMetaType.Type.Double)])
    levels.updateFields()
    rows = []
    for gauge in gauges.getFeatures():
        zero = gauge["gauge_zero_m"] if gauge["datum"] == "gauge_zero" else 0.0
        row = QgsFeature(levels.fields())
        row.setAttributes([gauge["name"], round(gauge[f"alarm_{ALARM}_m"] + ABOVE_ALARM + zero, 2)])
        row.setGeometry(gauge.geometry())
        rows.append(row)
    levels.dataProvider().addFeatures(rows)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", "muc_nuoc"
    path = str(folder.result("muc_nuoc.gpkg"))
    outcome = QgsVectorFileWriter.writeAsVectorFormatV3(levels, path, gauges.transformContext(), options)
    if outcome[0] != QgsVectorFileWriter.WriterError.NoError:
        raise AlgorithmFailed(outcome[1])
    return path
