"""Processing algorithm ``quyhoach:floodfit``; and the parameters by which every algorithm that makes depths tells its fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_layers import LayerInput
from ...common.qgis_rasters import raster_input

if TYPE_CHECKING:
    import geopandas

    from ...common.raster import Heights
    from .depth_fit import DepthFit


def marks_parameters(optional: bool = True) -> list[Any]:
    """Flood marks and field reports, with a depth or a level."""
    return [
        ask.layer("MARKS", say("Vết lũ, tin báo để đối chiếu", "Flood marks, field reports to compare with"),
                  say("Điểm có độ sâu hoặc cao độ mực nước đã thấy; độ sâu 0 là nơi không ngập.",
                      "Points with a depth or a level that was seen; depth 0 is where it stayed dry."), ask.POINTS, optional=optional),
        ask.field("MARK_DEPTH_FIELD", say("Trường độ sâu của vết lũ (m)", "Field of the marks' depth (m)"),
                  say("Mét; ví dụ depth_m của vết lũ, tin báo.", "Metres; such as depth_m of flood marks and field reports."), "MARKS", optional=True),
        ask.field("MARK_LEVEL_FIELD", say("Trường cao độ của vết lũ (m)", "Field of the marks' level (m)"),
                  say("Dùng nơi không có độ sâu: độ sâu = cao độ - địa hình; cùng hệ cao độ với địa hình.",
                      "Used where there is no depth: depth = level - terrain, in the terrain's vertical datum."), "MARKS", optional=True),
    ]


def fit_outputs() -> list[Any]:
    """Figures of fit as outputs; absent when there are no marks."""
    return [QgsProcessingOutputNumber(key, label) for key, label in (
        ("FIT_MARKS", say("Số điểm đối chiếu", "Marks compared")), ("FIT_BIAS", say("Sai số hệ thống (m)", "Bias (m)")),
        ("FIT_MAE", say("Sai số tuyệt đối trung bình (m)", "Mean absolute error (m)")), ("FIT_HIT_RATE", say("Tỷ lệ phát hiện đúng", "Hit rate")),
        ("FIT_FALSE_ALARM_RATIO", say("Tỷ lệ báo sai", "False-alarm ratio")), ("FIT_CSI", say("Chỉ số thành công (CSI)", "Critical success index")))]


def fit_results(fit: DepthFit | None) -> dict[str, Any]:
    """Values of `fit_outputs`."""
    if fit is None:
        return {}
    return {
        "FIT_MARKS": fit.marks,
        "FIT_BIAS": fit.bias_m,
        "FIT_MAE": fit.mean_absolute_error_m,
        "FIT_HIT_RATE": fit.hit_rate,
        "FIT_FALSE_ALARM_RATIO": fit.false_alarm_ratio,
        "FIT_CSI": fit.critical_success_index,
    }


class Marks:
    """The parameters of `marks_parameters` of one run. Build it in `prepare`; `fit` compares a depth raster."""

    def __init__(self, algorithm: QuyHoachAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, *, has_terrain: bool):
        self.layer: LayerInput | None = algorithm.layer(parameters, "MARKS", context)
        from ...common.crs import require_stated
        from .mark_depths import check_marks

        problems: list[str] = []
        self.fields: dict[str, str | None] = {}
        for key in ("MARK_DEPTH_FIELD", "MARK_LEVEL_FIELD"):
            with noted(problems):
                self.fields[key] = algorithm.field(parameters, key, self.layer, context)
        if self.layer is not None and not problems:
            if not any(self.fields.values()):
                problems.append(
                    say(
                        "Hãy chọn trường độ sâu hoặc cao độ của lớp {layer}.",
                        "Choose the depth or the level field of layer {layer}.",
                    ).format(layer=self.layer.name)
                )
            elif self.fields["MARK_DEPTH_FIELD"] is None and not has_terrain:
                problems.append(say("Vết lũ chỉ có cao độ: cần chọn địa hình để tính độ sâu.", "Marks with a level only: choose the terrain to get depths."))
            with noted(problems):
                algorithm.not_empty(self.layer)
                require_stated(self.layer.crs, self.layer.name)
        refuse_if(problems)
        self.frame = None
        if self.layer is not None:
            # Before any work: a text that is no number must not leave a map behind.
            self.frame = self.layer.read()
            check_marks(self.frame, self.fields["MARK_DEPTH_FIELD"], self.fields["MARK_LEVEL_FIELD"])

    def fit(
        self, depth_path: str, terrain: Heights | None, feedback: QgsProcessingFeedback
    ) -> tuple[DepthFit | None, geopandas.GeoDataFrame | None]:
        """Compare, tell the figures, and return the marks with ``map_depth_m``, ``mark_depth_m`` and ``difference_m``."""
        if self.layer is None:
            return None, None
        from ...common.raster import open_raster
        from .mark_depths import mark_depths

        with open_raster(depth_path, name=say("Độ sâu ngập", "Flood depth")) as depth:
            fit, table = mark_depths(self.frame, depth, terrain, self.fields["MARK_DEPTH_FIELD"], self.fields["MARK_LEVEL_FIELD"], self.layer.name)
        feedback.pushInfo(fit.sentence())
        return fit, table


class FloodFitAlgorithm(QuyHoachAlgorithm):
    """Fit of any depth raster against marks; see `depth_fit`."""

    ID = "floodfit"
    ROOM = "disaster"
    TAGS = ("vết lũ", "đối chiếu", "kiểm chứng", "CSI", "validation", "hit rate", "flood marks")

    def title(self) -> str:  # noqa: D102
        return say("Đối chiếu bản đồ ngập với vết lũ, tin báo", "Fit of a flood map against marks and reports")

    def help(self) -> str:  # noqa: D102
        return say(
            "So độ sâu trên bản đồ ngập với độ sâu người ta đã đo, đã thấy tại cùng vị trí.\n\n"
            "Sai số hệ thống = trung bình (bản đồ - thực tế); sai số tuyệt đối trung bình; tỷ lệ phát hiện đúng = ngập đúng / (ngập đúng + bỏ sót); tỷ lệ báo "
            "sai = báo sai / (ngập đúng + báo sai); CSI = ngập đúng / (ngập đúng + bỏ sót + báo sai) (Schaefer 1990). Ngập khi sâu hơn 0,05 m. Tỷ lệ báo sai chỉ có "
            "nghĩa khi có các điểm không ngập (độ sâu 0).\n\n"
            "Đơn vị: mét. Điểm ngoài vùng có độ sâu được đếm riêng. Điểm không có giá trị không dùng. Hệ tọa độ khác được chuyển về hệ của raster (VN-2000: EPSG 6960).",
            "Compares the depths of a flood map with those people measured or saw at the same places.\n\n"
            "Bias = mean (map - truth); mean absolute error; hit rate = hits / (hits + misses); false-alarm ratio = false alarms / (hits + false alarms); CSI = hits / "
            "(hits + misses + false alarms) (Schaefer 1990). Wet is deeper than 0.05 m. The false-alarm ratio means something only with places that stayed dry (depth 0).\n\n"
            "Unit: metres. Marks where the depth is unknown are counted apart. Marks without a value are not used. Another CRS is brought to that of the raster "
            "(VN-2000: EPSG operation 6960).")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.raster("DEPTH", say("Độ sâu ngập (m)", "Flood depth (m)"), say("0 = không ngập, không dữ liệu = chưa rõ.", "0 = dry, nodata = unknown.")),
            *marks_parameters(optional=False),
            ask.raster("TERRAIN", say("Địa hình", "Terrain"), say("Chỉ cần khi vết lũ chỉ có cao độ.", "Only for marks with a level only."), optional=True),
            ask.layer_output("OUTPUT", say("Vết lũ với chênh lệch", "Marks with their differences"),
                             say("Các trường của vết lũ và map_depth_m, mark_depth_m, difference_m (bản đồ - thực tế).",
                                 "The marks' fields and map_depth_m, mark_depth_m, difference_m (map - truth)."), Qgis.ProcessingSourceType.VectorPoint, optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return fit_outputs()

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        problems: list[str] = []
        with noted(problems):
            self.depth = raster_input(self, parameters, "DEPTH", context)
        self.terrain = None
        with noted(problems):
            self.terrain = raster_input(self, parameters, "TERRAIN", context)
        with noted(problems):
            self.marks = Marks(self, parameters, context, has_terrain=self.terrain is not None)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from contextlib import nullcontext

        with self.terrain.open() if self.terrain is not None else nullcontext() as terrain:
            fit, table = self.marks.fit(self.depth.path, terrain, feedback)
        if not fit.marks:
            raise InputError(fit.sentence())
        output = self.write_layer(
            parameters, "OUTPUT", context, table, Qgis.WkbType.MultiPoint, style="disaster/flood_mark.qml"
        )
        return {**({} if output is None else {"OUTPUT": output}), **fit_results(fit)}
