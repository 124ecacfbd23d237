"""Processing algorithm ``quyhoach:floodednetwork``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input
from .vehicles import vehicles

if TYPE_CHECKING:
    from .flooded_network_tables import FloodedNetwork

#: Fields and the layer each belongs to.
_FIELDS = {
    "BRIDGE_FIELD": "NETWORK",
    "DECK_FIELD": "NETWORK",
    "KIND_FIELD": "FACILITIES",
    "UNIT_FIELD": "UNITS",
    "HOUSEHOLDS_FIELD": "BUILDINGS",
    "RESIDENTS_FIELD": "BUILDINGS",
}


class FloodedNetworkAlgorithm(QuyHoachAlgorithm):
    """Streets in a flood and who is cut off; see `flooded_network_tables`."""

    ID = "floodednetwork"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")
    TAGS = ("đường ngập", "cô lập", "chia cắt", "lưu thông", "điểm sơ tán", "flooded road", "cut off", "isolated", "detour")

    def title(self) -> str:  # noqa: D102
        return say("Đường ngập và khu vực bị cô lập", "Flooded streets and places cut off")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết đoạn đường nào ngập, không bảo đảm lưu thông với loại xe nào; thôn, xã, hộ, khẩu nào bị cô lập, chia cắt; còn đến được điểm sơ tán, cơ sở y tế nào và phải "
            "đi vòng bao xa.\n\n"
            "Độ sâu dọc đường tính theo từng ô địa hình; trên cầu: mực nước trừ cao trình mặt cầu (cầu không có cao trình: coi là trên mặt nước). Xe dừng khi nước sâu hơn ngưỡng của "
            "loại xe (bảng vehicle_wading_depths: kinh nghiệm, cần xác nhận) trên chiều dài ít nhất LEAST_LENGTH. Bị cô lập: trước lũ nối được bằng đường với phần lớn nhất của mạng "
            "lưới, nay không nối được với loại xe đã chọn. Khoảng cách tới cơ sở gần nhất tính trên đường, cả hai chiều (cứu hộ không theo đường một chiều); cơ sở ngập sâu hơn "
            "FACILITY_DEPTH không tính. \"Không bảo đảm lưu thông\" là kết quả tính, không phải quyết định cấm đường.\n\n"
            "Mét. Nơi không rõ độ sâu không coi là chắn đường, chiều dài nêu riêng. Raster phải ở hệ tọa độ phẳng; lớp khác hệ được chuyển về hệ của raster (VN-2000: EPSG 6960). Hình "
            "không hợp lệ: theo lựa chọn; không hình, hình rỗng: đếm, không tính. Số hộ, khẩu là ước tính theo công trình.",
            "Tells which streets are in the water and which vehicles they stop; which hamlets, communes, households and people are cut off; which shelters and clinics are still "
            "reached, and over how much longer a way.\n\n"
            "The depth along streets is taken cell by cell; on bridges it is the water level less the deck level (without a deck level: above the water). A vehicle stops where the water "
            "is deeper than it bears (table vehicle_wading_depths: experience, to be confirmed) over at least LEAST_LENGTH. Cut off: joined by street to the largest part of the network "
            "before the flood, and no longer for the chosen vehicle. Ways to the nearest facility go along streets in both directions (rescue does not heed one-way signs); a facility deeper "
            "in the water than FACILITY_DEPTH does not count. \"Not passable\" is a computed result, not a decision to close a road.\n\n"
            "Metres. Where the depth is unknown a street is not taken as blocked; that length is told. The raster must be in a plane system; layers in another CRS are brought to it "
            "(VN-2000: EPSG operation 6960). Invalid shapes: as chosen; null and empty ones are counted and left out. Households and people are estimates from buildings.")

    def parameters(self) -> list[Any]:  # noqa: D102
        self.kinds = vehicles()
        names = [f"{k.name} ({format_number(k.depth_max_m, 1)} m)" for k in self.kinds]
        return [
            ask.raster("DEPTH", say("Độ sâu ngập (m)", "Flood depth (m)"), say("0 = không ngập, không dữ liệu = chưa rõ.", "0 = dry, nodata = unknown.")),
            ask.layer("NETWORK", say("Đường giao thông", "Streets"), say("Tim đường, nối nhau ở các đỉnh chung.", "Centre lines that meet at common vertices."), ask.LINES),
            ask.field("BRIDGE_FIELD", say("Trường cầu", "Field that marks bridges"), say("Đúng/sai, 1/0 hoặc chữ; trống là không phải cầu.", "True/false, 1/0 or a text; null is no bridge."), "NETWORK", optional=True),
            ask.field("DECK_FIELD", say("Trường cao trình mặt cầu (m)", "Field of the deck level (m)"), say("Hệ cao độ của địa hình; cần chọn địa hình.", "In the terrain's datum; needs the terrain."), "NETWORK", optional=True),
            ask.raster("TERRAIN", say("Địa hình đã tính độ sâu", "Terrain the depth was computed from"), say("Chỉ cần cho mặt cầu; cùng lưới ô với độ sâu.", "Only for decks; same cells as the depth."), optional=True),
            ask.choice("VEHICLE", say("Bị cô lập xét theo loại xe", "Cut off for"), say("Ngưỡng độ sâu là giá trị mặc định cần tỉnh xác nhận.", "The limits of depth are defaults for the province to confirm."), names,
                       [k.key for k in self.kinds].index("car")),
            ask.layer("FACILITIES", say("Cơ sở cần đến được", "Facilities to be reached"), say("Điểm sơ tán, trạm y tế, bệnh viện, trụ sở.", "Shelters, clinics, hospitals, offices."), ask.POINTS + ask.POLYGONS, optional=True),
            ask.field("KIND_FIELD", say("Trường loại cơ sở", "Field of the kind of facility"), say("Tính riêng cho từng loại; để trống: tính chung.", "Each kind on its own; empty: all together."), "FACILITIES", optional=True),
            ask.number("FACILITY_DEPTH", say("Cơ sở còn dùng được khi ngập dưới (m)", "Facilities usable in less than (m)"), say("Ngập sâu hơn thì không tính.", "In deeper water they do not count."), 0.3, 0.0, 10.0, advanced=True),
            ask.layer("UNITS", say("Đơn vị (xã, thôn)", "Units (communes, hamlets)"), say("Vùng để chia số liệu; để trống: tính chung.", "Polygons to divide the figures by; empty: all together."), ask.POLYGONS, optional=True),
            ask.field("UNIT_FIELD", say("Trường tên đơn vị", "Field of the unit's name"), say("Các vùng cùng tên là một đơn vị; để trống: dùng fid.", "Polygons of one name are one unit; empty: their ids."), "UNITS", optional=True),
            ask.layer("BUILDINGS", say("Công trình, nhà ở", "Buildings"), say("Để đếm hộ, khẩu bị cô lập; để trống: chỉ có chiều dài đường.", "To count households and people cut off; empty: lengths of street only."),
                      ask.POLYGONS + ask.POINTS, optional=True),
            ask.field("HOUSEHOLDS_FIELD", say("Trường số hộ", "Field of households"), say("Trống nghĩa là chưa có số liệu.", "Null means not counted."), "BUILDINGS", optional=True),
            ask.field("RESIDENTS_FIELD", say("Trường số khẩu", "Field of residents"), say("Trống nghĩa là chưa có số liệu.", "Null means not counted."), "BUILDINGS", optional=True),
            ask.number("LEAST_LENGTH", say("Chiều dài ngập ít nhất làm xe dừng (m)", "Least length of deep water that stops a vehicle (m)"),
                       say("Bỏ qua chỗ đường chỉ chạm mép ô nước.", "Passes over where a street only grazes a wet cell."), 2.0, 0.0, 1000.0, advanced=True),
            ask.number("JOIN_TOLERANCE", say("Dung sai nối đường (m)", "Joining tolerance (m)"), say("Nối các đầu đường gần nhau hơn mức này.", "Joins ends of streets nearer than this."), 0.0, 0.0, 50.0, advanced=True),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Đoạn đường theo mức ngập", "Stretches of street"), say("street_id, passability (0 không ngập, 1 ngập mọi xe còn đi được, ... -1 chưa rõ), depth_max_m, length_m, cut_off.",
                             "street_id, passability (0 dry, 1 wet but passable to all, ... -1 unknown), depth_max_m, length_m, cut_off."), Qgis.ProcessingSourceType.VectorLine),
            ask.table_output("OUTPUT_UNITS", say("Số liệu theo đơn vị", "Figures by unit"), say("Công trình, hộ, khẩu, và phần bị cô lập (_cut_off); chiều dài đường và phần không bảo đảm lưu thông.",
                             "Buildings, households, residents, and those cut off (_cut_off); length of street and of what is not passable."), optional=True),
            ask.table_output("OUTPUT_ACCESS", say("Khả năng đến cơ sở", "Access to facilities"), say("Trung vị quãng đường trước, sau, phần xa thêm; số công trình, hộ, khẩu không còn đường đến.",
                             "Median way before, after, further; buildings, households and residents without a way."), optional=True),
            ask.layer_output("OUTPUT_FACILITIES", say("Cơ sở và tình trạng", "Facilities and their state"), say("Các trường của cơ sở và depth_m (độ sâu), usable (còn dùng được), joined_after (còn đến được).", "Their fields and depth_m, usable, joined_after."), Qgis.ProcessingSourceType.VectorAnyGeometry, optional=True),
            ask.layer_output("OUTPUT_BUILDINGS", say("Công trình bị cô lập", "Buildings cut off"), say("Mọi công trình với cut_off và quãng đường đến từng loại cơ sở.", "All buildings with cut_off and their ways to each kind."),
                             Qgis.ProcessingSourceType.VectorAnyGeometry, optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("WET_ROAD", say("Đường ngập (m)", "Street under water (m)")), ("IMPASSABLE_ROAD", say("Đường không bảo đảm lưu thông (m)", "Street not passable (m)")),
            ("UNKNOWN_ROAD", say("Đường chưa rõ độ sâu (m)", "Street of unknown depth (m)")), ("CUT_OFF_BUILDINGS", say("Công trình bị cô lập", "Buildings cut off")),
            ("CUT_OFF_HOUSEHOLDS", say("Hộ bị cô lập", "Households cut off")), ("CUT_OFF_RESIDENTS", say("Khẩu bị cô lập", "People cut off")),
            ("CUT_OFF_UNITS", say("Đơn vị có nơi bị cô lập", "Units with places cut off")))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_metric, require_stated

        problems: list[str] = []
        self.invalid = self.invalid_geometry(parameters, context)
        self.inputs = {
            key: self.layer(parameters, key, context) for key in ("NETWORK", "FACILITIES", "UNITS", "BUILDINGS")
        }
        self.fields: dict[str, str | None] = {}
        for key in ("DEPTH", "TERRAIN"):
            with noted(problems):
                raster = raster_input(self, parameters, key, context, depths=key == "DEPTH")
                setattr(self, key.lower(), raster)
                if raster is not None:
                    with raster.open() as opened:
                        if key == "DEPTH":
                            import pyproj

                            require_metric(pyproj.CRS.from_wkt(opened.grid.crs_wkt), raster.name)
        for key, parent in _FIELDS.items():
            with noted(problems):
                if parameters.get(key) and self.inputs[parent] is None:
                    raise InputError(
                        say('"{field}" cần có lớp "{layer}".', '"{field}" needs the layer "{layer}".').format(
                            field=self.parameterDefinition(key).description(),
                            layer=self.parameterDefinition(parent).description(),
                        )
                    )
                self.fields[key] = self.field(parameters, key, self.inputs[parent], context)
        for layer in self.inputs.values():
            with noted(problems):
                if layer is not None:
                    self.not_empty(layer)
                    require_stated(layer.crs, layer.name)
        if self.fields.get("DECK_FIELD") and not (
            self.fields.get("BRIDGE_FIELD") and getattr(self, "terrain", None) is not None
        ):
            problems.append(say("Cao trình mặt cầu cần có trường cầu và địa hình.", "Deck levels need the field that marks bridges, and the terrain."))
        if (
            parameters.get("OUTPUT_FACILITIES")
            and self.inputs["FACILITIES"] is None
            or parameters.get("OUTPUT_ACCESS")
            and self.inputs["FACILITIES"] is None
        ):
            problems.append(
                say("Kết quả về cơ sở cần có lớp cơ sở cần đến.", "Results on facilities need the layer of facilities.")
            )
        if parameters.get("OUTPUT_BUILDINGS") and self.inputs["BUILDINGS"] is None:
            problems.append(
                say(
                    "Kết quả theo công trình cần có lớp công trình.", "Results by building need the layer of buildings."
                )
            )
        self.chosen = self.kinds[self.parameterAsEnum(parameters, "VEHICLE", context)]
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from contextlib import ExitStack

        from ...common.progress import part
        from ...traffic.network import build_network
        from .bridges import bridges_of
        from .flooded_network_tables import flooded_network

        progress, fields = self.progress(feedback), self.fields
        with ExitStack() as opened:
            depth = opened.enter_context(self.depth.open())
            terrain = opened.enter_context(self.terrain.open()) if self.terrain is not None else None
            crs = depth.grid.crs_wkt
            streets = self._read("NETWORK", "line", ["BRIDGE_FIELD", "DECK_FIELD"], crs, feedback)
            network = build_network(
                streets,
                tolerance=self.parameterAsDouble(parameters, "JOIN_TOLERANCE", context),
                name=self.inputs["NETWORK"].name,
            )
            for sentence in network.report.sentences():
                feedback.pushWarning(sentence)
            bridge, deck = bridges_of(streets, fields["BRIDGE_FIELD"], fields["DECK_FIELD"])
            progress(0.1)
            buildings = self._read("BUILDINGS", "", ["HOUSEHOLDS_FIELD", "RESIDENTS_FIELD"], crs, feedback)
            facilities = self._read("FACILITIES", "", ["KIND_FIELD"], crs, feedback)
            found = flooded_network(
                depth, network, self.kinds, self.chosen, terrain=terrain, bridge=bridge, deck_m=deck, buildings=buildings,
                households=fields["HOUSEHOLDS_FIELD"], residents=fields["RESIDENTS_FIELD"], facilities=facilities, kind_field=fields["KIND_FIELD"],
                facility_depth_m=self.parameterAsDouble(parameters, "FACILITY_DEPTH", context), units=self._read("UNITS", "polygon", ["UNIT_FIELD"], crs, feedback),
                unit_field=fields["UNIT_FIELD"], least_m=self.parameterAsDouble(parameters, "LEAST_LENGTH", context), progress=part(progress, 0.1, 0.9))
        for sentence in found.notes:
            feedback.pushWarning(sentence)
        if self.chosen.confidence in ("memory", "analogy"):
            feedback.pushWarning(say("Ngưỡng {depth} m của {name} là giá trị kinh nghiệm ({citation}); cần tỉnh xác nhận.", "The limit of {depth} m of {name} is experience ({citation}), for the province to confirm.")
                                 .format(depth=format_number(self.chosen.depth_max_m, 1), name=self.chosen.name.lower(), citation=self.chosen.citation))
        progress(0.9)
        return {**self._write(parameters, context, found, feedback), **_totals(found, feedback)}

    def _read(self, key: str, kind: str, columns: list[str], crs: str, feedback: QgsProcessingFeedback) -> Any:
        """A layer, clean and in the CRS of the raster; of any of polygons and points where no kind is named."""
        import numpy as np
        import shapely

        from ...common.crs import to_crs
        from ...common.geometry import clean

        layer = self.inputs[key]
        if layer is None:
            return None
        frame = layer.read([self.fields[c] for c in columns if self.fields[c]])
        if not kind:
            kind = (
                "polygon"
                if (shapely.get_dimensions(np.asarray(frame.geometry.array, dtype=object)) == 2).any()
                else "point"
            )
        frame, report = clean(frame, kind, self.invalid, layer.name)
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
        if not len(frame):
            raise InputError(
                say("Lớp {layer} không có hình nào dùng được.", "Layer {layer} has no usable shape.").format(
                    layer=layer.name
                )
            )
        return to_crs(frame, crs)

    def _write(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        found: FloodedNetwork,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        from ...common.columns import free_names

        results = {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, found.streets, Qgis.WkbType.MultiLineString, style="disaster/flooded_network.qml"),
                   "OUTPUT_UNITS": self.write_layer(parameters, "OUTPUT_UNITS", context, found.units)}
        if self.inputs["FACILITIES"] is not None:
            results["OUTPUT_ACCESS"] = self.write_layer(parameters, "OUTPUT_ACCESS", context, found.access)
        for output, key, table in (
            ("OUTPUT_FACILITIES", "FACILITIES", found.facilities),
            ("OUTPUT_BUILDINGS", "BUILDINGS", found.places),
        ):
            if not parameters.get(output):
                continue
            frame = self.inputs[key].read()
            names = free_names(table.columns, frame.columns)
            joined = frame.loc[table.index].join(table.rename(columns=names).replace([float("inf")], float("nan")))
            results[output] = self.write_layer(parameters, output, context, *_of_one_kind(joined))
        return {key: value for key, value in results.items() if value is not None}


def _of_one_kind(frame: Any) -> tuple[Any, Qgis.WkbType]:
    """Polygons where all are; else points, those inside the polygons among them. Collections are taken apart."""
    import numpy as np
    import shapely

    shapes = np.array(frame.geometry.array, dtype=object)
    for at in np.flatnonzero(shapely.get_type_id(shapes) == 7):
        shapes[at] = shapely.union_all(shapely.get_parts(shapes[at]))
    dimension = shapely.get_dimensions(shapes)
    if (dimension == 2).all():
        return frame.set_geometry(shapes, crs=frame.crs), Qgis.WkbType.MultiPolygon
    shapes[dimension > 0] = shapely.point_on_surface(shapes[dimension > 0])
    return frame.set_geometry(shapes, crs=frame.crs), Qgis.WkbType.MultiPoint


def _totals(found: FloodedNetwork, feedback: QgsProcessingFeedback) -> dict[str, Any]:
    units = found.units
    sums = {"WET_ROAD": found.wet_m, "IMPASSABLE_ROAD": found.impassable_m, "UNKNOWN_ROAD": found.unknown_m}
    for key, column in (
        ("CUT_OFF_BUILDINGS", "buildings_cut_off"),
        ("CUT_OFF_HOUSEHOLDS", "households_cut_off"),
        ("CUT_OFF_RESIDENTS", "residents_cut_off"),
    ):
        sums[key] = float(units[column].sum()) if column in units and units[column].notna().any() else None
    weight = next(c for c in ("buildings_cut_off", "road_share_m_cut_off") if c in units)
    sums["CUT_OFF_UNITS"] = int((units[weight] > 0).sum())
    feedback.pushInfo(say("Đường ngập {wet} km, không bảo đảm lưu thông {shut} km trong {all} km; chưa rõ {unknown} km.", "{wet} km of street under water, {shut} km not passable, of {all} km; {unknown} km unknown.").format(
        wet=format_number(found.wet_m / 1000, 1), shut=format_number(found.impassable_m / 1000, 1), all=format_number(found.network_m / 1000, 1), unknown=format_number(found.unknown_m / 1000, 1)))
    return sums
