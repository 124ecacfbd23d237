"""What is told about one parcel, against a drawing that can be checked on paper."""

import datetime

import geopandas
import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.zoning.paper.corners import AxisOrder, read_point
from quyhoach.processing_algorithms.zoning.plans.parcel_brief import Mark, parcel_brief
from quyhoach.processing_algorithms.zoning.plans.plan_sources import PlanSources

CRS = "EPSG:9214"
DAY = datetime.date(2026, 11, 25)
X, Y = 551000.0, 1831000.0


def box(x0, y0, x1, y1):
    return shapely.box(X + x0, Y + y0, X + x1, Y + y1)


def frame(shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS)


PLANS = frame([box(-500, -500, 500, 500), box(-500, -500, 19.5, 500)], plan_ref=["QHC", "QPK"], name=["Đô thị", "Trung tâm"],
              level=["general", "sub_area"], status=["approved"] * 2, scale=[10000, 2000], approval_date=["2024-01-01", "2025-01-01"],
              decision_number=["1/QĐ-UBND", "2/QĐ-UBND"])
ZONES = frame([box(-500, -500, 500, 500), box(-500, -500, 19.5, 500)], plan_ref=["QHC", "QPK"], zone_code=["NO-1", "NO-2"],
              function_code=["NO", "NO"], density_kind=["net", "net"], max_density_pct=[60, 80], max_storeys=[5, 4])
OVERLAYS = frame([box(0, -500, 5, 500)], name=["Hành lang kênh"], constraint_type=["canal"], effect=["no_building"], legal_basis=["Quyết định 9"])


def parcel():
    return frame([box(0, 0, 20, 10)], parcel_no=[12], sheet_no=["5"], old_commune_code=["99101"], legal_area_m2=[199.0])


def brief(**options):
    sources = PlanSources(PLANS, ZONES, options.pop("overlays", None), None, None, {"99101": "Phường Cũ"})
    return parcel_brief(parcel(), sources, date=DAY, **options)


def lines_of(told, title):
    return next((s.lines for s in told.sections if s.title == title), [])


def test_the_answer_comes_first_and_slivers_are_told_as_such():
    told = brief()
    assert told.title == "Thửa đất số 12, tờ bản đồ số 5, Phường Cũ (cũ)"
    lines = lines_of(told, "Quy hoạch tại vị trí này")
    # 20 m wide, of which 19,5 m in the sub-area plan: 195 m2; the other 0,5 m is less than 0,4 mm x 10.000 = 4 m.
    assert lines[0].mark is Mark.ANSWER and "2/QĐ-UBND" in lines[0].text
    assert lines[1].text.startswith("Ô NO-2") and "195,0 m² (97,5 %)" in lines[1].text
    small = next(line for line in lines if "5,0 m² (2,5 %)" in line.text)
    assert "xác định tại thực địa" in small.reason and small.mark is Mark.ASIDE
    assert any("giấy tờ: 199,0 m²; đo trên bản đồ: 200,0 m²" in line.text for line in lines_of(told, "Thửa đất"))


def test_figures_name_their_plan_and_restrictions_come_with_their_grounds():
    told = brief(overlays=OVERLAYS)
    figures = lines_of(told, "Chỉ tiêu sử dụng đất quy hoạch")
    density = next(line for line in figures if "80 %" in line.text)
    assert density.reason == "theo đồ án QPK"
    assert any(line.mark is Mark.BAD for line in figures)  # no building on 50 m2
    (restriction,) = lines_of(told, "Khu vực hạn chế, khống chế xây dựng")
    assert "50,0 m² (25,0 %)" in restriction.text and restriction.reason == "Quyết định 9"
    assert len(lines_of(told, "Các quy hoạch nói khác nhau")) == 1  # 80 against 60 %; 4 storeys are within 5


def test_compliance_in_short():
    assert not lines_of(brief(), "Công trình hiện có so với quy hoạch, quy chuẩn")
    far = frame([box(40, 0, 45, 5)], storeys=[2])
    assert "Không có công trình" in lines_of(brief(buildings=far), "Công trình hiện có so với quy hoạch, quy chuẩn")[0].text
    # 18 x 10 of 200 m2 is 90 %, more than 80; five storeys, more than 4.
    told = brief(buildings=frame([box(0, 0, 18, 10)], storeys=[5]))
    checks = lines_of(told, "Công trình hiện có so với quy hoạch, quy chuẩn")
    assert checks[0].mark is Mark.BAD and told.broken >= 2
    assert any("Chưa phù hợp" in line.text and "90 %" in line.text and "80 %" in line.text for line in checks)
    assert "90 %" in told.text()


def test_land_without_shape_is_refused():
    nothing = parcel().set_geometry([None], crs=CRS)
    with pytest.raises(InputError, match="không có hình"):
        parcel_brief(nothing, PlanSources(PLANS, ZONES, None, None, None, {}), date=DAY)


@pytest.mark.parametrize("text", ["1831464,53; 551199,57", "1831464,53\t551199,57", "X = 1831464,53; Y = 551199,57", "Y: 551199.57 X: 1831464.53"])
def test_one_point_is_read_as_people_write_it(text):
    assert read_point(text, pyproj.CRS.from_epsg(9214)).wkt == "POINT (551199.57 1831464.53)"


def test_what_is_no_single_point():
    crs = pyproj.CRS.from_epsg(9214)
    assert read_point("1831464,53\t551199,57\n1831460,53\t551199,57", crs) is None
    for text in ("", "xin chào"):
        with pytest.raises(InputError, match="Không đọc được tọa độ"):
            read_point(text, crs)
    with pytest.raises(InputError, match="đảo"):
        read_point("551199,57\t1831464,53", crs)
    assert read_point("551199,57\t1831464,53", crs, order=AxisOrder.EAST_FIRST).x == 551199.57
