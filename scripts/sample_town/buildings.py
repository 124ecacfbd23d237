"""Buildings inside parcels: tube houses towards the street, village houses in gardens, halls, and who lives there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from .civic_sites import Site
from .place import GRID, generator
from .relief import height_at
from .splitting import dominant_axes
from .street_plan import Street
from .territory import WARDS, Territory

_SITE_USE = {"kindergarten": "education", "primary_school": "education", "lower_secondary": "education",
    "upper_secondary": "education", "clinic": "health",
             "hospital": "health", "market": "commercial", "culture_sport": "culture", "culture_house": "culture",
              "library": "culture",
             "commune_office": "office", "police": "office", "fire_station": "office", "bus_station": "other",
              "petrol_station": "commercial",
             "water_plant": "technical", "power_station": "technical", "pagoda": "religious", "church": "religious",
              "communal_house": "religious",
             "sports_field": "other"}


def building_layer(
    parcels: pd.DataFrame, sites: list[Site], streets: list[Street], terrain: NDArray, territory: Territory
) -> pd.DataFrame:
    """One main building on most house plots and one to three on civic and industrial plots."""
    rng = generator("buildings")
    lots = parcels[_is_built(parcels, rng)].reset_index(drop=True)
    shapes = footprints(lots, streets, rng)
    frame = lots[["site", "character", "hamlet", "ward", "urbanity", "land_code"]].assign(geometry=shapes)
    halls = _halls(parcels, sites, rng)
    frame = pd.concat([frame, halls], ignore_index=True)
    area = shapely.area(frame["geometry"].to_numpy())
    frame = frame[area > 18].reset_index(drop=True)
    return _describe(frame, sites, terrain, territory, rng)


def _is_built(parcels, rng):
    code = parcels["land_code"].to_numpy()
    town, village = (parcels["character"] == "town").to_numpy(), (parcels["character"] == "village").to_numpy()
    share = np.select(
        [
            town & (code == "ODT"),
            town & np.isin(code, ["ONT", "TMD", "DVH", "SKC"]),
            village & np.isin(code, ["ONT", "ODT", "TMD"]),
        ],
        [0.80, 0.9, 0.93],
        0.0,
    )
    area = shapely.area(parcels["geometry"].to_numpy())
    return (rng.random(len(parcels)) < share) & (area > 45) & (area < 4000)


def footprints(lots: pd.DataFrame, streets: list[Street], rng: np.random.Generator) -> NDArray[np.object_]:
    """A rectangle facing the nearest street, kept 0.3 m (town) or 1.5 m (village) inside the parcel."""
    shapes = lots["geometry"].to_numpy()
    town = (lots["character"] == "town").to_numpy()
    area = shapely.area(shapes)
    inside = shapely.buffer(shapes, np.where(town, -0.3, -1.5), join_style="mitre", mitre_limit=2.0)
    lines = np.array([street.line for street in streets], dtype=object)
    tree = shapely.STRtree(lines)
    centre = shapely.centroid(shapes)
    lot, line = tree.query_nearest(centre, all_matches=False)
    nearest = np.zeros(len(shapes), dtype=int)
    nearest[lot] = line
    foot = shapely.line_interpolate_point(lines[nearest], shapely.line_locate_point(lines[nearest], centre))
    middle = shapely.get_coordinates(centre)
    facing = shapely.get_coordinates(foot) - middle
    facing[np.hypot(*facing.T) < 0.01] = (1.0, 0.0)
    facing /= np.hypot(*facing.T)[:, None]
    aside = np.column_stack([-facing[:, 1], facing[:, 0]])
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    u = ((xy - middle[owner]) * facing[owner]).sum(axis=1)
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    front = np.maximum.reduceat(u, first)
    back = np.minimum.reduceat(u, first)
    depth = np.where(
        town, np.clip((front - back) * rng.uniform(0.55, 0.92, len(lots)), 7, 19), rng.uniform(8, 13, len(lots))
    )
    setback = np.where(town, rng.choice([0.0, 0.0, 1.2, 3.0], len(lots)), rng.uniform(3, 9, len(lots)))
    half = np.where(town, np.where(area > 320, rng.uniform(4, 6.5, len(lots)), 60.0), rng.uniform(4.5, 7.5, len(lots)))
    near, far = front - setback, front - setback - depth
    corners = np.stack(
        [
            middle + facing * a[:, None] + aside * b[:, None]
            for a, b in ((near, -half), (near, half), (far, half), (far, -half))
        ],
        axis=1,
    )
    inside = np.where(shapely.is_empty(inside), shapes, inside)
    return _rounded(_largest_parts(shapely.intersection(inside, shapely.polygons(corners))))


def _halls(parcels, sites, rng):
    """School wings, market halls, offices and factory sheds: rectangles along the plot's long side."""
    plots = parcels[
        ((parcels["site"] >= 0) & ~parcels["land_code"].isin(["DKV", "NTD"])) | (parcels["land_code"] == "SKN")
    ].reset_index(drop=True)
    shapes = plots["geometry"].to_numpy()
    inside = shapely.buffer(shapes, -3.0, join_style="mitre")
    axis, low, high, low_across, high_across = dominant_axes(shapes)
    across = np.column_stack([-axis[:, 1], axis[:, 0]])
    rows = []
    for at in range(len(plots)):
        count = 1 if shapes[at].area < 2500 else 2 if shapes[at].area < 9000 else 3
        if plots["land_code"].iat[at] == "DTT":
            count = 1
        width = high_across[at] - low_across[at]
        for turn in range(count):
            v0 = low_across[at] + width * (turn + 0.18) / count
            v1 = v0 + min(width * 0.5 / count, 40 if plots["land_code"].iat[at] == "SKN" else 13)
            u0 = low[at] + (high[at] - low[at]) * rng.uniform(0.08, 0.2)
            u1 = min(u0 + (high[at] - low[at]) * rng.uniform(0.5, 0.7), u0 + 90)
            corners = [axis[at] * u + across[at] * v for u, v in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]
            shape = _rounded(
                _largest_parts(shapely.intersection(inside[at : at + 1], np.array([shapely.Polygon(corners)])))
            )[0]
            if shape is not None and shape.area > 40:
                rows.append(
                    {
                        **plots.loc[at, ["site", "character", "hamlet", "ward", "urbanity", "land_code"]].to_dict(),
                        "geometry": shape,
                    }
                )
    return pd.DataFrame(rows)


def _describe(frame, sites, terrain, territory, rng):
    count = len(frame)
    shapes = frame["geometry"].to_numpy()
    area, u = shapely.area(shapes), frame["urbanity"].to_numpy()
    code, site = frame["land_code"].to_numpy(), frame["site"].to_numpy()
    dice = rng.random(count)
    home = np.where((dice < 0.16) & (u > 0.6), "mixed", "residential")
    use = np.select(
        [code == "TMD", code == "DVH", np.isin(code, ["SKC", "SKN"])], ["commercial", "culture", "industrial"], home
    ).astype(object)
    for at in np.flatnonzero(site >= 0):
        use[at] = _SITE_USE.get(sites[site[at]].kind, "other")
    lives = np.isin(use, ["residential", "mixed"])
    storeys = np.select(
        [lives & (u > 0.5), lives, np.isin(use, ["education", "office"]), use == "health", use == "commercial"],
        [
            1 + rng.binomial(4, np.clip(0.18 + 0.42 * u, 0, 1)),
            1 + (rng.random(count) < 0.28),
            2 + (dice < 0.5),
            2 + (dice < 0.4),
            1 + rng.binomial(5, 0.4, count),
        ],
        1,
    )
    flats = lives & (area > 75) & (u > 0.8) & (rng.random(count) < 0.012)
    use[flats], storeys[flats] = "apartment", rng.integers(6, 12, int(flats.sum()))
    frame["use"], frame["storeys"] = use, storeys
    frame["basements"] = np.where((storeys >= 6) | ((use == "commercial") & (storeys >= 4)), 1, 0)
    frame["height_m"] = np.round(
        storeys * np.where(np.isin(use, ["industrial", "commercial"]), 4.2, 3.4) + rng.uniform(0.2, 1.4, count), 1
    )
    x, y = shapely.get_coordinates(shapely.centroid(shapes)).T
    frame["floor_level_m"] = np.round(
        height_at(terrain, x, y) + 0.15 + 0.55 * rng.random(count) ** 1.5 + np.where(lives & (u > 0.5), 0.0, 0.15), 2
    )
    frame["structure"] = np.select(
        [storeys >= 2, dice < 0.55, dice < 0.88, dice < 0.97],
        ["permanent", "permanent", "semi_permanent", "weak"],
        "temporary",
    )
    households = np.where(rng.random(count) < 0.9, 1, 2) * 1.0
    households[flats] = np.round(storeys[flats] * area[flats] / 110)
    empty = rng.random(count) < 0.035
    residents = households + rng.binomial(6, 0.44, count) * households
    residents = np.where(flats, np.round(households * 3.1), residents)
    households, residents = np.where(empty, 0, households), np.where(empty, 0, residents)
    # Nobody asked at one door in twenty-five, and the survey of one hamlet never came in: null, not 0.
    unknown = (rng.random(count) < 0.04) | (frame["hamlet"] == 17).to_numpy()
    frame["households"] = np.where(lives | flats, np.where(unknown, np.nan, households), 0)
    frame["residents"] = np.where(lives | flats, np.where(unknown | (rng.random(count) < 0.01), np.nan, residents), 0)
    frame["construction_year"] = np.where(
        rng.random(count) < 0.12, np.nan, 2024 - np.floor(48 * rng.random(count) ** 1.6)
    )
    frame["name"] = [sites[at].name if at >= 0 else None for at in site]
    frame["commune_code"] = [WARDS[at][2] for at in frame["ward"]]
    return frame


def _largest_parts(shapes):
    parts, owner = shapely.get_parts(shapes, return_index=True)
    parts, owner = parts[shapely.get_type_id(parts) == 3], owner[shapely.get_type_id(parts) == 3]
    order = np.lexsort((shapely.area(parts), owner))
    result = np.full(len(shapes), shapely.Polygon(), dtype=object)
    result[owner[order]] = parts[order]
    return result


def _rounded(shapes):
    xy = shapely.get_coordinates(shapes)
    return shapely.set_coordinates(shapes.copy(), np.round(np.round(xy / GRID) * GRID, 3))
