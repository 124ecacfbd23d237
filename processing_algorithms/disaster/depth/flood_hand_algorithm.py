"""Processing algorithm ``quyhoach:floodhand``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import InputError, OutputError, name_some, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from .depth_fit_algorithm import Marks, fit_outputs, fit_results, marks_parameters

if TYPE_CHECKING:
    import geopandas

    from .flood_hand import HandFlood
    from .network_stage import Places, ReachStages

_ABOVE_DRAINAGE, _LEVEL = 0, 1
_FIELDS = ("STAGE_FIELD", "STAGE_LOW_FIELD", "STAGE_HIGH_FIELD", "REACH_FIELD")
_NUMBERS = ("STAGE", "STAGE_LOW", "STAGE_HIGH", "TERRAIN_ERROR")


class FloodHandAlgorithm(QuyHoachAlgorithm):
    """A flood in seconds from a prepared terrain; see `flood_hand`."""

    ID = "floodhand"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy", "pyogrio")
    TAGS = ("ngập lụt", "HAND", "mực nước", "inundation", "stage", "height above nearest drainage")

    def title(self) -> str:  # noqa: D102
        return say("Ngập nhanh theo độ cao so với dòng chảy gần nhất (HAND)",
                   "Quick flood from height above nearest drainage (HAND)")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết nước ngập sâu bao nhiêu mét khi sông, suối dâng lên một mức, từ mô hình địa hình đã chuẩn bị; mất vài "
            "giây.\n\n"
            "Phương pháp: ô ngập khi mực nước của dòng chảy mà ô thoát về cao hơn độ cao của ô so với dòng chảy đó; độ sâu "
            "tính đến mặt đất thật. Nước luôn nối liền với dòng chảy, vì đường thoát nước của ô không bao giờ lên dốc. Mực "
            "nước: một giá trị chung (STAGE), hoặc theo trạm, theo đoạn sông (STAGES); giữa hai trạm thay đổi đều dọc sông, "
            "ngoài trạm cuối giữ nguyên, nơi các nhánh gặp nhau là một. Lưu vực không có trạm: theo STAGE nếu có, nếu không "
            "thì không rõ. Trạm gắn vào đoạn sông có lưu vực lớn nhất trong SNAP_DISTANCE.\n\n"
            "Đây là ước tính tĩnh: không xét thời gian truyền lũ, vận tốc, sức chứa, nước tràn từ sông này sang sông khác. "
            "Khoảng thấp - cao (OUTPUT_RANGE): mực nước thấp, cao và trừ, cộng sai số địa hình.\n\n"
            "Đơn vị: mét; 0 = không ngập; không dữ liệu = không rõ (chưa có địa hình, thoát ra mép không qua dòng chảy, hoặc "
            "sông không có mực nước), không coi là khô. Mô hình bị sửa sau khi chuẩn bị thì bị từ chối. Điểm không có mực "
            "nước, không có hình hoặc hình rỗng: đếm, không dùng.",
            "Tells how many metres deep the water stands when rivers rise to a stage, from a prepared terrain, in seconds."
            "\n\n"
            "Method: a cell is wet when the stage of the stream it drains to is above the cell's height over that stream; "
            "depth is down to the real ground. Water is always joined to the stream, because the way down from a cell never "
            "rises. Stages: one for all (STAGE), or by gauge or reach (STAGES): between two gauges they change evenly along "
            "the river, beyond the last they stay, where branches meet they are one. Basins without a gauge: STAGE where "
            "given, else unknown. A gauge belongs to the reach that drains most within SNAP_DISTANCE.\n\n"
            "This is a static estimate: no travel time, velocity, storage, or water that passes from one river to another. "
            "Low to high (OUTPUT_RANGE): low and high stages, less and plus the error of the terrain.\n\n"
            "Units: metres; 0 = dry; nodata = unknown (no terrain, drains off the edge without a stream, or no stage), never "
            "taken as dry. A model changed since it was prepared is refused. Points without a stage, without or with empty "
            "geometry: counted, not used.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.folder("TERRAIN_MODEL", say("Thư mục mô hình địa hình", "Folder of the terrain model"),
                       say("Kết quả của \"Chuẩn bị mô hình số độ cao\".", "What \"Prepare the terrain\" wrote.")),
            ask.number("STAGE", say("Mực nước trên dòng chảy (m)", "Stage above the drainage (m)"),
                       say("Nước cao hơn lòng dòng chảy trong địa hình bao nhiêu mét, cho mọi sông không có trạm.",
                           "How far the water stands above the bed in the terrain, for all rivers without a gauge."),
                       minimum=0, optional=True),
            ask.layer("STAGES", say("Mực nước theo trạm hoặc đoạn sông", "Stages by gauge or reach"),
                      say("Điểm trạm, hoặc bảng có mã đoạn sông.", "Points of gauges, or a table with reach numbers."),
                      ask.ANY_GEOMETRY + ask.TABLES, optional=True),
            ask.field("STAGE_FIELD", say("Trường mực nước (m)", "Field of the stage (m)"),
                      say("Số, hoặc chữ như \"3,58\".", "Numbers, or texts such as \"3,58\"."), "STAGES", optional=True),
            ask.choice("STAGES_ARE", say("Mực nước trong lớp là", "Stages of the layer are"),
                       say("Chiều cao trên lòng dòng chảy, hoặc mực nước trong hệ cao độ của địa hình (khi đó lòng sông trong "
                           "địa hình được trừ đi).",
                           "Heights above the bed, or levels in the terrain's vertical datum (the bed in the terrain is then "
                           "subtracted)."),
                       [say("Chiều cao trên dòng chảy", "Heights above the drainage"),
                        say("Mực nước trong hệ cao độ của địa hình", "Levels in the terrain's datum")]),
            ask.field("STAGE_LOW_FIELD", say("Trường mực nước thấp (m)", "Field of the low stage (m)"),
                      say("Đầu thấp của khoảng; trống: như mực nước.", "Low end of the range; null: as the stage."), "STAGES",
                      optional=True),
            ask.field("STAGE_HIGH_FIELD", say("Trường mực nước cao (m)", "Field of the high stage (m)"),
                      say("Đầu cao của khoảng; trống: như mực nước.", "High end of the range; null: as the stage."), "STAGES",
                      optional=True),
            ask.field("REACH_FIELD", say("Trường mã đoạn sông", "Field of the reach number"),
                      say("reach_id trong streams.gpkg; mực nước khi đó dùng cho cả đoạn. Trống: theo vị trí điểm.",
                          "reach_id of streams.gpkg; the stage then holds for the whole reach. Empty: by the place of the "
                          "points."), "STAGES", optional=True),
            ask.number("STAGE_LOW", say("Mực nước thấp (m)", "Low stage (m)"),
                       say("Đầu thấp của khoảng cho STAGE.", "Low end of the range of STAGE."), minimum=0, optional=True,
                       advanced=True),
            ask.number("STAGE_HIGH", say("Mực nước cao (m)", "High stage (m)"),
                       say("Đầu cao của khoảng cho STAGE.", "High end of the range of STAGE."), minimum=0, optional=True,
                       advanced=True),
            ask.number("SNAP_DISTANCE", say("Tìm dòng chảy quanh trạm (m)", "Search for the stream within (m)"),
                       say("Trạm xa mọi dòng chảy hơn thế thì bị từ chối.",
                           "A gauge farther from every stream is refused."), 300.0, minimum=0, advanced=True),
            ask.number("TERRAIN_ERROR", say("Sai số cao độ của địa hình (m)", "Error of the terrain (m)"),
                       say("Trống: theo mô hình địa hình.", "Empty: that of the model."), minimum=0, optional=True,
                       advanced=True),
            ask.text("VERTICAL_DATUM", say("Hệ cao độ của mực nước", "Vertical datum of the levels"),
                     say("Nếu khác hệ của mô hình địa hình thì bị từ chối. Trống: coi là cùng hệ.",
                         "Refused when it is not the model's. Empty: taken to be the same."), optional=True),
            ask.text("TIME", say("Thời điểm của mực nước", "Time of the levels"),
                     say("Ví dụ \"07:00 22/11/2026\"; ghi vào kết quả.", "Such as \"07:00 22/11/2026\"; written into the result."),
                     optional=True),
            *marks_parameters(),
            ask.invalid_geometry(),
            ask.raster_output("OUTPUT", say("Độ sâu ngập (m)", "Flood depth (m)"),
                              say("GeoTIFF float32: 0 = không ngập, không dữ liệu = không rõ.",
                                  "GeoTIFF float32: 0 = dry, nodata = unknown.")),
            ask.raster_output("OUTPUT_RANGE", say("Khoảng độ sâu thấp - cao (m)", "Range of depth, low - high (m)"),
                              say("GeoTIFF hai kênh: độ sâu thấp, độ sâu cao. Cần mực nước thấp, cao hoặc sai số địa hình.",
                                  "GeoTIFF of two bands: low and high depth. Needs low or high stages, or the error of the "
                                  "terrain."), optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("STAGES_USED", say("Số mực nước đã dùng", "Stages used")),
            ("WET_AREA", say("Diện tích ngập (m²)", "Flooded area (m²)")),
            ("WET_AREA_LOW", say("Diện tích ngập, mức thấp (m²)", "Flooded area, low (m²)")),
            ("WET_AREA_HIGH", say("Diện tích ngập, mức cao (m²)", "Flooded area, high (m²)")),
            ("MAX_DEPTH", say("Độ sâu lớn nhất (m)", "Greatest depth (m)")),
            ("VOLUME", say("Thể tích nước (m³)", "Volume of water (m³)")),
            ("UNKNOWN_CELLS", say("Số ô không rõ", "Unknown cells")))] + fit_outputs()

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_stated
        from ..terrain.terrain_model import ABOVE, CHAINAGE, GROUND_ABOVE, REACH, STREAMS, read_model

        self.invalid = self.invalid_geometry(parameters, context)
        self.path = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        wanted = parameters.get("OUTPUT_RANGE")
        self.range_path = self.parameterAsOutputLayer(parameters, "OUTPUT_RANGE", context) if wanted else None
        for path in (self.path, self.range_path):
            if path and not path.lower().endswith((".tif", ".tiff")):
                raise OutputError(say("Tệp raster kết quả phải có đuôi .tif: {path}",
                                      "The raster output must end in .tif: {path}").format(path=path))
        problems: list[str] = []
        self.layer_in = None
        with noted(problems):
            self.layer_in = self.layer(parameters, "STAGES", context)
        self.fields: dict[str, str | None] = {}
        for key in _FIELDS:
            with noted(problems):
                self.fields[key] = self.field(parameters, key, self.layer_in, context)
        self.numbers: dict[str, float | None] = {}
        for key in _NUMBERS:
            with noted(problems):
                self.numbers[key] = self.optional_number(parameters, key, context)
        if self.layer_in is not None:
            with noted(problems):
                self.not_empty(self.layer_in)
            if not self.fields.get("STAGE_FIELD"):
                problems.append(
                    say(
                        "Chưa chọn trường mực nước của lớp {layer}.",
                        "No field of the stage is chosen for layer {layer}.",
                    ).format(layer=self.layer_in.name)
                )
            if not self.fields.get("REACH_FIELD"):
                with noted(problems):
                    require_stated(self.layer_in.crs, self.layer_in.name)
        elif self.numbers.get("STAGE") is None:
            problems.append(say("Chưa có mực nước: hãy nhập STAGE hoặc chọn lớp STAGES.",
                                "There is no stage: enter STAGE or choose a layer of STAGES."))
        low, stage, high = (self.numbers.get(key) for key in ("STAGE_LOW", "STAGE", "STAGE_HIGH"))
        told = [value for value in (low, stage, high) if value is not None]
        if told != sorted(told):
            problems.append(
                say("Mực nước phải theo thứ tự thấp ≤ giữa ≤ cao.", "Stages must be low <= middle <= high.")
            )
        with noted(problems):
            self.model = read_model(self.parameterAsString(parameters, "TERRAIN_MODEL", context),
                                    (ABOVE, GROUND_ABOVE, REACH, CHAINAGE, STREAMS))
            self.datum = self._datum(self.parameterAsString(parameters, "VERTICAL_DATUM", context).strip())
        with noted(problems):
            self.marks = Marks(self, parameters, context, has_terrain=True)
        refuse_if(problems)
        error = self.numbers["TERRAIN_ERROR"]
        self.error = self.model.card["terrain"]["error_m"] if error is None else error
        if self.range_path and not self.error and low is None and high is None and not (
                self.fields["STAGE_LOW_FIELD"] or self.fields["STAGE_HIGH_FIELD"]):
            raise InputError(say("Khoảng độ sâu cần mực nước thấp, cao hoặc sai số của địa hình (TERRAIN_ERROR).",
                                 "The range of depth needs low or high stages, or the error of the terrain (TERRAIN_ERROR)."))

    def _datum(self, stated: str) -> str:
        """The datum of terrain and levels; refuse two different ones."""
        ours = self.model.card["terrain"]["vertical_datum"]
        if stated and ours != "UNSTATED" and stated.casefold() != ours.casefold():
            raise InputError(say("Mực nước ở hệ cao độ \"{levels}\", mô hình địa hình ở hệ \"{terrain}\"; hãy đổi mực nước về "
                                 "hệ của địa hình.",
                                 "Levels are in the datum \"{levels}\" and the terrain model in \"{terrain}\"; convert the "
                                 "levels.").format(levels=stated, terrain=ours))
        return stated or ours

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        import pyogrio

        from ...common.curves import curves_kept
        from ...common.progress import part
        from ...common.raster import open_raster
        from ...common.raster_writing import write_raster
        from ..terrain.terrain_model import STREAMS, source_changed
        from .flood_hand import flood_hand, open_model_rasters

        with curves_kept():
            streams = pyogrio.read_dataframe(self.model.path(STREAMS)).sort_values("reach_id", ignore_index=True)
        stages_are = self.parameterAsEnum(parameters, "STAGES_ARE", context)
        snap = self.parameterAsDouble(parameters, "SNAP_DISTANCE", context)
        told: list[str] = []
        middle, low, high, levels = self._stages(streams, stages_are, snap, told)
        if source_changed(self.model):
            told.append(say("Tệp địa hình {name} đã thay đổi từ khi chuẩn bị mô hình; kết quả theo địa hình cũ.",
                            "The terrain file {name} has changed since the model was prepared; the result is that of the old "
                            "one.").format(name=self.model.card["terrain"]["name"]))
        if self.datum == "UNSTATED" and stages_are == _LEVEL:
            told.append(say("Chưa khai báo hệ cao độ: coi mực nước và địa hình cùng một hệ.",
                            "No vertical datum is stated: levels and terrain are taken to be in one."))
        for sentence in told:
            feedback.pushWarning(sentence)
        tags = self._tags(levels, stages_are, self.parameterAsString(parameters, "TIME", context).strip())
        progress = self.progress(feedback)
        with ExitStack() as files:
            rasters = files.enter_context(open_model_rasters(self.model))
            writer = files.enter_context(
                write_raster(self.path, rasters.grid, description=say("Độ sâu ngập", "Flood depth"))
            )
            between = None
            if self.range_path:
                between = files.enter_context(write_raster(self.range_path, rasters.grid, description=(
                    say("Độ sâu ngập, mức thấp", "Flood depth, low"), say("Độ sâu ngập, mức cao", "Flood depth, high"))))

            found = flood_hand(rasters, middle, writer.write, low=low, high=high, error_m=self.error or 0.0,
                               write_range=between.write if between else None, progress=part(progress, 0.0, 1.0))
            writer.tag(tags if between is None else {**tags, "RANGE": Path(self.range_path).name})
            if between is not None:
                between.tag({**tags, "RANGE_OF": Path(self.path).name, "BANDS": "LOW; HIGH"})
            progress(1.0)  # the last moment to stop: leaving the block puts the files in place
        _tell(found, feedback)
        fit = None
        if self.marks.layer is not None:
            ground = Path(self.model.card["terrain"]["path"])
            with open_raster(
                ground if ground.is_file() else self.model.path("conditioned.tif"),
                name=self.model.card["terrain"]["name"],
            ) as terrain:
                fit, _ = self.marks.fit(self.path, terrain, feedback)
        self.style_on_load(context, self.path, "disaster/flood_depth.qml")
        results = {"OUTPUT": self.path, "STAGES_USED": len(levels), "WET_AREA": found.wet_area_m2[0],
                   "WET_AREA_LOW": found.wet_area_m2[1], "WET_AREA_HIGH": found.wet_area_m2[2],
                   "MAX_DEPTH": found.max_depth_m, "VOLUME": found.volume_m3[0], "UNKNOWN_CELLS": found.unknown_cells, **fit_results(fit)}
        return results | ({"OUTPUT_RANGE": self.range_path} if self.range_path else {})

    def _stages(
        self, streams: geopandas.GeoDataFrame, stages_are: int, snap: float, told: list[str]
    ) -> tuple[ReachStages, ReachStages | None, ReachStages | None, dict[str, float]]:
        """Middle, low and high stages of the network, and the stage of each place, for the tags."""
        from .network_stage import even_stages, stages_along

        elsewhere, low, high = (self.numbers[key] for key in ("STAGE", "STAGE_LOW", "STAGE_HIGH"))
        if self.layer_in is None:
            ends = [None if one is None else even_stages(one, streams) for one in (low, high)]
            return even_stages(elsewhere, streams), *ends, {say("mọi dòng chảy", "all streams"): elsewhere}
        places, values = self._places(streams, snap, told)
        if stages_are == _LEVEL:
            values = [value - places.bed_m for value in values]
            below = values[0] < 0
            if below.any():
                told.append(say("{n} mực nước thấp hơn lòng sông trong địa hình (fid: {ids}): ở đó không ngập; kiểm tra hệ cao "
                                "độ.",
                                "{n} levels are below the bed in the terrain (ids: {ids}): no flood there; check the vertical "
                                "datum.").format(n=int(below.sum()), ids=name_some(places.ids[below])))
        all_places = [stages_along(streams, places, value, other) for value, other in zip(
            values, (elsewhere, elsewhere if low is None else low, elsewhere if high is None else high))]
        if elsewhere is None and (
            lost := sorted(set(streams["basin_id"]) - set(streams["basin_id"][places.reach - 1]))
        ):
            told.append(say("{n} lưu vực không có mực nước: không rõ có ngập hay không; nhập STAGE nếu muốn có.",
                            "{n} basins have no stage: flooded or not is unknown; enter STAGE to have them.").format(n=len(lost)))
        return (*all_places, dict(zip(map(str, places.ids), values[0].tolist())))

    def _places(self, streams: geopandas.GeoDataFrame, snap: float, told: list[str]) -> tuple[Places, list[Any]]:
        """Where stages are known, and their middle, low and high values as in the layer."""
        import numpy as np

        from ...common.columns import numbers
        from ...common.crs import to_crs
        from ...common.geometry import clean
        from .network_stage import places_of_points, places_of_reaches

        rows = self.layer_in.read(sorted({name for name in self.fields.values() if name}))
        reach_field = self.fields["REACH_FIELD"]
        if not reach_field:
            rows, report = clean(rows, "point", self.invalid, self.layer_in.name)
            told += report.sentences()
        columns = []
        for key in ("STAGE_FIELD", "STAGE_LOW_FIELD", "STAGE_HIGH_FIELD"):
            name = self.fields[key]
            value, wrong = numbers(rows[name]) if name else (np.full(len(rows), np.nan), [])
            if wrong:
                raise InputError(say("Trường \"{field}\" có giá trị không phải là mực nước (fid: {ids}).",
                                     "The field \"{field}\" has values that are no levels (ids: {ids}).")
                                 .format(field=name, ids=name_some(wrong)))
            columns.append(value)
        known = ~np.isnan(columns[0])
        if not known.any():
            raise InputError(
                say('Trường "{field}" không có giá trị mực nước nào.', 'The field "{field}" holds no level.').format(
                    field=self.fields["STAGE_FIELD"]
                )
            )
        if not known.all():
            told.append(say("{n} điểm không có mực nước, không dùng (fid: {ids}).",
                            "{n} points have no level and are not used (ids: {ids}).")
                        .format(n=int((~known).sum()), ids=name_some(rows.index[~known])))
        middle, low, high = (value[known] for value in columns)
        low, high = np.where(np.isnan(low), middle, low), np.where(np.isnan(high), middle, high)
        if (wrong := (low > middle) | (high < middle)).any():
            raise InputError(say("Mực nước phải theo thứ tự thấp ≤ giữa ≤ cao (fid: {ids}).",
                                 "Stages must be low <= middle <= high (ids: {ids}).")
                             .format(ids=name_some(rows.index[known][wrong])))
        rows = rows[known]
        if reach_field:
            return places_of_reaches(rows, reach_field, streams), [middle, low, high]
        places = places_of_points(to_crs(rows, streams.crs), streams, snap)
        at = rows.index.get_indexer(places.ids)
        return places, [value[at] for value in (middle, low, high)]

    def _tags(self, levels: dict[str, float], stages_are: int, time: str) -> dict[str, str]:
        """What the file says of itself, as `flooddepth` does."""
        card = self.model.card["terrain"]
        tags = {
            "QUYHOACH_ALGORITHM": "floodhand", "METHOD": "HAND",
            "LEVELS_M": "; ".join(f"{id_}: {level:g}" for id_, level in levels.items()),
            "LEVELS_ARE": "ABOVE_DRAINAGE", "LEVELS_GIVEN_AS": "LEVEL" if stages_are == _LEVEL else "ABOVE_DRAINAGE",
            "LEVELS_LAYER": self.layer_in.name if self.layer_in is not None else "STAGE",
            "TERRAIN": card["name"], "SOURCE": "STREAMS", "VERTICAL_DATUM": self.datum, "TIME": time or "UNSTATED"}
        if self.error is not None:
            tags["TERRAIN_ERROR_M"] = f"{self.error:g}"
        return tags


def _tell(found: HandFlood, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the result."""
    middle, low, high = (format_number(area / 10_000, 2) for area in found.wet_area_m2)
    if not found.wet_area_m2[0]:
        feedback.pushWarning(say("Không có ô nào bị ngập.", "No cell is flooded."))
    if found.unknown_cells:
        feedback.pushInfo(say("{n} ô không rõ có ngập hay không (chưa có địa hình, không thoát về dòng chảy nào, hoặc sông "
                              "không có mực nước).",
                              "{n} cells are unknown (no terrain, no stream they drain to, or no stage).")
                          .format(n=format_number(found.unknown_cells)))
    feedback.pushInfo(
        say("Ngập {middle} ha (khoảng {low} - {high} ha), sâu nhất {depth} m, thể tích {volume} m³.",
            "Flooded: {middle} ha ({low} - {high} ha), at most {depth} m deep, {volume} m³.")
        .format(middle=middle, low=low, high=high, depth=format_number(found.max_depth_m, 2),
                volume=format_number(found.volume_m3[0])))
