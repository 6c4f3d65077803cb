"""A scan on a cluster of some of this machine's cores, and what its processes take; a program of its own.

Run as `python one_scan.py WORKERS FILM...`: it keeps to the first WORKERS cores, with all that it starts. It
prints what was measured between two films: the first MARGIN have been stored, the last MARGIN have not. So
neither start nor end counts. Linux alone says what it asks for.
"""

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_runtime.cluster.crew import LOCAL
from cxr_runtime.cluster.scan import scan_on_cluster
from cxr_runtime.files import HEATMAPS_FOLDER, STORE_FILE
from cxr_runtime.progress import Silence
from cxr_runtime.scanning.options import ScanOptions

MARGIN = 80  # films: more than two workers have in hand
PROC = Path("/proc")


class Marks(Silence):
    """Looks at the clocks when the film after the first MARGIN is stored, and the one before the last."""

    def __init__(self, films: int) -> None:
        self._films, self._count = films, 0
        self.looks: list[dict[str, float]] = []

    def advance(self) -> None:
        """One more film has its row."""
        self._count += 1
        if self._count in (MARGIN, self._films - MARGIN):
            self.looks.append(clocks())


def clocks() -> dict[str, float]:
    """Seconds: the time of day, and processor time of this process and of all that came of it, by part."""
    parents, names = dict[int, int](), dict[int, str]()
    for folder in PROC.glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has ended
            continue
    taken = dict.fromkeys(("wall", "driver", "station", "readers", "ray"), 0.0)
    for process in parents:
        line = [process]
        while (above := parents.get(line[-1], 0)) and line[-1] != os.getpid():
            line.append(above)
        if line[-1] == os.getpid():
            taken[_part([names[one] for one in line])] += _seconds(process)
    return taken | {"wall": time.perf_counter()}


def _part(line: list[str]) -> str:
    """Which part a process is of, by the command lines of itself and of those above it."""
    if len(line) == 1:
        return "driver"
    if "cxr_runtime.workers" in line[0]:
        return "readers" if any("Host" in name for name in line[1:]) else "driver"
    return "station" if "Host" in line[0] else "ray"


def _seconds(process: int) -> float:
    try:
        return time.clock_gettime(~process << 3 | 2)  # its processor clock: clock_getcpuclockid(3)
    except OSError:
        return 0.0


def main(workers: int, films: list[str]) -> None:
    """Scan, and print what was measured as JSON."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    marks = Marks(len(films))
    with TemporaryDirectory() as place:
        options = ScanOptions(out=Path(place, "out"), cluster=LOCAL, workers=workers)
        scan_on_cluster(films, options, marks)
        out = Path(place, "out")
        pictures = sum(path.stat().st_size for path in (out / HEATMAPS_FOLDER).iterdir())
        stored = (out / STORE_FILE).stat().st_size
    first, last = marks.looks
    taken = {name: last[name] - first[name] for name in first}
    read = sum(Path(film).stat().st_size for film in films)
    sizes = {"film": read / len(films), "pictures": pictures / len(films), "store": stored / len(films)}
    sys.stdout.write(json.dumps({**taken, "films": len(films) - 2 * MARGIN, "bytes": sizes}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
