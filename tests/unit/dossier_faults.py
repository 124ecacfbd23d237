"""A plan's dossier that is right, and a way to break it for each rule."""

import datetime
import shutil
import unicodedata
import zipfile

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from quyhoach.processing_algorithms.zoning.dossier.check import check_read
from quyhoach.processing_algorithms.zoning.dossier.create import province_crs
from quyhoach.processing_algorithms.zoning.dossier.examined import CheckOptions
from quyhoach.processing_algorithms.zoning.dossier.reading import FieldInfo, Layer
from quyhoach.processing_algorithms.zoning.dossier.schema import load_schema

DAY = datetime.date(2026, 11, 25)
OPTIONS = CheckOptions(on=DAY)
SCHEMA = load_schema(DAY)
CRS = province_crs(SCHEMA, "46")
PLAN, DOSSIER = "462521012345", "46QPK0000001"
EAST, NORTH = 550_000.0, 1_830_000.0
box = shapely.box


def at(shape):
    return shapely.transform(shape, lambda xy: xy + [EAST, NORTH])


def cell(column, row):
    return at(box(100 * column, 100 * row, 100 * column + 100, 100 * row + 100))


def rows(class_name, shapes, **columns):
    count = len(shapes)
    data = {"maThongTinQH": [PLAN] * count, "maHoSoQH": [DOSSIER] * count,
            "maDoiTuong": [f"{DOSSIER}-{class_name}-{number}" for number in range(1, count + 1)], **columns}
    return geopandas.GeoDataFrame(pandas.DataFrame(data, index=range(1, count + 1)), geometry=list(shapes), crs=CRS)


def content():
    """A plan of 300 x 300 m: nine zones of a hectare, a street in the middle column, markers at the corners.

    Housing 70 % x 5 storeys = 3,5; service (mixed, Bảng 2.10) 50 % x 5 = 2,5; school 40 % (mục 2.6.3) x 3 = 1,2.
    """
    cells = [cell(column, row) for row in range(3) for column in range(3)]
    names = ["Nhóm nhà ở", "Đường giao thông", "Khu dịch vụ"] * 2 + ["Trường mầm non, tiểu học, THCS", "Đường giao thông",
                                                                   "Nhóm nhà ở"]
    figures = {"Nhóm nhà ở": (70, 1, 5, 20, 3.5), "Khu dịch vụ": (50, 1, 5, 22, 2.5),
               "Trường mầm non, tiểu học, THCS": (40, 1, 3, 12, 1.2)}
    columns = {name: [figures.get(kind, [np.nan] * 5)[k] for kind in names] for k, name in enumerate(
        ("matDoXayDung", "tangCaoToiThieu", "tangCaoToiDa", "chieuCaoToiDa", "heSoSuDungDat"))}
    zones = {"phanLoai": names, "kyHieuO": [f"A-{k}" for k in range(1, 10)], "dienTich": [10_000.0] * 9,
             "loaiMatDo": ["Mật độ xây dựng thuần (net-tô)"] * 9, "khoangLui": [3.0] * 9, **columns}
    boundary = rows("RanhGioiQuyHoach_A", [at(box(0, 0, 300, 300))], tenDoiTuong=["Quy hoạch phân khu Đông"],
                    tyLe=[2000])
    return {
        ("QuyHoach", "RanhGioiQuyHoach_A"): boundary, ("HienTrang", "RanhGioiQuyHoach_A"): boundary,
        ("QuyHoach", "ChucNangSuDungDat_A"): rows("ChucNangSuDungDat_A", cells, **zones),
        ("QuyHoach", "PhanOQuyHoach_A"): rows("PhanOQuyHoach_A", cells, **zones),
        ("QuyHoach", "MangLuoiGiaoThongDuongBo_L"): rows(
            "MangLuoiGiaoThongDuongBo_L", [at(shapely.LineString([(150, 0), (150, 300)]))], tenDoiTuong=["Đường số 1"]),
        ("MocGioi", "MocGioiQuyHoach_P"): rows(
            "MocGioiQuyHoach_P", [at(shapely.Point(x, y)) for x in (0, 300) for y in (0, 300)]),
        ("MocGioi", "MocGioiQuyHoach_L"): rows("MocGioiQuyHoach_L", [at(shapely.LineString([(0, 0), (300, 0)]))]),
    }


def project(folder, source="./QuyHoach.gpkg"):
    text = f"<qgis><projectlayers><maplayer><datasource>{source}|layername=x</datasource><provider>ogr</provider></maplayer>"
    with zipfile.ZipFile(folder / "Quy hoạch.qgz", "w") as packed:
        packed.writestr("Quy hoạch.qgs", f"{text}</projectlayers></qgis>")


class Table:
    """One table of a dossier to plant faults in."""

    def __init__(self, dossier, database, name):
        self.file = next(file for file in dossier.files if file.database == database)
        self.layer = next(layer for layer in self.file.layers if layer.name == name)

    def put(self, fid, **values):
        frame = self.layer.frame.copy()
        for name, value in values.items():
            if frame[name].dtype != object and isinstance(value, str):
                frame[name] = frame[name].astype(object)
            if name == "geometry":
                shapes = np.array(frame.geometry.array, dtype=object)
                shapes[frame.index.get_loc(fid)] = value
                frame = frame.set_geometry(geopandas.GeoSeries(shapes, index=frame.index, crs=frame.crs))
            else:
                frame.loc[fid, name] = value
        self.layer.frame = frame

    def put_all(self, **values):
        self.layer.frame = self.layer.frame.assign(**values)

    def add(self, like, geometry, **values):
        fid = int(self.layer.frame.index.max()) + 1
        row = self.layer.frame.loc[[like]].copy()
        row.index = [fid]
        row["maDoiTuong"] = f"{DOSSIER}-{self.layer.name}-{fid}"
        if "kyHieuO" in row.columns:
            row["kyHieuO"] = f"A-{fid}"
        self.layer.frame = pandas.concat([self.layer.frame, row])
        self.put(fid, geometry=geometry, **values)

    def drop(self, fid):
        self.layer.frame = self.layer.frame.drop(fid)

    def remove(self):
        self.file.layers.remove(self.layer)

    def field(self, name, **changes):
        self.layer.fields[name] = FieldInfo(**{**self.layer.fields[name].__dict__, **changes})


def found(dossier, options=OPTIONS):
    return set(check_read(dossier, options, SCHEMA).by_rule())


FUNCTIONS = ("QuyHoach", "ChucNangSuDungDat_A")
ZONES = ("QuyHoach", "PhanOQuyHoach_A")
BOUNDARY = ("QuyHoach", "RanhGioiQuyHoach_A")
ROADS = ("QuyHoach", "MangLuoiGiaoThongDuongBo_L")
MARKERS = ("MocGioi", "MocGioiQuyHoach_P")


def moved(table, fid, x, y):
    table.put(fid, geometry=shapely.transform(table.layer.frame.geometry[fid], lambda xy: xy + [x, y]))


def wider(fid, **edges):
    """The square of a zone with its edges moved outwards by metres."""
    low_x, low_y = EAST + 100 * ((fid - 1) % 3), NORTH + 100 * ((fid - 1) // 3)
    return box(low_x - edges.get("west", 0), low_y - edges.get("south", 0), low_x + 100 + edges.get("east", 0),
               low_y + 100 + edges.get("north", 0))


def missing_group(d):
    for name in ("MangLuoiCapNuoc_L", "DiemDauNoi_P", "PhanVungCapNuoc_A", "CongTrinhCapNuocPCCC_P",
                 "CongTrinhCapNuocPCCC_A"):
        Table(d, "QuyHoach", name).remove()


def renamed(d, where, name):
    Table(d, *where).layer.name = name


def with_table(d, database, name, like):
    source = Table(d, *like)
    source = Table(d, *like).layer
    next(file for file in d.files if file.database == database).layers.append(
        Layer(name, source.geometry, source.crs, dict(source.fields), source.frame.iloc[:0]))


def codes(d, **values):
    for file in d.files:
        for layer in file.layers:
            if len(layer.frame):
                layer.frame = layer.frame.assign(**values)
                if "maHoSoQH" in values:
                    layer.frame["maDoiTuong"] = [f"{values['maHoSoQH']}-{layer.name}-{fid}"
                                                 for fid in layer.frame.index]


def system(d, where, crs):
    Table(d, *where).layer.crs = None if crs is None else pyproj.CRS.from_user_input(crs)


def squeezed(d):
    """A detailed plan: service lots of a hectare, 22 m high: Bảng 2.10 allows 62 %; 70 % x 7 storeys = 4,9."""
    Table(d, *ZONES).put(3, matDoXayDung=70.0, tangCaoToiDa=7, heSoSuDungDat=4.9)
    codes(d, maHoSoQH="46QCT0000001", maThongTinQH="462531012345")
    Table(d, *BOUNDARY).put(1, tyLe=500)


#: Rule, and how its fault is planted in what was read. (Faults of files are planted in folders, further down.)
FAULTS = [
    ("LOP-01", lambda d: Table(d, "MocGioi", "MocGioiQuyHoach_P").remove()),
    ("LOP-02", missing_group),
    ("LOP-03", lambda d: Table(d, "QuyHoach", "DiemDauNoi_P").remove()),
    ("LOP-04", lambda d: with_table(d, "QuyHoach", "TramSacXeDien_P", MARKERS)),
    ("LOP-05", lambda d: renamed(d, ZONES, "PhanOquyHoach_A")),
    ("LOP-05", lambda d: renamed(d, ZONES, "Phân ô quy hoạch_A")),
    ("LOP-06", lambda d: (with_table(d, "QuyHoach", "PhanVungDanhGia_A", ZONES),
                          Table(d, "HienTrang", "PhanVungDanhGia_A").remove())),
    ("LOP-07", lambda d: with_table(d, "QuyHoach", "ô đất mới", ZONES)),
    ("LOP-08", lambda d: setattr(Table(d, *FUNCTIONS).layer, "frame", Table(d, *FUNCTIONS).layer.frame.iloc[:0])),
    ("LOP-09", lambda d: with_table(d, "QuyHoach", "PhanOQuyHoach_a", ZONES)),
    ("TRG-01", lambda d: Table(d, *ROADS).layer.fields.pop("ghiChu")),
    ("TRG-02", lambda d: Table(d, *ROADS).field("ghiChu", kind="integer")),
    ("TRG-03", lambda d: Table(d, *ROADS).field("ghiChu", length=50)),
    ("TRG-04", lambda d: Table(d, *ROADS).field("ghiChu", length=0)),
    ("TRG-05", lambda d: (Table(d, *ROADS).layer.fields.pop("ghiChu"), Table(d, *ROADS).layer.fields.update(
        GHICHU=FieldInfo("GHICHU", "text", 250)))),
    ("TRG-06", lambda d: [Table(d, *where).layer.fields.pop("heSoSuDungDat") for where in (ZONES, FUNCTIONS)]),
    ("MA-01", lambda d: Table(d, *ROADS).put(1, maHoSoQH="QPK-46-1")),
    ("MA-02", lambda d: Table(d, *ROADS).put(1, maThongTinQH="46252101234")),
    ("MA-03", lambda d: Table(d, *ROADS).put(1, maHoSoQH="46QPK0000002")),
    ("MA-04", lambda d: Table(d, *ROADS).put(1, maThongTinQH="462521054321")),
    ("MA-05", lambda d: codes(d, maThongTinQH="482521012345")),
    ("MA-06", lambda d: codes(d, maHoSoQH="47QPK0000001", maThongTinQH="472521012345")),
    ("MA-07", lambda d: codes(d, maThongTinQH="462511012345")),
    ("MA-08", lambda d: codes(d, maThongTinQH="462521112345")),
    ("MA-09", lambda d: codes(d, maThongTinQH="463121012345")),
    ("MA-11", lambda d: Table(d, *ROADS).put(1, maDoiTuong="Đường số 1")),
    ("MA-12", lambda d: Table(d, *ZONES).put(2, maDoiTuong=f"{DOSSIER}-PhanOQuyHoach_A-1")),
    ("GT-01", lambda d: Table(d, *ROADS).put(1, maHoSoQH=" ")),
    ("GT-02", lambda d: Table(d, *FUNCTIONS).put(1, phanLoai="Đất ở tại đô thị")),
    ("GT-03", lambda d: Table(d, *FUNCTIONS).put(1, phanLoai="nhóm nhà ở")),
    ("GT-04", lambda d: Table(d, *ROADS).put(1, tenDoiTuong="Đường số một dài, " * 8 + "hết")),
    ("GT-05", lambda d: Table(d, *ROADS).put(1, tenDoiTuong=unicodedata.normalize("NFD", "Đường số 1"))),
    ("GT-06", lambda d: Table(d, *ROADS).put(1, tenDoiTuong="§­êng sè 1 ph­êng Phó HËu - quy ho¹ch")),
    ("GT-06", lambda d: Table(d, *ROADS).put(1, tenDoiTuong="Quy hoaïch söû duïng ñaát")),
    ("GT-06", lambda d: Table(d, *ROADS).put(1, tenDoiTuong="Quy hoáº¡ch")),
    ("GT-07", lambda d: Table(d, *ROADS).put(1, tenDoiTuong="Đường  số 1")),
    ("GT-08", lambda d: Table(d, *ZONES).put(2, dienTich="1 ha")),
    ("GT-09", lambda d: Table(d, *ZONES).put(2, khoangLui=-3.0)),
    ("HTD-01", lambda d: system(d, ROADS, None)),
    ("HTD-02", lambda d: system(d, ROADS, "EPSG:32648")),
    ("HTD-03", lambda d: system(d, ROADS, "EPSG:5899")),
    ("HTD-03", lambda d: system(d, ROADS, "EPSG:3405")),
    ("HTD-04",
     lambda d: Table(d, *ROADS).put(1, geometry=shapely.LineString([(NORTH * 2, EAST), (NORTH * 2 + 9, EAST)]))),
    ("HH-01", lambda d: setattr(Table(d, *ROADS).layer, "geometry", "P")),
    ("HH-01", lambda d: (setattr(Table(d, *ROADS).layer, "geometry", ""),
                         Table(d, *ROADS).put(1, geometry=shapely.Point(EAST + 9, NORTH + 9)))),
    ("HH-02", lambda d: Table(d, *ROADS).put(1, geometry=None)),
    ("HH-03", lambda d: Table(d, *ROADS).put(1, geometry=shapely.LineString())),
    ("HH-04", lambda d: Table(d, *FUNCTIONS).put(5, geometry=at(shapely.Polygon(
        [(100, 100), (200, 200), (200, 100), (100, 200), (100, 100)])))),
    ("HH-05", lambda d: Table(d, *ZONES).put(5, geometry=shapely.force_3d(cell(1, 1), 4.0))),
    ("HH-06", lambda d: Table(d, *ROADS).add(1, Table(d, *ROADS).layer.frame.geometry[1])),
    ("HH-06", lambda d: Table(d, *FUNCTIONS).add(5, shapely.reverse(cell(1, 1)))),
    ("HH-07", lambda d: Table(d, *ROADS).add(1, at(shapely.LineString([(10, 10), (10, 10.0005)])))),
    ("HH-08", lambda d: Table(d, *ROADS).add(1, shapely.LineString([(EAST, NORTH), (EAST, np.inf)]))),
    ("HH-09", lambda d: Table(d, *ZONES).put(5, geometry=shapely.multipolygons(
        [at(box(100, 100, 200, 140)), at(box(100, 143, 200, 200))]), dienTich=9700.0)),
    ("PV-01", lambda d: Table(d, *FUNCTIONS).put(5, geometry=wider(5, east=0.002))),
    ("PV-01", lambda d: Table(d, *ZONES).put(5, geometry=wider(5, east=0.002))),
    ("PV-02", lambda d: Table(d, *FUNCTIONS).put(5, geometry=wider(5, east=-0.002))),
    ("PV-02", lambda d: Table(d, *ZONES).put(5, geometry=wider(5, east=-0.002))),
    ("PV-03", lambda d: Table(d, *FUNCTIONS).put(6, geometry=wider(6, east=0.002))),
    ("PV-04", lambda d: Table(d, *FUNCTIONS).put(6, geometry=wider(6, east=-0.002))),
    ("PV-04", lambda d: Table(d, *FUNCTIONS).drop(6)),
    ("PV-05", lambda d: Table(d, *BOUNDARY).put_all(dienTich=91_000.0)),
    ("PV-06", lambda d: Table(d, *ZONES).put(2, dienTich=1.0)),
    ("PV-07", lambda d: Table(d, *BOUNDARY).add(1, at(box(10, 10, 20, 20)))),
    ("PV-08", lambda d: moved(Table(d, "HienTrang", "RanhGioiQuyHoach_A"), 1, 0.5, 0)),
    ("PV-09", lambda d: Table(d, *ZONES).put(2, kyHieuO="A-1")),
    ("MG-01", lambda d: moved(Table(d, *MARKERS), 1, 0.01, 0.01)),
    ("MG-02", lambda d: moved(Table(d, "MocGioi", "MocGioiQuyHoach_L"), 1, 0, 0.01)),
    ("TL-01", lambda d: Table(d, *BOUNDARY).put(1, tyLe=500)),
    ("TL-01", lambda d: Table(d, *BOUNDARY).put(1, tyLe=np.nan, tenDoiTuong="Quy hoạch phân khu Đông, tỷ lệ 1/10.000")),
    ("CT-01", lambda d: Table(d, *ZONES).put(7, matDoXayDung=61.0, heSoSuDungDat=1.8)),
    ("CT-01", squeezed),
    ("CT-02", lambda d: Table(d, *ZONES).put(1, loaiMatDo="Mật độ xây dựng gộp (brut-tô)")),
    ("CT-03", lambda d: Table(d, *ZONES).put(3, tangCaoToiDa=30, chieuCaoToiDa=100.0, heSoSuDungDat=13.5)),
    ("CT-04", lambda d: Table(d, *ZONES).put(1, heSoSuDungDat=3.6)),
    ("CT-05", lambda d: Table(d, *ZONES).put(1, tangCaoToiThieu=6)),
    ("CT-06", lambda d: Table(d, *ZONES).put(1, matDoXayDung=np.nan)),
    ("CT-07", lambda d: Table(d, *ZONES).put(1, chieuCaoToiDa=8.0)),
]


def folder_fault(rule):
    def plant(change):
        FOLDER_FAULTS.append((rule, change))
        return change
    return plant


FOLDER_FAULTS = []
folder_fault("TEP-01")(lambda f: (f / "NenDiaHinh.gpkg").unlink())
folder_fault("TEP-02")(lambda f: (f / "NenDiaHinh.gpkg").write_bytes((f / "NenDiaHinh.gpkg").read_bytes()[:5000]))
folder_fault("TEP-02")(lambda f: (f / "Quy hoạch.qgz").write_bytes(b"no zip"))
folder_fault("TEP-03")(lambda f: (f / "Quy hoạch.qgz").unlink())
folder_fault("TEP-04")(lambda f: (f / "MocGioi.gpkg").rename(f / "moc gioi.gpkg"))
folder_fault("TEP-05")(lambda f: shutil.copy(f / "NenDiaHinh.gpkg", f / "Khac.gpkg"))
folder_fault("TEP-06")(lambda f: f.rename(f.with_name("Ho so GIS")))
folder_fault("TEP-07")(lambda f: shutil.copy(f / "NenDiaHinh.gpkg", f / "nen_dia_hinh.gpkg") and None)
folder_fault("TEP-08")(lambda f: project(f, "C:/Users/tu van/QuyHoach.gpkg"))
