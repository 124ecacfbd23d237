"""Division of a plan into sheets, symbols, and texts in zones: by hand, and for any plan."""

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.zoning.sheets.sheet_index import (
    NEIGHBOURS,
    STEP_MM,
    chosen_sheets,
    fixed_scales,
    level_warning,
    scale_rule,
    sheet_index,
)
from quyhoach.processing_algorithms.zoning.sheets.sheet_labels import (
    LabelFields,
    label_key,
    label_variants,
    place_labels,
)
from quyhoach.processing_algorithms.zoning.sheets.sheet_symbols import (
    FunctionSymbol,
    colour_remarks,
    function_symbols,
    require_symbols,
)
from quyhoach.processing_algorithms.zoning.sheets.zoning_sheets import content_of, divide, near, red_lines

CRS = "EPSG:9214"
FIELDS = LabelFields("ma", "cn", "md", "tt", "tc", "hs")


def box(x, y, width, height):
    return shapely.box(x, y, x + width, y + height)


def measure(text, points):
    """Letters half as wide as the type is high, lines one and a third of it; mm."""
    size = points * 25.4 / 72
    lines = text.split("\n")
    return 0.5 * size * max(map(len, lines)), 4 / 3 * size * len(lines)


def text_box(row):
    return box(row.x - row.width_m / 2, row.y - row.height_m / 2, row.width_m, row.height_m)


def zones_of(shapes, **columns):
    count = len(shapes)
    table = {"ma": [f"A-{at:02d}" for at in range(count)], "cn": ["NO"] * count, "md": [60.0] * count,
             "tt": [2] * count, "tc": [5] * count, "hs": [3.0] * count, **columns}
    return geopandas.GeoDataFrame(table, geometry=list(shapes), crs=CRS, index=pandas.RangeIndex(11, 11 + count))


# the index ------------------------------------------------------------------------------------------------------------


def test_a_plan_of_250_by_90_m_at_500_needs_three_sheets_of_100_m():
    # 200 mm at 1/500 are 100 m. Three sheets are 300 m, 25 m over on each side: the corner at -25 is round (5 m steps).
    index = sheet_index(np.array([box(0, 0, 250, 90)]), 200, 200, 500, CRS)
    assert index["west_m"].tolist() == [-25, 75, 175] and index["south_m"].tolist() == [-5, -5, -5]
    assert index["sheet"].tolist() == [1, 2, 3] and set(index["sheets"]) == {3}
    assert index["w"].tolist() == [0, 1, 2] and index["e"].tolist() == [2, 3, 0] and not index["n"].any()
    assert index["area_m2"].tolist() == pytest.approx([75 * 90, 100 * 90, 75 * 90])


def test_a_plan_as_large_as_a_sheet_is_one_sheet():
    index = sheet_index(np.array([box(1000.5, 7.25, 100, 100)]), 200, 200, 500, CRS)
    assert len(index) == 1 and index.geometry.iloc[0].bounds == pytest.approx((1000.5, 7.25, 1100.5, 107.25))


def test_sheets_without_a_zone_are_left_out_and_touching_is_not_being_on_it():
    # An L of 3 x 3 sheets of 100 m: the inner four cells are empty, and the zones end exactly on their edges.
    index = sheet_index(np.array([box(0, 0, 100, 300), box(100, 0, 200, 100)]), 200, 200, 500, CRS)
    assert list(zip(index["row"], index["column"])) == [(1, 1), (2, 1), (3, 1), (3, 2), (3, 3)]
    assert index.loc[index["sheet"] == 2, ["n", "s", "se", "e"]].values.tolist() == [[1, 3, 4, 0]]


@st.composite
def plans(draw):
    """A few rectangles, here and there in a VN-2000 zone, to the centimetre."""
    metres = st.integers(0, 60_000).map(lambda value: value / 100)
    sides = st.integers(1, 20_000).map(lambda value: value / 100)
    west, south = draw(st.integers(400_000, 600_000)), draw(st.integers(900_000, 2_500_000))
    count = draw(st.integers(1, 6))
    return np.array([box(west + draw(metres), south + draw(metres), draw(sides), draw(sides)) for _ in range(count)])


@settings(max_examples=60)
@given(plans(), st.sampled_from([(100, 70), (250, 180), (40, 190)]), st.sampled_from([500, 1000, 2000]))
def test_sheets_cover_any_plan_exactly_once(area, map_mm, scale):
    index = sheet_index(area, *map_mm, scale, CRS)
    frames = np.asarray(index.geometry.array)
    plan = shapely.union_all(area)
    # Each sheet has the size of its paper, none lies over another, and together they show the whole plan once.
    assert np.allclose(shapely.area(frames), map_mm[0] * map_mm[1] * (scale / 1000) ** 2)
    assert shapely.area(shapely.union_all(frames)) == pytest.approx(shapely.area(frames).sum(), rel=1e-9)
    assert shapely.area(shapely.intersection(frames, plan)).sum() == pytest.approx(plan.area, rel=1e-9)
    assert (shapely.area(shapely.intersection(frames, plan)) > 0).all()
    # Neighbours know each other, and lie one paper away.
    opposite = {"nw": "se", "n": "s", "ne": "sw", "w": "e"} | {"se": "nw", "s": "n", "sw": "ne", "e": "w"}
    for row in index.itertuples():
        for name, (down, right) in NEIGHBOURS.items():
            if other := getattr(row, name):
                there = index.iloc[other - 1]
                assert (there["row"], there["column"]) == (row.row + down, row.column + right)
                assert there[opposite[name]] == row.sheet


@settings(max_examples=40)
@given(plans())
def test_corners_are_round_where_there_is_room(area):
    index = sheet_index(area, 250, 180, 1000, CRS)
    west, south, east, north = shapely.total_bounds(area)
    slack = index["column"].max() * 250 - (east - west)
    if slack >= STEP_MM:  # a step of 10 mm at 1/1000 is 10 m
        assert np.allclose(index["west_m"] % STEP_MM, 0)


def test_scales_are_fixed_and_the_law_is_quoted():
    assert set(fixed_scales()) >= {500, 2000, 5000, 10_000, 25_000}
    assert scale_rule("QCT", 500).fits and not scale_rule("QCT", 2000).fits
    assert scale_rule("QPK", 5000).fits and scale_rule("QHC", 10_000).fits and not scale_rule("QHC", 500).fits
    assert level_warning("QCT", 500) == "" and level_warning("", 750) == ""
    assert "1/500" in level_warning("QCT", 2000) and "điều 26" in level_warning("QCT", 2000)
    with pytest.raises(InputError, match=r"1/750.*1/500"):
        sheet_index(np.array([box(0, 0, 1, 1)]), 100, 100, 750, CRS)


def test_a_mistaken_scale_is_refused_before_a_million_sheets():
    with pytest.raises(InputError, match="hơn 2.000 mảnh"):
        sheet_index(np.array([box(0, 0, 60_000, 60_000)]), 180, 130, 500, CRS)


def test_which_sheets_are_asked_for():
    assert chosen_sheets("1, 3–5; 3", 6) == [1, 3, 4, 5]
    for wrong in ("a", "0", "3-2", "7", "1-2-3", "-4"):
        with pytest.raises(InputError):
            chosen_sheets(wrong, 6)


# symbols --------------------------------------------------------------------------------------------------------------


def test_official_colours_and_the_one_from_memory():
    symbols = function_symbols()
    assert symbols["NO"].colour == "#cc9900" and symbols["NO"].official
    assert symbols["NO"].legend_text == "Nhóm nhà ở (NO)"
    # The table says of parking: "hex from the AutoCAD palette, memory".
    assert not symbols["BDX"].official and symbols["BDX"].legend_text.endswith(" *")
    assert colour_remarks(["NO", "BDX"], symbols) == ["* Màu ký hiệu chưa chính thức, cần xác nhận: BDX."]
    assert colour_remarks(["NO"], symbols) == []


def test_a_province_may_state_its_colours(tmp_path):
    header = "key,name_vi,name_en,hex,aci,r,g,b,regulation,table,row,source,valid_from,valid_to,confidence\n"
    (tmp_path / "planning_land_functions.csv").write_text(
        header + "XX,Chức năng riêng,Own,#010203,,1,2,3,,,,tỉnh,,,analogy\n", encoding="utf-8")
    symbols = function_symbols(str(tmp_path))
    assert list(symbols) == ["XX"] and symbols["XX"].legend_text == "Chức năng riêng (XX) *"


def test_every_code_without_a_symbol_is_told_with_its_zones():
    codes = pandas.Series(["NO", "XYZ", None, "no", "XYZ", " "], index=[1, 2, 3, 4, 5, 6])
    with pytest.raises(InputError) as caught:
        require_symbols(codes, function_symbols(), "ô")
    assert len(caught.value.problems) == 3
    assert "2 ô không có mã chức năng (fid: 3, 6)" in caught.value.problems[0]
    assert "\"XYZ\"" in caught.value.problems[1] and "fid: 2, 5" in caught.value.problems[1]
    assert "\"no\"" in caught.value.problems[2] and "fid: 4" in caught.value.problems[2]


def test_the_text_contrasts_with_every_colour():
    def luminance(colour):
        channels = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        return sum(weight * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4)
                   for weight, c in zip((0.2126, 0.7152, 0.0722), channels))
    for symbol in function_symbols().values():
        light, dark = sorted((luminance(symbol.colour), luminance(symbol.ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, symbol  # WCAG's AA


# texts ----------------------------------------------------------------------------------------------------------------


def test_what_is_written_in_a_zone():
    zones = zones_of([box(0, 0, 1, 1)] * 3, tc=[5, 3, None], tt=[2, 3, None], hs=[3.25, 1.5, None], md=[60, 40.5, None])
    full, same, none = label_variants(zones, FIELDS)
    assert full == ("A-00 (NO)\n60% | 2-5 tầng | 3,25 lần", "A-00 (NO)\n60%\n2-5 tầng\n3,25 lần", "A-00 (NO)",
                    "A-00\n(NO)", "A-00")
    assert same[0] == "A-01 (NO)\n40,5% | 3 tầng | 1,5 lần"
    assert none == ("A-02 (NO)", "A-02\n(NO)", "A-02")
    assert label_variants(zones, LabelFields(None, "cn"))[0] == ("NO",)
    assert label_key(zones, FIELDS).startswith("Ghi trong ô: ký hiệu ô (chức năng), mật độ") and label_key(
        zones, LabelFields("ma", "cn")) == ""


def test_the_fullest_text_that_fits_is_written_and_nothing_sticks_out():
    # At 6 points letters are 1.06 mm wide, lines 2.82 mm high: the line of figures (25 letters) needs 26.5 + 1 mm, two
    # lines 5.6 + 1 mm; four lines 12.3 mm; the code "A-00" 4.2 + 1 mm by 3.8 mm. At 1 m a mm.
    shapes = np.array([box(0, 0, 28, 7), box(30, 0, 12, 13), box(50, 0, 12, 5), box(70, 0, 6, 5), box(80, 0, 3, 3)])
    variants = label_variants(zones_of(shapes), FIELDS)
    placed = place_labels(shapes, variants, (6.0,), measure, 1.0)
    assert placed["text"].str.count("\n").tolist() == [1, 3, 0, 0, 0]
    assert placed["text"].tolist()[2:] == ["A-02 (NO)", "A-03", "A-04"]
    assert placed["inside"].tolist() == [True, True, True, True, False]


def test_type_is_set_smaller_before_the_text_is_cut():
    # The full line at 6 points needs 27.5 mm, at 5 points 23.1.
    placed = place_labels(np.array([box(0, 0, 24, 7)]), label_variants(zones_of([box(0, 0, 24, 7)]), FIELDS),
                          (6.0, 5.0), measure, 1.0)
    assert placed["points"].tolist() == [5.0] and "tầng" in placed["text"].iloc[0]


def test_the_room_beside_a_hole_is_found():
    # The centroid of a U lies in its opening; the foot has the room.
    u = shapely.union_all([box(0, 0, 30, 8), box(0, 8, 3, 30), box(27, 8, 3, 30)])
    placed = place_labels(np.array([u]), label_variants(zones_of([u]), FIELDS), (6.0,), measure, 1.0)
    assert placed["inside"].iloc[0] and placed["y"].iloc[0] < 8


def test_where_zones_overlap_the_later_text_gives_way():
    shapes = np.array([box(0, 0, 40, 20), box(0, 0, 40, 20), box(50, 0, 40, 20)])
    placed = place_labels(shapes, label_variants(zones_of(shapes), FIELDS), (6.0,), measure, 1.0)
    assert placed["inside"].tolist() == [True, False, True] and placed["text"].iloc[1] == "A-01"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40), st.booleans()), min_size=1, max_size=12),
       st.sampled_from([0.5, 1.0, 2.0]))
def test_texts_lie_whole_in_their_zones_so_none_meet(sides, ground):
    # Zones side by side, every other one a triangle.
    shapes, x = [], 0.0
    for width, height, triangle in sides:
        shapes.append(shapely.Polygon([(x, 0), (x + width, 0), (x, height)]) if triangle else box(x, 0, width, height))
        x += width
    shapes = np.array(shapes)
    placed = place_labels(shapes, label_variants(zones_of(shapes), FIELDS), (7.0, 6.0, 5.0), measure, ground)
    boxes = np.array([text_box(row) for row in placed.itertuples()])
    inside = placed["inside"].to_numpy()
    assert shapely.covers(shapely.buffer(shapes[inside], 1e-9), boxes[inside]).all()
    for row, number in zip(placed.itertuples(), range(len(placed))):
        width, height = measure(row.text, row.points)
        if row.inside:
            assert row.width_m >= width * ground and row.height_m >= height * ground, "the box holds the text"
        else:
            assert row.text == f"A-{number:02d}"
    for one in np.flatnonzero(inside):
        for other in np.flatnonzero(inside):
            assert one >= other or boxes[one].intersection(boxes[other]).area == pytest.approx(0, abs=1e-9)


# sheets ---------------------------------------------------------------------------------------------------------------


def grid(count=4, size=60.0):
    return [box(553_000 + column * size, 1_831_000 + row * size, size, size) for row in range(count)
            for column in range(count)]


def test_each_zone_is_on_the_sheets_it_has_ground_on_and_named_once_from_outside():
    codes = ["NO", "HH"] * 8
    sheets = divide(zones_of(grid(), cn=codes), FIELDS, function_symbols(), scale=500, map_mm=(250, 180))
    seen = [content_of(sheets, number, (7.0, 6.0), measure) for number in sheets.index["sheet"]]
    for row, content in zip(sheets.index.itertuples(), seen):
        expected = [str(fid) for fid, shape in sheets.zones.geometry.items()
                    if shape.intersection(row.geometry).area > 0]
        assert content.zones["zone_fid"].tolist() == expected
        assert set(content.codes) == set(content.zones["function"]) and content.codes
        # A text stands where the sheet shows its zone.
        for zone in content.zones[content.zones["inside"]].itertuples():
            assert row.geometry.intersection(zone.geometry).covers(shapely.Point(zone.x, zone.y))


def test_a_zone_too_small_everywhere_gets_its_leader_on_one_sheet():
    # 4 m wide at 1/5000 is 0.8 mm: no text fits. It crosses from one sheet (30 m of it) into the next (70 m).
    index_probe = divide(zones_of([box(553_000, 1_831_000, 1500, 100)]), FIELDS, function_symbols(), scale=5000,
                         map_mm=(200, 100)).index
    seam = index_probe["east_m"].iloc[0]
    zones = zones_of([box(553_000, 1_831_000, 1500, 100), box(seam - 30, 1_831_050, 100, 4)])
    sheets = divide(zones, FIELDS, function_symbols(), scale=5000, map_mm=(200, 100))
    first, second = (content_of(sheets, number, (6.0,), measure) for number in (1, 2))
    assert first.zones.query("zone_fid == '12'")["beside"].tolist() == [False] and first.leaders.empty
    small = second.zones.query("zone_fid == '12'").iloc[0]
    assert small["beside"] and not second.nameless
    # The line leads from the zone to its text, 2.5 mm (12.5 m) away at least, and the text lies on no other.
    (line,) = second.leaders.geometry
    assert small.geometry.distance(shapely.Point(line.coords[0])) < 1e-9
    assert line.length >= 12.5 - 1e-6
    assert not text_box(small).intersects(text_box(second.zones.query("zone_fid == '11'").iloc[0]))


def test_texts_beside_zones_never_meet_and_those_without_room_are_told():
    # The same ground sixty times: one text inside, some around it, the rest told.
    sheets = divide(zones_of([box(553_000, 1_831_000, 40, 40)] * 60), FIELDS, function_symbols(), scale=500,
                    map_mm=(180, 130))
    content = content_of(sheets, 1, (6.0,), measure)
    drawn = content.zones[content.zones["inside"] | content.zones["beside"]]
    assert content.zones["inside"].sum() == 1 and len(content.leaders) == content.zones["beside"].sum() > 5
    assert len(drawn) + len(content.nameless) == 60 and content.nameless
    boxes = np.array([text_box(row) for row in drawn.itertuples()])
    one, other = shapely.STRtree(boxes).query(boxes, predicate="overlaps")
    assert not len(one) and sheets.index.geometry.iloc[0].covers(shapely.union_all(boxes))


def test_a_scale_too_small_for_the_plan_names_the_largest_zones_and_tells_the_rest():
    # Zones of 3 mm: no code fits. A map of 180 x 130 mm has room for 23 texts beside them, one on 10 cm2.
    shapes = [box(553_000 + column * 15, 1_831_000 + row * 15, 15, 15) for row in range(12) for column in range(12)]
    shapes[77] = box(553_000 - 20, 1_831_000, 16, 16)
    sheets = divide(zones_of(shapes), FIELDS, function_symbols(), scale=5000, map_mm=(180, 130))
    content = content_of(sheets, 1, (6.0,), measure)
    assert len(content.leaders) <= 23 and len(content.leaders) + len(content.nameless) == 144
    assert content.zones.set_index("zone_fid").loc["88", "beside"]


def test_bad_zones_are_refused_with_every_problem():
    symbols = function_symbols()
    with pytest.raises(InputError, match="hệ tọa độ"):
        divide(zones_of(grid()).set_crs(None, allow_override=True), FIELDS, symbols, scale=500, map_mm=(100, 100))
    with pytest.raises(InputError, match="độ"):
        divide(zones_of(grid()).set_crs("EPSG:4756", allow_override=True), FIELDS, symbols, scale=500,
               map_mm=(100, 100))
    with pytest.raises(InputError, match="không có vùng nào dùng được"):
        divide(zones_of([None]), FIELDS, symbols, scale=500, map_mm=(100, 100))


def test_heights_are_left_out_and_bow_ties_repaired_and_counted():
    tie = shapely.Polygon([(0, 0, 5), (10, 10, 5), (10, 0, 5), (0, 10, 5)])
    sheets = divide(zones_of([tie]), FIELDS, function_symbols(), scale=500, map_mm=(100, 100))
    assert sheets.report.repaired_ids == [11] and not sheets.zones.has_z.any()
    assert sheets.index["area_m2"].sum() == pytest.approx(50)


# lines ----------------------------------------------------------------------------------------------------------------


def test_red_lines_of_a_centre_line_lie_half_the_width_away_and_do_not_cross_the_road():
    roads = geopandas.GeoDataFrame({"w": [12.0, None]}, geometry=[
        shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(0, 50), (100, 50)])], crs=CRS)
    lines = red_lines(roads, "w")
    # Two lines of 100 m at 6 m; the edges across both ends are gone. The second road states no width.
    assert lines.length.sum() == pytest.approx(200, abs=0.1)
    assert set(np.round(np.abs(lines.get_coordinates()["y"]), 6)) == {6.0}
    assert red_lines(roads, None) is roads


def test_red_lines_of_a_crossing_leave_it_open():
    roads = geopandas.GeoDataFrame({"w": [10.0, 10.0]}, geometry=[
        shapely.LineString([(-50, 0), (50, 0)]), shapely.LineString([(0, -50), (0, 50)])], crs=CRS)
    lines = red_lines(roads, "w")
    # Four corners of two sides of 45 m each.
    assert lines.length.sum() == pytest.approx(8 * 45, abs=0.2)
    assert not lines.intersects(shapely.box(-4.9, -4.9, 4.9, 4.9)).any()


def test_only_what_is_near_is_drawn():
    index = sheet_index(np.array([box(0, 0, 50, 50)]), 200, 200, 500, CRS)
    frame = geopandas.GeoDataFrame({"n": [1, 2, 3]}, geometry=[box(10, 10, 5, 5), box(900, 0, 5, 5), None], crs=CRS)
    assert near(frame, index)["n"].tolist() == [1]


def test_a_symbol_is_black_or_white_ink():
    assert FunctionSymbol("", "", "#ffffff", True, "").ink == "#000000"
    assert FunctionSymbol("", "", "#000000", True, "").ink == "#ffffff"
