"""Processing algorithm ``quyhoach:floodcorrect``."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import OutputError, name_some, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input
from .depth_fit_algorithm import Marks, fit_outputs, fit_results, marks_parameters


class FloodCorrectAlgorithm(QuyHoachAlgorithm):
    """A flood map corrected by hand; see `flood_corrections`."""

    ID = "floodcorrect"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")
    TAGS = ("chỉnh sửa vùng ngập", "xã khoanh vùng", "hiệu chỉnh", "correction", "flooded area")

    def title(self) -> str:  # noqa: D102
        return say("Chỉnh vùng ngập theo thực tế tại chỗ", "Correct the flooded area by hand")

    def help(self) -> str:  # noqa: D102
        return say(
            "Xã, phường khoanh vùng thực tế ngập hoặc không ngập; độ sâu đổi theo.\n\n"
            "Vùng không ngập: độ sâu 0. Vùng ngập: lấy mực nước của ô ngập gần nhất trong và quanh vùng trừ địa hình; chỗ đất cao hơn mực nước đó, hoặc quanh vùng không có "
            "nước, lấy độ sâu nhỏ nhất (LEAST_DEPTH); có ghi độ sâu thì dùng độ sâu đó. Vùng vẽ sau đè lên vùng vẽ trước (TIME_FIELD). Người vẽ và thời điểm ghi vào thẻ của "
            "raster. Bản đồ gốc không bị sửa.\n\n"
            "Mét, m². Vùng không chứa tâm ô nào được nêu. Hình không hợp lệ: theo lựa chọn; hệ tọa độ khác được chuyển về hệ của raster (VN-2000: EPSG 6960).",
            "Communes draw what is really flooded or dry; the depth follows.\n\n"
            "Dry: depth 0. Wet: the water level of the nearest wet cell in and around the polygon, less the terrain; ground above that, or with no water near, gets the least "
            "depth (LEAST_DEPTH); a depth written there goes first. Later polygons go over earlier ones (TIME_FIELD). Author and time go into the raster's tags. The original map "
            "is not changed.\n\n"
            "Metres, m². Polygons that hold no cell centre are told. Invalid shapes: as chosen; another CRS is brought to that of the raster (VN-2000: EPSG 6960).")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.raster("DEPTH", say("Độ sâu ngập (m)", "Flood depth (m)"), say("Bản đồ cần chỉnh.", "The map to correct.")),
            ask.raster("TERRAIN", say("Địa hình đã tính độ sâu", "Terrain the depth was computed from"), say("Cùng lưới ô với độ sâu.", "Same cells as the depth.")),
            ask.layer("CORRECTIONS", say("Vùng chỉnh sửa", "Corrections"), say("Vùng khoanh tay với tình trạng ngập hoặc không ngập.", "Polygons drawn, wet or dry."), ask.POLYGONS),
            ask.field("STATE_FIELD", say("Trường tình trạng", "Field of the state"), say("\"ngập\" hoặc \"không ngập\" (wet, dry).", "\"wet\" or \"dry\" (ngập, không ngập)."), "CORRECTIONS"),
            ask.field("AUTHOR_FIELD", say("Trường người vẽ", "Field of the author"), say("Đơn vị hoặc người vẽ; ghi vào thẻ của raster.", "Office or person; goes into the raster's tags."), "CORRECTIONS", optional=True),
            ask.field("TIME_FIELD", say("Trường thời điểm", "Field of the time"), say("Vùng vẽ sau đè lên vùng vẽ trước.", "Later polygons go over earlier ones."), "CORRECTIONS", optional=True),
            ask.field("DEPTH_FIELD", say("Trường độ sâu đã thấy (m)", "Field of the depth seen (m)"), say("Cho vùng ngập, nếu có.", "For wet polygons, where known."), "CORRECTIONS", optional=True),
            ask.number("LEAST_DEPTH", say("Độ sâu nhỏ nhất của vùng ngập (m)", "Least depth of wet areas (m)"), say("Nơi mực nước gần đó không tới được.", "Where the water near by does not reach."), 0.1, 0.01, 5.0, advanced=True),
            *marks_parameters(),
            ask.invalid_geometry(),
            ask.raster_output("OUTPUT", say("Độ sâu ngập đã chỉnh (m)", "Corrected flood depth (m)"), say("GeoTIFF: 0 = không ngập, không dữ liệu = chưa rõ.", "GeoTIFF: 0 = dry, nodata = unknown.")),
            ask.layer_output("OUTPUT_CORRECTIONS", say("Vùng chỉnh sửa với diện tích đổi", "Corrections with what they changed"), say("Các trường gốc và wetted_m2, dried_m2.", "Their fields and wetted_m2, dried_m2."),
                             Qgis.ProcessingSourceType.VectorPolygon, optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputNumber("WETTED_AREA", say("Diện tích thêm ngập (m²)", "Area made wet (m²)")),
            QgsProcessingOutputNumber("DRIED_AREA", say("Diện tích bỏ ngập (m²)", "Area made dry (m²)")),
            *fit_outputs(),
        ]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_stated

        self.path = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        if not self.path.lower().endswith((".tif", ".tiff")):
            raise OutputError(
                say(
                    "Tệp raster kết quả phải có đuôi .tif: {path}", "The raster output must end in .tif: {path}"
                ).format(path=self.path)
            )
        problems: list[str] = []
        self.invalid = self.invalid_geometry(parameters, context)
        self.polygons = self.layer(parameters, "CORRECTIONS", context)
        for key in ("DEPTH", "TERRAIN"):
            with noted(problems):
                setattr(self, key.lower(), raster_input(self, parameters, key, context, depths=key == "DEPTH"))
        self.fields: dict[str, str | None] = {}
        for key in ("STATE_FIELD", "AUTHOR_FIELD", "TIME_FIELD", "DEPTH_FIELD"):
            with noted(problems):
                self.fields[key] = self.field(parameters, key, self.polygons, context)
        with noted(problems):
            self.not_empty(self.polygons)
            require_stated(self.polygons.crs, self.polygons.name)
        with noted(problems):
            self.marks = Marks(self, parameters, context, has_terrain=True)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.crs import to_crs
        from ...common.geometry import clean
        from ...common.progress import part
        from ...common.raster_writing import write_raster
        from .flood_corrections import corrections

        frame, report = clean(self.polygons.read(), "polygon", self.invalid, self.polygons.name)
        progress = self.progress(feedback)
        with self.depth.open() as depth, self.terrain.open() as terrain:
            found = corrections(depth, terrain, to_crs(frame, depth.grid.crs_wkt), self.fields["STATE_FIELD"], time_field=self.fields["TIME_FIELD"],
                                depth_field=self.fields["DEPTH_FIELD"], least_m=self.parameterAsDouble(parameters, "LEAST_DEPTH", context), progress=part(progress, 0.0, 0.5))
            for sentence in (*report.sentences(), *found.notes):
                feedback.pushWarning(sentence)
            with write_raster(self.path, depth.grid, description=say("Độ sâu ngập", "Flood depth")) as writer:
                for window in depth.grid.strips():
                    writer.write(window, found.apply(window, depth.read(window)))
                    progress(0.5 + 0.5 * (window.row + window.rows) / depth.grid.shape[0])
                kept = {
                    key: value
                    for key, value in depth.tags.items()
                    if not key.startswith(("AREA_OR_POINT", "STATISTICS", "RANGE"))
                }
                writer.tag({**kept, "CORRECTED_BY": self._listed(frame, "AUTHOR_FIELD"), "CORRECTED_AT": self._listed(frame, "TIME_FIELD"), "CORRECTIONS": str(len(frame))})
                progress(1.0)
            fit, _ = self.marks.fit(self.path, terrain, feedback)
        wetted, dried = float(found.table["wetted_m2"].sum()), float(found.table["dried_m2"].sum())
        feedback.pushInfo(
            say(
                "{n} vùng: thêm ngập {wet} ha, bỏ ngập {dry} ha.", "{n} polygons: {wet} ha made wet, {dry} ha made dry."
            ).format(n=len(frame), wet=format_number(wetted / 10_000, 2), dry=format_number(dried / 10_000, 2))
        )
        self.style_on_load(context, self.path, "disaster/flood_depth.qml")
        table = self.write_layer(parameters, "OUTPUT_CORRECTIONS", context, found.table, Qgis.WkbType.MultiPolygon)
        results = {"OUTPUT": self.path, "WETTED_AREA": wetted, "DRIED_AREA": dried, **fit_results(fit)}
        return results if table is None else {**results, "OUTPUT_CORRECTIONS": table}

    def _listed(self, frame: Any, key: str) -> str:
        field = self.fields[key]
        return (
            ""
            if field is None
            else name_some(dict.fromkeys(str(v) for v in frame[field] if v is not None and v == v), 20)
        )
