"""Write the three ready models: what a land office does every week, what comes in with a plan, the morning of a flood.

Fields bear the names of the catalogue, so that people choose layers only.
"""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
)
from qgis.core import (
    QgsProcessingModelChildParameterSource as From,
)
from qgis.PyQt.QtCore import QPointF
from quyhoach.processing_algorithms.common import qgis_parameters as ask
from quyhoach.processing_algorithms.common.language import LANGUAGES, say, set_language
from quyhoach.processing_algorithms.provider import QuyHoachProvider

FOLDER = Path(__file__).resolve().parents[2] / "plugin" / "models"


@dataclass
class Step:
    """One algorithm of a model: inputs (``@NAME`` is an input of the model, ``id.OUTPUT`` another step's), results by key."""

    id: str
    inputs: dict[str, Any]
    results: dict[str, str]


def file(key: str, label: str, help: str, filter_: str, optional: bool = True) -> QgsProcessingParameterDefinition:
    """A file to be chosen."""
    return ask.with_help(QgsProcessingParameterFile(key, label, Qgis.ProcessingFileParameterBehavior.File, "", None, optional, filter_), help)


def weekly_inventory() -> tuple[str, str, list, list[Step]]:
    """Land use by type and what changed, with both tables to print."""
    return (
        say("Kiểm kê đất hằng tuần", "Weekly land inventory"),
        say("Thống kê diện tích theo loại đất của từng xã và lập bảng chu chuyển so với lần trước, kèm hai bảng in được. Diện tích đo trên mặt phẳng bản đồ, hecta. "
            "Các lớp dùng tên trường của danh mục dữ liệu: land_code, name.",
            "Areas by land type for each commune and the change since last time, with both tables to print. Areas in the plane of the map, hectares. "
            "Layers have the catalogue's fields: land_code, name."),
        [ask.layer("LAND_USE", say("Hiện trạng sử dụng đất", "Land use now"), say("Có trường land_code.", "With the field land_code."), ask.POLYGONS),
         ask.layer("PREVIOUS", say("Hiện trạng lần trước", "Land use last time"), say("Có trường land_code.", "With the field land_code."), ask.POLYGONS),
         ask.layer("UNITS", say("Đơn vị hành chính", "Communes"), say("Có trường name.", "With the field name."), ask.POLYGONS)],
        [Step("landusestatistics", {"INPUT": "@LAND_USE", "CODE_FIELD": "land_code", "UNITS": "@UNITS", "UNIT_FIELD": "name"},
              {"OUTPUT": say("Diện tích theo loại đất", "Areas by land type"), "XLSX": say("Bảng diện tích (xlsx)", "Table of areas (xlsx)")}),
         Step("landusechangematrix", {"BEFORE": "@PREVIOUS", "BEFORE_CODE": "land_code", "AFTER": "@LAND_USE", "AFTER_CODE": "land_code", "MIN_AREA": 20},
              {"OUTPUT": say("Phần đất đổi loại", "Changed land"), "MATRIX": say("Bảng chu chuyển", "Change matrix"),
               "XLSX": say("Bảng chu chuyển (xlsx)", "Change matrix (xlsx)")})])


def plan_intake() -> tuple[str, str, list, list[Step]]:
    """Everything that is looked at when a consultant hands in a plan."""
    return (
        say("Tiếp nhận đồ án quy hoạch mới", "Intake of a new plan"),
        say("Kiểm tra cơ sở dữ liệu GIS của hồ sơ, lập bảng cân bằng sử dụng đất của đồ án và rà soát chồng lấn với các đồ án đã có. Kết quả kiểm tra nêu văn bản, "
            "bảng và dòng làm căn cứ. Diện tích đo trên mặt phẳng bản đồ, hecta. Các lớp dùng tên trường của danh mục dữ liệu.",
            "Checks the GIS dossier, makes the plan's land balance and looks for conflicts with the plans there are. Findings name regulation, table and row. Areas in the "
            "plane of the map, hectares. Layers have the catalogue's fields."),
        [ask.folder("DOSSIER", say("Thư mục hồ sơ HoSoGIS", "Folder of the dossier (HoSoGIS)"), say("Hồ sơ tư vấn nộp.", "As handed in.")),
         ask.layer("NEW_ZONES", say("Ô quy hoạch của đồ án mới", "Zones of the new plan"), say("Có trường function_code.", "With the field function_code."), ask.POLYGONS),
         ask.layer("PLANS", say("Các đồ án quy hoạch", "Plans"), say("Ranh giới mọi đồ án, kể cả đồ án mới.", "Boundaries of all plans, the new one too."), ask.POLYGONS),
         ask.layer("ZONES", say("Ô quy hoạch của các đồ án", "Zones of all plans"), say("Có trường plan_ref, function_code.", "With plan_ref, function_code."), ask.POLYGONS)],
        [Step("plandossiercheck", {"DOSSIER": "@DOSSIER"}, {"OUTPUT": say("Lỗi của hồ sơ", "Errors of the dossier"),
                                                            "REPORT": say("Báo cáo kiểm tra (xlsx, docx)", "Report of the check (xlsx, docx)")}),
         Step("landbalance", {"ZONES": "@NEW_ZONES", "FUNCTION_FIELD": "function_code"}, {"OUTPUT": say("Cân bằng sử dụng đất", "Land balance"),
                                                                                          "XLSX": say("Bảng cân bằng (xlsx)", "Land balance (xlsx)")}),
         Step("planconflicts", {"PLANS": "@PLANS", "ZONES": "@ZONES"}, {"OUTPUT": say("Chỗ mâu thuẫn", "Places of conflict"),
                                                                        "XLSX": say("Bảng mâu thuẫn (xlsx)", "Conflicts (xlsx)")})])


def flood_morning() -> tuple[str, str, list, list[Step]]:
    """From the bulletin to depth, exposure and streets, layer by layer."""
    text = ask.text("BULLETIN", say("Bản tin", "Bulletin"), say("Dán nguyên văn; hoặc chọn tệp ở dưới.", "Pasted as it is; or choose a file below."), optional=True)
    text.setMultiLine(True)
    return (
        say("Sáng mưa lũ: từ bản tin đến đường ngập", "Flood morning: from the bulletin to flooded streets"),
        say("Đọc bản tin, tính độ sâu ngập từ mực nước trạm, thống kê đối tượng bị ngập và tìm đường ngập, nơi bị cô lập; mỗi bước cho một lớp để xem và chỉnh. Muốn có ngay "
            "phụ lục in được thì dùng \"Lập phụ lục báo cáo nhanh ngập lụt\". Mét, hecta, hộ, khẩu. Các lớp dùng tên trường của danh mục dữ liệu.",
            "Reads the bulletin, computes the depth from gauge levels, counts what stands in the water and finds flooded streets and places cut off; each step gives a layer to look at. "
            "For the printed annex at once use the flood report. Metres, hectares, households, people. Layers have the catalogue's fields."),
        [text, file("BULLETIN_FILE", say("Hoặc tệp bản tin", "Or a bulletin file"), say("Tệp .txt, .docx hoặc .xlsx.", "A .txt, .docx or .xlsx file."), "(*.txt *.docx *.xlsx)"),
         ask.layer("STATIONS", say("Trạm thủy văn", "Gauges"), say("Như tập dữ liệu \"Trạm thủy văn\".", "As in the dataset \"Gauge\"."), ask.POINTS),
         ask.raster("TERRAIN", say("Địa hình (mô hình số độ cao)", "Terrain (elevation model)"), say("Cao độ mặt đất, mét.", "Heights of the ground, metres.")),
         ask.layer("SOURCE", say("Nguồn nước (sông chính)", "Source of the water (main rivers)"), say("Nước lan từ đây.", "Water spreads from here."), ask.POLYGONS + ask.LINES),
         ask.layer("BUILDINGS", say("Công trình, nhà ở", "Buildings"), say("Có trường residents, households.", "With residents, households."), ask.POLYGONS),
         ask.layer("UNITS", say("Xã, phường", "Communes"), say("Có trường name.", "With the field name."), ask.POLYGONS),
         ask.layer("ROADS", say("Đường giao thông", "Streets"), say("Tim đường, có trường bridge.", "Centre lines with the field bridge."), ask.LINES)],
        [Step("bulletin", {"TEXT": "@BULLETIN", "FILE": "@BULLETIN_FILE", "STATIONS": "@STATIONS", "READINGS": 2}, {"OUTPUT": say("Mực nước tại các trạm", "Levels at the gauges")}),
         Step("flooddepth", {"TERRAIN": "@TERRAIN", "LEVELS": "bulletin.OUTPUT", "LEVEL_FIELD": "height_m", "SOURCE": "@SOURCE", "VERTICAL_DATUM": "Hòn Dấu", "TERRAIN_ERROR": 0.3},
              {"OUTPUT": say("Độ sâu ngập", "Flood depth")}),
         Step("floodexposure", {"DEPTH": "flooddepth.OUTPUT", "BUILDINGS": "@BUILDINGS", "RESIDENTS_FIELD": "residents", "HOUSEHOLDS_FIELD": "households", "UNITS": "@UNITS",
                                "UNIT_FIELD": "name", "ROADS": "@ROADS"},
              {"OUTPUT": say("Đối tượng bị ngập theo xã", "Exposure by commune"), "OUTPUT_BUILDINGS": say("Công trình và độ sâu", "Buildings with their depth"),
               "XLSX": say("Bảng đối tượng bị ngập (xlsx)", "Exposure (xlsx)")}),
         Step("floodednetwork", {"DEPTH": "flooddepth.OUTPUT", "NETWORK": "@ROADS", "BRIDGE_FIELD": "bridge", "BUILDINGS": "@BUILDINGS", "RESIDENTS_FIELD": "residents",
                                 "HOUSEHOLDS_FIELD": "households", "UNITS": "@UNITS", "UNIT_FIELD": "name"},
              {"OUTPUT": say("Đoạn đường ngập", "Flooded streets"), "OUTPUT_UNITS": say("Theo xã: đường ngập, bị cô lập", "By commune: streets, cut off")})])


MODELS = {"weeklyinventory": weekly_inventory, "planintake": plan_intake, "floodmorning": flood_morning}


def build(title: str, help: str, inputs: list, steps: list[Step]) -> QgsProcessingModelAlgorithm:
    """Put a model together, laid out from left to right as the designer shows it."""
    model = QgsProcessingModelAlgorithm(title, "", "")
    model.setHelpContent({"ALG_DESC": help, **{p.name(): p.help() for p in inputs}})
    for at, parameter in enumerate(inputs):
        component = QgsProcessingModelParameter(parameter.name())
        component.setPosition(QPointF(150, 80 + 110 * at))
        model.addModelParameter(parameter, component)
    for at, step in enumerate(steps):
        child = QgsProcessingModelChildAlgorithm(f"quyhoach:{step.id}")
        child.setChildId(step.id)
        if child.algorithm() is None:
            raise SystemExit(f"there is no quyhoach:{step.id}")
        child.setDescription(child.algorithm().displayName())
        child.setPosition(QPointF(520 + 60 * at, 80 + 160 * at))
        for key, value in step.inputs.items():
            child.addParameterSources(key, [source(value)])
        outputs = {}
        for place, (key, label) in enumerate(step.results.items()):
            # QGIS makes the key of a result from its description: English there, what people read in the comment.
            output = QgsProcessingModelOutput(key)
            output.setChildId(step.id)
            output.setChildOutputName(key)
            output.setDescription(f"{step.id} {key}".lower())
            output.comment().setDescription(label)
            output.setPosition(QPointF(900, 80 + 160 * at + 50 * place))
            outputs[key] = output
        child.setModelOutputs(outputs)
        model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    return model


def source(value: Any) -> From:
    """Read ``@INPUT``, ``step.OUTPUT`` or a plain value."""
    if isinstance(value, str) and value.startswith("@"):
        return From.fromModelParameter(value[1:])
    if isinstance(value, str) and re.fullmatch(r"[a-z]+\.[A-Z_]+", value):
        return From.fromChildOutput(*value.split("."))
    return From.fromStaticValue(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER)
    folder = parser.parse_args().output
    application = QgsApplication([], False)
    application.initQgis()
    provider = QuyHoachProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        set_language(language)
        for identity, parts in MODELS.items():
            target = folder / f"{identity}_{language}.model3"
            if not build(*parts()).toFile(str(target)):
                raise SystemExit(f"{target} cannot be written")
            print(target.name, target.stat().st_size, flush=True)
    os._exit(0)  # Python objects outlive what QGIS takes down


if __name__ == "__main__":
    main()
