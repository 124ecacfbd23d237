"""One function per kind of Processing parameter, so that the same thing is asked in the same words everywhere.

All take the key, the label and the help as ``say(...)`` texts; help is not optional.
"""

from __future__ import annotations

from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from .language import say

POLYGONS = [Qgis.ProcessingSourceType.VectorPolygon]
LINES = [Qgis.ProcessingSourceType.VectorLine]
POINTS = [Qgis.ProcessingSourceType.VectorPoint]
TABLES = [Qgis.ProcessingSourceType.Vector]
ANY_GEOMETRY = [Qgis.ProcessingSourceType.VectorAnyGeometry]


def with_help(parameter: QgsProcessingParameterDefinition, text: str, advanced: bool = False) -> Any:
    """Attach the help, and move the parameter to the advanced ones if asked."""
    parameter.setHelp(text)
    if advanced:
        parameter.setFlags(parameter.flags() | Qgis.ProcessingParameterFlag.Advanced)
    return parameter


def layer(key: str, label: str, help: str, kinds: list, optional: bool = False) -> QgsProcessingParameterFeatureSource:
    """A vector layer; ``kinds`` is POLYGONS, LINES, POINTS or a sum of them."""
    return with_help(QgsProcessingParameterFeatureSource(key, label, kinds, None, optional), help)


def field(
    key: str, label: str, help: str, parent: str, numeric: bool = False, optional: bool = False,
    default: str | None = None
) -> QgsProcessingParameterField:
    """A field of the layer parameter ``parent``."""
    kind = Qgis.ProcessingFieldParameterDataType.Numeric if numeric else Qgis.ProcessingFieldParameterDataType.Any
    return with_help(QgsProcessingParameterField(key, label, default, parent, kind, False, optional), help)


def number(
    key: str,
    label: str,
    help: str,
    default: float | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    integer: bool = False,
    optional: bool = False,
    advanced: bool = False,
) -> QgsProcessingParameterNumber:
    """A number; put the unit into the label."""
    kind = Qgis.ProcessingNumberParameterType.Integer if integer else Qgis.ProcessingNumberParameterType.Double
    parameter = QgsProcessingParameterNumber(key, label, kind, default, optional)
    if minimum is not None:
        parameter.setMinimum(minimum)
    if maximum is not None:
        parameter.setMaximum(maximum)
    return with_help(parameter, help, advanced)


def choice(
    key: str, label: str, help: str, options: list[str], default: int = 0, advanced: bool = False
) -> QgsProcessingParameterEnum:
    """One of several; the value is the position in ``options``."""
    return with_help(QgsProcessingParameterEnum(key, label, options, False, default), help, advanced)


def yes_no(key: str, label: str, help: str, default: bool = False,
           advanced: bool = False) -> QgsProcessingParameterBoolean:
    """A tick box."""
    return with_help(QgsProcessingParameterBoolean(key, label, default), help, advanced)


def text(key: str, label: str, help: str, default: str = "", optional: bool = False,
         advanced: bool = False) -> QgsProcessingParameterString:
    """A line of text."""
    return with_help(QgsProcessingParameterString(key, label, default, False, optional), help, advanced)


def raster(key: str, label: str, help: str, optional: bool = False) -> QgsProcessingParameterRasterLayer:
    """A raster layer."""
    return with_help(QgsProcessingParameterRasterLayer(key, label, None, optional), help)


def layer_output(
    key: str, label: str, help: str, kind: Qgis.ProcessingSourceType, optional: bool = False
) -> QgsProcessingParameterFeatureSink:
    """A vector layer to be written: a file, a GeoPackage table, a database, or a temporary layer."""
    return with_help(QgsProcessingParameterFeatureSink(key, label, kind, None, optional, not optional), help)


def table_output(key: str, label: str, help: str, optional: bool = False) -> QgsProcessingParameterFeatureSink:
    """A table without geometry."""
    return layer_output(key, label, help, Qgis.ProcessingSourceType.Vector, optional)


def raster_output(key: str, label: str, help: str, optional: bool = False) -> QgsProcessingParameterRasterDestination:
    """A raster to be written as GeoTIFF."""
    return with_help(QgsProcessingParameterRasterDestination(key, label, None, optional, not optional), help)


def folder(key: str, label: str, help: str, optional: bool = False) -> QgsProcessingParameterFile:
    """A folder that exists."""
    return with_help(
        QgsProcessingParameterFile(key, label, Qgis.ProcessingFileParameterBehavior.Folder, "", None, optional), help)


def folder_output(key: str, label: str, help: str) -> QgsProcessingParameterFolderDestination:
    """A folder that results are written into."""
    return with_help(QgsProcessingParameterFolderDestination(key, label), help)


def xlsx_output() -> QgsProcessingParameterFileDestination:
    """The printable table as a workbook; not written unless asked for."""
    return with_help(
        QgsProcessingParameterFileDestination(
            "XLSX", say("Bảng in (xlsx)", "Printable table (xlsx)"), "Excel (*.xlsx)", None, True, False),
        say("Bảng tiếng Việt để in hoặc gửi đi, số liệu đã làm tròn và khớp tổng. Để trống nếu không cần.",
            "A Vietnamese table to print or send, figures rounded so that totals close. Leave empty if not needed."))


def invalid_geometry() -> QgsProcessingParameterEnum:
    """What to do with invalid shapes; read with `QuyHoachAlgorithm.invalid_geometry`."""
    return choice(
        "INVALID_GEOMETRY", say("Hình không hợp lệ", "Invalid geometry"),
        say("Sửa và đếm: vùng tự cắt được sửa, số lượng và fid ghi trong nhật ký. Từ chối: dừng và nêu fid.",
            "Repair and count: self-crossing polygons are repaired, count and ids go to the log. Refuse: stop and name the ids."),
        [say("Sửa và đếm", "Repair and count"), say("Từ chối, nêu fid", "Refuse and name the ids")], 0, advanced=True)


def old_text() -> QgsProcessingParameterEnum:
    """What to do with texts in TCVN3 or VNI; the positions are those of `OldText`."""
    return choice("OLD_TEXT", say("Chữ theo bảng mã cũ", "Texts in an old encoding"),
                  say("Tự nhận biết: chỉ chuyển trường chắc chắn là TCVN3 hoặc VNI, có ghi trong nhật ký. Giữ nguyên: chỉ báo, không đổi gì. Chọn "
                      "TCVN3 hoặc VNI khi biết chắc mà máy không nhận ra (trường có quá ít chữ). Chữ Unicode và chữ không dấu không bị đổi.",
                      "Detect: only fields that are certainly TCVN3 or VNI are converted, and the log tells. Keep: only told, nothing changes. "
                      "State TCVN3 or VNI when you know and it is not found (fields with very few words). Unicode and plain texts stay."),
                  [say("Tự nhận biết và chuyển sang Unicode", "Detect and convert to Unicode"),
                   say("Giữ nguyên", "Keep as they are"), "TCVN3 (ABC, .VnTime)", "VNI (VNI-Times)"])


def area_surface() -> QgsProcessingParameterEnum:
    """Where areas are measured; read with `QuyHoachAlgorithm.area_surface`."""
    return choice(
        "AREA_SURFACE", say("Diện tích tính trên", "Areas are measured on"),
        say("Mặt phẳng bản đồ (mặc định, như hồ sơ địa chính) hoặc mặt ellipsoid. Lớp ở độ kinh vĩ chỉ tính được trên ellipsoid.",
            "The plane of the map (default, as cadastral papers do) or the ellipsoid. Layers in degrees work on the ellipsoid only."),
        [say("Mặt phẳng bản đồ", "Plane of the map"), say("Mặt ellipsoid", "Ellipsoid")], 0)


def map_tolerance() -> QgsProcessingParameterNumber:
    """How far two maps may lie apart, on paper; read with `QuyHoachAlgorithm.optional_number`."""
    return number(
        "TOLERANCE_MM", say("Sai số ghép bản đồ trên giấy (mm)", "Map-matching tolerance on paper (mm)"),
        say("Để trống: lấy ở bảng map_matching_tolerance (0,4 mm: hai bản đồ, mỗi bản 0,2 mm); đây là thông lệ, cần xác nhận.",
            "Empty: from the table map_matching_tolerance (0.4 mm: two maps with 0.2 mm each); it is practice, to be confirmed."),
        minimum=0, optional=True, advanced=True)


def day() -> QgsProcessingParameterString:
    """The day plans are asked for; read with `numbers_vi.parse_date`."""
    return text(
        "DATE", say("Ngày tra cứu", "Day asked for"),
        say("Ngày/tháng/năm; để trống: hôm nay. Đồ án đang có hiệu lực vào ngày này được áp dụng.",
            "Day/month/year; empty: today. Plans in force on this day answer."), optional=True)
