"""Processing algorithm ``quyhoach:flooddepth``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import OutputError, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input
from .depth_fit_algorithm import Marks, fit_outputs, fit_results, marks_parameters

if TYPE_CHECKING:
    from .flood_depth import FloodDepth
    from .gauges import Gauges

#: Value of METHOD beyond the interpolations between points.
ALONG_RIVERS = 2
#: Fields and the layer each belongs to.
_FIELDS = {"LEVEL_FIELD": "LEVELS", "GAUGE_ZERO_FIELD": "LEVELS", "LEVEL_LOW_FIELD": "LEVELS", "LEVEL_HIGH_FIELD": "LEVELS", "CREST_FIELD": "DYKES",
           "BREACH_WIDTH_FIELD": "BREACHES"}


class FloodDepthAlgorithm(QuyHoachAlgorithm):
    """Depth of water from levels at gauges; see `flood_depth`."""

    ID = "flooddepth"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")
    TAGS = ("ngập lụt", "mực nước", "báo động", "vết lũ", "inundation", "bathtub", "water level")

    def title(self) -> str:  # noqa: D102
        return say("Tính độ sâu ngập từ mực nước trạm", "Flood depth from gauge levels")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết nước ngập sâu bao nhiêu mét ở từng ô địa hình khi biết mực nước tại một số điểm (trạm thủy văn, "
            "vết lũ).\n\n"
            "Phương pháp: mặt nước đi qua các mực nước (một điểm: nằm ngang; nhiều điểm: theo METHOD, không bao giờ ra "
            "ngoài khoảng từ mực thấp nhất đến cao nhất); độ sâu = mặt nước - địa hình, chỉ ở những ô nối liền với "
            "nguồn nước qua các ô ngập. Bờ đê cao hơn mặt nước giữ được nước. Không có nguồn nước: nước đi từ ô của "
            "các điểm có mực nước cao hơn mặt đất. Đây là mặt nước tĩnh: không xét thời gian truyền lũ, vận tốc, sức "
            "chứa.\n\n"
            "Dọc theo sông (METHOD = 2, cần RIVERS): mực nước đổi đều theo chiều dài sông giữa hai trạm, giữ nguyên ngoài trạm đầu, cuối và trên "
            "nhánh không có trạm; mỗi ô lấy mực nước ở chỗ sông gần nhất. Đê (DYKES) nâng ô địa hình lên cao trình đỉnh: giữ nước đến khi bị "
            "tràn; điểm vỡ đê (BREACHES) mở đê trên bề rộng đã cho. Vùng sau đê bị tràn, vỡ được coi là đầy tới mặt nước (cận trên).\n\n"
            "Khoảng thấp - cao (OUTPUT_RANGE): tính lại với mực nước thấp, cao của bản tin và trừ, cộng TERRAIN_ERROR.\n\n"
            "Sai số bỏ từng điểm (LOO): dựng mặt nước từ các điểm còn lại rồi so với điểm bị bỏ; một điểm thì không "
            "có.\n\n"
            "Đơn vị: mét; 0 = không ngập, không dữ liệu = chưa có địa hình (không coi là khô). Mực nước và địa hình "
            "phải cùng hệ cao độ. Địa hình không có hệ tọa độ bị từ chối; ở độ kinh vĩ: khoảng cách quy về mét tại vĩ "
            "độ trung bình của các điểm, diện tích và thể tích tính trên ellipsoid. Điểm khác hệ tọa độ được chuyển về "
            "hệ của địa hình (VN-2000: phép chuyển EPSG 6960). Điểm không có mực nước, không có hình hoặc hình rỗng: "
            "đếm, không dùng. Bộ nhớ không tăng theo cỡ raster.",
            "Tells how many metres deep the water stands in every cell of the terrain, given its level at some points "
            "(gauges, flood marks).\n\n"
            "Method: the water surface passes through the levels (one point: flat; several: by METHOD, never outside "
            "the lowest and the highest); depth = surface - terrain, only in cells joined to the source by wet cells. "
            "A bank higher than the surface holds the water. Without a source, water comes from the cells of the "
            "points whose level is above the ground. This is still water: no travel time, velocity or storage.\n\n"
            "Along rivers (METHOD = 2, needs RIVERS): between two gauges the level changes evenly along the river, beyond the last ones and in "
            "tributaries without one it stays; a cell takes the level of the nearest place on a river. Dykes (DYKES) raise the terrain's cells to "
            "their crest and hold until overtopped; breaches (BREACHES) open them over their width. Behind an overtopped or breached dyke the "
            "land fills to the surface (an upper bound).\n\n"
            "Low to high (OUTPUT_RANGE): computed again with the bulletin's low and high levels, less and plus TERRAIN_ERROR.\n\n"
            "Leave-one-out error (LOO): the surface is built from the other points and compared with the one left out; "
            "none with one point.\n\n"
            "Units: metres; 0 = dry, nodata = no terrain (not taken as dry). Levels and terrain must be in one "
            "vertical datum. A terrain without a CRS is refused; in degrees, distances are taken in metres at the mean "
            "latitude of the points, area and volume on the ellipsoid. Points in another CRS are brought to that of "
            "the terrain (VN-2000: EPSG operation 6960). Points without a level, null and empty shapes are counted and "
            "not used. Memory does not grow with the raster.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.raster("TERRAIN", say("Địa hình (mô hình số độ cao)", "Terrain (digital elevation model)"),
                       say("Cao độ mặt đất, mét. Kênh 1 của raster.",
                           "Heights of the ground, metres. Band 1 of the raster.")),
            ask.layer("LEVELS", say("Điểm có mực nước", "Points with a water level"),
                      say("Trạm thủy văn hoặc vết lũ, mỗi điểm một mực nước.",
                          "Gauges or flood marks, one level each."), ask.POINTS),
            ask.field("LEVEL_FIELD", say("Trường mực nước (m)", "Field of the level (m)"),
                      say("Mét, trong hệ cao độ của địa hình; số, hoặc chữ như \"3,58\".",
                          "Metres, in the vertical datum of the terrain; numbers, or texts such as \"3,58\"."),
                      "LEVELS"),
            ask.field("GAUGE_ZERO_FIELD", say("Trường cao độ số \"0\" trạm (m)", "Field of the gauge zero (m)"),
                      say("Nếu mực nước đọc từ số \"0\" của trạm: cao độ số \"0\" đó trong hệ cao độ của địa hình, "
                          "được cộng vào mực nước; trống thì không cộng. Để trống nếu mực nước đã ở hệ cao độ của địa "
                          "hình.",
                          "Where levels are read from the gauge's own zero: the height of that zero in the terrain's "
                          "datum, added to the level; a null adds nothing. Empty if levels are in the terrain's "
                          "datum."),
                      "LEVELS", optional=True),
            ask.field("LEVEL_LOW_FIELD", say("Trường mực nước thấp (m)", "Field of the low level (m)"),
                      say("Đầu thấp của khoảng trong bản tin; trống: như mực nước.", "Low end of the bulletin's range; null: as the level."),
                      "LEVELS", optional=True),
            ask.field("LEVEL_HIGH_FIELD", say("Trường mực nước cao (m)", "Field of the high level (m)"),
                      say("Đầu cao của khoảng trong bản tin; trống: như mực nước.", "High end of the bulletin's range; null: as the level."),
                      "LEVELS", optional=True),
            ask.layer("SOURCE", say("Nguồn nước (sông, biển)", "Source of the water (river, sea)"),
                      say("Vùng hoặc đường; nước chỉ lan từ các ô chúng chạm tới. Nơi địa hình không có số liệu trong "
                          "nguồn nước, nước vẫn đi qua được. Để trống: nước đi từ các điểm mực nước.",
                          "Polygons or lines; water spreads only from the cells they touch. Where the terrain is "
                          "unknown inside the source, water passes. Empty: water comes from the points."),
                      ask.POLYGONS + ask.LINES, optional=True),
            ask.choice("METHOD", say("Mặt nước giữa các điểm", "Water surface between the points"),
                       say("Tuyến tính: tam giác giữa các điểm, ra ngoài lấy theo điểm gần nhất trên đường bao; hợp "
                           "với trạm dọc sông. Nghịch đảo bình phương khoảng cách: trung bình có trọng số của mọi "
                           "điểm; chỉ dùng cho vết lũ rải rác.",
                           "Linear: triangles between the points, beyond them the nearest point of their hull; suits "
                           "gauges along a river. Inverse squared distance: weighted mean of all points; only for "
                           "scattered flood marks."),
                       [say("Tuyến tính", "Linear"),
                        say("Nghịch đảo bình phương khoảng cách", "Inverse squared distance"),
                        say("Dọc theo sông", "Along rivers")]),
            ask.layer("RIVERS", say("Tim sông", "River axes"),
                      say("Đường tim sông nối nhau ở ngã ba; cần khi tính dọc theo sông.", "Axes that meet at junctions; needed along rivers."),
                      ask.LINES, optional=True),
            ask.number("GAUGE_DISTANCE", say("Trạm cách tim sông nhiều nhất (m)", "Gauges at most this far from an axis (m)"),
                       say("Điểm mực nước xa hơn bị từ chối khi tính dọc theo sông.", "Levels further away are refused along rivers."),
                       1000.0, 1.0, advanced=True),
            ask.layer("DYKES", say("Đê", "Dykes"), say("Đường đê có cao trình đỉnh.", "Lines with a crest level."), ask.LINES, optional=True),
            ask.field("CREST_FIELD", say("Trường cao trình đỉnh đê (m)", "Field of the crest level (m)"),
                      say("Mét, hệ cao độ của địa hình; trống: giữ theo địa hình.", "Metres in the terrain's datum; null: as the terrain."),
                      "DYKES", optional=True),
            ask.layer("BREACHES", say("Điểm vỡ đê", "Breaches"), say("Điểm trên đê.", "Points on dykes."), ask.POINTS, optional=True),
            ask.field("BREACH_WIDTH_FIELD", say("Trường bề rộng vỡ đê (m)", "Field of the breach width (m)"),
                      say("Trống: theo bề rộng chung.", "Null: the common width."), "BREACHES", optional=True),
            ask.number("BREACH_WIDTH", say("Bề rộng vỡ đê chung (m)", "Common breach width (m)"),
                       say("Dùng khi điểm vỡ không có bề rộng riêng.", "Where a breach has no width of its own."), 30.0, 0.1, 5000.0, advanced=True),
            ask.choice("CONNECTIVITY", say("Nước lan qua", "Water passes over"),
                       say("Cạnh ô: bờ rộng một ô giữ được nước dù chạy chéo. Cạnh và góc ô: nước lọt qua bờ chạy "
                           "chéo.",
                           "Sides: a bank one cell wide holds even where it runs diagonally. Sides and corners: water "
                           "leaks through diagonal banks."),
                       [say("Cạnh ô (4 hướng)", "Sides of cells (4)"),
                        say("Cạnh và góc ô (8 hướng)", "Sides and corners (8)")],
                       advanced=True),
            ask.text("VERTICAL_DATUM", say("Hệ cao độ", "Vertical datum"),
                     say("Hệ cao độ chung của mực nước và địa hình, ví dụ \"Hòn Dấu 1992\"; ghi vào kết quả.",
                         "The common vertical datum of levels and terrain, such as \"Hon Dau 1992\"; written into the "
                         "result."),
                     optional=True),
            ask.text("TIME", say("Thời điểm của mực nước", "Time of the levels"),
                     say("Ví dụ \"07:00 22/11/2026\"; ghi vào kết quả.",
                         "Such as \"07:00 22/11/2026\"; written into the result."),
                     optional=True),
            ask.number("TERRAIN_ERROR", say("Sai số cao độ của địa hình (m)", "Error of the terrain (m)"),
                       say("Sai số trung phương của cao độ nếu biết; ghi vào kết quả để không phân cấp mịn hơn sai số.",
                           "Root mean square error of the heights where known; written into the result, so that depth "
                           "classes are not finer than that."), minimum=0, optional=True, advanced=True),
            *marks_parameters(),
            ask.invalid_geometry(),
            ask.raster_output("OUTPUT", say("Độ sâu ngập (m)", "Flood depth (m)"),
                              say("GeoTIFF float32: 0 = không ngập, không dữ liệu = chưa có địa hình; phương pháp, mực "
                                  "nước, hệ cao độ và thời điểm ghi trong thẻ của tệp.",
                                  "GeoTIFF float32: 0 = dry, nodata = no terrain; method, levels, datum and time are "
                                  "tags of the file.")),
            ask.raster_output("OUTPUT_RANGE", say("Khoảng độ sâu thấp - cao (m)", "Range of depth, low - high (m)"),
                              say("GeoTIFF hai kênh: độ sâu thấp và cao. Cần trường mực nước thấp, cao hoặc TERRAIN_ERROR.",
                                  "GeoTIFF of two bands: low and high depth. Needs low or high levels or TERRAIN_ERROR."), optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("LEVELS_USED", say("Số mực nước đã dùng", "Levels used")),
            ("LOO_BIAS", say("Sai số hệ thống khi bỏ từng điểm (m)", "Leave-one-out bias (m)")),
            ("LOO_MAE", say("Sai số tuyệt đối trung bình khi bỏ từng điểm (m)",
                            "Leave-one-out mean absolute error (m)")),
            ("LOO_RMSE", say("Sai số trung phương khi bỏ từng điểm (m)", "Leave-one-out root mean square error (m)")),
            ("WET_AREA", say("Diện tích ngập (m²)", "Flooded area (m²)")),
            ("UNREACHED_AREA", say("Diện tích thấp hơn mặt nước nhưng nước không tới (m²)",
                                   "Area below the surface that water does not reach (m²)")),
            ("MAX_DEPTH", say("Độ sâu lớn nhất (m)", "Greatest depth (m)")),
            ("VOLUME", say("Thể tích nước (m³)", "Volume of water (m³)")),
            ("WET_AREA_LOW", say("Diện tích ngập, mức thấp (m²)", "Flooded area, low (m²)")),
            ("WET_AREA_HIGH", say("Diện tích ngập, mức cao (m²)", "Flooded area, high (m²)")),
        )] + fit_outputs()

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_stated

        self.invalid = self.invalid_geometry(parameters, context)
        self.path = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        self.range_path = (
            self.parameterAsOutputLayer(parameters, "OUTPUT_RANGE", context) if parameters.get("OUTPUT_RANGE") else None
        )
        for path in (self.path, self.range_path):
            if path is not None and not path.lower().endswith((".tif", ".tiff")):
                raise OutputError(
                    say(
                        "Tệp raster kết quả phải có đuôi .tif: {path}", "The raster output must end in .tif: {path}"
                    ).format(path=path)
                )
        self.inputs = {
            key: self.layer(parameters, key, context) for key in ("LEVELS", "SOURCE", "RIVERS", "DYKES", "BREACHES")
        }
        self.levels, self.source = self.inputs["LEVELS"], self.inputs["SOURCE"]
        self.method = self.parameterAsEnum(parameters, "METHOD", context)
        self.fields: dict[str, str | None] = {}
        problems: list[str] = []
        with noted(problems):
            self.terrain_error = self.optional_number(parameters, "TERRAIN_ERROR", context)
        with noted(problems):
            self.terrain = raster_input(self, parameters, "TERRAIN", context)
            with self.terrain.open():  # refuses what is no terrain before anything is computed
                pass
        for key, parent in _FIELDS.items():
            with noted(problems):
                self.fields[key] = self.field(parameters, key, self.inputs[parent], context)
        for layer in self.inputs.values():
            if layer is None:
                continue
            with noted(problems):
                self.not_empty(layer)
            with noted(problems):
                require_stated(layer.crs, layer.name)
        with noted(problems):
            self.marks = Marks(self, parameters, context, has_terrain=True)
        refuse_if([*problems, *self._contradictions()])

    def _contradictions(self) -> list[str]:
        """Options that need or exclude each other."""
        along = self.method == ALONG_RIVERS
        told = []
        if along != (self.inputs["RIVERS"] is not None):
            told.append(say("Tính dọc theo sông cần lớp tim sông, và lớp tim sông chỉ dùng khi METHOD là \"Dọc theo sông\".",
                            "Along rivers needs the river axes, and the axes are used only with METHOD \"Along rivers\"."))
        if self.inputs["DYKES"] is not None and self.fields.get("CREST_FIELD") is None:
            told.append(say("Lớp đê cần trường cao trình đỉnh.", "The dykes need the field of their crest level."))
        if self.inputs["BREACHES"] is not None and self.inputs["DYKES"] is None:
            told.append(say("Điểm vỡ đê cần có lớp đê.", "Breaches need the dykes."))
        if self.range_path is not None and not (
            self.fields.get("LEVEL_LOW_FIELD") or self.fields.get("LEVEL_HIGH_FIELD") or self.terrain_error
        ):
            told.append(say("Khoảng độ sâu cần trường mực nước thấp, cao hoặc sai số của địa hình (TERRAIN_ERROR).",
                            "The range of depth needs low or high levels, or the error of the terrain (TERRAIN_ERROR)."))
        return told

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from contextlib import ExitStack

        from ...common.progress import part
        from ...common.raster_writing import write_raster
        from .flood_depth import Connectivity, flood_depths
        from .gauges import level_ends
        from .water_surface import Interpolation

        method = Interpolation(self.method) if self.method != ALONG_RIVERS else Interpolation.LINEAR
        connectivity = Connectivity(self.parameterAsEnum(parameters, "CONNECTIVITY", context))
        progress = self.progress(feedback)
        with self.terrain.open() as plain_terrain, ExitStack() as files:
            terrain, gauges, points, source, rivers, warnings = self._read(
                parameters, context, plain_terrain, part(progress, 0.0, 0.05)
            )
            datum = self.parameterAsString(parameters, "VERTICAL_DATUM", context).strip()
            if not datum:
                warnings.append(say("Chưa khai báo hệ cao độ: coi mực nước và địa hình cùng một hệ.",
                                    "No vertical datum is stated: levels and terrain are taken to be in one."))
            for sentence in warnings:
                feedback.pushWarning(sentence)
            writer = files.enter_context(
                write_raster(self.path, terrain.grid, description=say("Độ sâu ngập", "Flood depth"))
            )
            levels, writes = [gauges.level_m], [writer.write]
            if self.range_path is not None:
                ends = level_ends(
                    gauges,
                    points,
                    self.fields["LEVEL_LOW_FIELD"],
                    self.fields["LEVEL_HIGH_FIELD"],
                    self.terrain_error or 0.0,
                )
                between = files.enter_context(write_raster(self.range_path, terrain.grid, description=(
                    say("Độ sâu ngập, mức thấp", "Flood depth, low"), say("Độ sâu ngập, mức cao", "Flood depth, high"))))
                levels += ends
                writes += [partial(between.write, first_band=band) for band in (1, 2)]
            found, *ends_found = flood_depths(terrain, gauges, levels, writes, source=source, method=method, rivers=rivers,
                                              connectivity=connectivity, progress=part(progress, 0.05, 1.0))
            name = "ALONG_RIVERS" if rivers is not None else method.name
            tags = self._tags(parameters, context, gauges, found, name, connectivity.name, datum)
            writer.tag(tags)
            if ends_found:
                writer.tag({"RANGE": Path(self.range_path).name})
                between.tag({**tags, "RANGE_OF": Path(self.path).name, "BANDS": "LOW; HIGH"})
            progress(1.0)  # the last moment to stop: leaving the block puts the files in place
        _tell(found, gauges, feedback)
        with self.terrain.open() as terrain:
            fit, _ = self.marks.fit(self.path, terrain, feedback)
        self.style_on_load(context, self.path, "disaster/flood_depth.qml")
        results = {
            "OUTPUT": self.path, "LEVELS_USED": len(gauges), "LOO_BIAS": found.bias_m,
            "LOO_MAE": found.mean_absolute_error_m, "LOO_RMSE": found.root_mean_square_error_m,
            "WET_AREA": found.wet_area_m2, "UNREACHED_AREA": found.unreached_area_m2,
            "MAX_DEPTH": found.max_depth_m, "VOLUME": found.volume_m3, **fit_results(fit)}
        if ends_found:
            results |= {
                "OUTPUT_RANGE": self.range_path,
                "WET_AREA_LOW": ends_found[0].wet_area_m2,
                "WET_AREA_HIGH": ends_found[1].wet_area_m2,
            }
        return results

    def _read(self, parameters: dict[str, Any], context: QgsProcessingContext, terrain: Any, progress: Any) -> tuple:
        """Terrain with its dykes, gauges and their features, source cells, rivers, and what is to be told of them."""
        from ...common.crs import to_crs
        from ...common.geometry import clean
        from .dykes import with_dykes
        from .flood_depth import source_cells, source_in
        from .gauges import metres_per_unit, read_gauges
        from .river_surface import on_rivers, river_network

        def read(key: str, kind: str, columns: list[str | None]) -> Any:
            layer = self.inputs[key]
            frame, report = clean(layer.read([c for c in columns if c]), kind, self.invalid, layer.name)
            warnings.extend(report.sentences())
            return frame

        warnings: list[str] = []
        fields = self.fields
        points = read(
            "LEVELS",
            "point",
            [fields[k] for k in ("LEVEL_FIELD", "GAUGE_ZERO_FIELD", "LEVEL_LOW_FIELD", "LEVEL_HIGH_FIELD")],
        )
        grid, source, rivers = terrain.grid, None, None
        if self.inputs["DYKES"] is not None:
            dykes = to_crs(read("DYKES", "line", [fields["CREST_FIELD"]]), grid.crs_wkt)
            breaches = None
            if self.inputs["BREACHES"] is not None:
                breaches = to_crs(read("BREACHES", "point", [fields["BREACH_WIDTH_FIELD"]]), grid.crs_wkt)
            terrain, notes = with_dykes(
                terrain,
                dykes,
                fields["CREST_FIELD"],
                breaches=breaches,
                width_field=fields["BREACH_WIDTH_FIELD"],
                breach_width_m=self.parameterAsDouble(parameters, "BREACH_WIDTH", context),
                scale=metres_per_unit(grid),
            )
            warnings += notes
        gauges = read_gauges(points, fields["LEVEL_FIELD"], terrain, fields["GAUGE_ZERO_FIELD"])
        warnings += gauges.notes
        if self.inputs["RIVERS"] is not None:
            network = river_network(to_crs(read("RIVERS", "line", []), grid.crs_wkt), grid, gauges)
            rivers = on_rivers(network, gauges, self.parameterAsDouble(parameters, "GAUGE_DISTANCE", context))
            warnings += rivers.notes
        if self.source is not None:
            shapes, told = source_in(self.source.read([]), grid, self.invalid, self.source.name)
            warnings += told
            source = source_cells(shapes, grid, progress)
        return terrain, gauges, points, source, rivers, warnings

    def _tags(
        self, parameters: dict[str, Any], context: QgsProcessingContext, gauges: Gauges, found: FloodDepth, method: str,
        connectivity: str, datum: str,
    ) -> dict[str, str]:
        """What the file says of itself, for `floodexposure` and for whoever finds it later."""
        tags = {
            "QUYHOACH_ALGORITHM": "flooddepth",
            "METHOD": method if len(gauges) > 1 else "FLAT",
            "CONNECTIVITY": connectivity,
            "LEVELS_M": "; ".join(f"{id_}: {level:g}" for id_, level in zip(gauges.ids, gauges.level_m)),
            "LEVELS_LAYER": self.levels.name,
            "TERRAIN": self.terrain.name,
            **{key: self.inputs[key].name for key in ("RIVERS", "DYKES", "BREACHES") if self.inputs[key] is not None},
            "SOURCE": self.source.name if self.source is not None else "LEVELS",
            "VERTICAL_DATUM": datum or "UNSTATED",
            "TIME": self.parameterAsString(parameters, "TIME", context).strip() or "UNSTATED",
        }
        if found.root_mean_square_error_m is not None:
            tags["LOO_RMSE_M"] = f"{found.root_mean_square_error_m:.3f}"
        if self.terrain_error is not None:
            tags["TERRAIN_ERROR_M"] = f"{self.terrain_error:g}"
        return tags


def _tell(found: FloodDepth, gauges: Gauges, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the result."""
    if not found.wet_area_m2:
        feedback.pushWarning(say("Không có ô nào bị ngập.", "No cell is flooded."))
    if found.unknown_cells:
        feedback.pushInfo(say("{n} ô chưa có địa hình: không rõ có ngập hay không.",
                              "{n} cells have no terrain: flooded or not is unknown.")
                          .format(n=format_number(found.unknown_cells)))
    if found.unreached_area_m2:
        feedback.pushInfo(
            say("{area} ha thấp hơn mặt nước nhưng không nối liền với nguồn nước: coi là không ngập.",
                "{area} ha lie below the water surface without a path to the source: taken as dry.")
            .format(area=format_number(found.unreached_area_m2 / 10_000, 2)))
    feedback.pushInfo(
        say("Ngập {area} ha, sâu nhất {depth} m, thể tích {volume} m³, từ {n} mực nước.",
            "Flooded: {area} ha, at most {depth} m deep, {volume} m³, from {n} levels.")
        .format(area=format_number(found.wet_area_m2 / 10_000, 2), depth=format_number(found.max_depth_m, 2),
                volume=format_number(found.volume_m3), n=len(gauges)))
    if found.errors_m.size:
        feedback.pushInfo(
            say("Sai số của mặt nước khi bỏ từng điểm: hệ thống {bias} m, tuyệt đối trung bình {mae} m, trung phương "
                "{rmse} m.",
                "Leave-one-out error of the surface: bias {bias} m, mean absolute {mae} m, root mean square {rmse} m.")
            .format(bias=format_number(found.bias_m, 2), mae=format_number(found.mean_absolute_error_m, 2),
                    rmse=format_number(found.root_mean_square_error_m, 2)))
    else:
        feedback.pushInfo(say("Chỉ có một mực nước: mặt nước nằm ngang, không đánh giá được sai số.",
                              "Only one level: the surface is flat and its error is unknown."))
