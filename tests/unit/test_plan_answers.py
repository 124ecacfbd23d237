"""What plans of several levels say about parcels: precedence worked out by hand, then what must always hold."""

import datetime

import geopandas
import pandas
import pytest
import shapely
from quyhoach.processing_algorithms.common.areas import Surface
from quyhoach.processing_algorithms.common.crs import to_crs
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.zoning.plans.plan_answers import plan_answers

CRS = "EPSG:9214"
DAY = datetime.date(2026, 11, 25)
box = shapely.box
#: The town: a general plan over everything, a sub-area plan over its west, a detailed one in the corner of that.
TOWN, WEST, CORNER = box(0, 0, 1000, 1000), box(0, 0, 500, 1000), box(0, 0, 200, 200)


def layer(shapes, **columns):
    frame = geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(list(shapes), dtype="geometry"), crs=CRS)
    frame.index = pandas.RangeIndex(1, len(frame) + 1, name="fid")
    return frame


def plan(ref, level, scale, shape, status="approved", approved="2024-01-01", **more):
    return {"plan_ref": ref, "name": f"Quy hoạch {ref}", "level": level, "scale": scale, "status": status,
            "approval_date": approved, "decision_number": f"1/{ref}", "geometry": shape, **more}


def zone(ref, code, function, shape, **figures):
    return {"plan_ref": ref, "zone_code": code, "function_code": function, "geometry": shape, **figures}


def frame_of(rows):
    frame = geopandas.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    frame.index = pandas.RangeIndex(1, len(frame) + 1, name="fid")
    return frame


GENERAL, SUB_AREA, DETAILED = (
    plan("QHC", "general", 10000, TOWN), plan("QPK", "sub_area", 2000, WEST, approved="2025-01-01"),
    plan("QCT", "detailed", 500, CORNER, approved="2025-06-01"))
ZONES = [zone("QHC", "I", "NO", TOWN, max_storeys=5.0), zone("QPK", "P", "CN", WEST, max_storeys=7.0),
         zone("QCT", "L", "CXCC", CORNER, max_storeys=1.0)]


def ask(parcels, plans, zones, date=DAY, **more):
    return plan_answers(layer(parcels), frame_of(plans), frame_of(zones), date=date, **more)


def answer(result):
    """Return what answers, per parcel, as (plan, zone, area)."""
    rows = result.pieces[result.pieces["is_answer"]]
    return [(parcel, ref, code, round(area, 6)) for parcel, ref, code, area in
            rows[["parcel_fid", "plan_ref", "zone_code", "area_m2"]].itertuples(index=False)]


def roles(result, parcel=1):
    rows = result.pieces[result.pieces["parcel_fid"] == parcel]
    return dict(zip(rows["plan_ref"], rows["role"]))


def test_the_most_detailed_plan_in_force_answers_and_the_others_are_listed():
    result = ask([box(10, 10, 30, 30)], [GENERAL, SUB_AREA, DETAILED], ZONES)
    assert answer(result) == [(1, "QCT", "L", 400.0)]
    assert roles(result) == {"QCT": "answer", "QPK": "detailed", "QHC": "detailed"}
    assert result.pieces.iloc[0][["decision_number", "level", "scale"]].tolist() == ["1/QCT", "detailed", 500]
    # A looser detailed plan would stay the answer too: 7 storeys of the sub-area plan against 5 of the general one.
    outside = ask([box(300, 300, 310, 310)], [GENERAL, SUB_AREA, DETAILED], ZONES)
    assert answer(outside) == [(1, "QPK", "P", 100.0)]
    assert outside.contradictions[["kind", "figure", "answer_value", "other_value"]].values.tolist() == [
        ["function", None, "CN", "NO"], ["figure", "max_storeys", "7 tầng", "5 tầng"]]
    assert [f.value for f in outside.of(1).figures() if f.name == "max_storeys"] == [7.0]


def test_a_parcel_across_a_plan_boundary_is_cut_there():
    # 490-510 x 10: half in the sub-area plan, half left to the general one.
    result = ask([box(490, 300, 510, 310)], [GENERAL, SUB_AREA], ZONES[:2])
    assert answer(result) == [(1, "QPK", "P", 100.0), (1, "QHC", "I", 100.0)]
    assert result.parcels.at[1, "answer_pieces"] == 2 and not result.pieces["within_tolerance"].any()
    # 0,5 m beyond the boundary is within 0,8 m at 1/2000: told, not split.
    told = ask([box(480, 300, 500.5, 310)], [GENERAL, SUB_AREA], ZONES[:2])
    rest = told.pieces[told.pieces["is_answer"] & told.pieces["within_tolerance"]]
    assert rest[["plan_ref", "area_m2", "tolerance_m"]].values.tolist() == [["QHC", 5.0, 0.8]]
    assert rest["tolerance_note"].tolist() == ["Trong hạn sai ghép bản đồ 0,80 m, xác định tại thực địa"]
    assert told.parcels.at[1, "answer_pieces"] == 1 and told.parcels.at[1, "answer_ref"] == "QPK"


@pytest.mark.parametrize("status, approved, role, reason", [
    ("draft", None, "not_in_force", "Dự thảo"), ("in_appraisal", None, "not_in_force", "Đang thẩm định"),
    ("superseded", "2025-01-01", "not_in_force", "Đã được thay thế"),
    ("approved", "2027-01-01", "not_in_force", "Phê duyệt ngày 01/01/2027"),
    ("approved", "2026-11-25", "answer", "Đồ án chi tiết nhất")])
def test_only_what_is_in_force_answers(status, approved, role, reason):
    result = ask([box(10, 10, 30, 30)], [GENERAL, {**SUB_AREA, "status": status, "approval_date": approved}], ZONES[:2])
    assert roles(result)["QPK"] == role
    assert result.pieces.set_index("plan_ref").at["QPK", "reason"].startswith(reason)
    assert answer(result) == [(1, "QPK", "P", 400.0) if role == "answer" else (1, "QHC", "I", 400.0)]


def test_an_overall_amendment_ends_what_it_replaces_on_its_day():
    new = plan("QPK-2", "sub_area", 2000, WEST, approved="2026-03-01", adjustment="overall", replaces_ref="QPK")
    plans = [GENERAL, {**SUB_AREA, "status": "superseded"}, new]
    zones = [*ZONES[:2], zone("QPK-2", "P2", "HH", WEST)]
    assert answer(ask([box(10, 10, 30, 30)], plans, zones)) == [(1, "QPK-2", "P2", 400.0)]
    assert answer(ask([box(10, 10, 30, 30)], plans, zones, datetime.date(2026, 2, 28))) == [(1, "QPK", "P", 400.0)]
    assert answer(ask([box(10, 10, 30, 30)], plans, zones, datetime.date(2024, 12, 31))) == [(1, "QHC", "I", 400.0)]
    # Forgetting to mark the old one does not bring it back; it is told.
    forgotten = ask([box(10, 10, 30, 30)], [GENERAL, SUB_AREA, new], zones)
    assert answer(forgotten) == [(1, "QPK-2", "P2", 400.0)] and "QPK vẫn ghi đã phê duyệt" in forgotten.notices[0]


def test_a_local_amendment_replaces_what_it_covers():
    # The amendment covers x < 20 of a parcel 10-30: 200 m2 each; nothing contradicts, that is what it is for.
    local = plan("QPK-CB1", "sub_area", 2000, box(0, 0, 20, 100), approved="2026-03-01", adjustment="local",
                 replaces_ref="QPK")
    zones = [*ZONES[:2], zone("QPK-CB1", "P-1", "CXCC", box(0, 0, 20, 100))]
    result = ask([box(10, 10, 30, 30)], [GENERAL, SUB_AREA, local], zones)
    assert sorted(answer(result)) == [(1, "QPK", "P", 200.0), (1, "QPK-CB1", "P-1", 200.0)]
    amended = result.pieces[result.pieces["role"] == "amended"]
    assert amended[["plan_ref", "area_m2", "reason"]].values.tolist() == [
        ["QPK", 200.0, "Đã được điều chỉnh cục bộ bởi QPK-CB1"]]
    assert not (result.contradictions["other_ref"] == "QPK").any()
    # A later overall amendment ends both.
    new = plan("QPK-2", "sub_area", 2000, WEST, approved="2026-06-01", adjustment="overall", replaces_ref="QPK")
    ended = ask([box(10, 10, 30, 30)], [GENERAL, {**SUB_AREA, "status": "superseded"}, local, new],
                [*zones, zone("QPK-2", "P2", "HH", WEST)])
    assert answer(ended) == [(1, "QPK-2", "P2", 400.0)]


def test_ground_without_plan_or_zone_is_told():
    result = ask([box(990, 0, 1010, 10), box(100, 0, 110, 10)], [GENERAL],
                 [zone("QHC", "I", "NO", box(0, 0, 105, 1000))])
    assert result.pieces[["parcel_fid", "role", "zone_code", "area_m2"]].values.tolist() == [
        [1, "answer", None, 100.0], [1, "no_plan", None, 100.0], [2, "answer", "I", 50.0], [2, "answer", None, 50.0]]
    assert result.parcels["unplanned_m2"].tolist() == [200.0, 50.0]


def test_the_tightest_of_the_restrictions_applies_on_what_they_cover():
    zones = [zone("QHC", "I", "NO", TOWN, max_height_m=20.0, max_storeys=5.0)]
    overlays = frame_of([
        {"name": "Hàng không", "constraint_type": "airport_height", "effect": "height_limit", "max_height_m": 15.0,
         "legal_basis": "TT 1", "geometry": TOWN},
        {"name": "Đường dây", "constraint_type": "power_line", "effect": "height_limit", "max_height_m": 4.0,
         "legal_basis": "TT 2", "geometry": box(0, 0, 15, 100)},
        {"name": "Đê", "constraint_type": "dyke", "effect": "no_building", "legal_basis": "TT 3",
         "geometry": box(0, 0, 12, 100)},
        {"name": "Kênh", "constraint_type": "irrigation", "effect": "no_building", "geometry": box(0, 0, 13, 20)},
        {"name": "Cũ", "constraint_type": "heritage", "effect": "no_building", "valid_to": "2026-01-01",
         "geometry": TOWN}])
    one = ask([box(10, 10, 30, 30)], [GENERAL], zones, overlays=overlays).of(1)
    told = [(f.name, f.value, f.source, round(f.area_m2, 6), f.whole) for f in one.figures()]
    assert told == [("max_storeys", 5.0, "plan", 400.0, True), ("max_height_m", 15.0, "restriction", 400.0, True),
                    ("max_height_m", 4.0, "restriction", 100.0, False), ("building", None, "restriction", 40.0, False),
                    ("building", None, "restriction", 30.0, False)]
    assert one.figures()[1].reason == "Hàng không; TT 1; đồ án quy định 20 m"
    # Dyke 2 x 20 and canal 3 x 10 share 2 x 10: 40 + 30 - 20.
    assert one.summary["no_building_m2"] == pytest.approx(50.0)
    assert one.restrictions.loc[~one.restrictions["applies"], "name"].tolist() == ["Cũ"]


def test_figures_decided_for_a_parcel_replace_those_of_its_zone():
    overrides = frame_of([
        {"decision_number": "77/UBND", "decision_date": "2026-02-01", "max_storeys": 6.0, "status": "approved",
         "geometry": box(10, 10, 30, 30)},
        {"decision_number": "78/UBND", "decision_date": "2027-02-01", "max_storeys": 9.0, "status": "approved",
         "geometry": box(10, 10, 30, 30)}])
    result = ask([box(10, 10, 30, 30), box(30, 10, 50, 30)], [GENERAL], ZONES[:1], overrides=overrides)
    figure, = result.of(1).figures()
    assert (figure.value, figure.plan_value, figure.source) == (6.0, 5.0, "override")
    assert figure.reason == "Chỉ tiêu riêng của thửa theo văn bản 77/UBND ngày 01/02/2026; đồ án quy định 5 tầng"
    assert [f.value for f in result.of(2).figures()] == [5.0]
    # A later one changes the function too; the figures it leaves empty stay those of the one before.
    later = overrides.assign(decision_date=["2026-02-01", "2026-03-01"], function_code=[None, "DV"],
                             max_storeys=[6.0, None])
    function, figure = ask([box(10, 10, 30, 30)], [GENERAL], ZONES[:1], overrides=later).of(1).figures()
    assert function.sentence == ("Chức năng sử dụng đất: Khu dịch vụ (DV). Chỉ tiêu riêng của thửa theo văn bản 78/UBND "
                                 "ngày 01/03/2026; đồ án quy định Nhóm nhà ở (NO)")
    assert (figure.name, figure.value) == ("max_storeys", 6.0)


def test_unusable_plans_are_told_together():
    plans = [{**GENERAL, "replaces_ref": "QPK", "level": "vùng"}, {**SUB_AREA, "plan_ref": "QHC", "approval_date": "hôm qua"}]
    with pytest.raises(InputError) as refused:
        ask([box(0, 0, 1, 1)], plans, ZONES[:1])
    assert len(refused.value.problems) == 3
    circle = [{**GENERAL, "replaces_ref": "QPK"}, {**SUB_AREA, "replaces_ref": "QHC"}]
    with pytest.raises(InputError, match="QPK → QHC → QPK|QHC → QPK → QHC"):
        ask([box(0, 0, 1, 1)], circle, ZONES[:1])


def test_codes_may_be_words_and_references_numbers():
    plans = [{**GENERAL, "plan_ref": 12, "level": "Quy hoạch chung", "status": "Đã phê duyệt", "approval_date": "20/06/2024"}]
    zones = [zone(12.0, "I", "NO", TOWN, max_far="3,5")]
    overlays = frame_of([{"name": "Đê", "effect": "không được xây dựng", "plan_ref": " 12 ", "geometry": TOWN}])
    result = ask([box(0, 0, 1, 1)], plans, zones, overlays=overlays)
    assert answer(result) == [(1, "12", "I", 1.0)]
    assert [(f.name, f.value_text) for f in result.of(1).figures()] == [("max_far", "3,5 lần"), ("building", "")]
    wrong = [zone(12, "I", "NO", TOWN, max_far="ba")]
    with pytest.raises(InputError, match="max_far: không phải là số: 1: ba"):
        ask([box(0, 0, 1, 1)], plans, wrong)


def test_layers_in_other_systems_and_in_degrees():
    # The plan in Huế's meridian 107°, parcels in the old 6-degree zone and in degrees: the same 400 m2.
    plans, zones = frame_of([GENERAL, SUB_AREA]), frame_of(ZONES[:2])
    move = lambda frame: frame.set_geometry(frame.translate(560000, 1820000))  # noqa: E731
    plans, zones, parcels = (move(frame) for frame in (plans, zones, layer([box(490, 300, 510, 320)])))
    for crs, surface in ((3405, Surface.PLANE), (4756, Surface.ELLIPSOID)):
        result = plan_answers(to_crs(parcels, f"EPSG:{crs}"), plans, zones, date=DAY, surface=surface)
        rows = result.pieces[result.pieces["is_answer"]]
        assert dict(zip(rows["plan_ref"], rows["area_m2"])) == pytest.approx({"QPK": 200.0, "QHC": 200.0}, rel=2e-3)
        assert not rows["within_tolerance"].any() and result.pieces.crs.to_epsg() == crs
    with pytest.raises(InputError, match="hệ tọa độ độ"):
        plan_answers(to_crs(parcels, "EPSG:4756"), plans, zones, date=DAY)


def test_the_day_a_plan_ended_may_be_stated():
    old = {**SUB_AREA, "status": "superseded", "superseded_date": datetime.date(2026, 1, 1)}
    local = plan("CB", "sub_area", 2000, box(0, 0, 20, 100), approved="2025-06-01", adjustment="local",
                 replaces_ref="QPK")
    zones = [*ZONES[:2], zone("CB", "P-1", "CXCC", box(0, 0, 20, 100))]
    before = ask([box(10, 10, 20, 20)], [GENERAL, old, local], zones, datetime.date(2025, 12, 31))
    assert answer(before) == [(1, "CB", "P-1", 100.0)]
    # On the day itself the general plan is all there is: the amendment went with its plan.
    after = ask([box(10, 10, 20, 20)], [GENERAL, old, local], zones, datetime.date(2026, 1, 1))
    assert answer(after) == [(1, "QHC", "I", 100.0)] and roles(after)["CB"] == "not_in_force"


def test_a_parcel_the_maps_cannot_place_is_not_decided():
    # 3 x 3 m across a border of the 1/10,000 plan, tolerance 4 m: both pieces are within it.
    zones = [zone("QHC", "I", "NO", box(0, 0, 501, 1000)), zone("QHC", "II", "DV", box(501, 0, 1000, 1000))]
    result = ask([box(500, 10, 503, 13)], [GENERAL], zones)
    assert result.pieces["within_tolerance"].all() and result.parcels.at[1, "answer_pieces"] == 0
    assert result.parcels.at[1, "answer_ref"] == "QHC"


def test_an_override_without_a_shape_goes_by_the_parcels_numbers():
    parcels = layer([box(0, 0, 10, 10), box(10, 0, 20, 10)], old_commune_code=["99101", "99101"], sheet_no=["3", "3"],
                    parcel_no=[46, 47])
    overrides = frame_of([{"decision_number": "5/UBND", "status": "approved", "max_storeys": 6.0, "old_commune_code": "99101",
                           "sheet_no": "3", "parcel_no": 47.0, "geometry": None}])
    result = plan_answers(parcels, frame_of([GENERAL]), frame_of(ZONES[:1]), date=DAY, overrides=overrides)
    assert [[figure.value for figure in result.of(fid).figures()] for fid in (1, 2)] == [[5.0], [6.0]]
    lost = plan_answers(parcels, frame_of([GENERAL]), frame_of(ZONES[:1]), date=DAY,
                        overrides=overrides.assign(parcel_no=99))
    assert "1 chỉ tiêu riêng không ứng với thửa nào" in lost.notices[0]


def test_scales_and_levels_as_people_write_them_and_names_a_shapefile_cut():
    told = [{**GENERAL, "scale": "1/10.000", "level": "Quy hoạch chung"}, {**SUB_AREA, "scale": "1:2000"}]
    plans = frame_of(told).rename(columns={"approval_date": "approval_d", "decision_number": "decision_n"})
    zones = frame_of(ZONES[:2]).rename(columns={"function_code": "function_c", "max_storeys": "max_storey"})
    result = plan_answers(layer([box(300, 300, 310, 310)]), plans, zones, date=DAY)
    first = result.pieces.iloc[0]
    assert first[["plan_ref", "scale", "function_code", "max_storeys", "decision_number"]].tolist() == ["QPK", 2000, "CN", 7.0, "1/QPK"]
    assert result.states.table["order"].to_dict() == {"QHC": 0, "QPK": 1}
