"""Processing algorithm ``quyhoach:floodimport``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber, QgsProcessingOutputString

from ...common import qgis_parameters as ask
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input
from ..depth.depth_fit_algorithm import Marks, fit_outputs, fit_results, marks_parameters


class FloodImportAlgorithm(QuyHoachAlgorithm):
    """Maps made elsewhere into a library of scenarios; see `scenario_library`, `scenario_import`."""

    ID = "floodimport"
    ROOM = "disaster"
    TAGS = ("kịch bản ngập", "bản đồ ngập", "xả lũ", "hạ du", "scenario", "flood map", "import")

    def title(self) -> str:  # noqa: D102
        return say("Nhập bản đồ ngập có sẵn", "Import a flood map made elsewhere")

    def help(self) -> str:  # noqa: D102
        return say(
            "Đưa bản đồ ngập của đơn vị khác (độ sâu, cao độ mực nước, hoặc các vùng có khoảng độ sâu) vào thư viện kịch bản, gắn với mực nước tại trạm hoặc lưu "
            "lượng xả của hồ chứa. \"Tìm kịch bản ngập\" tra và nội suy thư viện đó trong vài giây.\n\n"
            "Thư viện là một thư mục: mục lục library.json và các raster độ sâu mét trên cùng một lưới ô (của kịch bản đầu tiên, hoặc của địa hình); bản đồ khác lưới "
            "được lấy theo ô gần nhất, không nội suy. Bản đồ phải cùng hệ tọa độ với thư viện. Bản đồ mực nước: độ sâu = mực nước - địa hình. Vùng có khoảng độ sâu: độ sâu "
            "giữa khoảng, hai đầu khoảng ghi vào raster kèm theo; vùng chồng nhau: lấy vùng sâu hơn; ngoài các vùng là không ngập.\n\n"
            "Đơn vị: mét, m³/s. 0 = không ngập, không dữ liệu = chưa rõ. Hình không hợp lệ: theo lựa chọn.",
            "Puts a flood map made elsewhere (depths, water levels, or polygons with ranges of depth) into a library of scenarios, under the station levels or reservoir "
            "releases it belongs to. \"Find a flood scenario\" looks it up and interpolates in seconds.\n\n"
            "A library is a folder: the index library.json and depth rasters in metres on one grid (that of the first scenario, or of the terrain); maps on another grid are "
            "read at the nearest cell, not interpolated. The map must be in the library's coordinate system. Levels: depth = level - terrain. Polygons: the middle of their "
            "range, its ends in a companion raster; where they overlap the deeper one counts; outside all it is dry.\n\n"
            "Units: metres, m³/s. 0 = dry, nodata = unknown. Invalid shapes: as chosen.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.raster("INPUT", say("Bản đồ ngập (raster)", "Flood map (raster)"), say("Độ sâu hoặc mực nước, mét.", "Depths or levels, metres."), optional=True),
            ask.choice("KIND", say("Giá trị của raster", "What the raster holds"), say("Độ sâu nước trên mặt đất, hoặc cao độ mặt nước.", "Depth above ground, or the level of the water."),
                       [say("Độ sâu", "Depth"), say("Cao độ mực nước", "Water level")]),
            ask.yes_no("OUTSIDE_DRY", say("Nơi không có giá trị là không ngập", "No value means dry"),
                       say("Nhiều bản đồ chỉ lưu phần ngập. Bỏ chọn nếu không có giá trị nghĩa là chưa rõ.", "Many maps store only what is wet. Leave off where no value means unknown.")),
            ask.layer("POLYGONS", say("Hoặc vùng ngập có khoảng độ sâu", "Or polygons with ranges of depth"), say("Ví dụ các vùng 0,5-1 m.", "Such as areas of 0.5-1 m."), ask.POLYGONS, optional=True),
            ask.field("LOW_FIELD", say("Trường độ sâu dưới (m)", "Field of the lower depth (m)"), say("Trống: 0.", "Null: 0."), "POLYGONS", optional=True, default="min_depth_m"),
            ask.field("HIGH_FIELD", say("Trường độ sâu trên (m)", "Field of the upper depth (m)"), say("Trống: cao hơn độ sâu dưới 1 m.", "Null: 1 m above the lower depth."), "POLYGONS", optional=True,
                      default="max_depth_m"),
            ask.raster("TERRAIN", say("Địa hình", "Terrain"),
                       say("Cần cho bản đồ mực nước; kịch bản đầu tiên lấy lưới ô của địa hình. Nơi chưa có địa hình: chưa rõ.",
                           "Needed for levels; the first scenario takes its grid. Where the terrain is unknown, so is the depth."), optional=True),
            ask.number("CELL_SIZE", say("Cỡ ô cho vùng ngập (m)", "Cell size for polygons (m)"), say("Khi chưa có địa hình và thư viện còn trống.", "Where there is no terrain and the library is empty."),
                       10.0, 0.1, 1000.0, advanced=True),
            ask.folder("LIBRARY", say("Thư mục thư viện kịch bản", "Folder of the library"), say("Thư mục có sẵn; lần đầu có thể trống.", "An existing folder; empty the first time.")),
            ask.text("NAME", say("Tên kịch bản", "Name of the scenario"), say("Ví dụ \"Lũ 5 %, xả 1200 m3/s\".", "Such as \"5 % flood, release 1200 m3/s\".")),
            ask.text("KEYS", say("Mực nước trạm, lưu lượng xả", "Station levels, releases"),
                     say("Ví dụ \"Kim Long = 3,5 m; Hương Điền = 1200 m3/s\". Tên như trong bản tin.", "Such as \"Kim Long = 3,5 m; Hương Điền = 1200 m3/s\". Names as in bulletins.")),
            ask.text("SOURCE_NOTE", say("Nguồn, phương pháp", "Source, method"), say("Đơn vị lập, mô hình, năm; ghi vào thẻ của raster.", "Who made it, model, year; goes into the raster's tags."), optional=True),
            ask.text("VERTICAL_DATUM", say("Hệ cao độ", "Vertical datum"), say("Của mực nước và địa hình.", "Of levels and terrain."), optional=True),
            *marks_parameters(),
            ask.invalid_geometry(),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputString("DEPTH_FILE", say("Raster độ sâu trong thư viện", "Depth raster in the library")),
            QgsProcessingOutputNumber("SCENARIOS", say("Số kịch bản trong thư viện", "Scenarios in the library")),
            *fit_outputs(),
        ]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_stated
        from .scenario_library import open_library, parse_keys, refuse_same_keys

        problems: list[str] = []
        self.invalid = self.invalid_geometry(parameters, context)
        self.input = self.terrain = self.polygons = self.low = self.high = None
        for key in ("INPUT", "TERRAIN"):
            with noted(problems):
                raster = raster_input(self, parameters, key, context)
                setattr(self, key.lower(), raster)
                if raster is not None:
                    with raster.open():
                        pass
        with noted(problems):
            self.polygons = self.layer(parameters, "POLYGONS", context)
        if not problems and (self.input is None) == (self.polygons is None):
            problems.append(say("Hãy chọn một trong hai: raster bản đồ ngập, hoặc các vùng ngập.", "Choose one of the two: a raster, or polygons."))
        if self.polygons is not None:
            with noted(problems):
                require_stated(self.polygons.crs, self.polygons.name)
                self.not_empty(self.polygons)
            for key in ("LOW_FIELD", "HIGH_FIELD"):
                with noted(problems):
                    setattr(self, key[:-6].lower(), self.field(parameters, key, self.polygons, context))
            if not problems and not (self.low and self.high):
                problems.append(
                    say("Hãy chọn trường độ sâu dưới và trên.", "Choose the fields of the lower and upper depth.")
                )
        with noted(problems):
            self.keys = parse_keys(self.parameterAsString(parameters, "KEYS", context))
        with noted(problems):
            self.library = open_library(self.parameterAsString(parameters, "LIBRARY", context))
        with noted(problems):
            self.marks = Marks(self, parameters, context, has_terrain=self.terrain is not None)
        self.label = " ".join(self.parameterAsString(parameters, "NAME", context).split())
        if not self.label:
            problems.append(say("Hãy đặt tên kịch bản.", "Give the scenario a name."))
        if not problems:
            with noted(problems):
                refuse_same_keys(self.library, self.label, *self.keys)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from contextlib import ExitStack, nullcontext

        from ...common.raster_writing import write_raster
        from .scenario_import import MapKind, depth_from_map, depth_from_polygons, grid_of_polygons
        from .scenario_library import Scenario, add_scenario, file_id

        levels, releases = self.keys
        id_ = file_id(self.label, {**levels, **releases})
        about = {
            "SOURCE": self.parameterAsString(parameters, "SOURCE_NOTE", context).strip(),
            "IMPORTED_FROM": (self.input or self.polygons).name,
            "VERTICAL_DATUM": self.parameterAsString(parameters, "VERTICAL_DATUM", context).strip() or "UNSTATED",
        }
        scenario = Scenario(id_, self.label, levels, releases, f"{id_}.tif", f"{id_}_range.tif" if self.polygons is not None else "", {}, about)
        tags = {
            "QUYHOACH_ALGORITHM": "floodimport",
            "METHOD": "IMPORTED",
            "LEVELS_M": scenario.told(),
            "TIME": "SCENARIO",
            **about,
        }
        progress = self.progress(feedback)
        with ExitStack() as opened:
            terrain = opened.enter_context(self.terrain.open()) if self.terrain is not None else None
            if self.input is not None:
                source = opened.enter_context(self.input.open())
                grid = self.library.grid or (terrain.grid if terrain is not None else source.grid)
                writer = opened.enter_context(
                    write_raster(
                        self.library.folder / scenario.depth, grid, description=say("Độ sâu ngập", "Flood depth")
                    )
                )
                notes = depth_from_map(source, MapKind(self.parameterAsEnum(parameters, "KIND", context)), grid, writer.write, terrain=terrain,
                                       outside_is_dry=self.parameterAsBool(parameters, "OUTSIDE_DRY", context), progress=progress)
            else:
                grid, polygons = self._polygons(parameters, context, terrain, grid_of_polygons, feedback)
                writer = opened.enter_context(
                    write_raster(
                        self.library.folder / scenario.depth, grid, description=say("Độ sâu ngập", "Flood depth")
                    )
                )
                between = opened.enter_context(write_raster(self.library.folder / scenario.range, grid, description=(
                    say("Độ sâu ngập, mức thấp", "Flood depth, low"), say("Độ sâu ngập, mức cao", "Flood depth, high"))))

                def write(window, middle, low, high):
                    writer.write(window, middle)
                    between.write(window, low, high)

                notes = depth_from_polygons(
                    polygons, self.low, self.high, grid, write, terrain=terrain, progress=progress
                )
                writer.tag({"RANGE": scenario.range})
            writer.tag(tags)
            progress(1.0)
        for note in notes:
            feedback.pushWarning(note)
        library = add_scenario(self.library, grid, scenario)
        feedback.pushInfo(say("Đã nhập kịch bản \"{name}\" ({keys}); thư viện có {n} kịch bản.", "Scenario \"{name}\" ({keys}) is in; the library has {n}.")
                          .format(name=self.label, keys=scenario.told(), n=len(library.scenarios)))
        path = str(Path(library.folder) / scenario.depth)
        with self.terrain.open() if self.terrain is not None else nullcontext() as terrain:
            fit, _ = self.marks.fit(path, terrain, feedback)
        return {"DEPTH_FILE": path, "SCENARIOS": len(library.scenarios), **fit_results(fit)}

    def _polygons(self, parameters: dict[str, Any], context: QgsProcessingContext, terrain: Any, grid_of_polygons: Any, feedback: QgsProcessingFeedback) -> tuple:
        from ...common.crs import require_metric, to_crs
        from ...common.geometry import clean

        frame, report = clean(self.polygons.read([self.low, self.high]), "polygon", self.invalid, self.polygons.name)
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
        if not len(frame):
            raise InputError(
                say("Lớp {layer} không có hình nào dùng được.", "Layer {layer} has no usable shape.").format(
                    layer=self.polygons.name
                )
            )
        grid = self.library.grid or (terrain.grid if terrain is not None else None)
        if grid is None:
            require_metric(self.polygons.crs, self.polygons.name)
            return grid_of_polygons(frame, self.parameterAsDouble(parameters, "CELL_SIZE", context)), frame
        return grid, to_crs(frame, grid.crs_wkt)
