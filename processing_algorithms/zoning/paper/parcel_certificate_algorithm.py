"""Processing algorithm ``quyhoach:parcelcertificate``."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterCrs,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
)

from ...common import qgis_parameters as ask
from ...common.crs import require_metric, require_stated
from ...common.destinations import files_whole
from ...common.errors import noted, refuse_if
from ...common.language import say
from ...common.progress import part
from ...common.qgis_layers import to_pyproj
from ...provincial_database.catalogue import load_catalogue
from .planning_paper_algorithm import PaperFiles, PlanningPaperAlgorithm

_PAPERS = (None, "A4", "A3")
_SCALES = (None, 200, 500, 1000, 2000, 5000)
#: Files named in the outputs; those of a batch are seen in the folder.
_MOST_NAMED = 40
#: Catalogue field and parameter by which a layer's own field is named.
_FIELDS = {"sheet_no": "SHEET_FIELD", "parcel_no": "NUMBER_FIELD", "legal_area_m2": "AREA_FIELD",
           "old_commune_code": "OLD_COMMUNE_FIELD", "commune_code": "COMMUNE_FIELD", "land_code": "LAND_CODE_FIELD",
           "address": "ADDRESS_FIELD"}


class ParcelCertificateAlgorithm(PlanningPaperAlgorithm):
    """Drafts of planning-information papers; see `parcel_certificate`."""

    ID = "parcelcertificate"

    def title(self) -> str:  # noqa: D102
        return say("Dự thảo văn bản cung cấp thông tin quy hoạch", "Draft planning-information papers")

    def help(self) -> str:  # noqa: D102
        return say(
            "Lập dự thảo văn bản cung cấp thông tin quy hoạch cho một thửa, các thửa đang chọn, hàng loạt thửa, hoặc "
            "khu đất "
            "theo tọa độ dán vào: tệp Word sửa được theo mẫu của cơ quan, bản đồ kèm theo (PDF, tỷ lệ cố định) và một "
            "dòng "
            "trong sổ đăng ký. Số, ngày, chữ ký và con dấu thực hiện ngoài phần mềm.\n\n"
            "Phương pháp: như \"Tra cứu quy hoạch theo thửa đất\": đồ án chi tiết nhất đang có hiệu lực là câu trả "
            "lời, các "
            "đồ án khác được liệt kê, mâu thuẫn được nêu; chỉ trong các khu vực hạn chế mới lấy giá trị chặt nhất. "
            "Diện tích "
            "theo giấy tờ đứng cạnh diện tích bản đồ, không bị thay thế. Không đọc, không in tên người sử dụng đất.\n\n"
            "Mỗi văn bản có bản chụp toàn bộ dữ liệu, mẫu và nội dung (JSON chuẩn tắc), mã SHA-256 và mã đối chiếu "
            "ngắn. Cùng dữ "
            "liệu, cùng ngày thì cùng một văn bản, không ghi hai lần. Sổ đăng ký nằm trong cơ sở dữ liệu dùng chung, "
            "hoặc trong "
            "thư mục kết quả khi không dùng cơ sở dữ liệu. Dùng \"Sổ đăng ký văn bản thông tin quy hoạch\" để trình "
            "ký, ghi số "
            "và in lại; \"Đối chiếu văn bản đã cấp\" để đối chiếu.\n\n"
            "Mẫu riêng: tệp .docx có các chỗ điền như {{Số văn bản}}, {{Thông tin quy hoạch}}; sao chép mẫu kèm theo "
            "(styles/zoning/planning_paper.docx, giải thích trong planning_paper.md) rồi sửa bằng Word.\n\n"
            "Đơn vị: m², m. Lớp ở hệ khác được chuyển về hệ của thửa (VN-2000: phép chuyển EPSG 6960). Thửa không có "
            "hình: từ "
            "chối và nêu fid. Hình không hợp lệ được sửa và đếm. Dừng giữa chừng: không có tệp nào được ghi.",
            "Drafts planning-information papers for one parcel, the selected ones, a batch, or for pasted corner "
            "coordinates: an "
            "editable Word file after the office's template, the map annex (PDF, fixed scale) and a row in the "
            "register. Number, "
            "date, signature and seal happen elsewhere.\n\n"
            "Method: as \"Zones by parcel\": the most detailed plan in force answers, others are listed, "
            "contradictions told; "
            "only among restrictions the tightest applies. The legal area stands beside the map area and is never "
            "replaced. Land "
            "users' names are neither read nor printed.\n\n"
            "Every paper has a snapshot of all data, the template and the contents (canonical JSON), its SHA-256 and "
            "a short "
            "code. The same data on the same day are the same paper and are not entered twice. The register is in the "
            "shared "
            "database, or in the output folder where there is none. \"Register of planning-information papers\" "
            "submits, enters "
            "numbers and prints again; \"Verify an issued paper\" compares.\n\n"
            "Own template: a .docx with placeholders such as {{Số văn bản}}, {{Thông tin quy hoạch}}; copy the one "
            "shipped "
            "(styles/zoning/planning_paper.docx, explained in planning_paper.md) and change it in Word.\n\n"
            "Units: m2, m. Layers in other systems are brought to the parcels' (VN-2000: EPSG operation 6960). "
            "Parcels without "
            "shape: refused, with ids. Invalid shapes are repaired and counted. A stopped run writes no file.")

    def parameters(self) -> list[Any]:  # noqa: D102
        fields = load_catalogue()["parcel"]
        corners = QgsProcessingParameterString("CORNERS", say("Hoặc tọa độ góc thửa", "Or corner coordinates"), "",
                                               True, True)
        crs = QgsProcessingParameterCrs("CORNERS_CRS", say("Kinh tuyến trục, múi chiếu của tọa độ",
                                                           "Meridian and zone of the coordinates"), None, True)
        template = QgsProcessingParameterFile("TEMPLATE", say("Mẫu riêng (.docx)", "Own template (.docx)"),
                                              Qgis.ProcessingFileParameterBehavior.File, "docx", None, True)
        return [
            ask.layer("PARCELS", say("Thửa đất", "Parcels"),
                      say("Mỗi thửa một văn bản; chọn \"chỉ đối tượng đang chọn\" để lập cho một vài thửa.",
                          "One paper for each; tick \"selected features only\" for a few."), ask.POLYGONS,
                          optional=True),
            ask.text("WHERE", say("Hoặc thửa trong cơ sở dữ liệu", "Or parcels of the database"),
                     say("Điều kiện, ví dụ: old_commune_code = '99101' AND sheet_no = '5' AND parcel_no = 12.",
                         "A condition, such as: old_commune_code = '99101' AND sheet_no = '5' AND parcel_no = 12."),
                         optional=True),
            ask.with_help(corners, say(
                "Dán từ Excel, Word hoặc tin nhắn, mỗi dòng một góc: số hiệu, X (Bắc), Y (Đông); hoặc đường dẫn tệp "
                ".csv, .txt, "
                ".xlsx. Dấu phẩy hoặc chấm thập phân.",
                "Paste from Excel, Word or a message, one corner a line: number, X (north), Y (east); or the path of "
                "a .csv, .txt "
                "or .xlsx file. Decimal comma or point.")),
            ask.with_help(crs, say("Bắt buộc khi dán tọa độ: hệ VN-2000 ghi trên giấy tờ, kinh tuyến trục cũ hoặc mới.",
                                   "Needed with coordinates: the VN-2000 system stated on the paper, old or new "
                                   "meridian.")),
            ask.choice("CORNERS_ORDER", say("Thứ tự cột tọa độ", "Order of the coordinates"),
                       say("Mặc định nhận theo giá trị và hỏi lại khi hai cột bị đảo.",
                           "By default told by the values; swapped columns are asked about."),
                       [say("Theo giá trị", "By the values"), say("X (Bắc) trước, Y sau", "X (north) first, then Y"),
                        say("Y (Đông) trước, X sau", "Y (east) first, then X")], advanced=True),
            *self.source_parameters(),
            ask.text("DATE", say("Ngày tra cứu", "Day"), say("Ngày xét hiệu lực của quy hoạch; để trống: hôm nay.",
                                                             "Day on which plans must be in force; empty: today."),
                                                             optional=True),
            ask.text("LOCATION", say("Địa bàn", "Place of the land"),
                     say("Ví dụ: phường Lam Trạch, tỉnh Hương Nguyên; in sau số thửa.",
                         "Such as: ward and province; printed after the parcel's number."), optional=True),
            ask.text("REQUEST_NUMBER", say("Mã hồ sơ đề nghị", "Request number"),
                     say("Mã ở bộ phận một cửa; không ghi tên người đề nghị.", "Of the one-stop desk; never the "
                                                                               "applicant's name."),
                     optional=True),
            ask.text("REQUEST_DATE", say("Ngày tiếp nhận", "Day of receipt"), say("Ngày/tháng/năm.", "Day/month/year."),
                     optional=True),
            ask.number("DEADLINE_DAYS", say("Thời hạn trả lời (ngày làm việc)", "Deadline (working days)"),
                       say("Do cơ quan đặt; luật không quy định. 15 ngày là thông lệ cũ, cần xác nhận. Tính ngày hẹn "
                           "trả trong sổ, "
                           "không kể ngày lễ.", "The office's own; the law sets none. 15 is former practice, to be "
                                                "confirmed. Gives "
                           "the due date in the register, holidays aside."), default=15, minimum=1, maximum=365,
                           integer=True,
                       optional=True),
            ask.text("AGENCY", say("Cơ quan cung cấp thông tin", "Issuing agency"),
                     say("Ví dụ: Sở Xây dựng; Phòng Kinh tế, Hạ tầng và Đô thị.", "Such as: Sở Xây dựng."),
                     default="Sở Xây dựng"),
            ask.text("AGENCY_ABOVE", say("Cơ quan cấp trên", "Agency above"), say("Dòng đầu bên trái.",
                                                                                  "First line at the left."),
                     default="Ủy ban nhân dân tỉnh", optional=True),
            ask.text("NUMBER_SIGN", say("Ký hiệu văn bản", "Sign of the number"),
                     say("Phần sau dấu gạch chéo của số văn bản, ví dụ SXD-QLQH.", "What follows the slash of the "
                                                                                   "number."),
                     default="SXD-QLQH", optional=True),
            ask.text("PLACE", say("Địa danh", "Place of issue"), say("Đứng trước ngày tháng.",
                                                                     "Stands before the date."),
                     optional=True),
            ask.text("AUTHORITY", say("Chức vụ người ký", "Office of the signer"), say("Ví dụ: Giám đốc.",
                                                                                       "Such as: Giám đốc."),
                     default="Giám đốc"),
            ask.text("SIGNER", say("Họ tên người ký", "Name of the signer"), say("Thường để trống.",
                                                                                 "Usually left empty."),
                     optional=True, advanced=True),
            ask.text("RECIPIENTS", say("Nơi nhận", "Recipients"), say("Các dòng cách nhau bằng dấu |.",
                                                                      "Lines parted by |."),
                     default="- Như trên;|- Lưu: VT, HS.", optional=True, advanced=True),
            ask.text("VALIDITY_NOTE", say("Câu về giá trị của thông tin", "Validity note"),
                     say("Để trống: câu mặc định.", "Empty: the default sentence."), optional=True, advanced=True),
            ask.with_help(template, say("Để trống: mẫu kèm theo phần mềm.", "Empty: the template shipped.")),
            ask.yes_no("MAP", say("Kèm bản đồ (PDF)", "With map annex (PDF)"), say("Một tệp PDF cho mỗi văn bản.",
                                                                              "One PDF for each paper."), default=True),
            ask.choice("SCALE", say("Tỷ lệ bản đồ", "Scale of the map"),
                       say("Tự chọn: tỷ lệ lớn nhất thấy trọn thửa và xung quanh.",
                           "Automatic: the largest at which the parcel and its surroundings are seen."),
                       [say("Tự chọn", "Automatic"), *(f"1/{scale}" for scale in _SCALES[1:] if scale)], advanced=True),
            ask.choice("PAPER", say("Khổ giấy bản đồ", "Paper of the map"), say("Tự chọn theo số góc thửa.",
                                                                                "By the number of corners."),
                       [say("Tự chọn", "Automatic"), "A4", "A3"], advanced=True),
            ask.text("REPLACES", say("Thay thế văn bản có mã", "Replaces the paper of code"),
                     say("Mã đối chiếu của văn bản đã ký mà văn bản này thay thế.", "Short code of the signed paper "
                                                                                    "it replaces."),
                     optional=True, advanced=True),
            *(ask.with_help(ask.field(key,
                                      say("Trường: {label}", "Field: {label}").format(label=fields.field(name).label),
                                      "", "PARCELS",
                                      optional=True),
                            say("Để trống: trường {name}, nếu lớp thửa đất có.", "Empty: the field {name}, if the parcels have it.")
                            .format(name=name), advanced=True)
              for name, key in _FIELDS.items()),
            ask.with_help(QgsProcessingParameterFolderDestination("OUTPUT", say("Thư mục kết quả", "Output folder")),
                          say("Nhận các tệp Word, PDF, và sổ đăng ký khi không dùng cơ sở dữ liệu dùng chung.",
                              "Gets the Word and PDF files, and the register where there is no shared database."))]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("COUNT", say("Số văn bản", "Papers")),
                QgsProcessingOutputNumber("NEW", say("Số văn bản mới ghi vào sổ", "Papers new in the register")),
                QgsProcessingOutputString("CODES", say("Mã đối chiếu", "Short codes")),
                QgsProcessingOutputString("FILES", say("Các tệp", "Files")),
                QgsProcessingOutputString("REGISTER", say("Sổ đăng ký", "Register"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .paper_snapshot import read_code
        from .paper_words import VALIDITY, Office, Request
        from .planning_paper import read_template

        def said(key: str) -> str:
            return self.parameterAsString(parameters, key, context).strip()

        problems: list[str] = []
        self.read_sources(parameters, context, problems)
        self.date = self.day(parameters, "DATE", context, problems, datetime.date.today())
        received = self.day(parameters, "REQUEST_DATE", context, problems)
        with noted(problems):
            default = self.parameterDefinition("DEADLINE_DAYS").defaultValue()
            self.deadline = self.optional_number({"DEADLINE_DAYS": default} | parameters, "DEADLINE_DAYS", context)
        self.parcels = self.corners = None
        self.where = said("WHERE")
        self._prepare_land(parameters, context, problems)
        self.office = Office(
            said("AGENCY"), said("AGENCY_ABOVE"), said("NUMBER_SIGN"), said("PLACE"), said("AUTHORITY"), said("SIGNER"),
            said("RECIPIENTS").replace("|", "\n"), said("VALIDITY_NOTE") or VALIDITY)
        self.request = Request(said("REQUEST_NUMBER"), received, said("LOCATION"))
        with noted(problems):
            path = self.parameterAsFile(parameters, "TEMPLATE", context)
            self.template = read_template(Path(path) if path else None)
        self.replaces = ""
        with noted(problems):
            self.replaces = read_code(said("REPLACES")) if said("REPLACES") else ""
        self.folder = Path(self.parameterAsString(parameters, "OUTPUT", context))
        refuse_if(problems)

    def _prepare_land(self, parameters: dict[str, Any], context: QgsProcessingContext, problems: list[str]) -> None:
        """Resolve which land is asked about: exactly one of a layer, a condition, and corners."""
        from .corner_files import corner_text
        from .corners import AxisOrder, read_corners

        text = self.parameterAsString(parameters, "CORNERS", context)
        with noted(problems):
            self.parcels = self.layer(parameters, "PARCELS", context)
        if (self.parcels is not None) + bool(self.where) + bool(text.strip()) != 1:
            problems.append(say("Hãy cho đúng một trong ba: lớp thửa đất, điều kiện chọn thửa trong cơ sở dữ liệu, "
                                "tọa độ góc.",
                                "Give exactly one of: a layer of parcels, a condition for parcels of the database, "
                                "corners."))
            return
        if self.where and not self.location:
            problems.append(say("Chọn thửa theo điều kiện cần cơ sở dữ liệu dùng chung (HUB).",
                                "Parcels by condition need the shared database (HUB)."))
        if self.parcels is not None:
            for check in (lambda: self.not_empty(self.parcels),
                          lambda: require_metric(require_stated(self.parcels.crs, self.parcels.name),
                                                 self.parcels.name)):
                with noted(problems):
                    check()
            self.fields = {}
            for name, key in _FIELDS.items():
                with noted(problems):
                    given = self.field(parameters, key, self.parcels, context)
                    if given or name in self.parcels.columns():
                        self.fields[given or name] = name
        if text.strip():
            with noted(problems):
                crs = to_pyproj(self.parameterAsCrs(parameters, "CORNERS_CRS", context))
                if crs is None:
                    problems.append(say("Chưa chọn kinh tuyến trục và múi chiếu của tọa độ góc thửa (CORNERS_CRS); "
                                        "tọa độ không tự "
                                        "nói lên điều đó.", "The meridian and zone of the corners are not chosen "
                                                            "(CORNERS_CRS); "
                                        "coordinates do not tell them."))
                else:
                    order = AxisOrder(self.parameterAsEnum(parameters, "CORNERS_ORDER", context))
                    self.corners = read_corners(corner_text(text), crs, order=order)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.layout.qgis_parcel_map import map_size_mm, paper_for
        from ...provincial_database.hub import open_hub
        from ...provincial_database.rows import now
        from .paper_register import (
            LOCAL_REGISTER,
            find_papers,
            local_register,
            register_dataset,
            register_drafts,
            shape_for,
        )
        from .parcel_certificate import MapChoice, draft_papers, register_row

        progress = self.progress(feedback)
        for note in self.corners.notes if self.corners is not None else ():
            feedback.pushWarning(note)
        with ExitStack() as stack:
            stack.push(_nothing_left_of(self.folder, self.folder / LOCAL_REGISTER))
            hub = stack.enter_context(open_hub(self.location)) if self.location else None
            if hub is not None:
                register_dataset(hub)
            parcels, sources = self._land(hub)
            around = self._neighbours(parcels) if sources.parcels is None else sources.parcels
            maps = None
            if self.parameterAsBool(parameters, "MAP", context):
                maps = MapChoice(paper_for, map_size_mm, _PAPERS[self.parameterAsEnum(parameters, "PAPER", context)],
                                 _SCALES[self.parameterAsEnum(parameters, "SCALE", context)])
            files, names, rows = stack.enter_context(PaperFiles(self.asked(feedback))), [], []
            draft_folder = stack.enter_context(files_whole(self.folder))
            register = hub or stack.enter_context(local_register(self.folder, parcels.crs))
            if self.replaces and not find_papers(register, code=self.replaces):
                refuse_if([say("Sổ đăng ký không có văn bản mã {code} để thay thế.",
                               "The register has no paper of code {code} to replace.").format(code=self.replaces)])
            moment = now()
            for draft in draft_papers(
                    parcels, sources.plans, sources.zones, date=self.date, office=self.office, request=self.request,
                    overlays=sources.overlays, overrides=sources.overrides, around=around, corners=self.corners,
                    communes=sources.communes, template=self.template, maps=maps, told=feedback.pushWarning,
                    progress=part(progress, 0.0, 0.95)):
                names += files.write(draft.paper, draft_folder, draft.name)
                rows.append(register_row(
                    draft, self.office, self.request, moment=moment, geometry=shape_for(register, draft.shape,
                                                                                        parcels.crs),
                    deadline_days=int(self.deadline) if self.deadline else None, replaces=self.replaces))
            progress(0.96)
            new = register_drafts(
                register,
                rows,
                message=say(
                    "Dự thảo {n} văn bản cung cấp thông tin quy hoạch", "Drafts of {n} planning-information papers"
                ).format(n=len(rows)),
            )
            where = register.info.location
        codes = [str(row["paper_code"]) for row in rows]
        feedback.pushInfo(say("{n} văn bản, {new} mới ghi vào sổ {register}.", "{n} papers, {new} new in the register "
                                                                               "{register}.")
                          .format(n=len(rows), new=new, register=where))
        return {"OUTPUT": str(self.folder), "COUNT": len(rows), "NEW": new, "CODES": ";".join(codes),
                "FILES": ";".join(str(self.folder / name) for name in names[:_MOST_NAMED]), "REGISTER": where}

    def _land(self, hub: Any) -> tuple[Any, Any]:
        """Return the parcels asked about and the sources of plans, read around them."""
        import pyproj

        from ...common.crs import to_crs
        from ..plans.plan_sources import hub_parcels
        from .parcel_certificate import parcel_of_corners

        if self.corners is not None:
            zones = self.layers.get("ZONES")
            system = pyproj.CRS.from_user_input(hub.info.crs if zones is None else zones.crs)
            require_metric(system, say("Lớp ô quy hoạch", "The zone layer"))
            parcels = parcel_of_corners(self.corners, system)
        elif self.parcels is not None:
            parcels = self.parcels.read(list(self.fields)).rename(columns=self.fields)
        else:
            parcels = hub_parcels(hub, self.where)
        usable = parcels[~(parcels.geometry.isna() | parcels.geometry.is_empty)]
        around = usable if hub is None or not len(usable) else to_crs(usable, hub.info.crs)
        return parcels, self.sources(hub, around.total_bounds)

    def _neighbours(self, parcels: Any) -> Any:
        """Return the parcels of the layer around those asked about, which may be a selection; None where there are none."""
        import geopandas
        import shapely
        from qgis.core import QgsFeatureRequest, QgsRectangle

        from ..plans.plan_sources import NEIGHBOURHOOD_M

        layer = self.parcels
        if layer is None or not (layer.only is not None or layer.expression or layer.limit >= 0):
            return None  # corners stand alone; of a whole layer the parcels are each other's neighbours
        names = [(name, ours) for name, ours in self.fields.items() if ours in ("sheet_no", "parcel_no")]
        window = QgsRectangle(*parcels.total_bounds)
        window.grow(NEIGHBOURHOOD_M)
        request = QgsFeatureRequest().setFilterRect(window)
        shapes, values = [], []
        for feature in layer.snapshot.getFeatures(request):
            shapes.append(shapely.from_wkb(bytes(feature.geometry().asWkb())) if feature.hasGeometry() else None)
            values.append([str(feature[name]) for name, _ in names])
        data = {ours: [row[at] for row in values] for at, (_, ours) in enumerate(names)}
        return geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, crs=parcels.crs, dtype="geometry"),
                                      crs=parcels.crs)


def _nothing_left_of(folder: Path, register: Path) -> Callable[..., None]:
    """Return an exit that takes back the register and folder a run has made, when it fails or is cancelled."""
    made = [path for path in (register, folder) if not path.exists()]

    def leave(kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is None:
            return
        for path in made:
            with suppress(OSError):  # others may have written into the folder meanwhile
                path.rmdir() if path.is_dir() else path.unlink()

    return leave
