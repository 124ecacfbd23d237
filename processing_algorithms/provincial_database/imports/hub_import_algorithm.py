"""Processing algorithm ``quyhoach:hubimport``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber, QgsWkbTypes

from ...common import qgis_parameters as ask
from ...common.language import say
from ...common.progress import part
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import dataset_parameter, hub_location, hub_parameter

if TYPE_CHECKING:
    from .hub_import import ImportReport


class HubImportAlgorithm(QuyHoachAlgorithm):
    """A layer into a dataset of the shared database; see `hub_import`."""

    ID = "hubimport"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "nạp dữ liệu", "load", "append")

    def title(self) -> str:  # noqa: D102
        return say("Nhập lớp dữ liệu vào cơ sở dữ liệu dùng chung", "Import a layer into the shared database")

    def help(self) -> str:  # noqa: D102
        return say(
            "Nhập một lớp vào một tập dữ liệu của cơ sở dữ liệu dùng chung. Mỗi đối tượng được nhập mới, cập nhật, "
            "ghi nhận là đã có, hoặc "
            "bị từ chối; đối tượng bị từ chối được giữ nguyên vẹn trong cơ sở dữ liệu cùng lý do. Nhập lại cùng một "
            "lớp không làm thay đổi gì.\n\n"
            "Trường được nối theo tên, mã, nhãn hoặc tên trong Thông tư 16/2025; phần còn lại khai ở FIELD_MAPPING. "
            "Số và ngày có thể là "
            "chữ viết kiểu Việt Nam (1.234,5; 2/11/2026); mã có thể ghi bằng tên gọi. Giờ không ghi múi là giờ Việt "
            "Nam.\n\n"
            "Chữ theo bảng mã cũ (TCVN3 của phông .VnTime, VNI) được nhận ra theo từng trường và chuyển sang Unicode, "
            "kể cả tên trường khi nối trường; nhật ký ghi rõ trường nào, bảng mã nào, ví dụ trước và sau. Chữ hoa TCVN3: phông .VnTimeH dùng mã "
            "chữ thường, nên từ nào có các chữ cái không dấu đều viết hoa thì thành chữ hoa, còn lại là chữ thường. Đối tượng bị từ chối "
            "được giữ nguyên như lúc đến.\n\n"
            "Kiểm tra: kiểu, độ dài, khoảng giá trị, dạng mã, danh mục mã, trường bắt buộc, quan hệ giữa các trường, "
            "kiểu hình, vị trí trong "
            "lãnh thổ (khi ở VN-2000). Không có hình, hình rỗng, tọa độ hỏng: từ chối từng đối tượng. Hình không hợp "
            "lệ: sửa và đếm, hoặc từ "
            "chối. Hình đơn được đổi thành đa phần; cao độ (Z) bị bỏ và đếm. Hệ tọa độ khác được chuyển về hệ của cơ "
            "sở dữ liệu (VN-2000: "
            "phép chuyển EPSG 6960). Tất cả trong một giao dịch: dừng hoặc lỗi thì không ghi gì.",
            "Imports a layer into a dataset of the shared database. Every row is added, updated, found there already, "
            "or rejected; rejected "
            "rows are kept whole in the database with the reason. Importing the same layer again changes nothing.\n\n"
            "Fields are matched by name, id, label or their name in Circular 16/2025; state the others in "
            "FIELD_MAPPING. Numbers and dates may "
            "be text in Vietnamese writing (1.234,5; 2/11/2026); codes may be given by their names. Times without a "
            "zone are Vietnamese.\n\n"
            "Texts in an old encoding (TCVN3 of the .VnTime fonts, VNI) are found field by field and converted to Unicode, names of fields "
            "too where they are matched; the log says which field, which encoding, with an example before and after. Capitals of TCVN3: the "
            "font .VnTimeH has them on the codes of small letters, so a word whose plain letters are all capitals gets capitals, and all "
            "others small letters. Rejected rows are kept as they came.\n\n"
            "Checked: type, length, range, form of codes, code lists, required fields, relations between fields, kind "
            "of shape, position within "
            "the country (in VN-2000). Null, empty and broken shapes are rejected row by row. Invalid shapes are "
            "repaired and counted, or "
            "rejected. Single shapes become multi-part; heights (Z) are dropped and counted. Other systems are "
            "brought to the database's "
            "(VN-2000: EPSG operation 6960). All in one transaction: a stopped or failed run writes nothing.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from ..catalogue import load_catalogue

        return [
            hub_parameter(),
            dataset_parameter(str(dataset.label) for dataset in load_catalogue().values()),
            ask.layer("INPUT", say("Lớp nhập", "Layer"),
                      say("Lớp cần nhập; bộ lọc và phần đang chọn được giữ.",
                          "The layer to import; its filter and selection count."),
                      ask.ANY_GEOMETRY),
            ask.text("FIELD_MAPPING", say("Gán trường", "Field mapping"),
                     say("Dạng: land_code = MALOAIDAT; year = '2024'. Bên trái là trường của tập dữ liệu, bên phải là "
                         "trường của lớp nhập, hoặc một giá "
                         "trị chung trong dấu nháy đơn. Trường không ghi được nối theo tên.",
                         "Write: land_code = MALOAIDAT; year = '2024'. On the left the dataset's field, on the right "
                         "the layer's, or a value for all "
                         "rows in single quotes. Fields not mentioned are matched by name."), optional=True),
            ask.choice("EXISTING", say("Đối tượng đã có, giá trị khác", "Rows that exist with other values"),
                       say("Nhận ra theo feature_id, hoặc theo khóa của tập dữ liệu (thửa đất: xã cũ, tờ, thửa).",
                           "Recognised by feature_id, or by the dataset's key (parcels: old commune, sheet, number)."),
                       [say("Từ chối, giữ bản trong cơ sở dữ liệu", "Reject, keep the database's"),
                        say("Cập nhật theo lớp nhập", "Update from the layer")]),
            ask.choice("INVALID_GEOMETRY", say("Hình không hợp lệ", "Invalid geometry"),
                       say("Vùng tự cắt và các lỗi tương tự.", "Self-crossing polygons and the like."),
                       [say("Sửa và đếm", "Repair and count"), say("Từ chối đối tượng đó", "Reject those rows")],
                       advanced=True),
            ask.old_text(),
            ask.layer_output("REPORT", say("Đối tượng bị từ chối", "Rejected rows"),
                             say("Điểm tại tâm từng đối tượng bị từ chối: source_fid, reasons, attributes (JSON). Bản "
                                 "đầy đủ nằm trong cơ sở dữ liệu.",
                                 "A point in each rejected row: source_fid, reasons, attributes (JSON). The whole "
                                 "rows are in the database."),
                             Qgis.ProcessingSourceType.VectorPoint, optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("IMPORT_ID", say("Số thứ tự lần nhập", "Number of the import")),
            ("TOTAL", say("Số đối tượng của lớp", "Rows of the layer")),
            ("ADDED", say("Nhập mới", "Added")), ("UPDATED", say("Cập nhật", "Updated")),
            ("UNCHANGED", say("Đã có sẵn", "There already")),
            ("REJECTED", say("Bị từ chối", "Rejected")))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        from ..hub import open_hub
        from .field_mapping import parse_mapping, resolve_mapping

        self.input = self.layer(parameters, "INPUT", context)
        self.not_empty(self.input)
        self.input.notes.extend(_what_is_not_kept(self.parameterAsSource(parameters, "INPUT", context).wkbType()))
        self.location = hub_location(self, parameters, context)
        self.dataset = self.parameterAsString(parameters, "DATASET", context)
        self.mapping = self.parameterAsString(parameters, "FIELD_MAPPING", context)
        with open_hub(self.location) as hub:
            resolve_mapping(hub.dataset(self.dataset), self.input.columns(), parse_mapping(self.mapping))

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.geometry import InvalidGeometry
        from ..hub import open_hub
        from .hub_import import Existing, import_layer
        from .old_text import OldText
        from .rejected_rows import rejection_points

        progress = self.progress(feedback)
        frame = self.input.read(tell_encoding=False)  # the import tells what it did about it
        progress(0.1)
        with open_hub(self.location) as hub:
            report = import_layer(
                hub, self.dataset, frame, field_mapping=self.mapping, source=self.input.name,
                existing=Existing(self.parameterAsEnum(parameters, "EXISTING", context)),
                invalid=InvalidGeometry(self.parameterAsEnum(parameters, "INVALID_GEOMETRY", context)),
                old_text=OldText(self.parameterAsEnum(parameters, "OLD_TEXT", context)),
                progress=part(progress, 0.1, 0.95))
            points = rejection_points(report.rejections, hub.info.crs)
        _tell(report, feedback)
        return {
            "REPORT": self.write_layer(parameters, "REPORT", context, points, Qgis.WkbType.Point),
            "IMPORT_ID": report.import_id,
            "TOTAL": report.total, "ADDED": report.added, "UPDATED": report.updated, "UNCHANGED": report.unchanged,
            "REJECTED": len(report.rejections)}


def _what_is_not_kept(kind: Qgis.WkbType) -> Iterator[str]:
    """Tell what shapes of a kind lose in a hub, which keeps plane shapes of straight pieces; heights are counted by the import."""
    if QgsWkbTypes.isCurvedType(kind):
        yield say("Lớp có cung tròn: đã đổi thành đường gấp khúc bám sát cung.",
                  "The layer has arcs: they were made straight pieces that follow the arc closely.")
    if QgsWkbTypes.hasM(kind):
        yield say("Lớp có trị đo (M): đã bỏ, chỉ giữ mặt bằng.", "The layer has measures (M): they were dropped, only the plan is kept.")


def _tell(report: ImportReport, feedback: QgsProcessingFeedback) -> None:
    first, *rest = report.sentences()
    feedback.pushInfo(first)
    for sentence in rest:
        feedback.pushWarning(sentence)
