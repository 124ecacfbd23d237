"""Parcels: blocks parted into lots, numbered by sheet within each old commune, with land codes of 2020 and 2025."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from .blocks import Blocks
from .civic_sites import Site
from .landscape import hilliness, noise, urbanity
from .place import generator
from .splitting import split_to_lots
from .territory import OLD_COMMUNES, WARDS, Territory
from .welding import weld

_SHEET = 480.0
#: What stood on sites that were built after 2020.
_NEW_SITES = {
    "Công viên Bàu Sen": "LUC",
    "Bến xe Lam Trạch": "LUC",
    "Trạm biến áp 110 kV Nam Trạch": "HNK",
    "Trường THPT Bắc Trạch": "HNK",
    "Đội Cảnh sát phòng cháy, chữa cháy khu vực Lam Trạch": "BCS",
}


def lay_out_parcels(blocks: Blocks, rest: NDArray[np.object_], sites: list[Site], territory: Territory) -> pd.DataFrame:
    """Part the blocks and weld everything into one coverage.

    Returns
    -------
    DataFrame
        geometry, block, site (position or -1), character, urbanity, hamlet, old, ward, land_code, land_code_2,
        land_code_2020, sheet_no, parcel_no.
    """
    rng = generator("parcels")
    shapes, origin = shapely.get_parts(rest, return_index=True)
    big = shapely.area(shapes) > 25
    shapes, origin = shapes[big], origin[big]
    character, u = blocks.character[origin], blocks.urbanity[origin]
    area = np.select(
        [
            character == "town",
            character == "village",
            character == "field",
            character == "shore",
            character == "forest",
        ],
        [
            np.interp(u, [0.5, 0.65, 0.85, 1], [500, 380, 290, 215]),
            np.interp(u, [0.25, 0.5], [1300, 750]),
            8800,
            5200,
            42_000,
        ],
        11_000,
    )
    depth = np.select(
        [
            character == "town",
            character == "village",
            character == "field",
            character == "shore",
            character == "forest",
        ],
        [np.interp(u, [0.5, 1], [27, 21]), 34, 75, 55, 200],
        95,
    )
    pieces, parent = split_to_lots(shapes, area, depth, rng, wobble=0.1)
    count = len(pieces)
    polygons = weld(np.concatenate([pieces, [site.shape for site in sites]]))
    frame = pd.DataFrame(
        {
            "geometry": polygons,
            "block": np.concatenate([origin[parent], np.full(len(sites), -1)]),
            "site": np.concatenate([np.full(count, -1), np.arange(len(sites))]),
            "character": np.concatenate([character[parent], np.full(len(sites), "site", dtype=object)]),
        }
    )
    frame = frame[shapely.area(polygons) > 4.0].reset_index(drop=True)
    inner = shapely.point_on_surface(frame["geometry"].to_numpy())
    x, y = shapely.get_coordinates(inner).T
    frame["x"], frame["y"], frame["urbanity"] = x, y, urbanity(x, y)
    frame["hamlet"] = territory.hamlet_at(inner)
    frame["old"] = territory.hamlet_old[frame["hamlet"]]
    frame["ward"] = territory.hamlet_ward[frame["hamlet"]]
    _land_codes(frame, sites, rng)
    return _number(frame)


def _land_codes(frame: pd.DataFrame, sites: list[Site], rng: np.random.Generator) -> None:
    x, y, u = (frame[name].to_numpy() for name in ("x", "y", "urbanity"))
    character = frame["character"].to_numpy()
    area = shapely.area(frame["geometry"].to_numpy())
    home = np.where(np.array([WARDS[at][1] == "ward" for at in frame["ward"]]), "ODT", "ONT")
    dice, wet, sandy = rng.random(len(frame)), noise(x, y, 520, "wet", 3), noise(x, y, 700, "sandy", 3)
    hill = hilliness(x, y)
    town = np.select([dice < 0.045, dice < 0.052, dice < 0.060, dice < 0.075], ["TMD", "DVH", "SKC", "CLN"], home)
    town = np.where((area < 25), "ODT", town)
    village = np.select([dice < 0.05, dice < 0.13, dice < 0.19, dice < 0.20], ["NTS", "CLN", "HNK", "TMD"], home)
    field = np.select(
        [(wet > 0.48) & (dice < 0.8), (sandy > 0.38), (sandy > 0.25) & (dice < 0.7), dice < 0.03, hill > 0.02],
        ["NTS", "HNK", "LUK", "BCS", "CLN"],
        "LUC",
    )
    shore = np.select([dice < 0.04, (wet > 0.5)], ["BCS", "NTS"], "HNK")
    forest = np.where(hill > 0.62, "RPH", np.where(dice < 0.04, "DCS", "RSX"))
    code = np.select(
        [
            character == "town",
            character == "village",
            character == "field",
            character == "shore",
            character == "forest",
            character == "industry",
        ],
        [town, village, field, shore, forest, np.where(dice < 0.06, "DGT", "SKN")],
        "",
    ).astype(object)
    # The strip of the old centre along the river is a public promenade.
    code[(character == "shore") & (u > 0.3) & (y < 3000) & (x > 2900)] = "DKV"
    before = code.copy()
    fringe = noise(x, y, 330, "growth", 2)
    new_town = (
        np.isin(code, ["ODT", "ONT", "TMD"])
        & (character == "town")
        & (((u < 0.60) & (fringe > 0.12)) | (np.hypot(x - 5200, y - 2280) < 260))
    )
    before[new_town] = np.where(sandy[new_town] > 0.1, "HNK", "LUC")
    change = rng.random(len(frame))
    before[np.isin(code, ["ODT", "ONT"]) & (character == "village") & (change < 0.05)] = "CLN"
    before[(code == "TMD") & (change < 0.35)] = home[(code == "TMD") & (change < 0.35)]
    before[(code == "NTS") & (character == "field") & (change < 0.30)] = "LUC"
    before[(code == "CLN") & (character == "field") & (change < 0.15)] = "HNK"
    before[(code == "RSX") & (change < 0.10)] = "DCS"
    before[(character == "industry") & (change < 0.75)] = "LUC"
    before[(code == "DKV")] = "BCS"
    for at in np.flatnonzero(frame["site"] >= 0):
        site = sites[frame["site"].iat[at]]
        code[at], before[at] = site.land_code, _NEW_SITES.get(site.name, site.land_code)
    second = np.where((character == "village") & np.isin(code, ["ODT", "ONT"]) & (area > 700), "CLN", None)
    frame["land_code"], frame["land_code_2"], frame["land_code_2020"] = code, second, before


def _number(frame: pd.DataFrame) -> pd.DataFrame:
    """Number sheets by squares within each old commune from the north-west, parcels likewise within a sheet."""
    column, row = (frame["x"] // _SHEET).astype(int), -(frame["y"] // _SHEET).astype(int)
    frame = frame.assign(row=row, column=column, band=-(frame["y"] // 60))
    frame = frame.sort_values(["old", "row", "column", "band", "x"], kind="stable").reset_index(drop=True)
    sheet_key = frame["old"] * 10_000 + (frame["row"] + 50) * 100 + frame["column"]
    frame["sheet_no"] = (
        sheet_key.groupby(frame["old"]).transform(lambda key: pd.factorize(key)[0] + 1).astype(int).astype(str)
    )
    frame["parcel_no"] = frame.groupby(["old", "sheet_no"]).cumcount() + 1
    frame["old_commune_code"] = [OLD_COMMUNES[at][2] for at in frame["old"]]
    frame["commune_code"] = [WARDS[at][2] for at in frame["ward"]]
    return frame.drop(columns=["row", "column", "band"])
