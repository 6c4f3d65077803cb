"""Where the time of one film goes, and how long a whole scan takes."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.choose import AUTO, open_engine
from cxr_runtime.benchmark.engines import median_seconds
from cxr_runtime.film import at_reading_size
from cxr_runtime.gate import Gate
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, film_heat, heat_cells
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.lungs import lung_field
from cxr_runtime.model.folder import Model
from cxr_runtime.model.preprocessing import normalise, place, prepare
from cxr_runtime.phantom import OpacitySpot, draw_phantom
from cxr_runtime.pictures import encode_png, kept_jpeg
from cxr_runtime.placement import Box, Placement
from cxr_runtime.reading import read_film
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan


@dataclass(frozen=True)
class StageTime:
    """One step on the way of a film."""

    stage: str
    milliseconds: float  # wall time a film; median


def measure_stages(model: Model, side: int, batch_size: int, seconds: float) -> list[StageTime]:
    """Measure every step on one drawn film, each by itself and on one processor; inference in batches.

    Args:
        model: an opened model folder.
        side: rows and columns of the film.
        batch_size: films inferred at once.
        seconds: wall time of each measurement.
    """
    return [
        StageTime(name, 1000 * median_seconds(work, seconds) / films)
        for name, work, films in _steps(model, side, batch_size)
    ]


def _steps(model: Model, side: int, batch_size: int) -> list[tuple[str, Callable[[], object], int]]:
    """Name, work and number of films of every step; each is given what the one before it made."""
    manifest, how = model.manifest, model.manifest.preprocessing
    content = encode_png(draw_phantom(1, hw=(side, side)))
    film = read_film(content)
    admission = Gate(lung_field()).admit(film)
    box = admission.lungs.box_film_xyxy
    placement = place(film.hw, box, how)
    inputs = np.repeat(prepare(film.pixels, placement, how)[None], batch_size, axis=0)
    engine = open_engine(model, AUTO, batch_size=batch_size)
    batch = normalise(inputs, how)
    conv5 = engine.run(batch).conv5[0]
    heat = _heat(conv5, manifest.heat, placement, box)
    preview = np.ascontiguousarray(at_reading_size(film.pixels))
    picture = overlay(preview, heat, manifest.heat.threshold)
    return [
        (f"read a PNG of {side} x {side}", lambda: read_film(content), 1),
        ("gate and lung field", lambda: Gate(lung_field()).admit(film), 1),
        ("prepare the network's input", lambda: prepare(film.pixels, placement, how), 1),
        ("shrink and keep for the reports", lambda: kept_jpeg(at_reading_size(film.pixels)), 1),
        ("normalise", lambda: normalise(inputs, how), batch_size),
        (f"infer by {engine.backend}", lambda: engine.run(batch), batch_size),
        ("heat map", lambda: _heat(conv5, manifest.heat, placement, box), 1),
        ("overlay", lambda: overlay(preview, heat, manifest.heat.threshold), 1),
        ("overlay as PNG", lambda: encode_png(picture), 1),
    ]


def _heat(
    conv5: NDArray[np.float32], recipe: HeatRecipe, placement: Placement, lungs: Box | None
) -> NDArray[np.float32]:
    cells = heat_cells(conv5, recipe, HeatMethod.CAM, placement, lungs)
    return film_heat(cells, placement, recipe.view(HeatMethod.CAM))


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
