"""Land use at two dates, against QGIS's own union (whose pieces a user would then sum up by code)."""

from __future__ import annotations

from pathlib import Path

DESCRIPTION = "change matrix of two polygon layers, GeoPackage in and out: quyhoach:landusechangematrix against native:union"
CASES = {"two dates of one map, 200,000 x 200,000 polygons": (8, 20), "two independent maps, 200,000 x 200,000 polygons": (8, 20)}
NEEDS_QGIS = True

_CODES = ["ODT", "ONT", "LUC", "CLN", "DGT", "NTS", "RSX"]
_SEED = 2026


def prepare(folder: Path, share: float) -> None:
    """Write a map, the same map with a tenth of its polygons split, recoded or redrawn, and a map that shares no line with it."""
    import geopandas
    import numpy as np
    import shapely
    from coverages import crooked_grid

    random = np.random.default_rng(_SEED)
    side = share**0.5
    rows, columns = round(447 * side), round(448 * side)
    width, height = 15_000 * side, 12_000 * side
    first = crooked_grid(rows, columns, width, height, bends=1, seed=1)
    other = crooked_grid(rows, columns, width, height, bends=1, seed=3)
    codes = np.array(_CODES)[random.integers(0, len(_CODES), len(first))]

    draw = random.random(len(first))
    split, recoded = np.flatnonzero(draw < 0.05), np.flatnonzero((draw >= 0.05) & (draw < 0.1))
    west, south, east, north = shapely.bounds(first[split]).T
    middle = (west + east) / 2
    halves = [shapely.intersection(first[split], half) for half in
              (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north))]
    later_codes = codes.copy()
    later_codes[recoded] = np.roll(codes[recoded], 1)
    kept = np.setdiff1d(np.arange(len(first)), split)
    later = np.concatenate([first[kept], *halves])
    later_codes = np.concatenate([later_codes[kept], codes[split], np.roll(codes[split], 1)])

    def write(name: str, shapes: object, values: object) -> None:
        geopandas.GeoDataFrame({"ma_loai_dat": values}, geometry=shapes, crs="EPSG:9214").to_file(
            folder / f"{name}.gpkg", engine="pyogrio")

    write("before", first, codes)
    write("later", later, later_codes)
    write("independent", other, np.roll(codes, 7)[:len(other)])


def _after(folder: Path, case: str) -> str:
    return str(folder / ("later.gpkg" if case.startswith("two dates") else "independent.gpkg"))


def ours(folder: Path, case: str) -> None:
    """Changed pieces and the matrix, boundary noise apart."""
    import processing

    processing.run("quyhoach:landusechangematrix", {
        "BEFORE": str(folder / "before.gpkg"), "BEFORE_CODE": "ma_loai_dat", "AFTER": _after(folder, case),
        "AFTER_CODE": "ma_loai_dat", "MIN_AREA": 0, "TOLERANCE_MM": 0, "OUTPUT": str(folder / "out" / "changed.gpkg"),
        "MATRIX": str(folder / "out" / "matrix.gpkg")})


def peer(folder: Path, case: str) -> None:
    """All pieces."""
    import processing

    processing.run("native:union", {
        "INPUT": str(folder / "before.gpkg"), "OVERLAY": _after(folder, case),
        "OUTPUT": str(folder / "out" / "union.gpkg")})


def check(folder: Path, case: str) -> str:
    """The peer's pieces, summed up by both codes, must give the same matrix."""
    import pyogrio

    union = pyogrio.read_dataframe(folder / "peer" / "union.gpkg")
    union = union[union["ma_loai_dat"].notna() & union["ma_loai_dat_2"].notna()]
    peer = union.area.groupby([union["ma_loai_dat"], union["ma_loai_dat_2"]]).sum()
    matrix = pyogrio.read_dataframe(folder / "ours" / "matrix.gpkg")
    ours = matrix[matrix["kind"].isin(["unchanged", "changed"])].set_index(["before_code", "after_code"])["area_m2"]
    difference = float((ours - peer.reindex(ours.index).fillna(0)).abs().max())
    if difference > 1 or abs(ours.sum() - peer.sum()) > 1:
        raise AssertionError(f"the matrices differ by {difference} m2 in a cell; sums {ours.sum()} and {peer.sum()}")
    return f"same matrix: {len(ours)} cells, largest difference {difference:.1e} m2 of {ours.sum():,.0f}"
