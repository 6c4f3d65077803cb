"""A whole scan of drawn films, as a clinic runs it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_runtime.phantom import OpacitySpot, draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.session import ScanOptions, scan


@dataclass(frozen=True)
class ScanTime:
    """A scan from files to finished reports."""

    films: int
    side: int  # rows and columns of each film
    scored: int
    backend: str  # the provider that was used
    workers: int
    seconds: float  # wall time, start and reports included
    cpu_seconds: float  # of this process and its workers

    @property
    def seconds_a_film(self) -> float:
        """Wall time a film."""
        return self.seconds / self.films


def measure_scan(model: str | Path, films: int, side: int, batch_size: int) -> ScanTime:
    """Scan drawn films with every default report into a folder that is thrown away.

    Args:
        model: name or folder.
        films: how many.
        side: rows and columns of each.
        batch_size: films inferred at once.
    """
    workers = os.cpu_count() or 1
    with TemporaryDirectory() as folder:
        source = Path(folder, "films")
        source.mkdir()
        for number in range(films):
            spot = OpacitySpot(0.3, 0.4) if number % 2 else None
            content = encode_png(draw_phantom(number, hw=(side, side), opacity=spot))
            (source / f"{number:05}.png").write_bytes(content)
        options = ScanOptions(
            out=Path(folder, "out"),
            model=model,
            batch_size=batch_size,
            workers=workers,
            allow_uncalibrated=True,
        )
        started, used = time.perf_counter(), _cpu_seconds()
        summary = scan([source], options)
        wall, cpu = time.perf_counter() - started, _cpu_seconds() - used
    return ScanTime(films, side, summary.tally.scored, summary.backend, workers, wall, cpu)


def _cpu_seconds() -> float:
    """Of this process and of those of its children that have ended."""
    return sum(os.times()[:4])
