"""Runs a benchmark: ours and the peer in turn, each run in a process of its own, on the same files.

A benchmark is a module of this folder with

``DESCRIPTION``
    One line: what is computed, and against whom.
``CASES``
    ``{name: (reach, aim)}``: how many times faster than the peer ours must be, and wants to be.
``SECONDS``, optional
    ``{name: (reach, aim)}``: seconds by the clock of `ours`, for what no peer does.
``NEEDS_QGIS``
    True when `ours` or `peer` call Processing: QGIS is then started before the clock.
``prepare(folder, share)``
    Makes the input files in ``folder``, once. ``share`` scales their size; 1 is what the case names say.
``serving(folder)``, optional
    A context manager around all runs: starts what they talk to, such as a server.
``ours(folder, case)``, ``peer(folder, case)``
    The whole job, files in and out. Outputs go to ``folder / "out"``, which is new for every run. What both sides need
    before the clock (imports of heavy libraries) belongs to the module's top or to ``warm(folder, case, who)``.
``measured(folder, runs)``, optional
    Instead of ``ours`` and ``peer``: measures inside another program, such as QGIS with a window, prints, and tells
    whether all is reached.
``check(folder, case)``, optional
    Compares ``folder / "ours"`` with ``folder / "peer"``, the outputs of the last run of each, and returns one line
    for the print; raises when they differ by more than they may.
``told(folder, case)``, optional
    A line about the last run of a case of ``SECONDS``, such as the time of its stages.

Time is the median of the runs by the clock, without the start of Python and QGIS, which both sides pay. Processor time
of all threads is told beside it: on a busy machine it says more. Memory is the highest resident size of the process
and, if larger, of its children; the part QGIS itself takes before the work is told apart.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import statistics
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "benchmark"


def names() -> list[str]:
    """Benchmarks of this folder: modules that state cases."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\nCASES" in path.read_text(encoding="utf-8"))


def load(name: str) -> ModuleType:
    """Import a benchmark by name; this folder is where Python looks first, because the script lies in it."""
    return importlib.import_module(name)


def prepared(name: str, module: ModuleType, share: float) -> Path:
    """Return the folder with the input files; make them when they are not there or their recipe has changed."""
    folder = BUILD / (name if share == 1 else f"{name}-{share:g}")
    recipe = "\n".join(path.read_text(encoding="utf-8")
                       for path in (*sorted(HERE.glob(f"{name}*.py")), HERE / "coverages.py"))
    stamp = folder / "recipe"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != recipe:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"making the data in {folder} ...", flush=True)
        module.prepare(folder, share)
        stamp.write_text(recipe, encoding="utf-8")
    return folder


def run_once(name: str, case: str, who: str, folder: Path) -> dict[str, Any]:
    """Run one side in a new process and keep its outputs as ``folder / who``."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    done = subprocess.run(
        [sys.executable, str(HERE / "one_run.py"), name, case, who, str(folder)], capture_output=True, text=True,
        encoding="utf-8")
    if done.returncode or not done.stdout.strip():
        sys.exit(f"{who} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    kept = folder / who
    shutil.rmtree(kept, ignore_errors=True)
    out.rename(kept)
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(name: str, runs: int, share: float) -> bool:
    """Print one line per case and side; tell whether every case reaches what it must."""
    module = load(name)
    folder = prepared(name, module, share)
    print(module.DESCRIPTION, flush=True)
    with module.serving(folder) if hasattr(module, "serving") else nullcontext():
        if hasattr(module, "measured"):
            return module.measured(folder, runs)
        return measure(name, module, folder, runs, share)


def measure(name: str, module: ModuleType, folder: Path, runs: int, share: float) -> bool:
    """Run every case, as often as asked for."""
    reached = True
    for case, (reach, aim) in module.CASES.items():
        results: dict[str, list[dict[str, Any]]] = {"ours": [], "peer": []}
        for _ in range(runs):
            for who, found in results.items():
                found.append(run_once(name, case, who, folder))
        seconds = {who: statistics.median(run["seconds"] for run in found) for who, found in results.items()}
        ratio = seconds["peer"] / seconds["ours"]
        verdict = "aim reached" if ratio >= aim else "reached" if ratio >= reach else "NOT REACHED"
        reached &= ratio >= reach
        print(f"{case}" + (f" (size x {share:g})" if share != 1 else ""))
        for who, found in results.items():
            each = " ".join(f"{run['seconds']:.2f}" for run in found)
            busy = statistics.median(run["processor_seconds"] for run in found)
            peak, start = max(run["peak_mb"] for run in found), min(run["start_mb"] for run in found)
            print(f"  {who:5} {seconds[who]:8.2f} s   processor {busy:7.2f} s   peak memory {peak:6.0f} MB, of which "
                  f"{start:.0f} MB before the work   runs: {each}")
        print(f"  ratio {ratio:8.1f} x   to reach {reach:g} x, aim {aim:g} x: {verdict}")
        if hasattr(module, "check"):
            print(f"  {module.check(folder, case)}", flush=True)
    for case, (reach, aim) in getattr(module, "SECONDS", {}).items():
        found = [run_once(name, case, "ours", folder) for _ in range(runs)]
        median = statistics.median(run["seconds"] for run in found)
        verdict = "aim reached" if median <= aim else "reached" if median <= reach else "NOT REACHED"
        reached &= median <= reach
        print(f"{case}" + (f" (size x {share:g})" if share != 1 else ""))
        busy = statistics.median(run["processor_seconds"] for run in found)
        each = " ".join(f"{run['seconds']:.3f}" for run in found)
        memory = max(run["peak_mb"] for run in found)
        print(f"  ours  {median:8.3f} s   processor {busy:7.2f} s   peak memory {memory:6.0f} MB   runs: {each}")
        print(f"  to reach {reach:g} s, aim {aim:g} s: {verdict}", flush=True)
        if hasattr(module, "told"):
            print(f"  {module.told(folder, case)}", flush=True)
    return reached


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description="Ours against the peer, on the same data.")
    parser.add_argument("name", nargs="?", help="a benchmark; without it they are listed")
    parser.add_argument("--runs", type=int, default=3, help="runs of each side; the median counts (3)")
    parser.add_argument("--share", type=float, default=1.0, help="size of the data against the stated one (1)")
    options = parser.parse_args()
    if options.name is None:
        for name in names():
            print(f"{name:20} {load(name).DESCRIPTION}")
        return
    if options.name not in names():
        parser.error(f"no benchmark {options.name}; there are: {', '.join(names())}")
    sys.exit(0 if compare(options.name, options.runs, options.share) else 1)


if __name__ == "__main__":
    main()
