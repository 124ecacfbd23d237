"""Processing algorithm ``quyhoach:fieldreports``."""

from __future__ import annotations

import datetime
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterCrs,
    QgsProcessingParameterFile,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError, name_some, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_crs import to_pyproj
from ...common.qgis_rasters import raster_input


class FieldReportsAlgorithm(QuyHoachAlgorithm):
    """Reports from the spot as points; see `field_reports`."""

    ID = "fieldreports"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")
    TAGS = ("tin báo", "vết lũ", "độ sâu", "người dân", "tuần tra", "field report", "crowdsourced", "flood mark")

    def title(self) -> str:  # noqa: D102
        return say("Nhập tin báo ngập tại hiện trường", "Import field reports of flooding")

    def help(self) -> str:  # noqa: D102
        return say(
            "Đưa tin báo của đội tuần tra và người dân (csv, xlsx, GeoJSON) lên bản đồ để kiểm chứng bản đồ ngập.\n\n"
            "Cột được nhận ra theo tiêu đề (thời gian, độ sâu, nội dung, ảnh, thôn, xã, kinh độ, vĩ độ, X, Y...). Độ sâu bằng số (\"0,5m\", \"5 tấc\", "
            "\"1m2\") hoặc bằng lời (\"ngang đầu gối\", bảng depth_words: quy đổi theo kinh nghiệm, cần xác nhận). Vị trí theo hình, tọa độ, "
            "hoặc tên thôn, tổ dân phố.\n\n"
            "Chất lượng: good (tọa độ, độ sâu bằng số, có giờ), fair (thiếu một), poor. Tin cùng loại ở gần nhau về chỗ và giờ được gộp: lấy trung vị, "
            "nêu các dòng gốc, đánh dấu nếu mâu thuẫn. Dòng không dùng được nằm ở UNUSABLE kèm lý do, không bị bỏ mất.\n\n"
            "Có TERRAIN: thêm ground_m và level_m = mặt đất + độ sâu để dùng như vết lũ. Mét; giờ Việt Nam. Tên và điện thoại người báo không được "
            "đưa vào kết quả.",
            "Puts reports of patrols and citizens (csv, xlsx, GeoJSON) on the map, to check flood maps by.\n\n"
            "Columns are recognised by their headings (time, depth, text, photo, hamlet, commune, longitude, latitude, X, Y...). Depths in figures (\"0,5m\", "
            "\"5 tấc\", \"1m2\") or in words (\"ngang đầu gối\"; table depth_words: converted by experience, to be confirmed). Places by shape, "
            "coordinates, or name of hamlet.\n\n"
            "Quality: good (coordinates, depth in figures, a time), fair (one lacks), poor. Reports of one kind near in place and time are joined: median, "
            "source rows named, contradictions marked. Rows that cannot be used are in UNUSABLE with the reason; none is lost.\n\n"
            "With TERRAIN: ground_m and level_m = ground + depth, to serve as flood marks. Metres; Vietnam's time. Names and telephones of reporters do not "
            "go into the result.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.with_help(QgsProcessingParameterFile(
                "INPUT", say("Tệp tin báo", "File of reports"), Qgis.ProcessingFileParameterBehavior.File, "", None, False,
                say("Tin báo (*.csv *.xlsx *.geojson)", "Reports (*.csv *.xlsx *.geojson)")),
                say("Mỗi dòng một tin báo; dòng đầu là tiêu đề cột.", "A row per report; the first row has the headings.")),
            ask.layer("HAMLETS", say("Thôn, tổ dân phố", "Hamlets"),
                      say("Để đặt các tin chỉ có tên thôn; trường name, commune_code như tập dữ liệu \"Thôn, tổ dân phố\".",
                          "To place reports that only name a hamlet; fields name, commune_code as in the dataset \"Hamlet\"."), ask.POLYGONS, optional=True),
            ask.layer("UNITS", say("Xã, phường", "Communes"),
                      say("Tên xã, phường của mã commune_code (trường unit_code, name), khi tin báo ghi tên thay vì mã.",
                          "Names of the codes in commune_code (fields unit_code, name), where reports write names."), ask.POLYGONS, optional=True),
            ask.with_help(QgsProcessingParameterCrs("COORDINATES_CRS", say("Hệ tọa độ của cột X, Y", "System of the columns X, Y"), None, True),
                          say("Chỉ cần khi tin báo ghi X (bắc), Y (đông) bằng mét; chọn đúng kinh tuyến trục.",
                              "Only where reports give X (north), Y (east) in metres; choose the right meridian.")),
            ask.with_help(QgsProcessingParameterCrs("CRS", say("Hệ tọa độ của kết quả", "System of the result"), "ProjectCrs"),
                          say("Hệ tính bằng mét, ví dụ VN-2000 của tỉnh.", "In metres, such as the province's VN-2000.")),
            ask.raster("TERRAIN", say("Địa hình", "Terrain"), say("Để tính mực nước của tin báo.", "For the water level of reports."), optional=True),
            ask.number("JOIN_DISTANCE", say("Gộp tin trong khoảng cách (m)", "Join reports within (m)"),
                       say("0: không gộp.", "0 joins none."), 30.0, 0.0, 1000.0, advanced=True),
            ask.number("JOIN_MINUTES", say("Gộp tin trong khoảng thời gian (phút)", "Join reports within (minutes)"),
                       say("Hai tin cách nhau lâu hơn là hai tin.", "Reports further apart in time stay two."), 60.0, 0.0, 1440.0, advanced=True),
            ask.text("REFERENCE_DATE", say("Ngày của các tin", "Date of the reports"),
                     say("Dùng khi tin không ghi ngày hoặc năm; để trống: hôm nay.", "Where reports write no day or year; empty: today."),
                     optional=True, advanced=True),
            ask.layer_output("OUTPUT", say("Tin báo tại hiện trường", "Field reports"),
                             say("Điểm với độ sâu thấp/giữa/cao, nguồn gốc độ sâu và vị trí, sai số vị trí, chất lượng, các dòng gốc.",
                                 "Points with low/middle/high depth, how depth and place were told, error of the place, quality, source rows."),
                             Qgis.ProcessingSourceType.VectorPoint),
            ask.table_output("UNUSABLE", say("Dòng chưa dùng được", "Rows not usable yet"),
                             say("Số dòng trong tệp, lý do và nội dung.", "Row number in the file, reason and content."), optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputNumber(key, label)
            for key, label in (
                ("REPORTS", say("Số tin trên bản đồ", "Reports on the map")),
                ("JOINED", say("Số tin được gộp", "Reports joined into others")),
                ("UNUSABLE_ROWS", say("Số dòng chưa dùng được", "Rows not usable")),
            )
        ]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_metric, require_stated
        from .report_table import read_report_table

        problems: list[str] = []
        self.hamlets, self.units = (self.layer(parameters, key, context) for key in ("HAMLETS", "UNITS"))
        for layer, fields in ((self.hamlets, ("name", "commune_code")), (self.units, ("unit_code", "name"))):
            with noted(problems):
                if layer is not None:
                    require_stated(layer.crs, layer.name)
                    lacking = [f for f in fields if f not in layer.columns()]
                    if lacking:
                        raise InputError(
                            say(
                                "Lớp {layer} thiếu trường {fields}.", "Layer {layer} lacks the fields {fields}."
                            ).format(layer=layer.name, fields=", ".join(lacking))
                        )
        with noted(problems):
            self.crs = to_pyproj(self.parameterAsCrs(parameters, "CRS", context))
            label = say("Hệ tọa độ của kết quả", "The system of the result")
            require_stated(self.crs, label)
            require_metric(self.crs, label)
        self.coordinates_crs = to_pyproj(self.parameterAsCrs(parameters, "COORDINATES_CRS", context))
        with noted(problems):
            self.table = read_report_table(self.parameterAsFile(parameters, "INPUT", context))
        with noted(problems):
            self.terrain = raster_input(self, parameters, "TERRAIN", context)
        self.today = datetime.date.today()
        if asked := self.parameterAsString(parameters, "REFERENCE_DATE", context).strip():
            with noted(problems):
                self.today = parse_date(asked)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .field_reports import field_reports, with_levels

        hamlets = None
        if self.hamlets is not None:
            hamlets = self.hamlets.read(["name", "commune_code"])
            hamlets = hamlets[~(hamlets.geometry.isna() | hamlets.geometry.is_empty)]
            if self.units is not None:
                units = self.units.read(["unit_code", "name"])
                hamlets["commune_name"] = hamlets["commune_code"].map(dict(zip(units["unit_code"], units["name"])))
        found = field_reports(
            self.table, crs=self.crs.to_wkt(), hamlets=hamlets, today=self.today,
            coordinates_crs=self.coordinates_crs.to_wkt() if self.coordinates_crs is not None else None,
            join_distance_m=self.parameterAsDouble(parameters, "JOIN_DISTANCE", context),
            join_minutes=self.parameterAsDouble(parameters, "JOIN_MINUTES", context))
        self.progress(feedback)(0.8)
        reports = found.reports
        if self.terrain is not None:
            reports = with_levels(reports, self._ground(reports))
        feedback.pushInfo(say("Cột đã nhận ra: {columns}.", "Columns recognised: {columns}.").format(
            columns=", ".join(f"{ours} = \"{theirs}\"" for ours, theirs in self.table.headings.items())))
        for sentence in found.notes:
            feedback.pushWarning(sentence)
        if len(found.unusable):
            feedback.pushWarning(say("{n} dòng chưa dùng được: {rows}.", "{n} rows cannot be used: {rows}.").format(
                n=len(found.unusable), rows=name_some(f"{r.row} ({r.reason})" for r in found.unusable.itertuples())))
        if not len(reports):
            raise InputError(say("Không có tin báo nào đặt được lên bản đồ.", "No report could be placed on the map."))
        output = self.write_layer(
            parameters, "OUTPUT", context, reports, Qgis.WkbType.Point, style="disaster/field_report.qml"
        )
        results = {
            "OUTPUT": output,
            "REPORTS": len(reports),
            "JOINED": found.joined,
            "UNUSABLE_ROWS": len(found.unusable),
        }
        unusable = found.unusable.drop(columns="reporter", errors="ignore")
        if not len(unusable.columns):
            import pandas

            unusable = pandas.DataFrame({"row": pandas.Series(dtype="int64"), "reason": pandas.Series(dtype=object)})
        results["UNUSABLE"] = self.write_layer(parameters, "UNUSABLE", context, unusable)
        return {key: value for key, value in results.items() if value is not None}

    def _ground(self, reports: Any) -> Any:
        from ...common.crs import to_crs
        from ...common.raster import sample

        with self.terrain.open() as terrain:
            points = to_crs(reports, terrain.grid.crs_wkt).geometry
            return sample(terrain, points.x.to_numpy(), points.y.to_numpy())
