"""Whether this machine has what the algorithms need, each thing in one sentence with what to do."""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsFontUtils, QgsPointXY, QgsProject

from .errors import MissingPackageError
from .language import say
from .layout.qgis_layout_text import FAMILIES
from .packages import require

#: What every algorithm needs, and what only some papers and tables need.
_NEEDED = ("geopandas", "shapely", "pandas", "numpy", "pyproj", "scipy")
_FOR_PAPERS = ("openpyxl", "docx")
#: Tân An by longitude and latitude, and where the seven parameters of Decision 05/2007 put it at meridian 105°45' (EPSG 6960):
#: PROJ's own choice lies 0.80 m off there.
_LONG_LAT, _IN_METRES = (105.8, 10.5), (505277.2295, 1161155.9411)
_ZONES = tuple(f"EPSG:{code}" for code in range(9205, 9219))


@dataclass(frozen=True)
class Readiness:
    """One thing that was looked at."""

    what: str
    good: bool
    told: str


def readiness(project: QgsProject) -> list[Readiness]:
    """Look at packages, fonts and coordinate systems; a project gives the shift its maps are drawn with."""
    return [_packages(say("Thư viện tính toán", "Packages for computing"), _NEEDED),
            _packages(say("Thư viện bảng và văn bản", "Packages for tables and papers"), _FOR_PAPERS), _fonts(),
            _zones(), _shift(project)]


def _packages(what: str, names: tuple[str, ...]) -> Readiness:
    try:
        require(*names)
    except MissingPackageError as error:
        return Readiness(what, False, str(error))
    return Readiness(what, True, say("Đủ ({names}).", "All there ({names}).").format(names=", ".join(names)))


def _fonts() -> Readiness:
    what = say("Phông chữ tiếng Việt", "Font for Vietnamese")
    family = next((name for name in FAMILIES if QgsFontUtils.fontFamilyOnSystem(name)), None)
    if family is None:
        return Readiness(what, False, say("Máy không có phông nào trong số: {names}. Hãy cài một phông; nếu không, chữ trên bản in có thể mất dấu.",
                                          "This machine has none of: {names}. Install one; otherwise prints may lose diacritics.")
                         .format(names=", ".join(FAMILIES)))
    return Readiness(what, True, say("Bản in dùng phông {name}.", "Prints use {name}.").format(name=family))


def _zones() -> Readiness:
    what = say("Hệ tọa độ VN-2000", "VN-2000 coordinate systems")
    lacking = [code for code in _ZONES if not QgsCoordinateReferenceSystem(code).isValid()]
    if lacking:
        return Readiness(
            what,
            False,
            say(
                "QGIS thiếu {codes}; hãy cập nhật QGIS (thư viện PROJ quá cũ).",
                "QGIS lacks {codes}; update QGIS (its PROJ is too old).",
            ).format(codes=", ".join(lacking)),
        )
    return Readiness(
        what, True, say("Đủ các múi chiếu 3° của các tỉnh.", "All 3-degree zones of the provinces are there.")
    )


def _shift(project: QgsProject) -> Readiness:
    what = say("Chuyển VN-2000 sang WGS 84", "VN-2000 to WGS 84")
    crs = QgsCoordinateReferenceSystem
    moved = QgsCoordinateTransform(crs("EPSG:4326"), crs("EPSG:9210"), project).transform(QgsPointXY(*_LONG_LAT))
    off = ((moved.x() - _IN_METRES[0]) ** 2 + (moved.y() - _IN_METRES[1]) ** 2) ** 0.5
    if off > 0.001:
        return Readiness(
            what,
            False,
            say(
                "Dự án đang mở chuyển lệch {off} m ở Tân An so với bộ tham số của Quyết định 05/2007; hãy mở dự án "
                "mới hoặc xóa phép chuyển đã chọn trong thuộc tính dự án.",
                "The open project is {off} m off at Tân An from the parameters of Decision 05/2007; start a new project, or "
                "remove the operation chosen in the project's properties.",
            ).format(off=f"{off:.2f}".replace(".", ",")),
        )
    return Readiness(what, True, say("Đúng bộ 7 tham số của Quyết định 05/2007/QĐ-BTNMT (QGIS {version}).",
                                     "The seven parameters of Decision 05/2007/QĐ-BTNMT (QGIS {version}).").format(version=Qgis.version()))
