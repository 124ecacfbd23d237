"""What a printed drawing of a plan asks for whatever it shows: the title block, and the layers drawn over the zones."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext

from ...common import qgis_parameters as ask
from ...common.crs import require_stated
from ...common.errors import noted
from ...common.language import say
from ...common.numbers_vi import format_date, parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_layers import LayerInput

if TYPE_CHECKING:
    import geopandas
    import pyproj

    from ...common.layout.qgis_layout_drawing import DrawingTexts

#: Layers over the zones, uppermost first.
_OVERLAYS = ("BOUNDARY", "CONSTRAINTS", "RED_LINES", "PARCELS")


class PlanDrawingAlgorithm(QuyHoachAlgorithm):
    """Base of the algorithms that print drawings of a plan; see `QuyHoachAlgorithm`."""

    ROOM = "zoning"

    def flags(self) -> Qgis.ProcessingAlgorithmFlag:  # noqa: D102
        # Layouts live in the main thread.
        return super().flags() | Qgis.ProcessingAlgorithmFlag.NoThreading

    def title_block(self) -> list[Any]:
        """Return the parameters of what is written beside the drawing."""
        blank = say("Để trống: in dòng chấm để ghi tay.", "Empty: a dotted line to fill in by hand.")
        typed = say("Nhập đúng như trong văn bản. Để trống: in dòng chấm.",
                    "As in the document. Empty: a dotted line.")
        texts = [
            ask.text("PLAN_NAME", say("Tên đồ án", "Name of the plan"),
                     say("Ví dụ Quy hoạch chi tiết khu dân cư …, tỷ lệ 1/500.", "As approved."), ""),
            ask.text("DRAWING_NAME", say("Tên bản vẽ", "Name of the drawing"),
                     say("In hoa ở đầu tờ và trong khung tên.", "Printed at the top and in the title block."),
                     "Bản đồ sử dụng đất quy hoạch"),
            ask.text("DRAWING_NUMBER", say("Bản vẽ số", "Drawing number"),
                     say("Ví dụ QH-04; cũng là đầu tên tệp.", "Such as QH-04; also the beginning of file names."),
                     optional=True),
            ask.text("DECISION_NUMBER", say("Quyết định phê duyệt số", "Number of the approval decision"), typed,
                     optional=True),
            ask.text("DECISION_DATE", say("Ngày quyết định phê duyệt", "Date of the approval decision"),
                     say("Ngày/tháng/năm. Để trống: in dòng chấm.", "Day/month/year. Empty: dots."), optional=True),
        ]
        for key, vi, en in (("APPROVING_AGENCY", "Cơ quan phê duyệt", "Approving agency"),
                            ("APPRAISING_AGENCY", "Cơ quan thẩm định", "Appraising agency"),
                            ("ORGANISING_AGENCY", "Cơ quan tổ chức lập quy hoạch", "Organising agency"),
                            ("CONSULTANT", "Đơn vị lập quy hoạch", "Consultant")):
            texts.append(ask.text(key, say(vi, en), blank, optional=True))
        for key, vi, en in (("APPRAISAL_REFERENCE", "Văn bản thẩm định số, ngày", "Appraisal: number and date"),
                            ("SUBMISSION_REFERENCE", "Tờ trình số, ngày", "Submission: number and date")):
            texts.append(ask.text(key, say(vi, en), typed, optional=True, advanced=True))
        return [
            *texts,
            ask.text("DATE", say("Ngày hoàn thành", "Date of completion"),
                     say("Ngày/tháng/năm; để trống: hôm nay.", "Day/month/year; empty: today."), optional=True,
                     advanced=True),
            ask.text("SOURCE", say("Nguồn dữ liệu", "Source of the data"),
                     say("In dưới hệ tọa độ.", "Printed under the coordinate system."), optional=True, advanced=True),
            ask.text("NOTICE", say("Ghi chú đóng khung", "Notice"),
                     say("Ví dụ DỰ THẢO; in bằng chữ đỏ trên chú giải.", "Such as DRAFT; in red above the legend."),
                     optional=True),
        ]

    def overlay_parameters(self) -> list[Any]:
        """Return the parameters of the layers over the zones."""
        return [
            ask.layer("BOUNDARY", say("Ranh giới lập quy hoạch", "Boundary of the plan"),
                      say("Vẽ nét đậm trên bản đồ.", "Drawn as a heavy line."), ask.POLYGONS, optional=True),
            ask.layer("CONSTRAINTS", say("Khu vực hạn chế, khống chế xây dựng", "Constraint overlays"),
                      say("Vẽ nét gạch theo mức độ hạn chế.", "Hatched by their effect."), ask.POLYGONS, optional=True),
            ask.field("CONSTRAINT_FIELD", say("Trường mức độ hạn chế", "Field of the effect"),
                      say("no_building, limited hoặc height_limit như trong danh mục dữ liệu.",
                          "no_building, limited or height_limit as in the catalogue."),
                      "CONSTRAINTS", optional=True, default="effect"),
            ask.layer("RED_LINES", say("Chỉ giới đường đỏ hoặc tim đường", "Road red lines or centre lines"),
                      say("Đường chỉ giới, hoặc tim đường kèm trường bề rộng.",
                          "The lines themselves, or centre lines with a field of widths."), ask.LINES, optional=True),
            ask.field("RED_LINE_WIDTH_FIELD", say("Trường bề rộng chỉ giới đường đỏ (m)", "Field of the width (m)"),
                      say("Khi lớp là tim đường: chỉ giới ở nửa bề rộng mỗi bên.",
                          "For centre lines: the red lines lie half of it to each side."), "RED_LINES", numeric=True,
                      optional=True),
            ask.layer("PARCELS", say("Thửa đất", "Parcels"), say("Vẽ nét mảnh.", "Drawn as thin lines."), ask.POLYGONS,
                      optional=True),
        ]

    def missing_texts(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Return sentences on what must be filled in and is not."""
        return [say("Chưa nhập \"{label}\".", "\"{label}\" is not filled in.")
                .format(label=self.parameterDefinition(key).description())
                for key in ("PLAN_NAME", "DRAWING_NAME")
                if not self.parameterAsString(parameters, key, context).strip()]

    def drawing_texts(self, parameters: dict[str, Any], context: QgsProcessingContext) -> DrawingTexts:
        """Return what is written beside the drawing.

        Raises
        ------
        InputError
            A date that is none.
        """
        from ...common.layout.qgis_layout_drawing import DrawingTexts, Signature

        def text(key: str) -> str:
            return self.parameterAsString(parameters, key, context).strip()

        date = format_date(parse_date(text("DATE")) if text("DATE") else datetime.date.today())
        decided = format_date(parse_date(text("DECISION_DATE"))) if text("DECISION_DATE") else "……/……/…………"
        return DrawingTexts(
            plan=text("PLAN_NAME"), drawing=text("DRAWING_NAME"), number=text("DRAWING_NUMBER"), date=date,
            source=text("SOURCE"), notice=text("NOTICE"), signatures=[
                Signature("Cơ quan phê duyệt", text("APPROVING_AGENCY"),
                          f"Kèm theo Quyết định số {text('DECISION_NUMBER') or '……………………'} ngày {decided}"),
                Signature("Cơ quan thẩm định", text("APPRAISING_AGENCY"),
                          f"Kèm theo văn bản thẩm định số {text('APPRAISAL_REFERENCE') or '…………… ngày ……/……/…………'}"),
                Signature("Cơ quan tổ chức lập", text("ORGANISING_AGENCY"),
                          f"Kèm theo Tờ trình số {text('SUBMISSION_REFERENCE') or '…………… ngày ……/……/…………'}"),
                Signature("Đơn vị lập quy hoạch", text("CONSULTANT"),
                          names=("Chủ nhiệm", "Chủ trì", "Thiết kế", "Kiểm tra"))])

    def read_overlays(
        self, parameters: dict[str, Any], context: QgsProcessingContext, problems: list[str]
    ) -> None:
        """Set `overlays`, the layers given by their keys, and their two fields; note what is wrong."""
        self.overlays: dict[str, LayerInput] = {}
        self.effect_field = self.width_field = None
        for key in _OVERLAYS:
            with noted(problems):
                if (layer := self.layer(parameters, key, context)) is not None:
                    require_stated(layer.crs, layer.name)
                    self.overlays[key] = layer
        with noted(problems):
            self.effect_field = self.field(parameters, "CONSTRAINT_FIELD", self.overlays.get("CONSTRAINTS"), context)
        with noted(problems):
            self.width_field = self.field(parameters, "RED_LINE_WIDTH_FIELD", self.overlays.get("RED_LINES"), context)
        if "CONSTRAINTS" in self.overlays and self.effect_field is None:
            problems.append(say("Chưa chọn trường mức độ hạn chế.", "No field of the effect is chosen."))

    def overlay_layers(self, crs: pyproj.CRS, ground: geopandas.GeoDataFrame) -> list[Any]:
        """Return the layers over the zones as they are drawn, uppermost first: what of them is on the ``ground``."""
        from ...common.crs import to_crs
        from ...common.layout.qgis_zone_map import constraint_layer, line_layer
        from .zoning_sheets import near, red_lines

        def read(key: str, *columns: str | None) -> Any:
            frame = self.overlays[key].read([name for name in columns if name])
            return near(to_crs(frame, crs), ground)

        found = []
        if "BOUNDARY" in self.overlays:
            found.append(line_layer(read("BOUNDARY"), "Ranh giới lập quy hoạch", "200,0,0", 0.7, "dash dot"))
        if "RED_LINES" in self.overlays:
            lines = red_lines(read("RED_LINES", self.width_field), self.width_field)
            found.append(line_layer(lines, "Chỉ giới đường đỏ", "230,0,0", 0.3))
        if "CONSTRAINTS" in self.overlays:
            frame = read("CONSTRAINTS", self.effect_field)
            found.append(constraint_layer(frame, self.effect_field, self.overlays["CONSTRAINTS"].name))
        if "PARCELS" in self.overlays:
            found.append(line_layer(read("PARCELS"), "Ranh giới thửa đất", "110,110,110", 0.1))
        return found
