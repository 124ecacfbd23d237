"""Processing algorithm ``quyhoach:floodexposure``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input

if TYPE_CHECKING:
    import geopandas
    import pandas

    from .exposure_range import FacilityDepths
    from .flood_exposure import FloodExposure


class FloodExposureAlgorithm(QuyHoachAlgorithm):
    """What stands in the water; see `flood_exposure`."""

    ID = "floodexposure"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")
    TAGS = ("ngập lụt", "đối tượng bị ảnh hưởng", "hộ dân", "nhà ngập", "exposure", "affected")

    def title(self) -> str:  # noqa: D102
        return say("Thống kê đối tượng bị ngập", "Flood exposure")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết bao nhiêu công trình, hộ, khẩu, km đường và ha đất nằm trong nước, theo cấp độ sâu ngập và theo "
            "đơn vị (xã, thôn). Đây là đối tượng bị ảnh hưởng ước tính, không phải thiệt hại.\n\n"
            "Phương pháp: độ sâu tại công trình là lớn nhất (hoặc trung bình) của các ô có tâm nằm trong công trình; "
            "công trình nhỏ không chứa tâm ô nào lấy ô tại điểm đại diện. Đường được cắt đúng tại cạnh ô, đất chia "
            "đúng theo phần ô bị phủ, nên cộng các cấp bằng tổng chiều dài, tổng diện tích. Công trình thuộc đơn vị "
            "chứa điểm đại diện; ngoài mọi đơn vị là một dòng riêng; đơn vị chồng lấn: tính cho đơn vị đứng trước. "
            "Vùng đất chồng lấn nhau được tính mỗi vùng một lần.\n\n"
            "Nơi không có địa hình hoặc ngoài raster là cấp \"chưa rõ\" (-1), không coi là khô; công trình chỉ \"không "
            "ngập\" (0) khi mọi ô đều rõ và khô. Số hộ, số khẩu chưa có là trống, không phải 0; số công trình chưa có "
            "số liệu nằm ở cột *_missing. Lớp tùy chọn để trống cho giá trị trống; lớp không có đối tượng cho 0.\n\n"
            "Đơn vị: mét, m² (bảng in: km, ha); raster ở độ kinh vĩ: đo trên ellipsoid. Lớp khác hệ tọa độ được chuyển "
            "về hệ của raster (VN-2000: phép chuyển EPSG 6960). Hình không hợp lệ: theo tham số; không có hình hoặc "
            "hình rỗng: đếm, không tính. Phân cấp lấy ở bảng flood_depth_classes (chưa có văn bản quy định, cần xác "
            "nhận). Bảng in làm tròn số hộ, số khẩu; bảng kết quả giữ số chính xác.\n\n"
            "Có RANGE (raster thấp - cao của độ sâu ngập): mọi số liệu có mức thấp, giữa, cao; có HAMLETS: thêm số liệu theo thôn, tổ dân phố; FACILITIES: "
            "đếm trường học, trạm y tế và cơ sở khác theo loại.",
            "Tells how many buildings, households, people, kilometres of road and hectares of land stand in the water, "
            "by depth class and unit (commune, hamlet). This is estimated exposure, not damage.\n\n"
            "Method: the depth at a building is the greatest (or mean) of the cells whose centre it covers; a building "
            "that covers no centre takes the cell of its representative point. Roads are cut exactly at cell borders "
            "and land is shared out by the covered part of each cell, so that classes add up to the total length and "
            "area. A building belongs to the unit of its representative point; what is outside all units has its own "
            "row; where units overlap the earlier one counts. Land polygons that overlap count each.\n\n"
            "Where there is no terrain, and outside the raster, the class is unknown (-1), never dry; a building is "
            "dry (0) only when all its cells are known and dry. Missing counts of households and people are null, not "
            "0; the columns *_missing tell how many buildings lack them. An optional layer left empty gives nulls, one "
            "without features gives zeros.\n\n"
            "Units: metres, m² (print: km, ha); for a raster in degrees, measured on the ellipsoid. Layers in another "
            "CRS are brought to that of the raster (VN-2000: EPSG operation 6960). Invalid shapes: as the parameter "
            "says; null and empty shapes are counted and left out. Classes come from the table flood_depth_classes (no "
            "regulation found, to be confirmed). The printed table rounds households and people; the output table "
            "keeps the exact figures.\n\n"
            "With RANGE (the low-high raster of a flood depth) every figure has a low, middle and high value; with HAMLETS figures by hamlet are added; "
            "FACILITIES counts schools, clinics and others by kind.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.raster("DEPTH", say("Độ sâu ngập (m)", "Flood depth (m)"),
                       say("Raster mét: 0 = không ngập, không dữ liệu = chưa rõ; ví dụ kết quả của \"Tính độ sâu ngập "
                           "từ mực nước trạm\".",
                           "Raster in metres: 0 = dry, nodata = unknown; such as the result of \"Flood depth from "
                           "gauge levels\".")),
            ask.layer("BUILDINGS", say("Công trình, nhà ở", "Buildings"),
                      say("Vùng hoặc điểm; mọi trường được giữ trong kết quả.",
                          "Polygons or points; all their fields are kept."),
                      ask.POLYGONS + ask.POINTS),
            ask.field("RESIDENTS_FIELD", say("Trường số khẩu", "Field of residents"),
                      say("Số người của mỗi công trình; trống nghĩa là chưa có số liệu.",
                          "People of each building; null means not counted."),
                      "BUILDINGS", numeric=True, optional=True),
            ask.field("HOUSEHOLDS_FIELD", say("Trường số hộ", "Field of households"),
                      say("Số hộ của mỗi công trình; trống nghĩa là chưa có số liệu.",
                          "Households of each building; null means not counted."),
                      "BUILDINGS", numeric=True, optional=True),
            ask.layer("UNITS", say("Đơn vị (xã, thôn)", "Units (communes, hamlets)"),
                      say("Vùng để chia số liệu; để trống: tính chung.",
                          "Polygons to divide the figures by; empty: all together."),
                      ask.POLYGONS, optional=True),
            ask.field("UNIT_FIELD", say("Trường tên đơn vị", "Field of the unit's name"),
                      say("Các vùng cùng tên là một đơn vị; để trống: dùng fid.",
                          "Polygons of one name are one unit; empty: their ids."),
                      "UNITS", optional=True),
            ask.layer("ROADS", say("Đường giao thông", "Roads"), say("Tim đường.", "Centre lines."), ask.LINES,
                      optional=True),
            ask.layer("LAND_USE", say("Loại đất", "Land use"),
                      say("Vùng đất cần tính diện tích ngập.", "Polygons whose flooded area is wanted."),
                      ask.POLYGONS, optional=True),
            ask.field("LAND_USE_FIELD", say("Trường mã loại đất", "Field of the land-use code"),
                      say("Để có thêm bảng theo mã loại đất.",
                          "For a further table by land-use code."), "LAND_USE", optional=True),
            ask.choice("STATISTIC", say("Độ sâu tại công trình", "Depth at a building"),
                       say("Khi công trình phủ nhiều ô.", "When a building covers several cells."),
                       [say("Lớn nhất", "Greatest"), say("Trung bình", "Mean")], advanced=True),
            ask.field("FLOOR_LEVEL", say("Trường cao độ nền nhà (m)", "Field of the floor level (m)"),
                      say("Cao độ sàn tầng 1, cùng hệ cao độ với địa hình; cần chọn TERRAIN. Công trình được xếp cấp "
                          "theo độ sâu trên nền.",
                          "Level of the ground floor in the terrain's vertical datum; needs TERRAIN. Buildings are "
                          "classed by the depth above the floor."), "BUILDINGS", numeric=True, optional=True),
            ask.field("FLOOR_HEIGHT", say("Trường chiều cao nền nhà so với mặt đất (m)",
                                          "Field of the floor's height above ground (m)"),
                      say("Dùng khi không có cao độ nền.",
                          "Used where the floor level is null or not given."), "BUILDINGS", numeric=True,
                      optional=True),
            ask.raster("TERRAIN", say("Địa hình đã tính độ sâu", "Terrain the depth was computed from"),
                       say("Chỉ cần khi có cao độ nền nhà; cùng lưới ô với độ sâu.",
                           "Only needed with floor levels; same cells as the depth."),
                       optional=True),
            ask.text("DEPTH_CLASSES", say("Bộ phân cấp độ sâu", "Set of depth classes"),
                     say("Tên bộ trong bảng flood_depth_classes: common_practice_6 (0,5; 1; 2; 3; 4 m) hoặc "
                         "hue_published_5.",
                         "Name of a set in the table flood_depth_classes: common_practice_6 (0.5, 1, 2, 3, 4 m) or "
                         "hue_published_5."),
                     default="common_practice_6", advanced=True),
            ask.raster("RANGE", say("Khoảng độ sâu thấp - cao", "Range of depth, low - high"),
                       say("Raster hai kênh của \"Tính độ sâu ngập\" (OUTPUT_RANGE); cho số liệu thấp, giữa, cao.",
                           "The two-band raster of a flood depth (OUTPUT_RANGE); gives low, middle and high figures."), optional=True),
            ask.layer("HAMLETS", say("Thôn, tổ dân phố", "Hamlets"), say("Để có thêm số liệu theo thôn, tổ dân phố.", "For further figures by hamlet."),
                      ask.POLYGONS, optional=True),
            ask.field("HAMLET_FIELD", say("Trường tên thôn, tổ dân phố", "Field of the hamlet's name"),
                      say("Thôn cùng tên ở hai xã được phân biệt bằng tên xã (UNIT_FIELD).", "Hamlets of one name are told apart by the commune (UNIT_FIELD)."),
                      "HAMLETS", optional=True),
            ask.layer("FACILITIES", say("Trường học, trạm y tế, cơ sở khác", "Schools, clinics, other facilities"),
                      say("Điểm hoặc vùng.", "Points or polygons."), ask.POINTS + ask.POLYGONS, optional=True),
            ask.field("FACILITY_KIND_FIELD", say("Trường loại cơ sở", "Field of the kind of facility"),
                      say("Để đếm theo loại.", "To count by kind."), "FACILITIES", optional=True),
            ask.field("FACILITY_FLOOR_LEVEL", say("Trường cao độ nền cơ sở (m)", "Field of the facilities' floor level (m)"),
                      say("Hệ cao độ của địa hình; cần chọn TERRAIN.", "In the terrain's datum; needs TERRAIN."), "FACILITIES", optional=True),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT_BUILDINGS", say("Công trình với độ sâu ngập", "Buildings with their depth"),
                             say("Các trường của công trình, depth_m (trên mặt đất), floor_depth_m (trên nền), "
                                 "depth_class (0 không ngập, -1 chưa rõ), class_label, unit.",
                                 "The buildings' fields, depth_m (above ground), floor_depth_m (above the floor), "
                                 "depth_class (0 dry, -1 unknown), class_label, unit."),
                             Qgis.ProcessingSourceType.VectorAnyGeometry, optional=True),
            ask.table_output("OUTPUT", say("Thống kê theo đơn vị và cấp độ sâu", "Figures by unit and depth class"),
                             say("Một dòng cho mỗi đơn vị và cấp: buildings, households, residents, *_missing, road_m, "
                                 "land_m2.",
                                 "One row per unit and class: buildings, households, residents, *_missing, road_m, "
                                 "land_m2.")),
            ask.table_output("OUTPUT_LAND_USE", say("Diện tích theo mã loại đất", "Area by land-use code"),
                             say("Một dòng cho mỗi đơn vị, mã loại đất và cấp: land_m2. Cần LAND_USE_FIELD.",
                                 "One row per unit, land-use code and class: land_m2. Needs "
                                 "LAND_USE_FIELD."), optional=True),
            ask.table_output("OUTPUT_SUMMARY", say("Tổng hợp thấp, giữa, cao", "Summary: low, middle, high"),
                             say("Một dòng cho toàn bộ, từng xã, từng thôn: công trình, hộ, khẩu, đường, đất bị ngập ở mức thấp (_low), giữa, cao (_high).",
                                 "A row for all, each commune, each hamlet: buildings, households, residents, road, land in the water, low (_low), middle, "
                                 "high (_high)."), optional=True),
            ask.layer_output("OUTPUT_FACILITIES", say("Cơ sở với độ sâu ngập", "Facilities with their depth"),
                             say("Các trường của cơ sở, depth_low_m, depth_m, depth_high_m, floor_depth_m, depth_class.", "Their fields, depth_low_m, depth_m, depth_high_m, floor_depth_m, depth_class."),
                             Qgis.ProcessingSourceType.VectorAnyGeometry, optional=True),
            ask.xlsx_output(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("WET_BUILDINGS", say("Số công trình bị ngập", "Buildings in the water")),
            ("WET_HOUSEHOLDS", say("Số hộ bị ngập", "Households in the water")),
            ("WET_RESIDENTS", say("Số khẩu bị ngập", "People in the water")),
            ("UNKNOWN_BUILDINGS", say("Số công trình chưa rõ độ sâu", "Buildings of unknown depth")),
            ("WET_ROAD", say("Chiều dài đường bị ngập (m)", "Road under water (m)")),
            ("WET_LAND", say("Diện tích đất bị ngập (m²)", "Land under water (m²)")),
            ("WET_RESIDENTS_LOW", say("Số khẩu bị ngập, mức thấp", "People in the water, low")),
            ("WET_RESIDENTS_HIGH", say("Số khẩu bị ngập, mức cao", "People in the water, high")),
            ("WET_FACILITIES", say("Số cơ sở bị ngập", "Facilities in the water")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_stated
        from ...common.packages import require
        from .depth_classes import depth_classes

        if parameters.get("XLSX"):
            require("openpyxl")

        self.invalid = self.invalid_geometry(parameters, context)
        self.inputs = {key: self.layer(parameters, key, context) for key in ("BUILDINGS", "UNITS", "ROADS", "LAND_USE", "HAMLETS",
                                                                               "FACILITIES")}
        self.fields: dict[str, str | None] = {}
        problems: list[str] = []
        with noted(problems):
            self.classes = depth_classes(self.parameterAsString(parameters, "DEPTH_CLASSES", context).strip())
        for key, band in (("DEPTH", 1), ("TERRAIN", 1), ("RANGE", 2)):
            with noted(problems):
                raster = raster_input(self, parameters, key, context, depths=key != "TERRAIN")
                setattr(self, key.lower(), raster)
                if raster is not None:
                    with raster.open(band):  # refuses what is no raster in metres before anything is computed
                        pass
        for key, parent in _FIELDS.items():
            with noted(problems):
                if parameters.get(key) and self.inputs[parent] is None:
                    raise InputError(say("\"{field}\" cần có lớp \"{layer}\".",
                                         "\"{field}\" needs the layer \"{layer}\".")
                                     .format(field=self.parameterDefinition(key).description(),
                                             layer=self.parameterDefinition(parent).description()))
                self.fields[key] = self.field(parameters, key, self.inputs[parent], context)
        with noted(problems):
            self.not_empty(self.inputs["BUILDINGS"])
        for layer in self.inputs.values():
            with noted(problems):
                if layer is not None:
                    require_stated(layer.crs, layer.name)
        if parameters.get("OUTPUT_LAND_USE") and not parameters.get("LAND_USE_FIELD"):
            problems.append(say("Bảng theo mã loại đất cần lớp loại đất và trường mã loại đất.",
                                "The table by land-use code needs the land use and the field of its code."))
        if parameters.get("OUTPUT_FACILITIES") and self.inputs["FACILITIES"] is None:
            problems.append(say("Kết quả về cơ sở cần có lớp cơ sở.", "Results on facilities need the layer of facilities."))
        if self.inputs["HAMLETS"] is not None and not self.fields.get("HAMLET_FIELD"):
            problems.append(say("Hãy chọn trường tên thôn, tổ dân phố.", "Choose the field of the hamlets' names."))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from contextlib import ExitStack

        from ...common.progress import part
        from .depth_at_shapes import Statistic
        from .exposure_range import facility_depths
        from .exposure_run import LevelOfUnits, exposures
        from .flood_exposure import BuildingFields

        progress, fields = self.progress(feedback), self.fields
        with ExitStack() as opened:
            depth = opened.enter_context(self.depth.open())
            depths = {"middle": depth}
            if self.range is not None:
                depths |= {end: opened.enter_context(self.range.open(band)) for end, band in (("low", 1), ("high", 2))}
            terrain = opened.enter_context(self.terrain.open()) if self.terrain is not None else None
            crs = depth.grid.crs_wkt
            buildings, original = self._buildings(crs, feedback)
            units = self._optional("UNITS", "polygon", "UNIT_FIELD", crs, feedback)
            hamlets = self._optional("HAMLETS", "polygon", "HAMLET_FIELD", crs, feedback)
            levels = [LevelOfUnits("commune" if units is not None else "all", units, fields["UNIT_FIELD"])]
            if hamlets is not None:
                levels.append(LevelOfUnits.of_hamlets(hamlets, fields["HAMLET_FIELD"], units, fields["UNIT_FIELD"]))
            progress(0.05)
            found, summary = exposures(
                depths, buildings, self.classes, levels,
                fields=BuildingFields(fields["HOUSEHOLDS_FIELD"], fields["RESIDENTS_FIELD"], fields["FLOOR_LEVEL"], fields["FLOOR_HEIGHT"]),
                statistic=Statistic(self.parameterAsEnum(parameters, "STATISTIC", context)), terrain=terrain,
                roads=self._optional("ROADS", "line", None, crs, feedback),
                land_use=self._optional("LAND_USE", "polygon", "LAND_USE_FIELD", crs, feedback), code_field=fields["LAND_USE_FIELD"],
                progress=part(progress, 0.1, 0.85))
            facilities = None
            if self.inputs["FACILITIES"] is not None:
                frame, self.facilities = self._facilities(crs, feedback)
                facilities = facility_depths(frame, depths, self.classes, kind_field=fields["FACILITY_KIND_FIELD"],
                                             floor_field=fields["FACILITY_FLOOR_LEVEL"], terrain=terrain)
            tags = depth.tags
        for sentence in found.notes:
            feedback.pushWarning(sentence)
        remarks = _too_fine(found, tags)
        if remarks is not None:
            feedback.pushWarning(say(*remarks))
        progress(0.9)  # the last moment to stop: from here on results are written
        results = self._write(parameters, context, found, summary, facilities, original, tags, [remarks[0]] if remarks else [])
        return {**results, **_totals(found, feedback), **_ranges(summary, facilities, feedback)}

    def _facilities(self, crs: str, feedback: QgsProcessingFeedback) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
        """The facilities in the CRS of the raster, and as they came, for the output."""
        import numpy as np
        import shapely

        from ...common.crs import to_crs

        layer = self.inputs["FACILITIES"]
        everything = layer.read()
        polygonal = bool((shapely.get_dimensions(np.asarray(everything.geometry.array, dtype=object)) == 2).any())
        original = _clean(everything, "polygon" if polygonal else "point", self.invalid, layer.name, feedback)
        if not len(original):
            raise InputError(say("Lớp {layer} không có hình nào dùng được.", "Layer {layer} has no usable shape.").format(layer=layer.name))
        return to_crs(original, crs), original

    def _buildings(
        self, crs: str, feedback: QgsProcessingFeedback
    ) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
        """The buildings in the CRS of the raster, and as they came, for the output."""
        import numpy as np
        import shapely

        from ...common.crs import to_crs

        layer = self.inputs["BUILDINGS"]
        everything = layer.read()
        self.polygonal = bool((shapely.get_dimensions(np.asarray(everything.geometry.array, dtype=object)) == 2).any())
        original = _clean(everything, "polygon" if self.polygonal else "point", self.invalid, layer.name, feedback)
        if not len(original):
            raise InputError(say("Lớp {layer} không có hình nào dùng được.",
                                 "Layer {layer} has no usable shape.").format(layer=layer.name))
        return to_crs(original, crs), original

    def _optional(
        self, key: str, kind: str, field: str | None, crs: str, feedback: QgsProcessingFeedback
    ) -> geopandas.GeoDataFrame | None:
        from ...common.crs import to_crs

        layer = self.inputs[key]
        if layer is None:
            return None
        columns = [self.fields[field]] if field and self.fields[field] else []
        return to_crs(_clean(layer.read(columns), kind, self.invalid, layer.name, feedback), crs)

    def _write(
        self, parameters: dict[str, Any], context: QgsProcessingContext, found: FloodExposure, summary: pandas.DataFrame,
        facilities: FacilityDepths | None, buildings: geopandas.GeoDataFrame, tags: dict[str, str], remarks: list[str],
    ) -> dict[str, Any]:
        from ...common.columns import free_names
        from ...common.workbook import write_workbook
        from .depth_classes import style_name
        from .exposure_range_workbook import range_sheets
        from .flood_exposure_workbook import exposure_sheets

        results: dict[str, Any] = {}
        if path := parameters.get("XLSX") and self.parameterAsFileOutput(parameters, "XLSX", context):
            told = {"depth_name": self.depth.name, "tags": tags, "remarks": remarks}
            more = self.range is not None or self.inputs["HAMLETS"] is not None or facilities is not None
            write_workbook(path, [*exposure_sheets(found, **told), *(range_sheets(summary, facilities, **told) if more else [])])
            results["XLSX"] = path
        names = free_names(found.buildings.columns, buildings.columns)
        with_depth = buildings.join(found.buildings.rename(columns=names))
        kind = Qgis.WkbType.MultiPolygon if self.polygonal else Qgis.WkbType.MultiPoint
        style = f"disaster/{style_name('flood_exposure_buildings', self.classes.name)}.qml" if self.polygonal else None
        results["OUTPUT_BUILDINGS"] = self.write_layer(
            parameters, "OUTPUT_BUILDINGS", context, with_depth, kind, style=style)
        results["OUTPUT"] = self.write_layer(parameters, "OUTPUT", context, found.table)
        if found.land is not None:
            results["OUTPUT_LAND_USE"] = self.write_layer(parameters, "OUTPUT_LAND_USE", context, found.land)
        results["OUTPUT_SUMMARY"] = self.write_layer(parameters, "OUTPUT_SUMMARY", context, summary)
        if facilities is not None and parameters.get("OUTPUT_FACILITIES"):
            names = free_names(facilities.facilities.columns, self.facilities.columns)
            frame = self.facilities.join(facilities.facilities.rename(columns=names))
            polygonal = frame.geometry.geom_type.str.contains("Polygon").any()
            results["OUTPUT_FACILITIES"] = self.write_layer(
                parameters, "OUTPUT_FACILITIES", context, frame, Qgis.WkbType.MultiPolygon if polygonal else Qgis.WkbType.MultiPoint)
        return {key: value for key, value in results.items() if value is not None}


#: Fields and the layer each belongs to.
_FIELDS = {"RESIDENTS_FIELD": "BUILDINGS", "HOUSEHOLDS_FIELD": "BUILDINGS", "FLOOR_LEVEL": "BUILDINGS",
           "FLOOR_HEIGHT": "BUILDINGS",
           "UNIT_FIELD": "UNITS", "LAND_USE_FIELD": "LAND_USE", "HAMLET_FIELD": "HAMLETS",
           "FACILITY_KIND_FIELD": "FACILITIES", "FACILITY_FLOOR_LEVEL": "FACILITIES"}


def _clean(frame, kind, invalid, name, feedback):
    from ...common.geometry import clean

    used, report = clean(frame, kind, invalid, name)
    for sentence in report.sentences():
        feedback.pushWarning(sentence)
    return used


def _too_fine(found: FloodExposure, tags: dict[str, str]) -> tuple[str, str] | None:
    """Mark classes finer than what the depth raster says of its errors (Vietnamese, English)."""
    errors = [float(tags[key]) for key in ("TERRAIN_ERROR_M", "LOO_RMSE_M") if key in tags]
    if not errors or max(errors) <= found.classes.narrowest_m:
        return None
    error, width = format_number(max(errors), 2), format_number(found.classes.narrowest_m, 2)
    return (f"Cấp độ sâu hẹp nhất ({width} m) mịn hơn sai số của độ sâu ({error} m): số liệu theo từng cấp chỉ để "
            "tham khảo.",
            f"The narrowest depth class ({width} m) is finer than the error of the depths ({error} m): figures by "
            f"class are indicative only.")


def _totals(found: FloodExposure, feedback: QgsProcessingFeedback) -> dict[str, Any]:
    from .flood_exposure import sum_of_known

    table = found.table
    wet = table[table["depth_class"] > 0]
    columns = {"WET_HOUSEHOLDS": "households", "WET_RESIDENTS": "residents", "WET_ROAD": "road_m",
               "WET_LAND": "land_m2"}
    sums = {key: sum_of_known(wet[column]) for key, column in columns.items()}
    sums["WET_BUILDINGS"] = int(wet["buildings"].sum())
    sums["UNKNOWN_BUILDINGS"] = int(table.loc[table["depth_class"] < 0, "buildings"].sum())
    feedback.pushInfo(say("{wet} công trình bị ngập, {unknown} công trình chưa rõ, trong {all} công trình.",
                          "{wet} buildings in the water, {unknown} unknown, of {all}.")
                      .format(wet=format_number(sums["WET_BUILDINGS"]),
                              unknown=format_number(sums["UNKNOWN_BUILDINGS"]),
                              all=format_number(int(table["buildings"].sum()))))
    return sums


def _ranges(summary: pandas.DataFrame, facilities: FacilityDepths | None, feedback: QgsProcessingFeedback) -> dict[str, Any]:
    whole = summary[summary["level"] == "all"].iloc[0]
    sums: dict[str, Any] = {"WET_RESIDENTS_LOW": _known(whole["residents_low"]), "WET_RESIDENTS_HIGH": _known(whole["residents_high"])}
    if facilities is not None:
        sums["WET_FACILITIES"] = int(facilities.summary["wet"].sum())
    if sums["WET_RESIDENTS_LOW"] is not None and sums["WET_RESIDENTS_HIGH"] is not None:
        feedback.pushInfo(say("Số khẩu bị ngập (ước tính): {low} - {high}.", "People in the water (estimate): {low} - {high}.").format(
            low=format_number(whole["residents_low"]), high=format_number(whole["residents_high"])))
    return sums


def _known(value: float) -> float | None:
    return None if value != value else float(value)
