"""Papers: figures worked out by hand, re-issue after everything changed, changed figures named, nothing of a person."""

import datetime
import io
import json
import shutil

import docx
import geopandas
import numpy as np
import pandas
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.norms import loader
from quyhoach.processing_algorithms.common.word_document import WordTemplate
from quyhoach.processing_algorithms.common.word_reading import read_words
from quyhoach.processing_algorithms.zoning.paper.corners import read_corners
from quyhoach.processing_algorithms.zoning.paper.paper_inputs import map_frame, read_shape, shape_text
from quyhoach.processing_algorithms.zoning.paper.paper_now import inputs_now
from quyhoach.processing_algorithms.zoning.paper.paper_register import (
    Entry,
    find_papers,
    local_register,
    register_drafts,
    shape_for,
    take_step,
)
from quyhoach.processing_algorithms.zoning.paper.paper_snapshot import canonical, digest, read_code, short_code
from quyhoach.processing_algorithms.zoning.paper.paper_verify import Kind, changes_since, check_document, check_entry
from quyhoach.processing_algorithms.zoning.paper.paper_words import Office, Request
from quyhoach.processing_algorithms.zoning.paper.parcel_certificate import (
    MapChoice,
    annex_of,
    draft_papers,
    due_date,
    parcel_of_corners,
    register_row,
)
from quyhoach.processing_algorithms.zoning.paper.planning_paper import TEMPLATE, Paper, read_template, write_paper
from quyhoach.processing_algorithms.zoning.plans.plan_sources import PlanSources

CRS = pyproj.CRS.from_epsg(9214)
DAY, SIGNED = datetime.date(2026, 11, 25), datetime.date(2026, 12, 1)
#: Somewhere real, so that coordinates are those of the province.
X, Y = 550_000.0, 1_830_000.0
OFFICE = Office("Sở Xây dựng", "UBND tỉnh Hương Nguyên", "SXD-QLQH", "Lam Trạch", "Giám đốc")
REQUEST = Request("H49.12-7", datetime.date(2026, 11, 20), "phường Lam Trạch")
MAPS = MapChoice(lambda corners: "A4", lambda paper: (201.0, 172.0))


def box(*bounds):
    return shapely.box(X + bounds[0], Y + bounds[1], X + bounds[2], Y + bounds[3])


def frame(rows):
    made = geopandas.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    made.index = pandas.RangeIndex(1, len(made) + 1, name="fid")
    return made


@pytest.fixture
def data():
    """A parcel of 20 x 10 m: 15 m of it in NO-1, 5 m in CX-1 of the sub-area plan; a corridor over the last 4 m."""
    return {
        "parcels": frame([{
            "sheet_no": "5", "parcel_no": 12, "old_commune_code": "99101", "commune_code": "99004", "land_code": "ODT",
            "legal_area_m2": 198.5, "address": "tổ dân phố 2", "chu_su_dung": "Nguyễn Văn Ân", "geometry": box(0, 0, 20,
                                                                                                               10)}]),
        "plans": frame([
            {"plan_ref": "QHC", "name": "Quy hoạch chung đô thị Lam Trạch", "level": "general", "scale": 10000,
             "status": "approved",
             "approval_date": "2024-06-20", "decision_number": "1187/QĐ-UBND", "geometry": box(-900, -900, 900, 900)},
            {"plan_ref": "QPK", "name": "Trung tâm", "level": "sub_area", "scale": 2000, "status": "approved",
             "approval_date": "2025-10-14", "decision_number": "2046/QĐ-UBND", "geometry": box(-500, -500, 500, 500)}]),
        "zones": frame([
            {"plan_ref": "QHC", "zone_code": "I", "function_code": "NO", "max_storeys": 5.0, "density_kind": "net",
             "max_density_pct": 60.0, "geometry": box(-900, -900, 900, 900)},
            {"plan_ref": "QPK", "zone_code": "NO-1", "function_code": "NO", "max_storeys": 7.0, "density_kind": "net",
             "max_density_pct": 62.5, "geometry": box(-500, -500, 15, 500)},
            {"plan_ref": "QPK", "zone_code": "CX-1", "function_code": "CXCC", "max_storeys": 1.0, "density_kind": None,
             "max_density_pct": None, "geometry": box(15, -500, 500, 500)}]),
        "overlays": frame([
            {"name": "Hành lang an toàn lưới điện 110 kV", "constraint_type": "power_corridor", "effect": "no_building",
             "max_height_m": None, "legal_basis": "Nghị định 62/2025/NĐ-CP", "geometry": box(16, -500, 60, 500)}])}


def drafts(data, **more):
    given = {"date": DAY, "office": OFFICE, "request": REQUEST, "overlays": data["overlays"], "maps": MAPS,
             "communes": {"99101": "xã Lam Trạch", "99004": "phường Lam Trạch"}} | more
    return list(draft_papers(data["parcels"], data["plans"], data["zones"], **given))


def words(document):
    """All a document says, read by python-docx."""
    opened = docx.Document(io.BytesIO(document))
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in opened.tables]
    return "\n".join(paragraph.text for paragraph in opened.paragraphs), tables


def entry_of(paper, **row):
    return Entry("x", {"paper_code": paper.code, "content_digest": paper.digest, "snapshot": paper.text,
                       "status": "draft",
                       "paper_number": None, "issued_date": None} | row)


# what a paper says --------------------------------------------------------------------------------------------------


def test_printed_areas_close(data):
    """Three pieces of 4,04 m2 each print as 4,1, 4,0, 4,0 because 12,12 prints as 12,1."""
    data["parcels"] = frame([{"geometry": box(0, 0, 12.12, 1)}])
    data["zones"] = frame([{"plan_ref": "QPK", "zone_code": f"Z{at}", "function_code": "NO",
                            "geometry": box(4.04 * at, -99, 4.04 * (at + 1), 99)} for at in range(3)])
    text, tables = words(write_paper(drafts(data)[0].paper))
    pieces = next(table for table in tables if "Chức năng sử dụng đất" in table[0])
    assert sorted(row[3] for row in pieces[1:4]) == ["4,0", "4,0",
                                                     "4,1"] and pieces[4][3] == "12,1" and "12,1 m²" in text


def test_a_paper_says_what_was_worked_out_by_hand(data):
    text, tables = words(write_paper(drafts(data)[0].paper))
    assert "Thửa đất số 12, tờ bản đồ số 5, xã Lam Trạch (cũ), tổ dân phố 2, phường Lam Trạch" in text
    assert "Diện tích theo giấy tờ: 198,5 m²" in text
    assert "200,0 m² (trên mặt phẳng bản đồ), lớn hơn diện tích theo giấy tờ 1,5 m²" in text
    assert "VN-2000, kinh tuyến trục 107°00′, múi chiếu 3°" in text
    assert "Quyết định số 2046/QĐ-UBND ngày 14/10/2025" in text and "Quyết định số 1187/QĐ-UBND ngày 20/06/2024" in text
    # 15 x 10 m and 5 x 10 m of 20 x 10 m.
    pieces = next(table for table in tables if "Chức năng sử dụng đất" in table[0])
    assert [row[1:] for row in pieces[1:3]] == [["NO-1", "Nhóm nhà ở (NO)", "150,0", "75,0"],
                                                ["CX-1", "Cây xanh sử dụng công cộng (CXCC)", "50,0", "25,0"]]
    assert pieces[3][3:] == ["200,0", "100,0"]
    figures = next(table for table in tables if "Giá trị" in table[0])
    assert ["1", "NO-1", "Mật độ xây dựng thuần (net-tô) tối đa", "62,5 %", "Theo đồ án"] in figures
    assert ["2", "CX-1", "Tầng cao tối đa", "1 tầng", "Theo đồ án"] in figures
    # 4 x 10 m of the corridor, a fifth of the parcel.
    corridor = next(table for table in tables if table[0][0] == "Khu vực")
    assert corridor[1][0] == "Hành lang an toàn lưới điện 110 kV" and corridor[1][2:] == ["40,0", "20,0",
                                                                                          "Nghị định 62/2025/NĐ-CP"]
    assert "0,80 m" in text and "xác định tại thực địa" in text  # 0,4 mm at 1/2.000
    assert "khi quy hoạch được điều chỉnh" in text
    corners = next(table for table in tables if table[0][0] == "Góc")
    assert corners[1] == ["1", "1830010,00", "550000,00", "20,00"]  # clockwise from the north-west


def test_words_that_a_paper_must_not_have(data):
    draft = drafts(data)[0]
    everything = "\n".join([draft.paper.text, words(write_paper(draft.paper))[0]]).lower()
    assert "nguyễn văn ân" not in everything and "chu_su_dung" not in everything
    for word in ("chứng chỉ", "chứng nhận", "giấy phép"):
        assert word not in everything
    assert "{{" not in words(write_paper(draft.paper))[0]


def test_a_parcel_without_plan_and_without_number(data):
    data["parcels"] = frame([{"geometry": box(2000, 2000, 2010, 2010)}])
    text, _ = words(write_paper(drafts(data, request=Request())[0].paper))
    assert "không có đồ án quy hoạch" in text and "Thửa đất chưa có số hiệu" in text
    assert "không có trong dữ liệu; lấy theo giấy tờ về đất" in text and "Không có khu vực hạn chế" in text


def test_number_and_date_are_put_in_only_once_signed(data):
    paper = drafts(data)[0].paper
    assert words(write_paper(paper))[1][0][1][0] == "Số:           /SXD-QLQH"
    head = words(write_paper(paper, number="12/SXD-QLQH", date=SIGNED))[1][0]
    assert head[1] == ["Số: 12/SXD-QLQH", "Lam Trạch, ngày 01 tháng 12 năm 2026"]


def test_parcels_without_shape_or_metres_are_refused(data):
    data["parcels"].loc[1, "geometry"] = None
    with pytest.raises(InputError, match="fid: 1"):
        drafts(data)
    with pytest.raises(InputError, match="độ"):
        list(draft_papers(frame([{"geometry": shapely.box(107, 16, 107.1, 16.1)}]).set_crs("EPSG:4326",
                                                                                           allow_override=True),
                          data["plans"], data["zones"], date=DAY, office=OFFICE))


# corners ------------------------------------------------------------------------------------------------------------


def test_each_part_of_a_parcel_closes_on_itself_and_no_area_stated_is_not_an_area_of_nothing(data):
    data["parcels"].loc[1, ["legal_area_m2", "land_code"]] = 0.0, "ZZZ"
    data["parcels"].geometry = [shapely.MultiPolygon([box(0, 0, 20, 10), box(50, 0, 53, 4)])]
    (draft,) = drafts(data)
    parcel = draft.paper.content["inputs"]["parcel"]
    # 20 x 10 m, then 3 x 4 m; clockwise from the upper left corner: no side leads from one part to the other.
    assert [one["side_m"] for one in parcel["corners"]] == [
        "20.00", "10.00", "20.00", "10.00", "3.00", "4.00", "3.00", "4.00"]
    assert "mã ZZZ (không có trong danh mục loại đất)" in words(write_paper(draft.paper))[0]
    assert parcel["legal_area_m2"] is None and "theo giấy tờ" not in " ".join(annex_of(draft.paper).remarks)


def test_the_corners_of_a_hole_are_listed_after_those_around_it(data):
    ring, hole = box(0, 0, 20, 10), box(4, 3, 10, 5)
    data["parcels"].geometry = [shapely.MultiPolygon([ring.difference(hole)])]
    (draft,) = drafts(data)
    listed = draft.paper.content["inputs"]["parcel"]["corners"]
    assert [one["name"] for one in listed] == [str(number) for number in range(1, 9)]
    assert [one["side_m"] for one in listed] == ["20.00", "10.00", "20.00", "10.00", "2.00", "6.00", "2.00", "6.00"]
    corners = shapely.points([(float(one["east"]), float(one["north"])) for one in listed])
    outside, inside = (shapely.Polygon(corners[start:start + 4]) for start in (0, 4))
    assert outside.equals(ring) and inside.equals(hole)
    told = "Góc 1 - 4: ranh giới ngoài; góc 5 - 8: ranh giới phần không thuộc thửa đất."
    assert told in annex_of(draft.paper).remarks
    assert told in words(write_paper(draft.paper))[0]
    assert not outside.exterior.is_ccw and inside.exterior.is_ccw, "the parcel lies to the right of every side"


def test_corners_of_the_old_meridian_give_the_paper_of_the_parcel(data):
    """The corners of the 20 x 10 m parcel in the zone of 107°45', by pyproj's own projections: the same pieces come out."""
    old = pyproj.Proj("+proj=tmerc +lat_0=0 +lon_0=107.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84")
    new = pyproj.Proj("+proj=tmerc +lat_0=0 +lon_0=107 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84")
    square = [(X, Y + 10), (X + 20, Y + 10), (X + 20, Y), (X, Y)]
    pasted = "\n".join(f"{at}\t{north:.4f}\t{east:.4f}".replace(".", ",") for at, (east, north) in enumerate(
        (old(*new(x, y, inverse=True)) for x, y in square), 1))
    corners = read_corners(pasted, pyproj.CRS.from_epsg(5899))
    parcels = parcel_of_corners(corners, CRS)
    assert np.abs(shapely.get_coordinates(parcels.geometry.iloc[0])[:4] - square).max() < 0.001
    draft = list(draft_papers(parcels, data["plans"], data["zones"], date=DAY, office=OFFICE, overlays=data["overlays"],
                              corners=corners, maps=MAPS))[0]
    text, tables = words(write_paper(draft.paper))
    pieces = next(table for table in tables if "Chức năng sử dụng đất" in table[0])
    assert [row[3] for row in pieces[1:3]] == ["150,0", "50,0"]
    assert "Khu đất theo tọa độ các góc" in text and "kinh tuyến trục 107°45′" in text
    both = [table for table in tables if table[0][0] == "Góc"]
    assert len(both) == 2 and both[0][1][1:3] == ["1830010,00", "550000,00"]
    assert annex_of(draft.paper).corners[0][1:3] == ("1830010,00", "550000,00")


# re-issue -----------------------------------------------------------------------------------------------------------


def changed(data):
    """The parcel was resurveyed, the zone redrawn and given other figures, the plan's decision renumbered."""
    data["parcels"].loc[1, "geometry"] = box(0, 0, 18, 10)
    data["parcels"].loc[1, "legal_area_m2"] = 180.0
    data["zones"].loc[2, "geometry"] = box(-500, -500, 12, 500)
    data["zones"].loc[2, "max_storeys"] = 4.0
    data["plans"].loc[2, "decision_number"] = "9/QĐ-UBND"
    data["overlays"] = data["overlays"].iloc[:0]


def change_the_norm(monkeypatch, tmp_path):
    """The tolerance becomes 0.6 mm, 1.2 m at 1/2.000, in a copy of the tables."""
    folder = tmp_path / "norms"
    shutil.copytree(loader.FOLDER, folder)
    table = folder / "tables" / "map_matching_tolerance.csv"
    table.write_text(table.read_text("utf-8").replace("parcel_zoning,0.4", "parcel_zoning,0.6"), "utf-8")
    monkeypatch.setattr(loader, "FOLDER", folder)
    for item in vars(loader).values():
        if hasattr(item, "cache_clear"):
            item.cache_clear()


def test_a_paper_is_the_same_again_after_parcel_zone_and_norm_changed(data, tmp_path, monkeypatch):
    draft = drafts(data)[0]
    with local_register(tmp_path, CRS) as hub:
        register_drafts(hub, [register_row(draft, OFFICE, REQUEST, moment="2026-11-25T01:00:00.000Z", deadline_days=15,
                                           geometry=shape_for(hub, draft.shape, CRS))], message="thử")
        entry = take_step(hub, find_papers(hub, code=draft.paper.code)[0], "signed", number="12/SXD-QLQH", date=SIGNED)
        first, map_first = write_paper(draft.paper, number="12/SXD-QLQH", date=SIGNED), annex_of(draft.paper)
        changed(data)
        change_the_norm(monkeypatch, tmp_path)
        again = drafts(data)[0]
        assert again.paper.digest != draft.paper.digest and "1,20 m" in words(write_paper(again.paper))[0]
        kept = Paper(find_papers(hub, number="12/SXD-QLQH")[0].snapshot)
    assert write_paper(kept, number="12/SXD-QLQH", date=SIGNED) == first  # to the byte
    assert annex_of(kept).corners == map_first.corners and annex_of(kept).window == map_first.window
    assert annex_of(kept).shown["parcel"][0]["geometry"].equals(map_first.shown["parcel"][0]["geometry"])
    assert check_entry(entry) == [] and check_document(entry, first) == []
    assert (entry.row["due_date"], entry.row["plan_refs"]) == ("2026-12-11", "QPK")


def test_what_has_changed_since_is_named(data, tmp_path, monkeypatch):
    then = drafts(data)[0].paper.content["inputs"]

    def now():
        return inputs_now(then, data["parcels"], lambda bounds: PlanSources(
            data["plans"], data["zones"], data["overlays"], None, None, {}), DAY)

    assert changes_since(then, now()) == []
    changed(data)
    change_the_norm(monkeypatch, tmp_path)
    found = changes_since(then, now())
    told = {finding.where: (finding.registered, finding.found) for finding in found}
    assert {finding.kind for finding in found} == {Kind.PARCEL, Kind.PLAN, Kind.ZONE, Kind.RESTRICTION, Kind.NORM}
    assert told["Thửa đất, diện tích bản đồ (m²)"] == ("200,0", "180,0")
    assert told["Thửa đất, diện tích theo giấy tờ (m²)"] == ("198,5", "180,0")
    assert told["Ô quy hoạch QPK, NO-1, answer, Tầng cao tối đa"] == ("7", "4")
    assert told["Đồ án QPK, số quyết định"] == ("2046/QĐ-UBND", "9/QĐ-UBND")
    assert told["Quy chuẩn tolerance, mm"] == ("0.40", "0.60")
    assert any(where.startswith("Khu vực hạn chế Hành lang") for where in told)
    data["parcels"].loc[1, "parcel_no"] = 13
    assert now() is None


# verify -------------------------------------------------------------------------------------------------------------


def edited(document, old, new):
    """Change a text as somebody does in Word."""
    opened = docx.Document(io.BytesIO(document))
    places = [*(paragraph for table in opened.tables for row in table.rows for cell in row.cells
                for paragraph in cell.paragraphs), *opened.paragraphs]
    hits = [run for paragraph in places for run in paragraph.runs if old in run.text]
    assert hits
    hits[0].text = hits[0].text.replace(old, new)
    stream = io.BytesIO()
    opened.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(("old", "new", "where", "kind"), [
    ("62,5 %", "82,5 %", "Giá trị (1, NO-1, Mật độ xây dựng thuần (net-tô) tối đa)", Kind.FIGURE),
    ("7 tầng", "9 tầng", "Giá trị (1, NO-1, Tầng cao tối đa)", Kind.FIGURE),
    ("150,0", "160,0", "Diện tích (m²) (1, NO-1, Nhóm nhà ở (NO))", Kind.FIGURE),
    ("198,5", "298,5", "Diện tích theo giấy tờ", Kind.FIGURE),
    ("1830010,00", "1830011,00", "X (Bắc, m) (1, 550000,00, 20,00)", Kind.FIGURE),
    ("2046/QĐ-UBND", "2047/QĐ-UBND", "Quyết định số 2046", Kind.FIGURE),
    ("Nhóm nhà ở (NO)", "Đất hỗn hợp (NO)", "Chức năng sử dụng đất (1, NO-1, 150,0)", Kind.TEXT),
])
def test_a_changed_figure_is_found_and_named(data, old, new, where, kind):
    paper = drafts(data)[0].paper
    found = check_document(entry_of(paper), edited(write_paper(paper), old, new))
    assert len(found) == 1 and found[0].kind is kind
    assert where in found[0].where or where in found[0].registered
    assert old in found[0].registered and new in found[0].found and found[0].sentence


def test_what_the_office_fills_in_by_hand_is_no_difference(data):
    paper = drafts(data)[0].paper
    document = edited(edited(write_paper(paper), "/SXD-QLQH", "12/SXD-QLQH"), "GIÁM ĐỐC", "GIÁM ĐỐC\nTrần Thị B")
    assert check_document(entry_of(paper), document) == []
    signed = entry_of(paper, status="signed", paper_number="12/SXD-QLQH", issued_date="2026-12-01")
    assert [one.where for one in check_document(signed, document)] == ["Số, ngày văn bản"]  # the day is not filled in
    good = write_paper(paper, number="12/SXD-QLQH", date=SIGNED)
    assert check_document(signed, good) == []
    assert check_document(signed, edited(good, "12/SXD", "13/SXD"))[0].kind is Kind.FIGURE


def test_a_row_removed_or_added_is_a_difference(data):
    paper = drafts(data)[0].paper
    opened = docx.Document(io.BytesIO(write_paper(paper)))
    table = next(table for table in opened.tables if table.rows[0].cells[0].text == "Khu vực")
    table._tbl.remove(table.rows[1]._tr)
    stream = io.BytesIO()
    opened.save(stream)
    found = check_document(entry_of(paper), stream.getvalue())
    assert len(found) == 1 and "110 kV" in found[0].registered and found[0].found == ""


def test_a_register_that_was_tampered_with_is_told(data):
    paper = drafts(data)[0].paper
    assert check_entry(entry_of(paper)) == []
    assert check_entry(entry_of(paper, snapshot=paper.text.replace("62,5 %", "72,5 %")))[0].kind is Kind.REGISTER
    assert check_entry(entry_of(paper, paper_code="0000-0000"))[0].where == "Mã đối chiếu"


# snapshot and template ----------------------------------------------------------------------------------------------


def test_the_same_data_on_the_same_day_are_the_same_paper(data):
    assert drafts(data)[0].paper.digest == drafts(data)[0].paper.digest
    assert drafts(data, date=datetime.date(2026, 11, 26))[0].paper.digest != drafts(data)[0].paper.digest


PLAIN = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)
                     | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20)


@given(PLAIN)
def test_a_canonical_text_is_one_text_for_one_content(value):
    import unicodedata

    text = canonical(value)
    assert canonical(json.loads(text)) == text
    decomposed = json.loads(json.dumps(value)) if not isinstance(value, str) else unicodedata.normalize("NFD", value)
    assert digest(canonical(decomposed)) == digest(text)


def test_a_float_has_no_canonical_form():
    with pytest.raises(TypeError, match="float"):
        canonical({"a": [1.5]})


@given(st.integers(0, 2**40 - 1))
def test_codes_are_read_as_people_write_them(number):
    code = short_code(f"{number:010x}" + "0" * 54)
    assert read_code(code.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == code


@given(st.lists(st.tuples(st.integers(-500_000, 500_000), st.integers(-500_000, 500_000)), min_size=3, max_size=12,
                unique=True))
def test_shapes_come_back_to_the_millimetre(points):
    hull = shapely.convex_hull(shapely.MultiPoint([(X + x / 1000, Y + y / 1000) for x, y in points]))
    if hull.geom_type == "Polygon":
        assert shapely.hausdorff_distance(read_shape(shape_text(hull)), hull) < 0.001


@given(st.floats(1, 900), st.floats(1, 900))
def test_the_parcel_is_seen_at_a_round_scale(width, height):
    found = map_frame((X, Y, X + width, Y + height), 201, 172)
    assert found.scale in (200, 500, 1000, 2000, 5000, 10000)
    assert found.window[0] <= X - 0.2 * width and found.window[3] >= Y + 1.2 * height


def test_templates_of_an_office(tmp_path, data):
    own = docx.Document()
    for text in ("{{SO VAN BAN}} - {{mã đối chiếu}}", "{{Thông tin thửa đất}}", "{{Thông tin quy hoạch}}",
                 "{{Khu vực hạn chế}}",
                 "{{Lưu ý}}", "Phòng một cửa, điện thoại 0234"):
        own.add_paragraph(text)
    path = tmp_path / "mẫu của phòng.docx"
    own.save(path)
    paper = drafts(data, template=read_template(path))[0].paper
    text, _ = words(write_paper(paper))
    assert f"/SXD-QLQH - {paper.code}" in text and "điện thoại 0234" in text
    path.unlink()  # the template travels in the snapshot
    assert words(write_paper(Paper(paper.text)))[0] == text
    own.add_paragraph("{{Tên chủ đất}}")
    own.save(path)
    with pytest.raises(InputError, match="Tên chủ đất"):
        read_template(path)
    docx.Document().save(path)
    with pytest.raises(InputError, match="thiếu chỗ điền"):
        read_template(path)


def test_the_plugin_s_own_template_has_every_placeholder():
    from quyhoach.processing_algorithms.common.word_document import placeholder_key
    from quyhoach.processing_algorithms.zoning.paper.paper_words import BLOCK_PLACEHOLDERS, TEXT_PLACEHOLDERS

    present = set(WordTemplate(TEMPLATE).placeholders())
    assert present == {placeholder_key(name) for name in (*TEXT_PLACEHOLDERS, *BLOCK_PLACEHOLDERS)}
    help_text = TEMPLATE.with_suffix(".md").read_text("utf-8")
    assert all(f"{{{{{name}}}}}" in help_text for name in (*TEXT_PLACEHOLDERS, *BLOCK_PLACEHOLDERS))
    assert read_words(TEMPLATE.read_bytes())[0].cells[0][1].startswith("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")


def test_due_dates_count_working_days():
    assert due_date(datetime.date(2026, 11, 20), 1) == datetime.date(2026, 11, 23)  # Friday to Monday
    assert due_date(datetime.date(2026, 11, 20), 15) == datetime.date(2026, 12, 11)
