"""The whole town: all layers as frames in local coordinates, and the terrain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from . import hydrology, plans
from .blocks import draw_blocks
from .buildings import building_layer
from .civic_sites import Site, choose_sites
from .faults import Fault, make_faults
from .land_use import land_cover, land_use_layer
from .names import addresses, name_streets
from .parcels import lay_out_parcels
from .place import PROVINCE_CODE, PROVINCE_NAME, extent, feature_ids, generator
from .polygons import polygonal
from .relief import build_terrain, dyke_crest, height_at
from .roads import road_layer
from .streets import Streets, draw_streets
from .territory import OLD_COMMUNES, WARDS, Territory, draw_territory
from .watercourses import RIVER_NAME, Watercourses, draw_watercourses, half_width, name_on_a_map


@dataclass(frozen=True)
class Town:
    """Layers by name, terrain (north up, metres), and the list of built-in faults."""

    layers: dict[str, pd.DataFrame]
    terrain: NDArray[np.float32]
    faults: list[Fault]


def build_town() -> Town:
    """Build everything from the drawn skeleton; takes about twenty seconds."""
    # GEOS raises the processor's "invalid" flag when it meets an empty shape; the results are right.
    with np.errstate(invalid="ignore"):
        return _build()


def _build() -> Town:
    water = draw_watercourses()
    streets = draw_streets(water)
    territory = draw_territory(streets.faces, water)
    blocks = draw_blocks(streets.streets, water)
    sites, rest = choose_sites(blocks, territory)
    parcels = lay_out_parcels(blocks, rest, sites, territory)
    terrain = build_terrain(water, streets.streets, parcels)
    roads = road_layer(streets, water, territory)
    buildings = building_layer(parcels, sites, streets.streets, terrain, territory)
    cover = land_cover(parcels, water, territory)
    depth = hydrology.flood_depth_2019(terrain, water)
    sub_area, sub_area_extent = plans.sub_area_zones(blocks, sites, territory, water)
    detailed, detailed_extent = plans.detailed_zones(blocks)
    general = plans.general_plan_zones(streets.faces, blocks, water, territory)
    amended, amended_extent = plans.amended_zones(sub_area)
    extents = {"QPK-TT-2035": sub_area_extent, "QCT-BS-500": detailed_extent, "QPK-TT-2035-DC1": amended_extent}
    parcel_layer = _parcels(parcels, _addresses(parcels, streets, territory))
    layers = {
        "administrative_unit": _units(territory, buildings),
        "hamlet": _hamlets(territory, buildings),
        "parcel": parcel_layer,
        "land_use_2020": land_use_layer(cover, 2020),
        "land_use_2025": land_use_layer(cover, 2025),
        "land_use_plan": _land_use_plan(parcels),
        "plan": plans.plan_layer(extents),
        "zone": pd.concat([general, sub_area, detailed, amended], ignore_index=True),
        "constraint_overlay": plans.constraint_layer(streets.streets, water, sites),
        "parcel_override": plans.parcel_override_layer(parcel_layer, sub_area_extent),
        "building": _buildings(buildings, territory, _addresses(buildings, streets, territory)),
        "road": roads,
        "facility": _facilities(sites, terrain, territory),
        "river": _rivers(water),
        "river_axis": _axes(water),
        "dyke": _dyke(water),
        "gauge": hydrology.gauge_layer(water),
        "flood_mark": hydrology.flood_mark_layer(depth, terrain, buildings, water, territory),
        "flood_zone": hydrology.flood_zone_layer(depth),
        "landslide_zone": hydrology.landslide_zone_layer(terrain),
        "shelter": _shelters(sites, buildings, territory),
        "field_report": hydrology.field_report_layer(depth, buildings, roads, territory),
    }
    for name, frame in layers.items():
        frame["feature_id"] = feature_ids(name, range(1, len(frame) + 1))
    return Town(layers, terrain, make_faults(layers))


def hamlet_code(territory: Territory, hamlet: int) -> str:
    """Two digits, counted within the ward."""
    ward = territory.hamlet_ward
    return f"{int((ward[: hamlet + 1] == ward[hamlet]).sum()):02d}"


def _units(territory: Territory, buildings: pd.DataFrame) -> pd.DataFrame:
    people, homes = buildings.groupby("ward")["residents"].sum(), buildings.groupby("ward")["households"].sum()
    rows = []
    for at, (name, kind, code, _, _) in enumerate(WARDS):
        rows.append(
            {
                "geometry": territory.wards[at],
                "unit_code": code,
                "name": name,
                "unit_type": kind,
                "old_codes": ";".join(old[2] for old in OLD_COMMUNES if old[3] == at),
                "valid_from": "2025-07-01",
                "resolution_number": "NQ 9901 (giả định)",
                "population": int(people.get(at, 0) * 1.03),
                "households": int(homes.get(at, 0) * 1.03),
                "population_date": "2025-12-31",
            }
        )
    for at, (name, kind, code, ward, _, _) in enumerate(OLD_COMMUNES):
        rows.append(
            {
                "geometry": territory.olds[at],
                "unit_code": code,
                "name": name,
                "unit_type": kind,
                "successor_codes": WARDS[ward][2],
                "valid_from": "2010-01-01",
                "valid_to": "2025-06-30",
            }
        )
    frame = pd.DataFrame(rows)
    area = shapely.area(frame["geometry"].to_numpy()) / 1e4
    return frame.assign(
        province_code=PROVINCE_CODE,
        province_name=PROVINCE_NAME,
        legal_area_ha=np.round(area * 1.0007, 2),
        note="Đơn vị hành chính giả định trong dữ liệu mẫu.",
    )


def _hamlets(territory: Territory, buildings: pd.DataFrame) -> pd.DataFrame:
    people, homes = (buildings.groupby("hamlet")[name].sum(min_count=1) for name in ("residents", "households"))
    ward = territory.hamlet_ward
    index = np.arange(len(territory.hamlets))
    frame = pd.DataFrame(
        {
            "geometry": territory.hamlets,
            "commune_code": [WARDS[at][2] for at in ward],
            "hamlet_code": [hamlet_code(territory, at) for at in index],
            "name": territory.hamlet_names,
            "hamlet_type": ["residential_group" if WARDS[at][1] == "ward" else "hamlet" for at in ward],
            "households": homes.reindex(index).to_numpy(),
            "residents": people.reindex(index).to_numpy(),
            "old_commune_code": [OLD_COMMUNES[at][2] for at in territory.hamlet_old],
            "count_date": "2025-12-31",
        }
    )
    share = generator("vulnerable").uniform(0.09, 0.17, len(frame))
    frame["vulnerable_people"] = np.round(frame["residents"] * share)
    return frame


def _addresses(frame: pd.DataFrame, streets: Streets, territory: Territory) -> list[str]:
    points = shapely.centroid(frame["geometry"].to_numpy())
    quarters = [territory.hamlet_names[at][0].lower() + territory.hamlet_names[at][1:] for at in frame["hamlet"]]
    return addresses(points, streets.streets, name_streets(streets.streets), quarters)


def _parcels(parcels: pd.DataFrame, where: list[str]) -> pd.DataFrame:
    rng = generator("parcel papers")
    area = shapely.area(parcels["geometry"].to_numpy())
    town = parcels["character"].isin(["town", "site"])
    return parcels.assign(
        legal_area_m2=np.maximum(np.round(area + rng.normal(0, 0.02 * np.sqrt(area)), 1), 1.0),
        map_scale=np.where(town, 500, 2000),
        address=where,
        survey_date=np.where(rng.random(len(parcels)) < 0.7, "2019-10-15", "2023-06-30"),
    )


def _land_use_plan(parcels: pd.DataFrame) -> pd.DataFrame:
    """Planned changes to 2030: rice and crops next to the town become housing, some bare land a park."""
    mine = parcels[
        (parcels["character"] == "field")
        & parcels["land_code"].isin(["LUC", "HNK", "LUK"])
        & (parcels["urbanity"] > 0.16)
    ]
    groups = (
        mine.groupby(["ward", "block", "land_code"], sort=True)["geometry"]
        .agg(lambda part: shapely.union_all(part.to_numpy()))
        .reset_index()
    )
    groups["commune_code"] = [WARDS[at][2] for at in groups["ward"]]
    groups["patch_no"] = groups.groupby("ward").cumcount() + 1
    frame = groups.rename(columns={"land_code": "current_land_code"})
    urban = [WARDS[at][1] == "ward" for at in groups["ward"]]
    frame["land_code"] = np.where(frame.index % 5 == 4, "DKV", np.where(urban, "ODT", "ONT"))
    return frame.assign(
        horizon_year=2030,
        project_name="Khu dân cư mới (giả định)",
        decision_number="512/QĐ-UBND",
        approval_date="2025-05-16",
        status="approved",
        legal_area_m2=np.round(shapely.area(frame["geometry"].to_numpy()), 0),
    )


def _buildings(buildings: pd.DataFrame, territory: Territory, where: list[str]) -> pd.DataFrame:
    codes = np.array([hamlet_code(territory, at) for at in range(len(territory.hamlets))])
    return buildings.assign(hamlet_code=codes[buildings["hamlet"]], address=where, survey_date="2025-12-31")


def _facilities(sites: list[Site], terrain: NDArray, territory: Territory) -> pd.DataFrame:
    known = {"pagoda", "church", "communal_house", "cemetery"}
    size = {
        "kindergarten": (11, "pupil"),
        "primary_school": (13, "pupil"),
        "lower_secondary": (15, "pupil"),
        "upper_secondary": (15, "pupil"),
        "clinic": (200, "bed"),
        "hospital": (80, "bed"),
        "market": (18, "stall"),
        "culture_house": (6, "seat"),
        "culture_sport": (9, "seat"),
    }
    rows = []
    for site in sites:
        point = site.shape.representative_point()
        per, unit = size.get(site.kind, (None, None))
        rows.append(
            {
                "geometry": shapely.set_precision(point, 0.01),
                "commune_code": WARDS[territory.hamlet_ward[site.hamlet]][2],
                "name": site.name,
                "kind": "other" if site.kind in known else site.kind,
                "capacity": None if per is None else int(round(site.shape.area / per, -1)) or 10,
                "capacity_unit": unit,
                "land_area_m2": round(site.shape.area, 1),
                "floor_level_m": (
                    None
                    if site.kind in ("park", "cemetery", "sports_field")
                    else round(float(height_at(terrain, point.x, point.y)) + 0.45, 2)
                ),
                "address": territory.hamlet_names[site.hamlet],
                "note": "Tôn giáo, tín ngưỡng hoặc nghĩa trang" if site.kind in known else None,
            }
        )
    return pd.DataFrame(rows)


def _rivers(water: Watercourses) -> pd.DataFrame:
    rows = [
        {
            "geometry": water.water,
            "name": name_on_a_map(RIVER_NAME),
            "kind": "river",
            "width_m": round(2 * float(half_width(water.ruler.chainage).mean()), 0),
            "bed_level_m": -3.2,
            "river_code": "SG01",
        }
    ]
    for number, (name, line) in enumerate(water.streams.items()):
        own = shapely.intersection(
            water.stream_water, line.buffer(water.stream_widths[name] / 2 + 0.01, cap_style="flat")
        )
        earlier = [row["geometry"] for row in rows[1:]]
        own = shapely.difference(own, shapely.union_all(earlier)) if earlier else own
        own = polygonal([shapely.set_precision(own, 0.01)], 1.0)[0]
        kind = "canal" if water.stream_kinds[name] == "canal" else "stream"
        rows.append(
            {
                "geometry": own,
                "name": name_on_a_map(name),
                "kind": kind,
                "width_m": water.stream_widths[name],
                "bed_level_m": None,
                "river_code": f"SG{number + 2:02d}",
            }
        )
    return pd.DataFrame(rows)


def _axes(water: Watercourses) -> pd.DataFrame:
    frame_lines = [("river", RIVER_NAME, water.axis, 2 * float(half_width(water.ruler.chainage).mean()))]
    frame_lines += [
        (water.stream_kinds[name], name, line, water.stream_widths[name]) for name, line in water.streams.items()
    ]
    return pd.DataFrame(
        [
            {
                "geometry": shapely.intersection(line, extent()),
                "name": name_on_a_map(name),
                "kind": "stream" if kind == "creek" else kind,
                "width_m": round(width, 1),
            }
            for kind, name, line, width in frame_lines
        ]
    )


def _dyke(water: Watercourses) -> pd.DataFrame:
    """Stretches of 50 m with the lowest crest of each."""
    line = shapely.intersection(water.dyke, extent())
    stations = np.linspace(0, line.length, int(line.length / 50) + 1)
    rows = []
    for begin, end in zip(stations, stations[1:]):
        piece = substring(line, begin, end)
        along = np.linspace(begin, end, 6)
        x, y = shapely.get_coordinates(shapely.line_interpolate_point(line, along)).T
        crest = dyke_crest(along, water.ruler.measure(x, y)[0])
        low = crest.min() < dyke_crest(np.array([0.0]), water.ruler.measure(x[:1], y[:1])[0])[0] - 0.2
        rows.append(
            {
                "geometry": piece,
                "name": "Đê Bắc Trạch",
                "crest_level_m": round(float(crest.min()), 2),
                "from_chainage_m": round(begin, 1),
                "to_chainage_m": round(end, 1),
                "note": "Đoạn xung yếu, đỉnh đê thấp" if low else None,
            }
        )
    return pd.DataFrame(rows)


def _shelters(sites: list[Site], buildings: pd.DataFrame, territory: Territory) -> pd.DataFrame:
    """Schools, culture houses and offices with a hall."""
    kinds = {
        "primary_school": "school",
        "lower_secondary": "school",
        "upper_secondary": "school",
        "culture_house": "culture_house",
        "commune_office": "office",
        "culture_sport": "culture_house",
        "pagoda": "religious",
    }
    rows = []
    for at, site in enumerate(sites):
        halls = buildings[buildings["site"] == at]
        if site.kind not in kinds or not len(halls):
            continue
        floor = float(shapely.area(halls["geometry"].to_numpy()) @ halls["storeys"].to_numpy(dtype=float))
        rows.append(
            {
                "geometry": shapely.set_precision(halls["geometry"].iat[0].centroid, 0.01),
                "commune_code": WARDS[territory.hamlet_ward[site.hamlet]][2],
                "hamlet_code": hamlet_code(territory, site.hamlet),
                "name": site.name,
                "kind": kinds[site.kind],
                "capacity": int(round(floor * 0.5 / 3.0, -1)) or 10,
                "storeys": int(halls["storeys"].max()),
                "floor_level_m": float(halls["floor_level_m"].max()),
                "has_water": at % 4 != 0,
                "has_generator": at % 3 == 0,
            }
        )
    return pd.DataFrame(rows)
