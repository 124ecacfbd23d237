"""Processing algorithm ``quyhoach:plandossiercreate``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
)

from ...common import qgis_parameters as ask
from ...common.errors import noted, refuse_if
from ...common.language import say
from ...common.norms import load_table
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import HUB_FILTER, resolved
from .plan_dossier_export_algorithm import write_dossier_project

if TYPE_CHECKING:
    import geopandas


class PlanDossierCreateAlgorithm(QuyHoachAlgorithm):
    """An empty or filled dossier; see `create` and `filling`."""

    ID = "plandossiercreate"
    ROOM = "zoning"
    TAGS = ("HoSoGIS", "TT 16/2025", "hồ sơ", "đồ án", "dossier", "GeoPackage")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "pyogrio")

    def title(self) -> str:  # noqa: D102
        return say("Lập cơ sở dữ liệu GIS của đồ án quy hoạch", "Create the GIS dossier of a plan")

    def help(self) -> str:  # noqa: D102
        return say(
            "Lập thư mục HoSoGIS theo phụ lục II Thông tư 16/2025/TT-BXD: bốn cơ sở dữ liệu GeoPackage (HienTrang, "
            "QuyHoach, NenDiaHinh, MocGioi) với đủ 149 lớp, trường bắt buộc đúng kiểu và độ dài, trường chỉ tiêu sử dụng "
            "đất quy hoạch, hệ VN-2000 kinh tuyến trục hiện hành của tỉnh, và tệp dự án .qgz. Nếu chọn nguồn dữ liệu, ranh "
            "giới, ô quy hoạch, hành lang, đường, công trình… được đưa vào lớp tương ứng theo danh mục dữ liệu.\n\n"
            "Mã thông tin quy hoạch và mã hồ sơ do cơ quan có thẩm quyền cấp, người dùng nhập; phần mềm không tự đặt. Mốc "
            "giới không được suy từ ranh giới. Hồ sơ đã có thì không ghi đè.\n\n"
            "Nguồn: lược đồ của Thông tư đọc qua bản chép lại (xem nhật ký: phiên bản và độ tin cậy); tên trường chỉ tiêu do "
            "phần mềm đề xuất. Đơn vị: m, m². Nguồn khác hệ tọa độ được chuyển (VN-2000: phép chuyển EPSG 6960). Lớp đường "
            "nhận đường bao của vùng, lớp điểm nhận điểm trong vùng. Đối tượng không có hình bị bỏ; hình không hợp lệ giữ "
            "nguyên để kiểm tra; bỏ độ cao của đỉnh.",
            "Makes a folder HoSoGIS by annex II of Circular 16/2025/TT-BXD: four GeoPackage databases (HienTrang, QuyHoach, "
            "NenDiaHinh, MocGioi) with all 149 classes, mandatory fields of right type and length, fields for control "
            "figures, VN-2000 with the province's present meridian, and a project file (.qgz). With a source of data, "
            "boundary, zones, corridors, roads, buildings… go into their classes as the catalogue says.\n\n"
            "Plan information code and dossier code are given by the authority and typed in, never invented. Markers are not "
            "derived from the boundary. A dossier that is there is not overwritten.\n\n"
            "Source: the circular's schema as read in a transcription (see the log for version and confidence); names of the "
            "fields for control figures are our proposal. Units: m, m². Sources in another system are reprojected (VN-2000: "
            "EPSG operation 6960). Line classes take outlines of areas, point classes points inside. Null shapes are left "
            "out, invalid ones kept for the check, heights of vertices dropped.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.choice("PROVINCE", say("Tỉnh, thành phố", "Province"),
                       say("Quyết định kinh tuyến trục; 34 tỉnh, thành phố từ 01/7/2025.",
                           "Decides the meridian; the 34 provinces since July 2025."),
                       list(province_labels().values())),
            ask.text("PLAN_CODE", say("Mã thông tin quy hoạch", "Plan information code"),
                     say("12 chữ số đã được cấp: mã tỉnh, năm, cấp độ, loại, lần điều chỉnh, 5 số. Ví dụ 462521012345.",
                         "12 digits as given: province, year, level, kind, amendment, 5 digits. Such as 462521012345."),
                     optional=True),
            ask.text("DOSSIER_CODE", say("Mã hồ sơ quy hoạch", "Dossier code"),
                     say("Mã đã được cấp, ví dụ 46QPK0000001. Cần khi có nguồn dữ liệu.",
                         "As given, such as 46QPK0000001. Needed with a source of data."), optional=True),
            ask.with_help(QgsProcessingParameterFile(
                "SOURCE", say("Nguồn dữ liệu", "Source of data"), Qgis.ProcessingFileParameterBehavior.File, "", None,
                True,
                HUB_FILTER),
                say("Cơ sở dữ liệu dùng chung, bản dữ liệu làm việc, hoặc GeoPackage có các lớp mang tên của danh mục (plan, "
                    "zone, road…). Để trống: lập hồ sơ trống.",
                    "Shared database, working copy, or any GeoPackage whose layers carry the catalogue's names (plan, zone, "
                    "road…). Blank: an empty dossier.")),
            ask.text("PLAN_REF", say("Ký hiệu đồ án trong nguồn", "Reference of the plan in the source"),
                     say("Giá trị plan_ref; để trống khi nguồn chỉ có một đồ án.",
                         "Its plan_ref; blank when the source has one plan."), optional=True),
            ask.with_help(QgsProcessingParameterFolderDestination(
                "OUTPUT", say("Thư mục đặt hồ sơ", "Folder for the dossier")),
                say("Hồ sơ là thư mục HoSoGIS trong thư mục này.", "The dossier is a folder HoSoGIS in it.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputFile("PROJECT", say("Tệp dự án", "Project file")),
                QgsProcessingOutputNumber("CLASSES", say("Số lớp", "Classes")),
                QgsProcessingOutputNumber("FILLED", say("Số lớp có đối tượng", "Classes with features")),
                QgsProcessingOutputNumber("FEATURES", say("Số đối tượng", "Features"))]

    def flags(self) -> Any:  # noqa: D102
        # A project and its layers are made: objects of the main thread.
        return super().flags() | Qgis.ProcessingAlgorithmFlag.NoThreading

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .schema import DOSSIER_CODE, PLAN_CODE, load_schema

        self.schema = load_schema(datetime.date.today())
        self.province = list(province_labels())[self.parameterAsEnum(parameters, "PROVINCE", context)]
        self.plan_code = self.parameterAsString(parameters, "PLAN_CODE", context).strip()
        self.dossier_code = self.parameterAsString(parameters, "DOSSIER_CODE", context).strip()
        self.source = self.parameterAsString(parameters, "SOURCE", context).strip()
        self.plan_ref = self.parameterAsString(parameters, "PLAN_REF", context)
        self.target = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        problems: list[str] = []
        for name, value, label in ((PLAN_CODE, self.plan_code,
                                    say("Mã thông tin quy hoạch", "The plan information code")),
                                   (DOSSIER_CODE, self.dossier_code, say("Mã hồ sơ quy hoạch", "The dossier code"))):
            found = self.schema.pattern(name).fullmatch(value)
            if value and found is None:
                problems.append(
                    say('{label} "{value}" sai mẫu: {parts}.', '{label} "{value}" does not fit: {parts}.').format(
                        label=label,
                        value=value,
                        parts=", ".join(f"{part.label} ({part.length})" for part in self.schema.codes[name]),
                    )
                )
            elif found is not None and found["province"] != self.province:
                problems.append(say("{label} {value} không thuộc tỉnh đã chọn (mã {code}).",
                                    "{label} {value} is of another province than the one chosen (code {code}).")
                                .format(label=label, value=value, code=self.province))
            elif self.source and not value:
                problems.append(say("{label} chưa nhập; cần mã đã được cấp để đưa dữ liệu vào hồ sơ.",
                                    "{label} is blank; the code as given is needed to fill the dossier.").format(label=label))
        self.frames: dict[str, geopandas.GeoDataFrame] = {}
        if self.source:
            with noted(problems):
                self.frames = read_source(self.source)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.crs import meridian_label
        from ...common.progress import part
        from .create import create_dossier, province_crs
        from .filling import Filling, fill_classes
        from .reading import read_dossier

        progress = self.progress(feedback)
        crs = province_crs(self.schema, self.province)
        filling = Filling()
        if self.source:
            filling = fill_classes(self.frames, self.schema, crs, plan_ref=self.plan_ref, plan_code=self.plan_code,
                                   dossier_code=self.dossier_code)
        progress(0.3)
        Path(self.target).mkdir(parents=True, exist_ok=True)
        folder = create_dossier(self.target, self.schema, crs, filling.content, progress=part(progress, 0.3, 0.8))
        project, count = write_dossier_project(read_dossier(folder), self.schema)
        for note in filling.notes:
            feedback.pushWarning(note)
        features = sum(map(len, filling.content.values()))
        feedback.pushInfo(say("{folder}: {n} lớp, {k} lớp có đối tượng, {f} đối tượng; {crs}.",
                              "{folder}: {n} classes, {k} with features, {f} features; {crs}.").format(
            folder=folder, n=count, k=len(filling.content), f=features, crs=meridian_label(crs)))
        feedback.pushInfo(
            say("Lược đồ: {version}; độ tin cậy: {confidence}.", "Schema: {version}; confidence: {confidence}.").format(
                version=self.schema.version, confidence=self.schema.confidence_text
            )
        )
        return {"OUTPUT": str(folder), "PROJECT": str(project), "CLASSES": count, "FILLED": len(filling.content),
                "FEATURES": features}


def province_labels() -> dict[str, str]:
    """Codes and names of the present provinces, in the order of the codes."""
    rows = load_table("vn2000_zones", on=None).rows
    return dict(sorted({str(row["new_code"]): f"{row['province_new']} ({row['new_code']}), {row['central_meridian_new']}"
                        for row in rows}.items()))


def read_source(location: str) -> dict[str, geopandas.GeoDataFrame]:
    """Read the catalogue's datasets from a hub, a working copy or any GeoPackage, those the standard has classes for.

    Raises
    ------
    InputError
        There is nothing at that place, or no dataset in it.
    """
    import pyogrio

    from ...common.addresses import is_postgis_location
    from ...common.curves import curves_kept
    from ...common.errors import InputError
    from ...provincial_database.catalogue.loader import load_catalogue
    from ...provincial_database.hub import open_hub

    wanted = {name: dataset for name, dataset in load_catalogue().items() if dataset.tt16_class is not None}
    place = resolved(location)
    if not isinstance(place, str) or is_postgis_location(place):
        with open_hub(place) as hub:
            held = [dataset for name, dataset in hub.datasets.items() if name in wanted]
            return {dataset.name: hub.read(dataset) for dataset in held}
    path = Path(place)
    if not path.is_file():
        raise InputError(say("Không có nguồn dữ liệu {path}.", "There is no source {path}.").format(path=path))
    try:
        with curves_kept():
            tables = {str(name) for name, _ in pyogrio.list_layers(path)}
            found = {name: pyogrio.read_dataframe(path, layer=name, fid_as_index=True) for name in wanted if name in tables}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(say("Không đọc được nguồn dữ liệu {path}: {why}", "The source {path} cannot be read: {why}")
                         .format(path=path, why=error)) from error
    if not found:
        raise InputError(say("{path} không có lớp nào mang tên của danh mục ({names}).",
                             "{path} has no layer named as in the catalogue ({names}).")
                         .format(path=path, names=", ".join(wanted)))
    return found
