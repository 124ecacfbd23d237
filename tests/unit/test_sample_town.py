"""The shipped sample town is what data_samples/README.md says: a consistent town with exactly the listed faults."""

from __future__ import annotations

import re
import unicodedata
import uuid
from pathlib import Path

import geopandas as gpd
import networkx
import numpy as np
import pytest
import rasterio
import shapely
from quyhoach.scripts.sample_town.layers import LAYERS, catalogue_entry, fields_of, geometry_type
from rasterio.features import rasterize
from scipy.ndimage import label
from scipy.spatial import cKDTree

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
EXTENT_M2 = 6000.0 * 5500.0
_read: dict[str, gpd.GeoDataFrame] = {}


def layer(name: str) -> gpd.GeoDataFrame:
    if name not in _read:
        _read[name] = gpd.read_file(SAMPLES / "town.gpkg", layer=name, engine="pyogrio")
    return _read[name]


@pytest.fixture(scope="module")
def faults() -> dict[tuple[str, str], str]:
    """Kind and layer of each fault the README lists, with the feature id."""
    rows = re.findall(
        r"^\| (\w+) \| (\w+) \| `([0-9a-f-]{36})` \|", (SAMPLES / "README.md").read_text(encoding="utf-8"), re.M
    )
    return {(kind, where): feature for kind, where, feature in rows}


@pytest.fixture(scope="module")
def terrain():
    with rasterio.open(SAMPLES / "terrain.tif") as file:
        return file.read(1), file.transform, file.profile


def row_of(name: str, feature_id: str):
    frame = layer(name)
    return frame[frame["feature_id"] == feature_id].iloc[0]


@pytest.mark.parametrize("name", LAYERS)
def test_layer_follows_the_catalogue(name):
    frame = layer(name)
    assert len(frame) > 0
    assert list(frame.columns) == [field.name for field in fields_of(name)] + ["geometry"]
    assert frame.crs.to_epsg() == 9214
    assert set(frame.geom_type) == {geometry_type(name)}
    assert frame["feature_id"].is_unique and all(uuid.UUID(one).version == 5 for one in frame["feature_id"])


@pytest.mark.parametrize("name", [name for name, (dataset, _) in LAYERS.items() if dataset])
def test_values_keep_the_rules_of_the_catalogue(name, faults):
    frame = layer(name)
    excused = {feature for (_, where), feature in faults.items() if where == name}
    frame = frame[~frame["feature_id"].isin(excused)]
    entry = catalogue_entry(LAYERS[name][0])
    own = {**catalogue_entry("domains")["domain"], **entry.get("domain", {})}
    for field in entry["field"]:
        values = frame[field["name"]]
        known = values[values.notna()]
        if field.get("required"):
            assert len(known) == len(frame), field["name"]
        if "pattern" in field:
            assert known.map(lambda text, rule=re.compile(field["pattern"]): bool(rule.match(text))).all(), field[
                "name"
            ]
        if "length" in field:
            assert known.str.len().max() <= field["length"] if len(known) else True, field["name"]
        if "min" in field:
            assert (known >= field["min"]).all(), field["name"]
        values_of_domain = own.get(field.get("domain", ""), {}).get("values")
        if values_of_domain:
            assert set(known) <= {value["code"] for value in values_of_domain}, field["name"]
        if field["type"] == "text":
            assert all(text == unicodedata.normalize("NFC", text) and text.strip() for text in known), field["name"]


def test_no_shape_is_wrong_but_the_listed_one(faults):
    for name in LAYERS:
        frame = layer(name)
        assert frame.geometry.notna().all() and not frame.is_empty.any(), name
        wrong = set(frame.loc[~frame.is_valid, "feature_id"])
        assert wrong == ({faults["self_crossing", "parcel"]} if name == "parcel" else set()), name


def test_files_are_small():
    sizes = {path.name: path.stat().st_size for path in SAMPLES.iterdir()}
    assert sizes["terrain.tif"] < 5e6
    assert sum(sizes.values()) < 15e6


def test_wards_tile_the_town_and_hamlets_and_old_communes_nest_in_them():
    units = layer("administrative_unit")
    today, past = units[units["valid_to"].isna()], units[units["valid_to"].notna()]
    assert len(today) == 8
    # Areas that add up to the rectangle, whose union is the rectangle too: neither gap nor overlap.
    for frame in (today, past, layer("hamlet")):
        assert frame.area.sum() == pytest.approx(EXTENT_M2, abs=1e-3)
        assert frame.union_all().area == pytest.approx(EXTENT_M2, abs=1e-3)
    ward = today.set_index("unit_code").geometry
    for frame, key in ((layer("hamlet"), "commune_code"), (past, "successor_codes")):
        for code, parts in frame.groupby(key):
            assert parts.union_all().symmetric_difference(ward[code]).area < 1e-3
    for row in today.itertuples():
        assert set(row.old_codes.split(";")) == set(past.loc[past["successor_codes"] == row.unit_code, "unit_code"])


def test_land_use_covers_the_town_without_gap_or_overlap():
    today, past = layer("land_use_2025"), layer("land_use_2020")
    # Crumbs of land narrower than the welding distance (3 mm) vanish: 1.3 of 33 million square metres.
    assert today.area.sum() == pytest.approx(EXTENT_M2, abs=2.0)
    assert today.union_all().area == pytest.approx(today.area.sum(), abs=0.01)
    # The old survey drifts by 6 cm at most, so its outer border may differ by 0.06 m x 23 km.
    assert past.area.sum() == pytest.approx(EXTENT_M2, abs=0.06 * 23_000)
    assert past.area.sum() == pytest.approx(past.union_all().area, abs=0.5)
    assert (past["year"] == 2020).all() and (today["year"] == 2025).all()


def test_parcels_have_unique_numbers_and_only_the_listed_shapes_are_wrong(faults):
    parcels = layer("parcel")
    assert len(parcels) >= 5000
    assert not parcels.duplicated(["old_commune_code", "sheet_no", "parcel_no"]).any()
    assert set(parcels.loc[~parcels.is_valid, "feature_id"]) == {faults["self_crossing", "parcel"]}
    sound = parcels[parcels.is_valid & (parcels["feature_id"] != faults["overlap", "parcel"])]
    assert sound.area.sum() == pytest.approx(sound.union_all().area, abs=1e-3)
    overlapping = row_of("parcel", faults["overlap", "parcel"]).geometry
    lost = sound.intersection(overlapping).area
    assert (lost > 1).sum() >= 2 and lost.sum() < 0.11 * overlapping.length
    gap = row_of("parcel", faults["gap", "parcel"]).geometry
    assert sound.distance(gap).nsmallest(2).iloc[1] == pytest.approx(0.12, abs=0.005)


def test_parcels_stand_in_the_units_they_name():
    parcels = layer("parcel").set_geometry(layer("parcel").representative_point())
    units = layer("administrative_unit")
    for column, which in (("commune_code", units["valid_to"].isna()), ("old_commune_code", units["valid_to"].notna())):
        joined = parcels.sjoin(units.loc[which, ["unit_code", "geometry"]], predicate="within")
        valid = joined[layer("parcel").is_valid.reindex(joined.index)]
        assert (valid[column] == valid["unit_code"]).all()
        assert len(valid) >= len(parcels) - 1


def test_unknown_codes_are_the_listed_ones(faults):
    # Codes of the land law as the catalogue names them; DDX and HNK1 are no such codes.
    assert row_of("parcel", faults["unknown_code", "parcel"])["land_code"] == "DDX"
    assert row_of("land_use_2025", faults["unknown_code", "land_use_2025"])["land_code"] == "HNK1"
    usual = {
        "ODT",
        "ONT",
        "TMD",
        "DVH",
        "SKC",
        "SKN",
        "CLN",
        "NTS",
        "HNK",
        "LUC",
        "LUK",
        "BCS",
        "DCS",
        "RSX",
        "RPH",
        "DKV",
        "DGD",
        "DYT",
        "DCH",
        "DTT",
        "TSC",
        "CAN",
        "DGT",
        "DCT",
        "DNL",
        "TON",
        "TIN",
        "NTD",
        "SON",
        "DPC",
    }
    assert set(layer("parcel")["land_code"]) - usual == {"DDX"}
    assert set(layer("land_use_2025")["land_code"]) - usual == {"HNK1"}
    assert set(layer("land_use_2020")["land_code"]) <= usual
    changed = layer("parcel")["land_code"] != layer("parcel")["land_code_2020"]
    assert 0.02 < changed.mean() < 0.25


def street_graph(roads: gpd.GeoDataFrame) -> networkx.MultiDiGraph:
    lines = shapely.get_parts(roads.geometry.to_numpy())
    assert len(lines) == len(roads)
    graph = networkx.MultiDiGraph()
    ends = np.round(np.stack([shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1)], axis=1), 3)
    for (start, end), direction, feature in zip(ends, roads["direction"], roads["feature_id"]):
        if direction in ("both", "forward"):
            graph.add_edge(tuple(start), tuple(end), feature=feature)
        if direction in ("both", "backward"):
            graph.add_edge(tuple(end), tuple(start), feature=feature)
    return graph


def test_streets_are_one_network_but_for_the_listed_one(faults):
    roads = layer("road")
    graph = street_graph(roads)
    pieces = sorted(networkx.weakly_connected_components(graph), key=len)
    assert [len(piece) for piece in pieces[:-1]] == [2]
    assert {feature for *_, feature in graph.subgraph(pieces[0]).edges(data="feature")} == {
        faults["disconnected", "road"]
    }
    # One-way streets trap nobody.
    assert networkx.number_strongly_connected_components(graph) == 2
    assert 5 <= (roads["direction"] != "both").sum() < 0.1 * len(roads)


def test_streets_meet_at_ends_only(faults):
    lines = shapely.get_parts(layer("road").geometry.to_numpy())
    left, right = shapely.STRtree(lines).query(lines, predicate="crosses")
    assert len(left) == 0
    ends = np.concatenate([shapely.get_point(lines, at) for at in (0, -1)])
    line, end = shapely.STRtree(ends).query(lines, predicate="dwithin", distance=0.005)
    own = shapely.get_coordinates(ends[end])
    first, last = (shapely.get_coordinates(shapely.get_point(lines[line], at)) for at in (0, -1))
    at_an_end = np.isclose(own, first, atol=1e-6).all(axis=1) | np.isclose(own, last, atol=1e-6).all(axis=1)
    assert at_an_end.all()


def test_the_plan_is_no_chequerboard():
    """Boeing's orientation order is 1 for a perfect grid and 0 for none; Huế-like towns lie between."""
    lines = shapely.get_parts(layer("road").geometry.to_numpy())
    start, end = (shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1))
    bearing = np.degrees(np.arctan2(*(end - start).T)) % 180
    share, _ = np.histogram(bearing, bins=18, range=(0, 180))
    share = share / share.sum()
    entropy = -(share * np.log(share)).sum()
    order = 1 - ((entropy - np.log(2)) / (np.log(18) - np.log(2))) ** 2
    assert order < 0.35
    degree = np.unique(np.round(np.concatenate([start, end]), 3), axis=0, return_counts=True)[1]
    assert (degree == 3).sum() > 2 * (degree == 4).sum()  # T-junctions are the rule
    assert (degree == 1).sum() > 50  # and there are dead ends


def test_two_bridges_span_the_river_above_alarm_3():
    bridges = layer("road")[layer("road")["bridge"]]
    river = layer("river").set_index("name").geometry["Sông Trạch"]
    bridges = bridges[bridges.intersects(river)]
    assert len(bridges) == 2
    bank = river.boundary
    for bridge in bridges.geometry:
        assert bridge.intersection(river).length > 100
        for end in (0, -1):
            point = shapely.get_point(shapely.get_parts(bridge)[0], end)
            assert not river.contains(point) and bank.distance(point) < 12
    assert (bridges["bridge_deck_level_m"] > 6).all()


def test_streets_cross_streams_and_canals_on_bridges():
    streets, water = layer("road"), layer("river")
    streams = water[water["name"] != "Sông Trạch"].union_all() if hasattr(water, "union_all") else water[water["name"] != "Sông Trạch"].unary_union
    small = streets[streets["bridge"] & streets["note"].fillna("").str.startswith("Cầu qua")]
    assert len(small) > 10 and small["bridge_deck_level_m"].between(3.5, 8).all()
    # Whatever else touches their water ends in it.
    for street in streets[~streets["bridge"] & streets.intersects(streams)].geometry:
        ends = [shapely.get_point(part, end) for part in shapely.get_parts(street) for end in (0, -1)]
        assert any(streams.distance(end) < 0.5 for end in ends)


def test_buildings_stand_inside_parcels():
    buildings = layer("building")
    assert len(buildings) >= 4000
    parcels = layer("parcel")
    tree = shapely.STRtree(parcels.geometry.to_numpy())
    inside = np.unique(tree.query(buildings.geometry.to_numpy(), predicate="covered_by")[0])
    assert len(inside) == len(buildings)
    assert (buildings["storeys"] >= 1).all() and (buildings["height_m"] >= 2.8 * buildings["storeys"]).all()
    assert buildings["residents"].isna().sum() > 100
    homes = buildings["use"].isin(["residential", "mixed", "apartment"])
    assert (buildings.loc[~homes, "residents"].fillna(0) == 0).all()
    left, right = shapely.STRtree(buildings.geometry.to_numpy()).query(
        buildings.geometry.to_numpy(), predicate="overlaps"
    )
    assert len(left) == 0


def test_floor_levels_are_above_the_ground(terrain):
    heights, transform, _ = terrain
    centre = layer("building").centroid
    above = layer("building")["floor_level_m"] - sample(heights, transform, centre)
    assert above.between(0.10, 0.90).all()


def test_terrain_has_the_promised_form(terrain):
    heights, transform, profile = terrain
    assert heights.shape == (1100, 1200) and profile["dtype"] == "float32" and profile["compress"] == "deflate"
    assert transform.a == 5.0 and transform.e == -5.0
    assert np.array_equal(np.round(heights, 2), heights)
    assert heights.min() > -2 and 80 < heights.max() < 200 and not (heights == profile["nodata"]).any()


def sample(raster, transform, points):
    columns, rows = ~transform * (points.x.to_numpy(), points.y.to_numpy())
    return raster[rows.astype(int), columns.astype(int)]


def flood(terrain, above: float) -> np.ndarray:
    """Depth with water so much above alarm 3: levels of the gauges, interpolated along the river, spread sideways.

    Written apart from the generator, from what the layers say.
    """
    heights, transform, _ = terrain
    gauges = layer("gauge")
    axis = layer("river_axis").set_index("name").geometry["Sông Trạch"]
    chainage = shapely.line_locate_point(axis, gauges.geometry.to_numpy())
    level = gauges["alarm_3_m"].to_numpy() + gauges["gauge_zero_m"].to_numpy() + above
    stations = np.linspace(0, axis.length, 400)
    tree = cKDTree(shapely.get_coordinates(shapely.line_interpolate_point(axis, stations)))
    rows, columns = np.mgrid[2:1100:5, 2:1200:5]
    x, y = transform * (columns + 0.5, rows + 0.5)
    slope = np.polyfit(chainage, level, 1)
    surface = np.polyval(slope, stations[tree.query(np.column_stack([np.ravel(x), np.ravel(y)]))[1]]).reshape(
        rows.shape
    )
    surface = np.kron(surface, np.ones((5, 5)))
    wet = surface > heights
    patches, _ = label(wet, structure=np.ones((3, 3)))
    river = layer("river").set_index("name").geometry["Sông Trạch"]
    on_river = rasterize([(river, 1)], out_shape=heights.shape, transform=transform).astype(bool)
    connected = np.isin(patches, np.setdiff1d(patches[on_river], [0]))
    return np.where(connected, surface - heights, 0.0)


def test_floodplain_floods_and_the_dyke_holds_until_it_is_overtopped(terrain):
    _, transform, _ = terrain
    polder = gpd.GeoSeries.from_xy([550500.0, 551200.0, 552300.0], [1832250.0, 1832800.0, 1832600.0])
    banks = gpd.GeoSeries.from_xy([550300.0, 551900.0], [1830450.0, 1832250.0])  # bãi bồi inside the dyke
    low_south = gpd.GeoSeries.from_xy([553000.0, 552600.0], [1830200.0, 1830300.0])
    at_2, at_3, above_3, far_above = (flood(terrain, level) for level in (-1.5, 0.0, 0.2, 0.6))
    assert (at_2 > 0).mean() < 0.15
    assert (sample(at_3, transform, banks) > 0.2).all() and (sample(at_3, transform, low_south) > 0.2).all()
    assert 0.25 < (at_3 > 0).mean() < 0.55
    for dry in (at_3, above_3):
        assert (sample(dry, transform, polder) == 0).all()
    assert (sample(far_above, transform, polder) > 0.8).all()
    assert (far_above > 0).mean() > 0.6
    homes = layer("building").centroid
    assert 0.1 < (sample(at_3, transform, homes) > 0).mean() < 0.6


def test_flood_marks_agree_with_the_flood_and_the_ground(terrain):
    heights, transform, _ = terrain
    marks = layer("flood_mark")
    depth = flood(terrain, 0.60)
    assert len(marks) >= 12
    # 0.12 m of survey error, 0.05 m because alarm levels are rounded to 0.1 m, and the slope between coarse stations.
    assert np.abs(marks["depth_m"] - sample(depth, transform, marks.geometry)).max() < 0.12 + 0.05 + 0.03
    assert np.allclose(marks["level_m"] - marks["depth_m"], sample(heights, transform, marks.geometry), atol=0.011)


def test_dyke_crest_is_in_the_terrain(terrain):
    heights, transform, _ = terrain
    dyke = layer("dyke")
    on_land = dyke[dyke["from_chainage_m"] > 400]
    middle = gpd.GeoSeries(shapely.line_interpolate_point(on_land.geometry.to_numpy(), 0.5, normalized=True))
    assert (sample(heights, transform, middle) >= on_land["crest_level_m"].to_numpy() - 0.05).all()
    assert dyke["note"].notna().sum() >= 3


def test_plans_and_zones_belong_together():
    plans, zones = layer("plan").set_index("plan_ref"), layer("zone")
    assert set(plans["level"]) == {"general", "sub_area", "detailed"} and set(plans["scale"]) == {10000, 2000, 500}
    for ref, part in zones.groupby("plan_ref"):
        assert part["zone_code"].is_unique
        # The drawing of the general plan, 1/10,000, wanders by up to 3.6 m against its own boundary.
        outside = part.union_all().difference(plans.geometry[ref].buffer(4.0)).area
        assert outside < 1.0
        assert part.is_valid.all()
        assert part.union_all().area == pytest.approx(part.area.sum(), rel=1e-4)
    figures = zones[zones["max_far"].notna()]
    assert len(figures) > 150
    assert (figures["max_far"] <= figures["max_density_pct"] / 100 * figures["max_storeys"] + 1e-9).all()


def test_faults_of_names(faults):
    assert row_of("road", faults["blank_name", "road"])["name"].strip() == ""
    assert row_of("facility", faults["blank_name", "facility"])["name"].strip() == ""
    assert len(faults) == 8


def test_every_ward_has_its_facilities_and_shelters():
    facilities = layer("facility")
    for kind in ("commune_office", "clinic", "police"):
        assert (facilities[facilities["kind"] == kind].groupby("commune_code").size() >= 1).sum() >= 6, kind
    for kind in ("kindergarten", "primary_school", "lower_secondary", "market", "park"):
        assert (facilities["kind"] == kind).sum() >= 3
    assert layer("shelter")["capacity"].min() >= 10 and len(layer("shelter")) >= 20
