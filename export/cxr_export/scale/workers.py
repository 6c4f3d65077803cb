"""One worker of one core beside two, on a Ray cluster of this machine, and what the model says of both."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from cxr_export.scale import one_scan
from cxr_export.scale.model import Costs, Sizes
from cxr_runtime.errors import BackendError, UsageError
from cxr_runtime.markdown import markdown_table

WORKERS = (1, 2)
LEAST_FILMS = 2 * one_scan.MARGIN + 100
SECONDS = 900  # that one scan may take


@dataclass(frozen=True)
class Measured:
    """A scan, from the first films of it that count to the last."""

    workers: int
    films: int  # that count
    wall: float  # seconds
    costs: Costs  # of these films
    sizes: Sizes  # of all films

    @property
    def rate(self) -> float:
        """Films a second."""
        return self.films / self.wall

    @property
    def busy(self) -> float:
        """How much of the workers' cores the scan had, 0..1: other programs, or waiting, took the rest."""
        return self.costs.all * self.films / 1000 / (self.wall * self.workers)


def measure_workers(films: Sequence[Path], rounds: int) -> list[Measured]:
    """Scan with one worker and with two, in turn; of each the round in which it had most of its cores.

    Args:
        films: on this machine, all different.
        rounds: how often each runs.

    Raises:
        UsageError: there are too few films, or the system is not Linux.
        BackendError: a scan failed.
    """
    if sys.platform != "linux":
        raise UsageError("what processes take is asked of Linux; run it there")
    if len(films) < LEAST_FILMS:
        raise UsageError(f"{len(films)} films are too few; expected {LEAST_FILMS} or more")
    measured = [_measured(workers, films) for _ in range(rounds) for workers in WORKERS]
    return [
        max((one for one in measured if one.workers == each), key=lambda one: one.busy) for each in WORKERS
    ]


def workers_table(measured: Sequence[Measured]) -> str:
    """What was measured, and what the costs of the first row say of every row."""
    costs = measured[0].costs
    rows = [
        (
            str(one.workers), f"{one.rate:.1f}", f"{100 * one.busy:.0f} %", f"{one.rate / one.busy:.1f}",
            f"{costs.rate(one.workers):.1f}", *(f"{cost:.1f}" for cost in one.costs.parts),
        )
        for one in measured
    ]  # fmt: skip
    heads = ("workers", "films a second", "cores it had", "with all of them", "model",
             "reading, ms a film", "network, heat, pictures", "writing", "Ray")  # fmt: skip
    times = measured[-1].rate / measured[0].rate
    whole = times * measured[0].busy / measured[-1].busy
    film, picture, store = (f"{each / 1000:.0f} kB" for each in astuple(measured[0].sizes))
    return (
        f"{markdown_table(heads, rows, 'r' * len(heads))}\n\n"
        f"Two workers do {times:.2f} times what one does; {whole:.2f} times if both have all of their cores. "
        f"A film has {film}, its picture {picture}, its part of the store {store}."
    )


def _measured(workers: int, films: Sequence[Path]) -> Measured:
    command = [sys.executable, "-P", one_scan.__file__, str(workers), *map(str, films)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise BackendError(f"the scan with {workers} workers failed: {done.stderr.strip()[-300:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    each = 1000 / found["films"]  # milliseconds a film
    costs = Costs(*(found[part] * each for part in ("readers", "station", "driver", "ray")))
    return Measured(workers, found["films"], found["wall"], costs, Sizes(**found["bytes"]))
