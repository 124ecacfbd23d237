"""Khoanh đất of 2020 and 2025: a gapless cover of the town by land type, dissolved from parcels, streets and water."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from .landscape import noise
from .place import GRID, extent
from .territory import WARDS, Territory
from .watercourses import Watercourses
from .welding import weld

#: The survey of 2020 and that of 2025 disagree by so much, metres: boundaries of unchanged land drift, slivers appear.
DRIFT = 0.06


def land_cover(parcels: pd.DataFrame, water: Watercourses, territory: Territory) -> pd.DataFrame:
    """All pieces of the town with their codes at both dates: parcels, and streets, dyke and water by hamlet.

    Returns
    -------
    DataFrame
        geometry, ward, hamlet, block, land_code, land_code_2020; the geometries tile the extent.
    """
    used = shapely.union_all(parcels["geometry"].to_numpy())
    surface = shapely.union(water.water, water.stream_water)
    rows = [
        parcels[["geometry", "ward", "hamlet", "block", "land_code", "land_code_2020"]].assign(
            block=np.where(parcels["block"] < 0, -2 - np.arange(len(parcels)), parcels["block"])
        )
    ]
    free = shapely.difference(extent(), used)
    layers = [("SON", shapely.intersection(free, surface)), ("DGT", shapely.difference(free, surface))]
    dyke = water.dyke.buffer(13.0)
    layers[1:] = [("DPC", shapely.intersection(layers[1][1], dyke)), ("DGT", shapely.difference(layers[1][1], dyke))]
    for number, (code, land) in enumerate(layers):
        for hamlet, shape in enumerate(territory.hamlets):
            parts = [
                part
                for part in shapely.get_parts(shapely.intersection(land, shape))
                if part.geom_type == "Polygon" and part.area > 0.01
            ]
            ward = territory.hamlet_ward[hamlet]
            rows.append(
                pd.DataFrame(
                    {
                        "geometry": parts,
                        "ward": ward,
                        "hamlet": hamlet,
                        "block": -200_000 - number,
                        "land_code": code,
                        "land_code_2020": code,
                    }
                )
            )
    cover = pd.concat(rows, ignore_index=True)
    cover["geometry"] = weld(cover["geometry"].to_numpy())
    return cover


def land_use_layer(cover: pd.DataFrame, year: int) -> pd.DataFrame:
    """Dissolve the cover to khoanh đất: neighbouring land of one code within a block, a hamlet and a ward."""
    code = "land_code_2020" if year == 2020 else "land_code"
    groups = cover.groupby(["ward", "hamlet", "block", code], sort=True)["geometry"]
    merged = groups.agg(lambda pieces: shapely.union_all(pieces.to_numpy())).reset_index()
    parts, owner = shapely.get_parts(merged["geometry"].to_numpy(), return_index=True)
    polygonal = shapely.get_type_id(parts) == 3
    parts, owner = parts[polygonal], owner[polygonal]
    frame = merged.iloc[owner].reset_index(drop=True).assign(geometry=parts)
    if year == 2020:
        frame["geometry"] = drifted(parts)
    centre = shapely.get_coordinates(shapely.centroid(parts))
    frame["x"], frame["band"] = centre[:, 0], -(centre[:, 1] // 150)
    frame = frame.sort_values(["ward", "band", "x"], kind="stable").reset_index(drop=True)
    frame["patch_no"] = frame.groupby("ward").cumcount() + 1
    frame["commune_code"] = [WARDS[at][2] for at in frame["ward"]]
    frame["year"] = year
    frame["source"] = f"Kiểm kê đất đai năm {year - 1 if year == 2020 else 2024} (giả định)"
    return frame.rename(columns={code: "land_code"})


def drifted(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Move every corner by a few centimetres that change slowly over the map, so that neighbours stay neighbours."""
    xy = shapely.get_coordinates(shapes)
    moved = xy + DRIFT * np.column_stack([noise(*xy.T, 300, "drift x", 2), noise(*xy.T, 300, "drift y", 2)])
    return shapely.set_coordinates(shapes.copy(), np.round(np.round(moved / GRID) * GRID, 3))
