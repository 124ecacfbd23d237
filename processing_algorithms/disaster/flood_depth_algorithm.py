"""Processing algorithm ``quyhoach:flooddepth``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ..common import qgis_parameters as ask
from ..common.errors import OutputError, noted, refuse_if
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.qgis_algorithm import QuyHoachAlgorithm
from ..common.qgis_rasters import raster_input

if TYPE_CHECKING:
    from .flood_depth import FloodDepth
    from .gauges import Gauges


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
                        say("Nghịch đảo bình phương khoảng cách", "Inverse squared distance")]),
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
            ask.invalid_geometry(),
            ask.raster_output("OUTPUT", say("Độ sâu ngập (m)", "Flood depth (m)"),
                              say("GeoTIFF float32: 0 = không ngập, không dữ liệu = chưa có địa hình; phương pháp, mực "
                                  "nước, hệ cao độ và thời điểm ghi trong thẻ của tệp.",
                                  "GeoTIFF float32: 0 = dry, nodata = no terrain; method, levels, datum and time are "
                                  "tags of the file.")),
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
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ..common.crs import require_stated

        self.invalid = self.invalid_geometry(parameters, context)
        self.path = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        if not self.path.lower().endswith((".tif", ".tiff")):
            raise OutputError(say("Tệp raster kết quả phải có đuôi .tif: {path}",
                                  "The raster output must end in .tif: {path}")
                              .format(path=self.path))
        self.levels = self.layer(parameters, "LEVELS", context)
        self.source = self.layer(parameters, "SOURCE", context)
        problems: list[str] = []
        with noted(problems):
            self.terrain_error = self.optional_number(parameters, "TERRAIN_ERROR", context)
        with noted(problems):
            self.terrain = raster_input(self, parameters, "TERRAIN", context)
            with self.terrain.open():  # refuses what is no terrain before anything is computed
                pass
        with noted(problems):
            self.level_field = self.field(parameters, "LEVEL_FIELD", self.levels, context)
        with noted(problems):
            self.zero_field = self.field(parameters, "GAUGE_ZERO_FIELD", self.levels, context)
        for layer in (self.levels, self.source):
            if layer is None:
                continue
            with noted(problems):
                self.not_empty(layer)
            with noted(problems):
                require_stated(layer.crs, layer.name)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..common.geometry import clean
        from ..common.progress import part
        from ..common.raster_writing import write_raster
        from .flood_depth import Connectivity, flood_depth, source_cells, source_in
        from .gauges import read_gauges
        from .water_surface import Interpolation

        method = Interpolation(self.parameterAsEnum(parameters, "METHOD", context))
        connectivity = Connectivity(self.parameterAsEnum(parameters, "CONNECTIVITY", context))
        progress = self.progress(feedback)
        with self.terrain.open() as terrain:
            columns = [self.level_field, *([self.zero_field] if self.zero_field else [])]
            points, report = clean(self.levels.read(columns), "point", self.invalid, self.levels.name)
            gauges = read_gauges(points, self.level_field, terrain, self.zero_field)
            warnings = [*report.sentences(), *gauges.notes]
            source = None
            if self.source is not None:
                shapes, told = source_in(self.source.read([]), terrain.grid, self.invalid, self.source.name)
                warnings += told
                source = source_cells(shapes, terrain.grid, part(progress, 0.0, 0.05))
            datum = self.parameterAsString(parameters, "VERTICAL_DATUM", context).strip()
            if not datum:
                warnings.append(say("Chưa khai báo hệ cao độ: coi mực nước và địa hình cùng một hệ.",
                                    "No vertical datum is stated: levels and terrain are taken to be in one."))
            for sentence in warnings:
                feedback.pushWarning(sentence)
            with write_raster(self.path, terrain.grid, description=say("Độ sâu ngập", "Flood depth")) as writer:
                found = flood_depth(terrain, gauges, writer.write, source=source, method=method,
                                    connectivity=connectivity,
                                    progress=part(progress, 0.05, 1.0))
                writer.tag(self._tags(parameters, context, gauges, found, method.name, connectivity.name, datum))
                progress(1.0)  # the last moment to stop: leaving the block puts the file in place
        _tell(found, gauges, feedback)
        self.style_on_load(context, self.path, "disaster/flood_depth.qml")
        return {
            "OUTPUT": self.path, "LEVELS_USED": len(gauges), "LOO_BIAS": found.bias_m,
            "LOO_MAE": found.mean_absolute_error_m, "LOO_RMSE": found.root_mean_square_error_m,
            "WET_AREA": found.wet_area_m2, "UNREACHED_AREA": found.unreached_area_m2,
            "MAX_DEPTH": found.max_depth_m, "VOLUME": found.volume_m3}

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
