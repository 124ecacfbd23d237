"""Command line of the sample town; see scripts/make_samples."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from pathlib import Path

from .benchmark_town import write_benchmark_town
from .layers import LAYERS, encode, write_rows
from .terrain_file import write_terrain
from .texts import bulletins, readme
from .town import build_town


def main(arguments: list[str] | None = None) -> int:
    """Write the shipped town, or a benchmark town of N parcels."""
    parser = argparse.ArgumentParser(
        prog="scripts/make_samples", description="Make the sample town Lam Trạch (invented; VN-2000 / TM-3 107-00)."
    )
    parser.add_argument("--output", type=Path, help="folder to write to (default: data_samples)")
    parser.add_argument("--parcels", type=int, help="make a benchmark town of so many parcels, up to 1,000,000")
    parser.add_argument("--terrain", action="store_true", help="with --parcels: write a terrain raster too")
    options = parser.parse_args(arguments)
    if options.parcels is not None and not 1 <= options.parcels <= 1_000_000:
        parser.error("--parcels takes a number from 1 to 1,000,000")
    if options.parcels is not None and options.output is None:
        parser.error("--parcels needs --output, so that the shipped town is not overwritten")
    folder = options.output or Path(__file__).resolve().parents[2] / "data_samples"
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    if options.parcels is None:
        write_town(folder)
    else:
        counts = write_benchmark_town(folder, options.parcels, terrain=options.terrain)
        print(", ".join(f"{layer} {count:,}" for layer, count in counts.items()))
    print(f"{folder}: {time.perf_counter() - started:.0f} s")
    return 0


def write_town(folder: Path) -> None:
    """Write town.gpkg, terrain.tif, README.md and the bulletins."""
    town = build_town()
    path = folder / "town.gpkg"
    path.unlink(missing_ok=True)
    for layer in LAYERS:
        write_rows(path, encode(layer, town.layers[layer]))
    with sqlite3.connect(path) as database:
        database.execute("VACUUM")
    write_terrain(folder / "terrain.tif", town.terrain)
    texts = {"README.md": readme(town.layers, town.terrain, town.faults), **bulletins(town.layers["gauge"])}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
