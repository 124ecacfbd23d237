"""One run of one side of a benchmark, in this process: ``one_run.py NAME CASE ours|peer FOLDER``; prints JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from compare import load


def peak_mb() -> float:
    """Highest resident size so far of this process or of its largest child, in MB."""
    # Not of RUSAGE_SELF, which begins with the size of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def processor_seconds() -> float:
    """Processor time so far of this process, all threads, and of its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def start_qgis() -> None:
    """Start QGIS with Processing, the native algorithms and ours."""
    from processing.core.Processing import Processing
    from qgis.analysis import QgsNativeAlgorithms
    from qgis.core import QgsApplication
    from quyhoach.processing_algorithms.provider import QuyHoachProvider

    global application, provider  # Python must hold them as long as QGIS runs
    application = QgsApplication([], False)
    application.initQgis()
    Processing.initialize()
    registry = QgsApplication.processingRegistry()
    if registry.providerById("native") is None:
        registry.addProvider(QgsNativeAlgorithms(registry))
    if registry.providerById("quyhoach") is None:
        provider = QuyHoachProvider()
        registry.addProvider(provider)


def main() -> None:
    """Run, then leave without QGIS's clean-up, which is no part of the work."""
    name, case, who, folder = sys.argv[1:]
    module = load(name)
    if getattr(module, "NEEDS_QGIS", False):
        start_qgis()
    if hasattr(module, "warm"):
        module.warm(Path(folder), case, who)
    before, busy = peak_mb(), processor_seconds()
    start = time.perf_counter()
    getattr(module, who)(Path(folder), case)
    seconds = time.perf_counter() - start
    found = {"seconds": seconds, "processor_seconds": processor_seconds() - busy,
             "peak_mb": peak_mb(), "start_mb": before}
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
