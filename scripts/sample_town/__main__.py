"""Command line of the sample town; see scripts/make_samples."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from pathlib import Path

from .layers import LAYERS, write_layer
from .terrain_file import write_terrain
from .town import build_town


def main(arguments: list[str] | None = None) -> int:
    """Write the shipped town, or a benchmark town of N parcels."""
    parser = argparse.ArgumentParser(prog="scripts/make_samples", description="Make the sample town Lam Trạch (invented; VN-2000 / TM-3 107-00).")
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parents[2] / "data_samples", help="folder to write to (default: data_samples)")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    options.output.mkdir(parents=True, exist_ok=True)
    write_town(options.output)
    print(f"{options.output}: {time.perf_counter() - started:.0f} s")
    return 0


def write_town(folder: Path) -> None:
    """Write town.gpkg, terrain.tif and the texts beside them."""
    town = build_town()
    path = folder / "town.gpkg"
    path.unlink(missing_ok=True)
    for layer in LAYERS:
        write_layer(path, layer, town.layers[layer])
    with sqlite3.connect(path) as database:
        database.execute("VACUUM")
    write_terrain(folder / "terrain.tif", town.terrain)


if __name__ == "__main__":
    sys.exit(main())
