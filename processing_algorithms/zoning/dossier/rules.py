"""Every rule of the check with its permanent id, and what a finding is.

Ids never change and are never given to another rule: consultants and offices quote them in letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import shapely

from ...common.language import say


class Severity(IntEnum):
    """How much a finding weighs; only errors keep a dossier from passing."""

    ERROR = 0
    WARNING = 1
    NOTE = 2

    @property
    def label(self) -> str:
        """In words."""
        return (say("lỗi", "error"), say("cảnh báo", "warning"), say("lưu ý", "note"))[self]


@dataclass(frozen=True)
class Rule:
    """One rule: what is wrong (``title``) and what to do (``advice``), in both languages."""

    id: str
    severity: Severity
    title_vi: str
    title_en: str
    advice_vi: str
    advice_en: str

    @property
    def title(self) -> str:
        """In the language spoken."""
        return say(self.title_vi, self.title_en)

    @property
    def advice(self) -> str:
        """In the language spoken."""
        return say(self.advice_vi, self.advice_en)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    rule : Rule
    message : str
        A whole sentence with what, which, measured and allowed.
    database, class_name : str
        Empty for the dossier as a whole.
    fids : sequence
        Features; empty when none is meant.
    shapes : sequence of shapely geometry or None
        Where, one per feature; for places without feature (gaps) one without fid.
    """

    rule: Rule
    message: str
    database: str = ""
    class_name: str = ""
    fids: Sequence[object] = ()
    shapes: Sequence[shapely.Geometry | None] = field(default=(), repr=False)

    @property
    def count(self) -> int:
        """Features or places meant; one for the dossier as a whole."""
        return max(len(self.fids), len(self.shapes), 1)


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE
#: Groups of rules in the order of reports, by the first letters of their ids.
GROUPS = {"TEP": ("Tệp và thư mục", "Files and folder"), "LOP": ("Lớp dữ liệu", "Classes"),
          "TRG": ("Trường thuộc tính", "Fields"), "MA": ("Mã hồ sơ, mã thông tin quy hoạch", "Codes"),
          "GT": ("Giá trị thuộc tính", "Values"), "HTD": ("Hệ tọa độ", "Coordinate system"),
          "HH": ("Hình học", "Geometry"), "PV": ("Ô quy hoạch và ranh giới", "Zones and boundary"),
          "MG": ("Mốc giới", "Markers"), "TL": ("Tỷ lệ", "Scale"), "CT": ("Chỉ tiêu sử dụng đất quy hoạch",
                                                                       "Control figures")}
_TABLE = (
    ("TEP-01", _E, "Thiếu cơ sở dữ liệu", "A database is missing",
     "Bổ sung tệp .gpkg (hoặc .gdb) đúng tên trong thư mục HoSoGIS.", "Add the .gpkg (or .gdb) of that name."),
    ("TEP-02", _E, "Tệp không đọc được", "A file cannot be read",
     "Xuất lại tệp và mở thử bằng QGIS trước khi nộp.", "Export the file again and open it in QGIS before sending."),
    ("TEP-03", _E, "Thiếu tệp tổng hợp (dự án bản đồ)", "The project file is missing",
     "Bổ sung tệp .qgz, .aprx, .mxd, .ppkx hoặc .mpk.", "Add a .qgz, .aprx, .mxd, .ppkx or .mpk file."),
    ("TEP-04", _W, "Tên tệp cơ sở dữ liệu viết không đúng", "A database's file name is misspelled",
     "Đổi tên tệp đúng từng chữ hoa, chữ thường, không dấu.", "Rename the file exactly, capitals included."),
    ("TEP-05", _W, "Tệp dữ liệu ngoài quy định", "A data file the standard does not know",
     "Chuyển dữ liệu vào đúng cơ sở dữ liệu hoặc bỏ tệp.", "Move the data into the right database or remove the file."),
    ("TEP-06", _W, "Tên thư mục không phải HoSoGIS", "The folder is not named HoSoGIS",
     "Đổi tên thư mục thành HoSoGIS.", "Rename the folder to HoSoGIS."),
    ("TEP-07", _E, "Một cơ sở dữ liệu có nhiều tệp", "A database is there more than once",
     "Chỉ giữ một tệp cho mỗi cơ sở dữ liệu.", "Keep one file per database."),
    ("TEP-08", _W, "Dự án bản đồ trỏ tới tệp ngoài thư mục hoặc không có", "The project points outside the folder or to nothing",
     "Lưu dự án với đường dẫn tương đối, dữ liệu nằm trong HoSoGIS.", "Save the project with relative paths, data in HoSoGIS."),
    ("LOP-01", _E, "Thiếu lớp bắt buộc", "A required class is missing",
     "Bổ sung lớp đúng tên, đúng cơ sở dữ liệu.", "Add the class under its name in its database."),
    ("LOP-02", _W, "Thiếu cả nhóm lớp", "A whole group of classes is missing",
     "Bổ sung các lớp của nhóm, hoặc giải trình vì sao đồ án không có.", "Add the group's classes, or say why the plan has none."),
    ("LOP-03", _N, "Thiếu lớp trong nhóm", "Classes of a group are missing",
     "Bổ sung lớp (có thể để trống) nếu đồ án có nội dung này.", "Add the class (it may be empty) if the plan has such content."),
    ("LOP-04", _N, "Lớp bổ sung ngoài danh mục", "An additional class",
     "Không phải sửa nếu lớp cần thiết; nêu trong thuyết minh.", "Nothing to do if it is needed; mention it in the report."),
    ("LOP-05", _W, "Tên lớp viết không đúng", "A class name is misspelled",
     "Đổi tên lớp đúng như danh mục.", "Rename the class as in the list."),
    ("LOP-06", _E, "Lớp nằm sai cơ sở dữ liệu", "A class is in the wrong database",
     "Chuyển lớp sang đúng cơ sở dữ liệu.", "Move the class to its database."),
    ("LOP-07", _E, "Tên lớp ngoài danh mục, sai nguyên tắc đặt tên", "An unknown class with a name against the rule",
     "Đặt tên <TenLop>_<A|P|L>, không dấu, viết liền, hoa chữ đầu mỗi từ.", "Name it <Name>_<A|P|L>, unaccented, capital per word."),
    ("LOP-08", _E, "Lớp bắt buộc không có đối tượng", "A required class has no features",
     "Nhập đối tượng của lớp.", "Enter the features."),
    ("LOP-09", _E, "Một lớp có nhiều bảng", "A class is there more than once",
     "Chỉ giữ một bảng cho mỗi lớp.", "Keep one table per class."),
    ("TRG-01", _E, "Thiếu trường bắt buộc", "A mandatory field is missing",
     "Bổ sung trường đúng tên, kiểu và độ dài.", "Add the field with its name, type and length."),
    ("TRG-02", _E, "Trường sai kiểu dữ liệu", "A field has the wrong type",
     "Tạo lại trường đúng kiểu rồi chuyển giá trị.", "Make the field anew with its type and move the values."),
    ("TRG-03", _E, "Trường ngắn hơn quy định", "A field is shorter than required",
     "Mở rộng độ dài trường.", "Lengthen the field."),
    ("TRG-04", _W, "Trường dài hơn quy định", "A field is longer than required",
     "Đặt lại độ dài trường.", "Set the field's length."),
    ("TRG-05", _W, "Tên trường viết không đúng", "A field name is misspelled",
     "Đổi tên trường đúng từng chữ hoa, chữ thường.", "Rename the field, capitals included."),
    ("TRG-06", _W, "Thiếu trường chỉ tiêu sử dụng đất quy hoạch", "A field with control figures is missing",
     "Bổ sung trường chỉ tiêu trong lớp ô quy hoạch.", "Add the field to the class of zones."),
    ("MA-01", _E, "Mã hồ sơ quy hoạch sai mẫu", "A dossier code does not fit the pattern",
     "Nhập đúng mã đã được cấp, ví dụ 46QPK0000001.", "Enter the code as given, such as 46QPK0000001."),
    ("MA-02", _E, "Mã thông tin quy hoạch sai mẫu", "A plan information code does not fit the pattern",
     "Nhập đúng mã 12 chữ số đã được cấp.", "Enter the code of 12 digits as given."),
    ("MA-03", _E, "Hồ sơ có nhiều mã hồ sơ quy hoạch", "The dossier has several dossier codes",
     "Thống nhất một mã trong mọi lớp.", "Use one code in all classes."),
    ("MA-04", _E, "Hồ sơ có nhiều mã thông tin quy hoạch", "The dossier has several plan information codes",
     "Thống nhất một mã trong mọi lớp.", "Use one code in all classes."),
    ("MA-05", _E, "Mã tỉnh trong hai mã khác nhau", "The two codes name different provinces",
     "Đối chiếu mã đã được cấp.", "Compare with the codes as given."),
    ("MA-06", _E, "Mã tỉnh không có hoặc không phải tỉnh lập quy hoạch", "The code names no province, or another one",
     "Dùng mã 34 tỉnh, thành phố từ 01/7/2025.", "Use the codes of the 34 provinces since July 2025."),
    ("MA-07", _E, "Cấp độ quy hoạch trong hai mã khác nhau", "The two codes name different levels",
     "Đối chiếu mã đã được cấp và cấp độ đồ án.", "Compare with the codes as given and the plan's level."),
    ("MA-08", _E, "Lần điều chỉnh trong hai mã không khớp", "The adjustments in the two codes do not agree",
     "Đối chiếu mã đã được cấp và lần điều chỉnh.", "Compare with the codes as given."),
    ("MA-09", _E, "Năm trong mã thông tin quy hoạch không hợp lý", "The year in the plan information code cannot be",
     "Đối chiếu năm trình duyệt.", "Compare with the year of submission."),
    ("MA-10", _W, "Loại quy hoạch trong mã khác loại đã nêu", "The kind of area in the code is not the one stated",
     "Đối chiếu mã với loại quy hoạch của đồ án.", "Compare with the plan's kind."),
    ("MA-11", _W, "Mã đối tượng sai mẫu", "An object code does not fit the pattern",
     "Ghi mã hồ sơ, tên lớp, số thứ tự, nối bằng dấu gạch ngang.", "Write dossier code, class and number, joined by hyphens."),
    ("MA-12", _E, "Mã đối tượng bị trùng", "An object code is used twice",
     "Đánh lại số thứ tự đối tượng trong lớp.", "Number the objects of the class anew."),
    ("GT-01", _E, "Bỏ trống giá trị bắt buộc", "A required value is blank",
     "Nhập giá trị cho mọi đối tượng.", "Enter the value for every feature."),
    ("GT-02", _E, "Chức năng sử dụng đất ngoài danh mục", "A land function is not in the list",
     "Dùng tên chức năng theo phụ lục I.", "Use the functions of annex I."),
    ("GT-03", _W, "Chức năng sử dụng đất viết không đúng", "A land function is misspelled",
     "Sửa đúng dấu, chữ hoa, chữ thường.", "Correct accents and capitals."),
    ("GT-04", _E, "Giá trị dài quá quy định", "A value is too long",
     "Rút gọn giá trị.", "Shorten the value."),
    ("GT-05", _E, "Chữ không phải Unicode dựng sẵn (NFC)", "Text is not composed Unicode (NFC)",
     "Chuyển văn bản về Unicode dựng sẵn.", "Convert the text to composed Unicode."),
    ("GT-06", _E, "Chữ mã cũ (TCVN3, VNI) hoặc hỏng bảng mã", "Text in an old or broken encoding",
     "Chuyển mã chữ sang Unicode.", "Convert the text to Unicode."),
    ("GT-07", _N, "Thừa dấu cách hoặc có ký tự điều khiển", "Needless spaces or control signs",
     "Xóa dấu cách thừa.", "Remove them."),
    ("GT-08", _E, "Chỉ tiêu không phải số", "A figure is no number",
     "Nhập số, không kèm đơn vị.", "Enter a number without unit."),
    ("GT-09", _E, "Chỉ tiêu ngoài khoảng hợp lý", "A figure is out of range",
     "Kiểm tra số và đơn vị.", "Check number and unit."),
    ("HTD-01", _E, "Lớp không khai báo hệ tọa độ", "A class states no coordinate system",
     "Khai báo VN-2000 đúng kinh tuyến trục của tỉnh.", "State VN-2000 with the province's meridian."),
    ("HTD-02", _E, "Không phải VN-2000 phẳng", "Not VN-2000 on the plane",
     "Chuyển dữ liệu về VN-2000, múi chiếu 3°.", "Bring the data to VN-2000, zone of 3 degrees."),
    ("HTD-03", _E, "Sai kinh tuyến trục hoặc múi chiếu của tỉnh", "Wrong meridian or zone for the province",
     "Chuyển (không gán lại) về kinh tuyến trục hiện hành của tỉnh.", "Reproject to the province's present meridian."),
    ("HTD-04", _E, "Tọa độ nằm ngoài vùng của hệ tọa độ", "Coordinates lie outside the system's area",
     "Kiểm tra đảo X, Y hoặc gán nhầm hệ tọa độ.", "Check for swapped X and Y or a wrongly stated system."),
    ("HH-01", _E, "Kiểu hình học không đúng với lớp", "The geometry type does not fit the class",
     "Lớp _A là vùng, _L là đường, _P là điểm.", "_A is areas, _L lines, _P points."),
    ("HH-02", _E, "Đối tượng không có hình", "A feature has no geometry",
     "Vẽ hình hoặc xóa đối tượng.", "Draw it or delete the feature."),
    ("HH-03", _E, "Hình rỗng", "An empty geometry", "Vẽ hình hoặc xóa đối tượng.", "Draw it or delete the feature."),
    ("HH-04", _E, "Hình tự cắt hoặc không hợp lệ", "A self-crossing or invalid geometry",
     "Sửa hình tại vị trí đã nêu.", "Repair it at the place told."),
    ("HH-05", _W, "Có cao độ (Z) hoặc M trong lớp phẳng", "Heights (Z) or M in a flat class",
     "Bỏ chiều Z, M khi xuất dữ liệu.", "Drop Z and M on export."),
    ("HH-06", _E, "Hình trùng lặp hoàn toàn", "The same geometry twice",
     "Xóa đối tượng trùng.", "Delete the duplicate."),
    ("HH-07", _E, "Hình suy biến (không có diện tích, chiều dài)", "A degenerate geometry",
     "Xóa hoặc vẽ lại đối tượng.", "Delete or redraw it."),
    ("HH-08", _E, "Tọa độ vô hạn hoặc không phải số", "Infinite or missing coordinates",
     "Xóa hoặc vẽ lại đối tượng.", "Delete or redraw it."),
    ("HH-09", _W, "Vùng gồm nhiều phần rời", "An area of several parts",
     "Tách thành nhiều ô, mỗi ô một mã.", "Split it into zones with a code each."),
    ("PV-01", _E, "Ô quy hoạch chồng lấn nhau", "Zones overlap",
     "Sửa ranh ô cho khớp, không chồng lấn.", "Make the borders meet."),
    ("PV-02", _E, "Khe hở giữa các ô quy hoạch", "A gap between zones",
     "Sửa ranh ô cho khớp, hoặc bổ sung ô.", "Make the borders meet, or add the zone."),
    ("PV-03", _E, "Ô quy hoạch vượt ra ngoài ranh giới quy hoạch", "A zone reaches beyond the plan boundary",
     "Sửa ô hoặc ranh giới cho khớp.", "Fit the zone or the boundary."),
    ("PV-04", _E, "Phần ranh giới quy hoạch chưa có ô", "Part of the plan has no zone",
     "Bổ sung ô hoặc sửa ranh giới.", "Add the zone or fit the boundary."),
    ("PV-05", _E, "Tổng diện tích các chức năng không khớp diện tích quy hoạch", "The functions do not add up to the plan's area",
     "Đối chiếu bảng cân bằng sử dụng đất với ranh giới.", "Compare the land balance with the boundary."),
    ("PV-06", _W, "Diện tích ghi khác diện tích hình vẽ", "The stated area is not that of the drawing",
     "Kiểm tra diện tích và đơn vị (m²).", "Check area and unit (m²)."),
    ("PV-07", _E, "Lớp ranh giới quy hoạch không phải một vùng", "The plan boundary is not one area",
     "Gộp thành một đối tượng.", "Merge it into one feature."),
    ("PV-08", _W, "Ranh giới quy hoạch ở hai cơ sở dữ liệu khác nhau", "The boundary differs between two databases",
     "Dùng cùng một ranh giới.", "Use one boundary."),
    ("PV-09", _W, "Ký hiệu ô bị trùng", "A zone code is used twice", "Đặt lại ký hiệu ô.", "Give the zone another code."),
    ("MG-01", _E, "Mốc giới không nằm trên ranh giới quy hoạch", "A marker is not on the plan boundary",
     "Đối chiếu tọa độ mốc với ranh giới.", "Compare the marker's coordinates with the boundary."),
    ("MG-02", _E, "Tuyến mốc giới không nằm trên ranh giới quy hoạch", "A marker line is not on the plan boundary",
     "Đối chiếu tuyến với ranh giới.", "Compare the line with the boundary."),
    ("TL-01", _E, "Tỷ lệ không đúng với cấp độ quy hoạch", "The scale does not fit the level of plan",
     "Lập bản đồ đúng tỷ lệ quy định.", "Draw the plan at a scale the law allows."),
    ("CT-01", _E, "Mật độ xây dựng thuần vượt quy chuẩn", "Net density above the regulation",
     "Giảm mật độ hoặc giải trình căn cứ.", "Lower the density or give grounds."),
    ("CT-02", _E, "Mật độ xây dựng gộp vượt quy chuẩn", "Gross density above the regulation",
     "Giảm mật độ hoặc giải trình căn cứ.", "Lower the density or give grounds."),
    ("CT-03", _E, "Hệ số sử dụng đất vượt quy chuẩn", "Floor-area ratio above the regulation",
     "Giảm hệ số hoặc giải trình căn cứ.", "Lower the ratio or give grounds."),
    ("CT-04", _E, "Hệ số sử dụng đất lớn hơn mật độ nhân tầng cao", "The ratio exceeds density times storeys",
     "Thống nhất mật độ, tầng cao và hệ số.", "Make density, storeys and ratio agree."),
    ("CT-05", _E, "Tầng cao tối thiểu lớn hơn tối đa", "Minimum storeys above the maximum",
     "Sửa tầng cao.", "Correct the storeys."),
    ("CT-06", _W, "Thiếu chỉ tiêu của ô xây dựng công trình", "A figure of a zone for building is blank",
     "Bổ sung mật độ, tầng cao (chiều cao), hệ số sử dụng đất.", "Add density, storeys (height) and ratio."),
    ("CT-07", _W, "Chiều cao không phù hợp với tầng cao", "Height and storeys do not agree",
     "Kiểm tra chiều cao và tầng cao.", "Check height and storeys."),
)
RULES = {row[0]: Rule(*row) for row in _TABLE}


def group_of(rule: Rule) -> str:
    """Return the title of the group a rule belongs to."""
    return say(*GROUPS[rule.id.split("-")[0]])
