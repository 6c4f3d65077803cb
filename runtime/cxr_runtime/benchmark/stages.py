"""Where the time of one film goes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.choose import AUTO, open_engine
from cxr_runtime.benchmark.clock import median_seconds
from cxr_runtime.gate import admit
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, film_heat, heat_cells
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.lungs import lung_field
from cxr_runtime.model.folder import Model
from cxr_runtime.model.preprocessing import normalise, place, prepare
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg, encode_png
from cxr_runtime.placement import Box, Placement
from cxr_runtime.reading import read_film
from cxr_runtime.resizing import shrink


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
    admission = admit(film, lung_field())
    box = admission.lungs.box_film_xyxy
    placement = place(film.hw, box, how)
    inputs = np.repeat(prepare(film.pixels, placement, how)[None], batch_size, axis=0)
    engine = open_engine(model, AUTO, batch_size=batch_size)
    batch = normalise(inputs, how)
    conv5 = engine.run(batch).conv5[0]
    heat = _heat(conv5, manifest.heat, placement, box)
    preview = np.ascontiguousarray(shrink(film.pixels))
    picture = overlay(preview, heat, manifest.heat.threshold)
    return [
        (f"read a PNG of {side} x {side}", lambda: read_film(content), 1),
        ("gate and lung field", lambda: admit(film, lung_field()), 1),
        ("prepare the network's input", lambda: prepare(film.pixels, placement, how), 1),
        ("shrink and keep for the reports", lambda: encode_jpeg(shrink(film.pixels)), 1),
        ("normalise", lambda: normalise(inputs, how), batch_size),
        (f"infer by {engine.backend}", lambda: engine.run(batch), batch_size),
        ("heat map", lambda: _heat(conv5, manifest.heat, placement, box), 1),
        ("overlay", lambda: overlay(preview, heat, manifest.heat.threshold), 1),
        ("overlay as PNG", lambda: encode_png(picture), 1),
    ]


def _heat(
    conv5: NDArray[np.float32], recipe: HeatRecipe, placement: Placement, lungs: Box | None
) -> NDArray[np.float32]:
    return film_heat(
        heat_cells(conv5, recipe, HeatMethod.CAM, placement, lungs), placement, recipe, HeatMethod.CAM
    )
