"""Service areas, against QGIS's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DESCRIPTION = ("streets within 1,000 m of each origin on 320,000 street edges, GeoPackage in and out: "
               "quyhoach:servicearea against native:serviceareafromlayer, which draws no areas")
CASES = {"20 origins": (5, 20), "200 origins": (20, 100), "20 origins, areas too": (5, 20)}
NEEDS_QGIS = True


def prepare(folder: Path, share: float) -> None:
    """Write a crooked grid of streets about 100 m apart, each bent once, one in ten one-way, and origins near them."""
    import geopandas
    import numpy as np
    import shapely

    random = np.random.default_rng(5)
    side = round(400 * share**0.5)
    corner = np.array([560_000.0, 1_200_000.0])
    node = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) * 100.0
    node += random.uniform(-25, 25, node.shape) + corner
    start = np.concatenate([node[:, :-1].reshape(-1, 2), node[:-1].reshape(-1, 2)])
    end = np.concatenate([node[:, 1:].reshape(-1, 2), node[1:].reshape(-1, 2)])
    middle = (start + end) / 2 + random.uniform(-8, 8, start.shape)
    path = np.stack([start, middle, end], axis=1)
    streets = shapely.linestrings(np.round(path, 3))
    geopandas.GeoDataFrame(
        {"oneway": random.choice(["0", "1", "-1"], len(streets), p=[0.9, 0.05, 0.05])}, geometry=streets,
        crs="EPSG:9214").to_file(folder / "streets.gpkg", engine="pyogrio")
    for count in (20, 200):
        place = corner + random.uniform(1_500, max(100 * side - 1_500, 1_600), (count, 2))
        geopandas.GeoDataFrame(
            {"ten": [f"Trường {i + 1}" for i in range(count)]}, geometry=shapely.points(np.round(place, 3)),
            crs="EPSG:9214").to_file(folder / f"origins_{count}.gpkg", engine="pyogrio")


def ours(folder: Path, case: str) -> None:
    """Every reached piece of a street with its costs; in the last case the areas as well."""
    import processing

    areas = {"OUTPUT_AREAS": str(folder / "out" / "areas.gpkg")} if "areas" in case else {}
    processing.run("quyhoach:servicearea", {
        "NETWORK": str(folder / "streets.gpkg"), "ORIGINS": str(_origins(folder, case)), "BREAKS": "1000",
        "DIRECTION_FIELD": "oneway", "OUTPUT_LINES": str(folder / "out" / "lines.gpkg"), **areas})


def peer(folder: Path, case: str) -> None:
    """One multi-line per origin."""
    import processing

    processing.run("native:serviceareafromlayer", {
        "INPUT": str(folder / "streets.gpkg"), "START_POINTS": str(_origins(folder, case)),
        "STRATEGY": 0, "TRAVEL_COST2": 1000, "DIRECTION_FIELD": "oneway",
        "VALUE_FORWARD": "1", "VALUE_BACKWARD": "-1", "VALUE_BOTH": "0",
        "OUTPUT_LINES": str(folder / "out" / "lines.gpkg")})


def warm(folder: Path, case: str, who: str) -> None:
    """Import what a running QGIS has imported after the first use of the toolbox."""
    if who == "ours":
        import geopandas  # noqa: F401
        import pyogrio  # noqa: F401
        from quyhoach.processing_algorithms.traffic import service_area  # noqa: F401


def check(folder: Path, case: str) -> str:
    """Both must reach the same streets of every origin, to the millimetre."""
    import pyogrio

    ours, peer = (pyogrio.read_dataframe(folder / who / "lines.gpkg") for who in ("ours", "peer"))
    farthest = 0.0
    for number, theirs in enumerate(peer.geometry):
        mine = ours.geometry[ours["origin_id"] == number + 1].to_numpy()
        farthest = max(farthest, _farthest(mine, theirs), _farthest(theirs, mine))
    if farthest > 0.001:
        raise AssertionError(f"a street reached by one side is {farthest} m from those reached by the other")
    return (f"same streets for all origins: nothing reached by one side is more than {farthest * 1000:.1g} mm from "
            f"what the other reached; {len(ours):,} pieces, {ours['length_m'].sum():,.0f} m")


def _farthest(lines: Any, others: Any) -> float:
    """How far the ends and middles of the segments of some lines lie from other lines."""
    import numpy as np
    import shapely

    xy, part = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    middles = ((xy[1:] + xy[:-1]) / 2)[part[1:] == part[:-1]]
    tree = shapely.STRtree(shapely.get_parts(others))
    points = shapely.points(np.concatenate([xy, middles]))
    _, distance = tree.query_nearest(points, all_matches=False, return_distance=True)
    return float(distance.max())


def _origins(folder: Path, case: str) -> Path:
    return folder / f"origins_{case.split()[0]}.gpkg"
