"""Processing algorithm ``quyhoach:servicearea``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingOutputNumber,
)

from ..common import qgis_parameters as ask
from ..common.errors import noted, refuse_if
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.progress import part
from ..common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm
from .direction_values import Direction, DirectionValues

if TYPE_CHECKING:
    from .network import Network
    from .service_area import ServiceAreas


class ServiceAreaAlgorithm(QuyHoachAlgorithm):
    """Streets and ground within a cost of origins; see `service_area`."""

    ID = "servicearea"
    ROOM = "traffic"
    TAGS = ("bán kính phục vụ", "đẳng thời", "tiếp cận", "isochrone", "service area", "accessibility", "network")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")

    def title(self) -> str:  # noqa: D102
        return say("Phạm vi phục vụ theo mạng lưới đường", "Service areas along streets")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tìm những đoạn đường và vùng đất đến được từ trường học, trạm y tế, công trình... trong các ngưỡng khoảng "
            "cách hoặc thời gian đi theo mạng lưới đường. Khác với bán kính phục vụ của QCVN 01, là đường "
            "thẳng.\n\nPhương pháp: thuật toán Dijkstra trên đồ thị đường; đường nối nhau ở mọi đỉnh chung (đầu đường "
            "hoặc đỉnh giữa đường), không nối ở chỗ chỉ cắt qua nhau (cầu vượt). Điểm xuất phát được đưa tới chỗ gần "
            "nhất trên đường gần nhất; quãng này không tính vào ngưỡng nhưng được ghi lại (snap_m). Đoạn đường được "
            "cắt đúng chỗ hết ngưỡng; đoạn đến được từ hai đầu được chia ở chỗ hai đầu gặp nhau. Vùng phục vụ là dải "
            "đất hai bên những đoạn đến được, kể cả lòng ô phố nhỏ được bao quanh; vùng của ngưỡng lớn chứa vùng của "
            "ngưỡng nhỏ.\n\nĐơn vị: khoảng cách m trên mặt phẳng bản đồ, thời gian phút, vận tốc km/h. Mạng lưới đường "
            "phải ở hệ tọa độ phẳng; điểm xuất phát ở hệ khác được chuyển về hệ của đường (VN-2000: phép chuyển EPSG "
            "6960). Đường nhiều phần được tách; không có hình, hình rỗng, đoạn dài 0 m: đếm, không tính. Độ cao của "
            "đỉnh bị bỏ qua. Nơi xuất phát nhiều điểm (công viên nhiều cổng) đi từ mọi điểm; vùng (công trình) đi từ "
            "tâm, hoặc từ một điểm bên trong nếu tâm nằm ngoài.",
            "Finds the streets and the ground that can be reached from schools, clinics, buildings... within breaks of "
            "distance or time along the streets. Not the service radius of QCVN 01, which is a straight "
            "line.\n\nMethod: Dijkstra's algorithm on the street graph; streets connect at every common vertex (end or "
            "inner vertex), not where they only cross (flyovers). Origins are moved to the nearest place on the "
            "nearest street; this way does not count against the break but is told (snap_m). Streets are cut exactly "
            "where the break is used up; one reached from both ends is divided where the two meet. The area is a strip "
            "of ground along the streets reached, with the insides of small blocks they enclose; the area of a larger "
            "break contains that of a smaller one.\n\nUnits: distance in m in the plane of the map, time in minutes, "
            "speed in km/h. The network must be in a plane system; origins in another one are brought to it (VN-2000: "
            "EPSG operation 6960). Multi-part streets are taken apart; null, empty and zero-length streets are counted "
            "and left out. Heights of vertices are ignored. A multi-point origin (a park with several gates) starts "
            "from all its points; a polygon (a building) from its centroid, or from a point inside where the centroid "
            "lies outside.")

    def parameters(self) -> list[Any]:  # noqa: D102
        usual = DirectionValues()
        lines = ask.layer_output(
            "OUTPUT_LINES", say("Đoạn đường đến được", "Streets reached"),
            say("Một dòng cho mỗi đoạn, vẽ theo chiều đi: origin_id và street_id (fid ở hai lớp vào), band (1 là "
                "ngưỡng nhỏ nhất), break_value, from_cost và to_cost (m hoặc phút từ điểm xuất phát), length_m.",
                "One row per piece, drawn in the direction of travel: origin_id and street_id (ids in the two inputs), "
                "band (1 is the smallest break), break_value, from_cost and to_cost (m or minutes from the origin), "
                "length_m."),
            Qgis.ProcessingSourceType.VectorLine, optional=True)
        areas = ask.layer_output(
            "OUTPUT_AREAS", say("Vùng phục vụ", "Service areas"),
            say("Một vùng cho mỗi điểm xuất phát và ngưỡng: origin_id, band, break_value, reached_m (chiều dài đường "
                "đến được), area_m2.",
                "One area per origin and break: origin_id, band, break_value, reached_m (length of streets reached), "
                "area_m2."),
            Qgis.ProcessingSourceType.VectorPolygon, optional=True)
        for output in (lines, areas):
            output.setCreateByDefault(True)
        return [
            ask.layer("NETWORK", say("Mạng lưới đường", "Street network"),
                      say("Tim đường, ở hệ tọa độ phẳng đơn vị mét.",
                          "Centre lines in a plane system in metres."), ask.LINES),
            ask.layer("ORIGINS", say("Nơi xuất phát", "Origins"),
                      say("Điểm, hoặc vùng như công trình, khu đất.",
                          "Points, or polygons such as buildings or sites."),
                      ask.POINTS + ask.POLYGONS),
            ask.text("BREAKS", say("Các ngưỡng (m hoặc phút), cách nhau bằng dấu ;",
                                   "Breaks (m or minutes), separated by ;"),
                     say("Tăng dần, ví dụ 300;500;1000 hoặc 2,5;5. Dấu phẩy là dấu thập phân. Đơn vị là m khi tính "
                         "theo khoảng cách, phút khi tính theo thời gian.",
                         "Increasing, for example 300;500;1000 or 2,5;5. The comma is the decimal sign. The unit is m "
                         "for distance, minutes for time."), default="300;500;1000"),
            ask.choice("COST", say("Tính theo", "Cost"),
                       say("Khoảng cách dọc đường, hoặc thời gian đi với vận tốc của từng đường.",
                           "Distance along the streets, or time at the speed of each street."),
                       [say("Khoảng cách (m)", "Distance (m)"), say("Thời gian (phút)", "Time (minutes)")]),
            ask.field("SPEED_FIELD", say("Trường vận tốc (km/h)", "Speed field (km/h)"),
                      say("Chỉ dùng khi tính theo thời gian. Trống hoặc 0: lấy vận tốc mặc định và đếm; số âm: từ "
                          "chối.",
                          "Used for time only. Null or 0: takes the default and is counted; negative: refused."),
                      "NETWORK", optional=True),
            ask.number("DEFAULT_SPEED", say("Vận tốc mặc định (km/h)", "Default speed (km/h)"),
                       say("Cho đường không có vận tốc. Đi bộ khoảng 4 đến 5 km/h.",
                           "For streets without a speed. Walking is about 4 to 5 km/h."), default=50, minimum=0),
            ask.field("DIRECTION_FIELD", say("Trường chiều đường", "Direction field"),
                      say("Đường một chiều so với chiều vẽ. Để trống: mọi đường đi được hai chiều.",
                          "One-way streets, as against the direction they are drawn in. Empty: every street both "
                          "ways."),
                      "NETWORK", optional=True),
            ask.choice("MERGE", say("Nhiều nơi xuất phát", "Several origins"),
                       say("Từng nơi: mỗi nơi một phạm vi riêng, có thể chồng lên nhau. Nơi gần nhất: mỗi đoạn đường "
                           "thuộc nơi gần nhất theo đường đi. Chung: như nơi gần nhất, mỗi ngưỡng một vùng chung.",
                           "Each: every origin has its own reach, and they may overlap. Nearest: every street belongs "
                           "to the origin nearest along the streets. Together: as nearest, with one common area per "
                           "break."),
                       [say("Từng nơi", "Each"), say("Theo nơi gần nhất", "Nearest"),
                        say("Chung một vùng", "Together")]),
            ask.number("WIDTH", say("Bề rộng dải đất mỗi bên đường (m)",
                                    "Width of the strip on each side of a street (m)"),
                       say("Vùng phục vụ gồm đất cách đoạn đường đến được không quá bề rộng này.",
                           "The area is the ground within this distance of a street that is "
                           "reached."), default=50, minimum=0),
            ask.field("ORIGIN_FIELD", say("Trường tên nơi xuất phát", "Name field of the origins"),
                      say("Ghi vào cột origin_name của các kết quả.",
                          "Goes into the column origin_name of the results."),
                      "ORIGINS", optional=True),
            ask.number("MAX_SNAP", say("Khoảng cách lớn nhất tới đường (m)", "Largest distance to a street (m)"),
                       say("Nơi xuất phát xa đường hơn sẽ không tính và được nêu fid. Để trống: không giới hạn.",
                           "Origins farther from every street are left out and named. Empty: no limit."),
                       minimum=0, optional=True, advanced=True),
            ask.number("TOLERANCE", say("Dung sai nối đầu đường (m)", "Joining tolerance (m)"),
                       say("Đầu đường được nối với đỉnh gần nhất của đường khác trong dung sai này; hình vẽ giữ "
                           "nguyên. 0: chỉ nối khi trùng tọa độ.",
                           "A line end is connected with the nearest vertex of other lines within this distance; "
                           "shapes stay as drawn. 0: only equal coordinates connect."),
                       default=0, minimum=0, advanced=True),
            *(ask.text(key, label, say("Các giá trị cách nhau bằng dấu ; không phân biệt chữ hoa, chữ thường. Giá trị "
                                       "trống hoặc không khai báo lấy chiều mặc định và được đếm.",
                                       "Values separated by ; whatever their case. Null and undeclared values take the "
                                       "default direction and are counted."),
                       default=";".join(values), optional=True, advanced=True)
              for key, label, values in (
                  ("VALUE_FORWARD", say("Giá trị: chỉ đi theo chiều vẽ",
                                        "Values for the drawn direction only"), usual.forward),
                  ("VALUE_BACKWARD", say("Giá trị: chỉ đi ngược chiều vẽ",
                                         "Values for the opposite direction only"), usual.backward),
                  ("VALUE_BOTH", say("Giá trị: đi cả hai chiều", "Values for both directions"), usual.both))),
            ask.choice("DEFAULT_DIRECTION", say("Chiều mặc định", "Default direction"),
                       say("Cho đường không ghi chiều.", "For streets that state none."),
                       [say("Theo chiều vẽ", "Drawn direction"), say("Ngược chiều vẽ", "Opposite direction"),
                        say("Hai chiều", "Both directions")], default=2, advanced=True),
            ask.number("MIN_HOLE", say("Giữ khoảng trống trong vùng từ (m²)", "Keep holes in areas from (m²)"),
                       say("Khoảng trống nhỏ hơn, là lòng ô phố có đường đến được bao quanh, thuộc vùng phục vụ. 0: "
                           "giữ mọi khoảng trống.",
                           "Smaller holes, insides of blocks enclosed by streets that are reached, belong to the area. "
                           "0: every hole stays."),
                       default=10_000, minimum=0, advanced=True),
            ask.yes_no("RINGS", say("Vùng dạng vành", "Areas as rings"),
                       say("Vùng của mỗi ngưỡng không gồm vùng của ngưỡng nhỏ hơn.",
                           "The area of each break leaves out that of the smaller one."), advanced=True),
            lines,
            areas,
            ask.layer_output("OUTPUT_ORIGINS", say("Nơi xuất phát trên mạng lưới", "Origins on the network"),
                             say("Điểm xuất phát: origin_id, snap_m (khoảng cách tới đường), used, street_id, part_m "
                                 "(chiều dài phần mạng lưới nối với nó), on_main_part, reached_m.",
                                 "Origins as points: origin_id, snap_m (distance to the street), used, street_id, "
                                 "part_m (length of the connected part of the network), on_main_part, reached_m."),
                             Qgis.ProcessingSourceType.VectorPoint, optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("ORIGINS_USED", say("Số nơi xuất phát được tính", "Origins used")),
            ("ORIGINS_LEFT_OUT", say("Số nơi xuất phát không tính", "Origins left out")),
            ("SNAP_MEAN", say("Khoảng cách trung bình tới đường (m)", "Mean distance to the street (m)")),
            ("SNAP_MAX", say("Khoảng cách lớn nhất tới đường (m)", "Largest distance to the street (m)")),
            ("REACHED_LENGTH", say("Tổng chiều dài đường đến được (m)", "Length of streets reached (m)")),
            ("NETWORK_PARTS", say("Số phần mạng lưới không nối với nhau",
                                  "Parts of the network that are not connected")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ..common.crs import require_metric
        from .breaks import check_breaks, parse_breaks
        from .service_area import Cost, Merge

        self.network = self.layer(parameters, "NETWORK", context)
        self.origins = self.layer(parameters, "ORIGINS", context)
        self.cost = Cost(self.parameterAsEnum(parameters, "COST", context))
        self.merge = Merge(self.parameterAsEnum(parameters, "MERGE", context))
        problems: list[str] = []
        given = parameters.get("BREAKS")
        with noted(problems):
            self.breaks = check_breaks(given) if isinstance(given, (list, tuple)) else parse_breaks(
                self.parameterAsString(parameters, "BREAKS", context))
        self.usable(problems, (self.network, self.origins))
        if self.network.crs is not None:
            with noted(problems):
                require_metric(self.network.crs, self.network.name)
        self.speed = self.direction = self.label = None
        with noted(problems):
            self.speed = self.field(parameters, "SPEED_FIELD", self.network, context)
        with noted(problems):
            self.direction = self.field(parameters, "DIRECTION_FIELD", self.network, context)
        with noted(problems):
            self.label = self.field(parameters, "ORIGIN_FIELD", self.origins, context)
        with noted(problems):
            self.max_snap = self.optional_number(parameters, "MAX_SNAP", context)
        if not any(parameters.get(key) for key in ("OUTPUT_LINES", "OUTPUT_AREAS", "OUTPUT_ORIGINS")):
            problems.append(say("Chưa chọn kết quả nào để ghi.", "No result is asked for."))
        refuse_if(problems)
        forward, backward, both = (
            tuple(word.strip() for word in self.parameterAsString(parameters, key, context).split(";") if word.strip())
            for key in ("VALUE_FORWARD", "VALUE_BACKWARD", "VALUE_BOTH"))
        self.direction_values = DirectionValues(
            forward, backward, both, Direction(self.parameterAsEnum(parameters, "DEFAULT_DIRECTION", context)))
        self.numbers = {key: self.parameterAsDouble(parameters, key, context)
                        for key in ("DEFAULT_SPEED", "TOLERANCE", "WIDTH", "MIN_HOLE")}
        self.rings = self.parameterAsBool(parameters, "RINGS", context)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .network import build_network
        from .service_area import Cost, service_areas

        progress = self.progress(feedback)
        progress(0.0, say("Dựng mạng lưới đường", "Building the network"))
        speeds: dict[str, Any] = {}
        if self.cost is Cost.TIME:
            speeds = {"speed": self.speed, "default_speed_kmh": self.numbers["DEFAULT_SPEED"]}
        columns = {name for name in (speeds.get("speed"), self.direction) if name}
        network = build_network(
            self.network.read(sorted(columns)), direction=self.direction, direction_values=self.direction_values,
            **speeds, tolerance=self.numbers["TOLERANCE"], name=self.network.name)
        progress(0.2)
        result = service_areas(
            network, self.origins.read([self.label] if self.label else []), self.breaks, cost=self.cost,
            merge=self.merge, max_snap=self.max_snap, width=self.numbers["WIDTH"],
            min_hole_m2=self.numbers["MIN_HOLE"], rings=self.rings,
            want_lines=bool(parameters.get("OUTPUT_LINES")), want_areas=bool(parameters.get("OUTPUT_AREAS")),
            label=self.label, name=self.origins.name, progress=part(progress, 0.2, 0.9))
        used = result.origins[result.origins["used"]]
        _tell(network, result, self.origins.name, feedback)
        written = {
            key: self.write_layer(parameters, key, context, frame, kind, style)
            for key, frame, kind, style in (
                ("OUTPUT_AREAS", result.areas, Qgis.WkbType.MultiPolygon, "traffic/service_area_areas.qml"),
                ("OUTPUT_LINES", result.lines, Qgis.WkbType.LineString, "traffic/service_area_lines.qml"),
                ("OUTPUT_ORIGINS", result.origins, Qgis.WkbType.Point, "traffic/service_area_origins.qml"))}
        return {
            **written, "ORIGINS_USED": len(used), "ORIGINS_LEFT_OUT": self.origins.feature_count - len(used),
            "SNAP_MEAN": float(used["snap_m"].mean()), "SNAP_MAX": float(used["snap_m"].max()),
            "REACHED_LENGTH": float(used["reached_m"].sum()), "NETWORK_PARTS": result.network_parts}

    def style_on_load(self, context: QgsProcessingContext, destination: str, style: str | None) -> None:  # noqa: D102
        if style in _BANDED_STYLES and context.willLoadLayerOnCompletion(destination):
            unit = say("m", "m") if self.cost == 0 else say("phút", "min")
            labels = tuple(say("đến {value} {unit}", "up to {value} {unit}")
                           .format(value=format_number(value, 2).removesuffix("0").removesuffix(",0"), unit=unit)
                           for value in self.breaks)
            context.layerToLoadOnCompletionDetails(destination).setPostProcessor(_legend(style, labels))
        else:
            super().style_on_load(context, destination, style)


_BANDED_STYLES = ("traffic/service_area_areas.qml", "traffic/service_area_lines.qml")


class _LegendOfBreaks(QgsProcessingLayerPostProcessorInterface):
    """Gives a result its style when QGIS loads it, with the breaks of this run as legend."""

    def __init__(self, path: str, labels: tuple[str, ...]):
        super().__init__()
        self.path, self.labels = path, labels

    def postProcessLayer(self, layer, context, feedback) -> None:  # noqa: D102, N802
        message, loaded = layer.loadNamedStyle(self.path)
        renderer = layer.renderer()
        if not loaded or not isinstance(renderer, QgsCategorizedSymbolRenderer):
            feedback.pushWarning(message)
            return
        for position in reversed(range(len(renderer.categories()))):
            if position < len(self.labels):
                renderer.updateCategoryLabel(position, self.labels[position])
            else:
                renderer.deleteCategory(position)
        layer.triggerRepaint()


@cache
def _legend(style: str, labels: tuple[str, ...]) -> _LegendOfBreaks:
    # QGIS does not own post-processors and runs them after the algorithm is gone: the cache keeps them alive.
    return _LegendOfBreaks(str(PLUGIN_FOLDER / "styles" / style), labels)


def _tell(network: Network, result: ServiceAreas, name: str, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    for sentence in [*network.report.sentences(), *result.warnings]:
        feedback.pushWarning(sentence)
    used = result.origins[result.origins["used"]]
    farthest = used["snap_m"].idxmax()
    feedback.pushInfo(
        say("{name}: {n} nơi xuất phát được đưa lên đường gần nhất, cách trung bình {mean} m, xa nhất {most} m (fid: "
            "{id}).",
            "{name}: {n} origins were moved to the nearest street, {mean} m away on average, {most} m at most (id: "
            "{id}).")
        .format(name=name, n=len(used), mean=format_number(used["snap_m"].mean(), 1),
                most=format_number(used["snap_m"][farthest], 1), id=used["origin_id"][farthest]))
