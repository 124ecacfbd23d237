"""Parcels by zones, against QGIS's own intersection."""

from __future__ import annotations

from pathlib import Path

DESCRIPTION = "parcels cut by zones, GeoPackage in and out: quyhoach:parcelzoning against native:intersection"
CASES = {"200,000 parcels x 5,000 zones": (4, 8)}
NEEDS_QGIS = True


def prepare(folder: Path, share: float) -> None:
    """Write parcels of 27 x 33 m and zones of 210 x 170 m, about half of the parcels cut."""
    import geopandas
    import numpy as np
    from coverages import crooked_grid

    side = share**0.5
    rows, columns = round(447 * side), round(448 * side)
    width, height = 15_000 * side, 12_000 * side
    parcels = crooked_grid(rows, columns, width, height, bends=1, seed=1)
    number = np.arange(len(parcels))
    geopandas.GeoDataFrame(
        {"so_to": number // 500 + 1, "so_thua": number % 500 + 1,
         "loai_dat": np.array(["ODT", "ONT", "LUC", "CLN", "DGT"])[number % 5], "dia_chi": "Phường Vĩnh Hà"},
        geometry=parcels, crs="EPSG:9214").to_file(folder / "parcels.gpkg", engine="pyogrio")
    zones = crooked_grid(round(70 * side), round(70 * side), width, height, bends=20, seed=2)
    codes = np.array(["NO", "HH", "CXCC", "GT", "CC"])[np.arange(len(zones)) % 5]
    geopandas.GeoDataFrame({"ma_cn": codes}, geometry=zones, crs="EPSG:9214").to_file(
        folder / "zones.gpkg", engine="pyogrio")


def ours(folder: Path, case: str) -> None:
    """Every piece with area, share and the sliver test."""
    import processing

    processing.run("quyhoach:parcelzoning", {
        "PARCELS": str(folder / "parcels.gpkg"), "ZONES": str(folder / "zones.gpkg"), "ZONE_FIELD": "ma_cn",
        "SCALE": 2000,
        "OUTPUT": str(folder / "out" / "pieces.gpkg")})


def peer(folder: Path, case: str) -> None:
    """Only the pieces."""
    import processing

    processing.run("native:intersection", {
        "INPUT": str(folder / "parcels.gpkg"), "OVERLAY": str(folder / "zones.gpkg"), "OVERLAY_FIELDS": ["ma_cn"],
        "OUTPUT": str(folder / "out" / "pieces.gpkg")})


def check(folder: Path, case: str) -> str:
    """Both must find the same pieces and the same area."""
    import pyogrio

    ours, peer = (pyogrio.read_dataframe(folder / who / "pieces.gpkg", columns=[]) for who in ("ours", "peer"))
    # QGIS may write a pair's common points and lines as pieces without area.
    peer = peer[peer.area > 0]
    difference = abs(ours.area.sum() - peer.area.sum())
    if len(ours) != len(peer) or difference > 1:
        raise AssertionError(f"ours {len(ours)} pieces, {ours.area.sum()} m2; "
                             f"peer {len(peer)} pieces, {peer.area.sum()} m2")
    return f"same result: {len(ours):,} pieces, areas differ by {difference:.1e} m2 of {ours.area.sum():,.0f}"
