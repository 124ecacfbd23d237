"""What the plans of all levels answer for the parcels of a province's town, against QGIS's own intersections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DESCRIPTION = ("answers of plans of three levels for parcels, with restrictions, figures, contradictions: "
               "quyhoach:parcelzoning with PLANS against native:intersection with the same zones and restrictions")
#: The peer finds pieces only: no plan answers, nothing is judged, no figure, no contradiction.
CASES = {"200,000 parcels, 134 plans, 13,000 zones": (1, 2)}
NEEDS_QGIS = True
_CRS = "EPSG:9214"
_DATE = "25/11/2026"


def prepare(folder: Path, share: float) -> None:
    """Write a general plan over all, sub-area plans side by side, detailed plans and amendments here and there."""
    import geopandas
    import numpy as np
    import pandas
    import shapely
    from coverages import ORIGIN, crooked_grid

    side = share**0.5
    rows, columns = round(447 * side), round(448 * side)
    width, height = 15_000 * side, 12_000 * side
    number = np.arange(rows * columns)
    geopandas.GeoDataFrame(
        {"sheet_no": number // 500 + 1, "parcel_no": number % 500 + 1,
         "land_code": np.array(["ODT", "ONT", "LUC", "CLN", "DGT"])[number % 5]},
        geometry=crooked_grid(rows, columns, width, height, bends=1, seed=1), crs=_CRS).to_file(
            folder / "parcels.gpkg", engine="pyogrio")
    random = np.random.default_rng(3)
    plans: list[dict[str, Any]] = []
    zones: list[dict[str, Any]] = []

    def plan(ref: str, level: str, scale: int, shapes: Any, day: str, **stated: Any) -> None:
        plans.append({"plan_ref": ref, "name": f"Đồ án {ref}", "level": level, "scale": scale, "status": "approved",
                      "approval_date": day, "decision_number": f"{len(plans) + 1}/QĐ-UBND", **stated,
                      "geometry": shapely.union_all(shapes)})
        for at, shape in enumerate(shapes):
            dense = level != "general"
            zones.append({"plan_ref": ref, "zone_code": f"{ref}-{at + 1}", "geometry": shape,
                          "function_code": str(random.choice(["NO", "DV", "GD", "CXCC", "HH"])),
                          "density_kind": "net" if dense else None,
                          "max_density_pct": float(random.integers(3, 9) * 10) if dense else None,
                          "max_storeys": int(random.integers(3, 16)),
                          "max_far": float(random.integers(2, 14)) / 2 if dense else None})

    plan("QHC", "general", 10_000, crooked_grid(round(20 * side), round(20 * side), width, height, bends=20, seed=2),
         "2023-05-10")
    count = round(70 * side)
    cells = crooked_grid(count, count, width, height, bends=20, seed=4).reshape(count, count)
    blocks = [block for band in np.array_split(cells, 3) for block in np.array_split(band, 4, axis=1)]
    for at, block in enumerate(blocks):
        # One is still a draft, one was replaced: their zones are cut and answer nothing.
        state = {0: {"status": "draft", "approval_date": None}, 1: {"status": "superseded",
                                                                    "superseded_date": "2026-01-15"}}.get(at, {})
        plan(f"QPK{at + 1}", "sub_area", 2000, block.ravel(), "2024-08-20", **state)
    for at in range(round(121 * share)):
        x, y = random.uniform(0.02, 0.94, 2) * (width, height)
        patch = shapely.transform(crooked_grid(8, 8, 400, 300, bends=2, seed=100 + at),
                                  lambda points, x=x, y=y: np.round(points + (x, y), 3))
        amended = {"adjustment": "local", "replaces_ref": "QHC"} if at % 10 == 0 else {}
        plan(f"CT{at + 1}", "general" if amended else "detailed", 500, patch, "2025-03-05", **amended)
    for name, listed in (("plans", plans), ("zones", zones)):
        geopandas.GeoDataFrame(pandas.DataFrame(listed), geometry="geometry", crs=_CRS).to_file(
            folder / f"{name}.gpkg", engine="pyogrio")
    # Corridors of roads, rivers and power lines right across, and heights around masts.
    along, corridors = np.linspace(0, 1, 60), round(24 * side)
    lines = [shapely.linestrings(np.column_stack([
        along * width, height * (at + 0.5) / corridors + 150 * np.sin(9 * along + at)]) + ORIGIN)
             for at in range(corridors)]
    masts = random.uniform(0, 1, (round(60 * share), 2)) * (width, height) + ORIGIN
    shapes = [*shapely.buffer(lines, 20), *shapely.buffer(shapely.points(masts), 300)]
    geopandas.GeoDataFrame(
        {"name": [f"Hành lang {at + 1}" for at in range(len(shapes))],
         "constraint_type": ["power_corridor"] * len(lines) + ["height_limit"] * len(masts),
         "effect": ["no_building"] * len(lines) + ["limited"] * len(masts),
         "max_height_m": [None] * len(lines) + [30.0] * len(masts)}, geometry=shapes, crs=_CRS).to_file(
            folder / "overlays.gpkg", engine="pyogrio")


def ours(folder: Path, case: str) -> None:
    """Which plan answers where, with all other plans, restrictions, effective figures and contradictions."""
    import processing

    out = folder / "out"
    processing.run("quyhoach:parcelzoning", {
        "PARCELS": str(folder / "parcels.gpkg"), "ZONES": str(folder / "zones.gpkg"), "ZONE_FIELD": "function_code",
        "PLANS": str(folder / "plans.gpkg"), "OVERLAYS": str(folder / "overlays.gpkg"), "DATE": _DATE,
        "OUTPUT": str(out / "pieces.gpkg"), "RESTRICTIONS": str(out / "restrictions.gpkg"),
        "FIGURES": str(out / "figures.gpkg"), "CONTRADICTIONS": str(out / "contradictions.gpkg")})


def peer(folder: Path, case: str) -> None:
    """Only the pieces: parcels by the zones of all plans, and by the restrictions."""
    import processing

    for overlay, fields, name in (("zones", ["plan_ref", "zone_code", "function_code"], "pieces"),
                                  ("overlays", ["name", "effect"], "restrictions")):
        processing.run("native:intersection", {
            "INPUT": str(folder / "parcels.gpkg"), "OVERLAY": str(folder / f"{overlay}.gpkg"),
            "OVERLAY_FIELDS": fields, "OUTPUT": str(folder / "out" / f"{name}.gpkg")})


def check(folder: Path, case: str) -> str:
    """Both must find the same area by plan and under each restriction; every parcel must have an answer."""
    import pyogrio

    told = []
    for name, column in (("pieces", "plan_ref"), ("restrictions", "name")):
        frames = [pyogrio.read_dataframe(folder / who / f"{name}.gpkg", columns=[column]) for who in ("ours", "peer")]
        mine, theirs = (frame.area.groupby(frame[column]).sum() for frame in frames)
        differ = mine.sub(theirs, fill_value=0).abs()
        if differ.max() > 0.5:
            raise AssertionError(f"{name}: {differ.idxmax()} differs by {differ.max()} m2")
        told.append(f"{len(frames[0]):,} {name}")
    for name in ("figures", "contradictions"):
        told.append(f"{pyogrio.read_info(folder / 'ours' / f'{name}.gpkg')['features']:,} {name}")
    answers = pyogrio.read_dataframe(folder / "ours" / "pieces.gpkg", columns=["is_answer"])
    answered = answers.area[answers["is_answer"].astype(bool)].sum()
    parcels = pyogrio.read_dataframe(folder / "parcels.gpkg", columns=[]).area.sum()
    if abs(answered - parcels) > 1:
        raise AssertionError(f"answers cover {answered} m2 of {parcels} m2")
    return "same areas by plan and restriction, every m2 answered once: " + ", ".join(told)
