"""What stands in the water: by hand, against brute force, and the laws that every total closes and null is not 0."""

import warnings
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window, open_raster
from quyhoach.processing_algorithms.disaster.exposure.depth_at_shapes import Statistic, building_depths
from quyhoach.processing_algorithms.disaster.exposure.depth_by_class import areas_by_class, lengths_by_class
from quyhoach.processing_algorithms.disaster.exposure.depth_classes import class_raster, class_sets, depth_classes
from quyhoach.processing_algorithms.disaster.exposure.flood_exposure import BuildingFields, flood_exposure
from quyhoach.processing_algorithms.disaster.exposure.units import disjoint_units

CRS = pyproj.CRS.from_epsg(9214)
WKT = CRS.to_wkt()
CLASSES = "common_practice_6"  # bounds 0, 0.5, 1, 2, 3, 4 m


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def raster_of(depths, cell=10.0):
    """Cells of 10 m with the lower left corner of the raster at (0, 0)."""
    depths = np.asarray(depths, dtype=np.float32)
    return ArrayRaster(Grid((0.0, cell, 0.0, cell * len(depths), 0.0, -cell), depths.shape, WKT), depths)


def frame(shapes, **columns):
    shapes = np.array(shapes, dtype=object)
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS, index=pandas.RangeIndex(1, len(shapes) + 1))


def rows(table, *names, unit=None):
    if unit is not None:
        table = table[table["unit"] == unit]
    return {int(row["depth_class"]): tuple(row[name] for name in names) for _, row in table.iterrows()}


# Two rows of four cells: dry, 0.3 m, 0.7 m, unknown above; dry, 1.5 m, 1.5 m, 5 m below.
DEPTHS = raster_of([[0.0, 0.3, 0.7, np.nan], [0.0, 1.5, 1.5, 5.0]])


def test_classes_of_the_norm_table():
    classes = depth_classes(CLASSES)
    depths = np.array([0, 1e-6, 0.4999, 0.5, 1, 3.9, 4, 99, np.nan], np.float32)
    assert classes.codes(depths).tolist() == [0, 1, 1, 2, 3, 5, 6, 6, 7]
    assert "hue_published_5" in class_sets() and "road_passability" not in class_sets()
    with pytest.raises(InputError, match="no set of depth classes"):
        depth_classes("mine")


def test_buildings_by_hand():
    buildings = frame([
        shapely.box(1, 1, 9, 9),        # the dry cell below: class 0
        shapely.box(11, 1, 29, 19),     # four cells of 1.5, 1.5, 0.3, 0.7 m: class 3 by the deepest, mean 1.0 m
        shapely.box(31, 11, 39, 19),    # unknown terrain
        shapely.box(1, 11, 39, 19),     # dry, 0.3, 0.7 and unknown: at least 0.7 m, class 2
        shapely.box(8, 8, 9.5, 9.5),    # covers no centre: the dry cell of its representative point
        shapely.box(100, 1, 109, 9),    # outside the raster: unknown
    ], households=[1, 2, 3, 4, 5, 6])
    found = flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), fields=BuildingFields(households="households"))
    np.testing.assert_allclose(found.buildings["depth_m"], [0, 1.5, np.nan, 0.7, 0, np.nan], atol=1e-6)
    assert found.buildings["depth_class"].tolist() == [0, 3, -1, 2, 0, -1]
    assert rows(found.table, "buildings", "households") == {
        0: (2, 6), 1: (0, 0), 2: (1, 4), 3: (1, 2), 4: (0, 0), 5: (0, 0), 6: (0, 0), -1: (2, 9)}
    assert any("unknown" in note and "3, 6" in note for note in found.notes)
    mean = flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), statistic=Statistic.MEAN).buildings["depth_m"]
    assert mean[2] == pytest.approx(1.0) and mean[4] == pytest.approx(1 / 3)


def test_partly_unknown_and_otherwise_dry_is_unknown_never_dry():
    raster = raster_of([[0.0, np.nan]])
    found = flood_exposure(raster, frame([shapely.box(1, 1, 19, 9), shapely.box(-8, 1, 9, 9)]), depth_classes(CLASSES))
    assert found.buildings["depth_class"].tolist() == [-1, -1]


def test_points_are_buildings_too():
    buildings = frame([shapely.Point(35, 5), shapely.Point(5, 5), shapely.MultiPoint([(15, 5)])],
                      residents=[4.0, np.nan, 2.0])
    found = flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), fields=BuildingFields(residents="residents"))
    assert found.buildings["depth_class"].tolist() == [6, 0, 3]


def test_a_missing_count_is_null_and_an_uncounted_building_is_told():
    buildings = frame([shapely.Point(35, 5), shapely.Point(35, 6), shapely.Point(5, 5), shapely.Point(15, 5)],
                      residents=[4.0, np.nan, np.nan, 2.0])
    table = flood_exposure(DEPTHS, buildings, depth_classes(CLASSES),
                           fields=BuildingFields(residents="residents")).table
    by_class = rows(table, "buildings", "residents", "residents_missing")
    assert by_class[6] == (2, 4, 1)         # one counted, one not: the sum of what is known, and how many are not
    assert by_class[3] == (1, 2, 0)
    assert by_class[1] == (0, 0, 0)         # no building there: nobody
    assert by_class[0][0] == 1 and by_class[0][1] is pandas.NA and by_class[0][2] == 1
    for column in ("households", "households_missing", "road_m", "land_m2"):
        assert table[column].isna().all()


def test_empty_optional_layers_give_zeros():
    table = flood_exposure(DEPTHS, frame([shapely.Point(5, 5)]), depth_classes(CLASSES), roads=frame([]),
                           land_use=frame([]),
                           units=frame([], name=[]), unit_field="name").table
    assert (table["road_m"] == 0).all() and (table["land_m2"] == 0).all()
    assert set(table["unit"]) == {"Outside the units"} and table["buildings"].sum() == 1


def test_floors():
    # Cells of 1.5 m over ground at 2 m: water level 3.5 m. Floors at 2.7 (0.8 m deep), 3.6 (dry), unknown (1.5 m).
    terrain = ArrayRaster(DEPTHS.grid, np.full(DEPTHS.grid.shape, 2.0, np.float32))
    buildings = frame([shapely.Point(15, 5)] * 3, floor=[2.7, 3.6, np.nan], step=[9.0, 9.0, 0.6])
    found = flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), fields=BuildingFields(floor_level="floor"),
                           terrain=terrain)
    np.testing.assert_allclose(found.buildings["floor_depth_m"], [0.8, 0, 1.5], atol=1e-6)
    np.testing.assert_allclose(found.buildings["depth_m"], 1.5)
    assert found.buildings["depth_class"].tolist() == [2, 0, 3]
    found = flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), terrain=terrain,
                           fields=BuildingFields(floor_level="floor", floor_height="step"))
    np.testing.assert_allclose(found.buildings["floor_depth_m"], [0.8, 0, 0.9], atol=1e-6)
    with pytest.raises(InputError, match="need the terrain"):
        flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), fields=BuildingFields(floor_level="floor"))
    with pytest.raises(InputError, match="same cells"):
        flood_exposure(DEPTHS, buildings, depth_classes(CLASSES), fields=BuildingFields(floor_level="floor"),
                       terrain=raster_of([[1.0]]))


def test_roads_by_hand():
    # y = 5 from x = -10 to 40: 10 m outside, 10 m dry, 20 m of 1.5 m, 10 m of 5 m.
    table = flood_exposure(DEPTHS, frame([shapely.Point(5, 5)]), depth_classes(CLASSES),
                           roads=frame([shapely.LineString([(-10, 5), (40, 5)])])).table
    lengths = {code: length for code, (length,) in rows(table, "road_m").items()}
    assert lengths == pytest.approx({0: 10, 1: 0, 2: 0, 3: 20, 4: 0, 5: 0, 6: 10, -1: 10})


def test_a_raster_elsewhere_makes_everything_unknown():
    away = frame([shapely.LineString([(500, 500), (540, 500)])])
    table = flood_exposure(DEPTHS, frame([shapely.Point(505, 500)]), depth_classes(CLASSES), roads=away,
                           units=frame([shapely.box(400, 400, 600, 600)], name=["A"]), unit_field="name").table
    assert rows(table, "buildings", "road_m", unit="A")[-1] == (1, 40.0)


def test_land_by_hand_in_units_and_codes():
    # A parcel x 5-25, y 5-15, cut by units at x = 10 and 20 (B ends there): a quarter of the cells it touches.
    land = frame([shapely.box(5, 5, 25, 15), shapely.box(30, 0, 40, 20)], code=["LUC", None])
    units = frame([shapely.box(0, 0, 10, 20), shapely.box(10, 0, 20, 20)], name=["A", "B"])
    found = flood_exposure(DEPTHS, frame([shapely.Point(5, 5)]), depth_classes(CLASSES), land_use=land,
                           code_field="code",
                           units=units, unit_field="name")
    assert rows(found.table, "land_m2", unit="A")[0] == (50,)
    assert {k: v for k, (v,) in rows(found.table, "land_m2", unit="B").items() if v} == {1: 50, 3: 50}
    outside = {k: v for k, (v,) in rows(found.table, "land_m2", unit="Outside the units").items() if v}
    assert outside == {2: 25, 3: 25, 6: 100, -1: 100}
    by_code = found.land.fillna({"code": "none"}).groupby("code")["land_m2"].sum().to_dict()
    assert by_code == pytest.approx({"LUC": 200, "none": 200})


def test_overlapping_units_count_once_and_are_told():
    units = frame([shapely.box(0, 0, 20, 20), shapely.box(10, 0, 40, 20)], name=["A", "B"])
    road = frame([shapely.LineString([(0, 5), (40, 5)])])
    found = flood_exposure(DEPTHS, frame([shapely.Point(15, 5)]), depth_classes(CLASSES), units=units,
                           unit_field="name", roads=road)
    assert found.table.groupby("unit")["road_m"].sum().to_dict() == {"A": 20, "B": 20}
    assert found.table.groupby("unit")["buildings"].sum().to_dict() == {"A": 1, "B": 0}
    assert any("A - B" in note for note in found.notes)


def test_a_road_along_a_common_border_counts_once():
    units = disjoint_units(["A", "B"], np.array([shapely.box(0, 0, 20, 20), shapely.box(20, 0, 40, 20)]))
    pieces = units.cut_lines(np.array([shapely.LineString([(20, 2), (20, 18)]),
                                       shapely.LineString([(10, 5), (30, 5)])]))
    assert shapely.length(pieces.geometry[pieces.shape == 0]).sum() == 16 and set(pieces.unit[pieces.shape == 0]) == {0}
    assert sorted(shapely.length(pieces.geometry[pieces.shape == 1])) == [10, 10]


def test_units_of_one_name_are_one_and_nameless_ones_are_kept():
    units = frame([shapely.box(0, 0, 10, 20), shapely.box(10, 0, 20, 20), shapely.box(20, 0, 40, 20)],
                  name=["A", "A", None])
    table = flood_exposure(DEPTHS, frame([shapely.Point(5, 5), shapely.Point(15, 5), shapely.Point(35, 5)]),
                           depth_classes(CLASSES), units=units, unit_field="name").table
    assert table.groupby("unit")["buildings"].sum().to_dict() == {"A": 2, "(no name) 3": 1}


def test_refusals():
    negative = raster_of([[0.0, -9999.0]])
    with pytest.raises(InputError, match="negative values"):
        flood_exposure(negative, frame([shapely.Point(15, 5)]), depth_classes(CLASSES))
    with pytest.raises(InputError, match=r"negative values \(ids: 2\)"):
        flood_exposure(DEPTHS, frame([shapely.Point(5, 5)] * 2, residents=[1, -3]), depth_classes(CLASSES),
                       fields=BuildingFields(residents="residents"))


def test_counts_written_as_text_are_read_and_other_texts_refused():
    texts = frame([shapely.Point(35, 5)] * 3, residents=["4", " ", None])
    table = flood_exposure(DEPTHS, texts, depth_classes(CLASSES), fields=BuildingFields(residents="residents")).table
    assert rows(table, "residents", "residents_missing")[6] == (4, 2)
    with pytest.raises(InputError, match=r"no numbers \(ids: 2: bốn\)"):
        flood_exposure(DEPTHS, frame([shapely.Point(35, 5)] * 2, residents=["4", "bốn"]), depth_classes(CLASSES),
                       fields=BuildingFields(residents="residents"))


def test_cancel_stops():
    def stop(fraction, message=None):
        if fraction > 0.3:
            raise Cancelled()
    with pytest.raises(Cancelled):
        flood_exposure(DEPTHS, frame([shapely.Point(5, 5)]), depth_classes(CLASSES), progress=stop)


@st.composite
def scenes(draw):
    random = np.random.default_rng(draw(st.integers(0, 100_000)))
    depths = random.choice([0.0, 0.0, 0.3, 0.8, 1.4, 6.0, np.nan], (12, 15))
    x, y = random.uniform(-30, 160, 25), random.uniform(-30, 130, 25)
    w, h = random.uniform(1, 60, (2, 25))
    shapes = np.array([shapely.affinity.rotate(shapely.box(a, b, a + c, b + d), angle)
                       for a, b, c, d, angle in zip(x, y, w, h, random.uniform(0, 90, 25))])
    lines = np.array([shapely.LineString(random.uniform(-30, 160, (3, 2))) for _ in range(10)])
    cuts = np.sort(random.uniform(-20, 150, 3))
    units = [shapely.box(cuts[0], -20, cuts[1], 140), shapely.box(cuts[1], -20, cuts[2], 100)]
    return raster_of(depths), shapes, lines, units


@settings(deadline=None, max_examples=40)
@given(scenes(), st.booleans())
def test_every_total_closes(scene, with_units):
    raster, shapes, lines, units = scene
    buildings = frame(shapes, residents=np.arange(len(shapes)))
    options = {"units": frame(units, name=["A", "B"]), "unit_field": "name"} if with_units else {}
    table = flood_exposure(raster, buildings, depth_classes(CLASSES), fields=BuildingFields(residents="residents"),
                           roads=frame(lines), land_use=frame(shapes), **options).table
    assert table["buildings"].sum() == len(shapes)
    assert table["residents"].sum() == sum(range(len(shapes)))
    assert table["road_m"].sum() == pytest.approx(shapely.length(lines).sum(), rel=1e-9)
    assert table["land_m2"].sum() == pytest.approx(shapely.area(shapes).sum(), rel=1e-9)
    assert (table[["road_m", "land_m2"]] >= 0).all(axis=None)


@settings(deadline=None, max_examples=25)
@given(scenes())
def test_equals_brute_force_shape_by_shape(scene):
    raster, shapes, lines, _ = scene
    rows_, columns = raster.grid.shape
    column, row = np.meshgrid(np.arange(columns), np.arange(rows_))
    centre_x, centre_y = raster.grid.to_map(column + 0.5, row + 0.5)
    cells = shapely.box(*raster.grid.to_map(column, row + 1), *raster.grid.to_map(column + 1, row))
    classes = depth_classes(CLASSES)
    codes = classes.codes(raster.values)
    ours = building_depths(shapes, raster).depth_m
    classified = class_raster(raster, classes)
    areas, lengths = areas_by_class(shapes, classified), lengths_by_class(lines, classified)
    frame_of_grid = shapely.box(0, 0, columns * 10, rows_ * 10)
    # The lattice of cells goes on beyond the raster, where everything is unknown.
    beyond_x, beyond_y = (axis.ravel() for axis in np.meshgrid(np.arange(-95, 300, 10), np.arange(-95, 300, 10)))
    beyond = ~shapely.contains_xy(frame_of_grid, beyond_x, beyond_y)
    for k, shape in enumerate(shapes):
        covered = shapely.contains_xy(shape, centre_x, centre_y)
        if not covered.any() and shapely.contains_xy(shape, beyond_x[beyond], beyond_y[beyond]).any():
            assert np.isnan(ours[k])
            continue
        point = shapely.point_on_surface(shape)
        if not covered.any() and not frame_of_grid.contains(point):
            assert np.isnan(ours[k])
            continue
        at_point = raster.values[rows_ - 1 - int(point.y // 10), int(point.x // 10)] if not covered.any() else None
        values = raster.values[covered] if covered.any() else np.array([at_point])
        deepest = np.fmax.reduce(values)
        reaches_out = shape.difference(frame_of_grid.buffer(-1e-9)).area > 0
        if deepest > 0 or not (np.isnan(values).any() or reaches_out):
            np.testing.assert_allclose(ours[k], deepest)
        elif np.isnan(values).any():
            assert np.isnan(ours[k])
        theirs = np.bincount(codes.ravel(), shapely.area(shapely.intersection(shape, cells)).ravel(), 8)
        theirs[7] += shape.difference(frame_of_grid).area
        np.testing.assert_allclose(areas[k], theirs, atol=1e-6)
    for k, line in enumerate(lines):
        theirs = np.bincount(codes.ravel(), shapely.length(shapely.intersection(line, cells)).ravel(), 8)
        theirs[7] += line.difference(frame_of_grid).length
        np.testing.assert_allclose(lengths[k], theirs, atol=1e-6)


def test_degrees_are_measured_on_the_ellipsoid():
    crs = pyproj.CRS.from_epsg(4756)
    grid = Grid((107.5, 0.001, 0.0, 16.5, 0.0, -0.001), (4, 4), crs.to_wkt())
    raster = ArrayRaster(grid, np.array([[0.0, 0.0, 1.5, 1.5]] * 4, np.float32))
    classes = class_raster(raster, depth_classes(CLASSES))
    geodesic = crs.get_geod()
    land = np.array([shapely.box(107.501, 16.497, 107.503, 16.499)])
    total = abs(geodesic.geometry_area_perimeter(land[0])[0])
    areas = areas_by_class(land, classes)[0]
    assert areas.sum() == pytest.approx(total, rel=1e-12)
    assert areas[0] == pytest.approx(total / 2, rel=1e-6) and areas[3] == pytest.approx(total / 2, rel=1e-6)
    road = np.array([shapely.LineString([(107.5005, 16.4975), (107.5035, 16.4975)])])
    lengths = lengths_by_class(road, classes)[0]
    assert lengths.sum() == pytest.approx(geodesic.geometry_length(road[0]), rel=1e-12)
    assert lengths[0] == pytest.approx(lengths.sum() / 2, rel=1e-9)


def test_merewether_houses_against_a_brute_force_count():
    data = Path(__file__).resolve().parents[3] / "shared" / "data" / "urban_flood"
    if not data.is_dir():
        pytest.skip("the Merewether data is not beside the repository")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        houses = geopandas.read_file(data / "merewether.gpkg", layer="houses")
    with open_raster(data / "merewether_dem_1m.tif", name="terrain") as terrain:
        heights = terrain.read(Window(0, 0, *terrain.grid.shape))
        grid = terrain.grid
    depth = ArrayRaster(grid, np.where(np.isnan(heights), np.nan, np.maximum(21.5 - heights, 0)).astype(np.float32))
    table = flood_exposure(depth, houses, depth_classes(CLASSES)).table
    column, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    x, y = grid.to_map(column, row)
    wet = sum(bool((depth.values[shapely.contains_xy(house, x, y)] > 0).any()) for house in houses.geometry)
    assert 0 < wet < 60
    assert table.loc[table["depth_class"] > 0, "buildings"].sum() == wet
