"""Processing algorithm ``quyhoach:parcelzoning``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ..common import qgis_parameters as ask
from ..common.errors import name_some, noted, refuse_if
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.qgis_algorithm import QuyHoachAlgorithm

if TYPE_CHECKING:
    from .parcel_zoning import ParcelZoning


class ParcelZoningAlgorithm(QuyHoachAlgorithm):
    """Parcels cut by zones; see `parcel_zoning`."""

    ID = "parcelzoning"
    ROOM = "zoning"
    TAGS = ("ô quy hoạch", "lô đất", "thửa đất", "chồng xếp", "overlay", "intersection")

    def title(self) -> str:  # noqa: D102
        return say("Tra cứu quy hoạch theo thửa đất", "Zones by parcel")

    def help(self) -> str:  # noqa: D102
        return say(
            "Cho biết mỗi thửa đất nằm trong những ô quy hoạch nào, với bao nhiêu m² và bao nhiêu phần trăm diện tích "
            "thửa. Mỗi phần chung của một thửa và một ô là một dòng; phần lớn nhất của thửa đứng trước.\n\n"
            "Phương pháp: giao các vùng bằng GEOS; thửa nằm trọn trong ô được giữ nguyên hình. Chạm nhau ở ranh giới "
            "không phải là phần chung. Phần hẹp do hai bản đồ không khớp được đánh dấu (sliver), không bị bỏ: không "
            "phải cả thửa, không chỗ nào rộng hơn sai số ghép bản đồ (mm trên giấy nhân mẫu số tỷ lệ) và không ăn sâu "
            "vào ô quá sai số đó. Sai số mặc định nằm trong bảng map_matching_tolerance; đây là thông lệ, cần xác "
            "nhận.\n\n"
            "Đơn vị: m², %. Ô chồng lấn nhau: mỗi ô được tính riêng, phần tính trùng nêu ở OVERLAP_AREA; AREA + "
            "OUTSIDE_AREA - OVERLAP_AREA = tổng diện tích thửa. Ô không có giá trị: giữ trống và đếm. Ô khác hệ tọa độ "
            "được chuyển về hệ của thửa (VN-2000: phép chuyển EPSG 6960). Hình không hợp lệ: theo tham số; không có "
            "hình hoặc hình rỗng: đếm, không tính. Độ cao của đỉnh bị bỏ.",
            "Tells in which zones of a plan each parcel lies, with how many m² and what share of its area. Each common "
            "piece of a parcel and a zone is one row; a parcel's largest piece comes first.\n\n"
            "Method: polygons are intersected with GEOS; a parcel wholly inside a zone keeps its shape. Touching at a "
            "boundary is no piece. Narrow pieces that come from two maps not matching are flagged (sliver), not "
            "dropped: not the whole parcel, nowhere wider than the map-matching tolerance (mm on paper times the "
            "scale), and nowhere deeper inside the zone than that. The default tolerance is in the table "
            "map_matching_tolerance; it is practice, to be confirmed.\n\n"
            "Units: m², %. Where zones overlap each counts by itself and OVERLAP_AREA tells what is counted twice; "
            "AREA + OUTSIDE_AREA - OVERLAP_AREA = area of all parcels. Zones without a value keep none and are "
            "counted. Zones in another coordinate system are brought to that of the parcels (VN-2000: EPSG operation "
            "6960). Invalid shapes: as the parameter says; null and empty shapes are counted and left out. Heights of "
            "vertices are dropped.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.layer("PARCELS", say("Thửa đất", "Parcels"),
                      say("Các vùng cần tra cứu; mọi trường được giữ trong kết quả.",
                          "The polygons to look up; all their fields are kept in the result."), ask.POLYGONS),
            ask.layer("ZONES", say("Ô quy hoạch", "Zones of the plan"),
                      say("Ô quy hoạch (quy hoạch phân khu) hoặc lô đất (quy hoạch chi tiết).",
                          "Zones of a sub-area plan or lots of a detailed plan."), ask.POLYGONS),
            ask.field("ZONE_FIELD", say("Trường của ô quy hoạch", "Field of the zones"),
                      say("Giá trị ghi vào cột zone của mỗi phần, ví dụ mã chức năng sử dụng đất hoặc ký hiệu ô.",
                          "Its value goes into the column zone of each piece, such as the land function or the zone's "
                          "number."),
                      "ZONES"),
            ask.number("SCALE", say("Mẫu số tỷ lệ bản đồ quy hoạch", "Denominator of the plan's scale"),
                       say("2000 cho quy hoạch 1/2000. Cùng sai số trên giấy cho ra sai số ghép bản đồ bằng mét.",
                           "2000 for a plan at 1/2000. With the tolerance on paper it gives the tolerance in metres."),
                       default=2000, minimum=1),
            ask.number("TOLERANCE_MM", say("Sai số ghép bản đồ trên giấy (mm)", "Map-matching tolerance on paper (mm)"),
                       say("Để trống: lấy ở bảng map_matching_tolerance (0,4 mm: hai bản đồ, mỗi bản 0,2 mm).",
                           "Empty: from the table map_matching_tolerance (0.4 mm: two maps with 0.2 mm each)."),
                       minimum=0, optional=True, advanced=True),
            ask.yes_no("OUTSIDE", say("Ghi cả phần thửa nằm ngoài mọi ô",
                                      "Also write parts of parcels outside all zones"),
                       say("Thêm các dòng không có ô quy hoạch; khi đó tỷ lệ của mỗi thửa cộng lại đủ 100 %. Diện tích "
                           "ngoài ô luôn được nêu ở OUTSIDE_AREA.",
                           "Adds rows without a zone, so that each parcel's shares add up to 100 %. The area outside "
                           "is always told by OUTSIDE_AREA.")),
            ask.area_surface(),
            ask.invalid_geometry(),
            ask.layer_output("OUTPUT", say("Thửa đất theo ô quy hoạch", "Parcels by zone"),
                             say("Một dòng cho mỗi phần: các trường của thửa, zone, piece (thứ tự trong thửa), "
                                 "area_m2, share_pct, sliver, sliver_reason; parcel_fid và zone_fid là số hiệu đối "
                                 "tượng ở hai lớp vào.",
                                 "One row per piece: the parcel's fields, zone, piece (its number in the parcel), "
                                 "area_m2, share_pct, sliver, sliver_reason; parcel_fid and zone_fid are the ids in "
                                 "the two inputs."),
                             Qgis.ProcessingSourceType.VectorPolygon),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("PIECES", say("Số phần trong ô quy hoạch", "Pieces in zones")),
            ("AREA", say("Diện tích trong ô quy hoạch (m²)", "Area in zones (m²)")),
            ("SLIVERS", say("Số phần hẹp trong sai số ghép bản đồ", "Pieces within the tolerance")),
            ("SPLIT_PARCELS", say("Số thửa thuộc nhiều ô", "Parcels in several zones")),
            ("SPLIT_BEYOND_TOLERANCE", say("Số thửa thuộc nhiều ô, không kể phần hẹp",
                                           "Parcels in several zones, slivers aside")),
            ("OUTSIDE_PARCELS", say("Số thửa nằm ngoài mọi ô", "Parcels outside all zones")),
            ("OUTSIDE_AREA", say("Diện tích thửa ngoài mọi ô (m²)", "Area of parcels outside all zones (m²)")),
            ("OVERLAP_AREA", say("Diện tích tính trùng do ô chồng lấn (m²)",
                                 "Area counted twice where zones overlap (m²)")),
            ("WITHOUT_VALUE", say("Số phần thuộc ô không có giá trị", "Pieces in zones without a value")),
        )]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ..common.areas import check_surface
        from ..common.crs import require_stated

        self.surface = self.area_surface(parameters, context)
        self.invalid = self.invalid_geometry(parameters, context)
        self.scale = self.parameterAsDouble(parameters, "SCALE", context)
        self.outside = self.parameterAsBool(parameters, "OUTSIDE", context)
        self.parcels = self.layer(parameters, "PARCELS", context)
        self.zones = self.layer(parameters, "ZONES", context)
        problems: list[str] = []
        with noted(problems):
            self.tolerance_mm = self.optional_number(parameters, "TOLERANCE_MM", context)
        with noted(problems):
            self.zone_field = self.field(parameters, "ZONE_FIELD", self.zones, context)
        for layer in (self.parcels, self.zones):
            with noted(problems):
                self.not_empty(layer)
            with noted(problems):
                require_stated(layer.crs, layer.name)
        with noted(problems):
            if self.parcels.crs is not None:
                check_surface(self.parcels.crs, self.surface, self.parcels.name)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .parcel_zoning import parcel_zoning

        result = parcel_zoning(
            self.parcels.read(), self.zones.read([self.zone_field]), self.zone_field, scale=self.scale,
            tolerance_mm=self.tolerance_mm, outside=self.outside, surface=self.surface, invalid=self.invalid,
            parcels_name=self.parcels.name, zones_name=self.zones.name, progress=self.progress(feedback))
        _tell(result, feedback)
        output = self.write_layer(parameters, "OUTPUT", context, result.pieces, Qgis.WkbType.MultiPolygon,
                                  style="zoning/parcel_zoning.qml")
        return {
            "OUTPUT": output, "PIECES": result.piece_count, "AREA": result.area_m2, "SLIVERS": result.slivers,
            "SPLIT_PARCELS": result.split_parcels, "SPLIT_BEYOND_TOLERANCE": result.truly_split_parcels,
            "OUTSIDE_PARCELS": result.parcels_outside, "OUTSIDE_AREA": result.outside_m2,
            "OVERLAP_AREA": result.overlap_m2, "WITHOUT_VALUE": result.without_value}


def _tell(result: ParcelZoning, feedback: QgsProcessingFeedback) -> None:
    """Log what a person should know about the input and the result."""
    for report in result.reports:
        for sentence in report.sentences():
            feedback.pushWarning(sentence)
    if not result.piece_count:
        feedback.pushWarning(say("Không thửa đất nào nằm trong ô quy hoạch; kiểm tra hệ tọa độ của hai lớp.",
                                 "No parcel lies in any zone; check the coordinate systems of the two layers."))
    if result.overlapping_zones:
        feedback.pushWarning(
            say("{n} cặp ô quy hoạch chồng lấn nhau (fid: {pairs}); phần tính trùng trong các thửa: {area} m².",
                "{n} pairs of zones overlap (ids: {pairs}); area counted twice within the parcels: {area} m².")
            .format(n=len(result.overlapping_zones), area=format_number(result.overlap_m2, 2),
                    pairs=name_some(f"{first}/{second}" for first, second in result.overlapping_zones)))
    if result.without_value:
        feedback.pushWarning(say("{n} phần thuộc ô quy hoạch không có giá trị; cột zone để trống.",
                                 "{n} pieces lie in zones without a value; their zone is empty.")
                             .format(n=result.without_value))
    if result.rescued:
        feedback.pushWarning(say("{n} phần chỉ cắt được sau khi sửa hình hai bên.",
                                 "{n} pieces could be cut only after repairing the shapes.").format(n=result.rescued))
    for ours, name in result.renamed.items():
        feedback.pushInfo(say("Lớp thửa đất đã có trường {ours}; cột kết quả mang tên {name}.",
                              "The parcels already have a field {ours}; the result's column is {name}.")
                          .format(ours=ours, name=name))
    feedback.pushInfo(
        say("{pieces} phần, {split} thửa thuộc nhiều ô, {slivers} phần hẹp trong sai số ghép bản đồ {tolerance} m; "
            "{outside} thửa ngoài mọi ô.",
            "{pieces} pieces, {split} parcels in several zones, {slivers} pieces within the tolerance of {tolerance} "
            "m; {outside} parcels outside all zones.")
        .format(pieces=result.piece_count, split=result.split_parcels, slivers=result.slivers,
                tolerance=format_number(result.tolerance_m, 2), outside=result.parcels_outside))
