"""Films as arrays: `cxr_runtime.open_model().score(pixels)`, for notebooks and programs of one's own."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.choose import AUTO, open_engine
from cxr_runtime.backends.engine import Engine
from cxr_runtime.errors import UsageError
from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.map import HeatMethod, film_heat, heat_cells
from cxr_runtime.logits import margins
from cxr_runtime.lungs import lung_field
from cxr_runtime.model import folder
from cxr_runtime.model.folder import DEFAULT_MODEL, Model
from cxr_runtime.model.preprocessing import normalise, place, prepare

LEAST_SIDE = 32  # pixels; in less nothing can be seen


class FilmScore(NamedTuple):
    """What a model says of one film."""

    probability: float  # of abnormal, calibrated, 0..1
    heat: NDArray[np.float32]  # (h, w) 0..1 over the whole film, its longer side 256; as reports colour it


class ReadyModel(Model):
    """A model folder, opened, whose network is loaded at the first film."""

    def score(self, pixels: GreyPixels, method: HeatMethod = HeatMethod.CAM) -> FilmScore:
        """Score one film as a scan does; the gate is not asked whether it is a chest film.

        Args:
            pixels: (rows, columns) uint8, 0 black .. 255 white, dense tissue bright, upright; as the `pixels`
                of `read_film`.
            method: which heat map.

        Raises:
            UsageError: these are no such pixels.
            BackendError: the network cannot be run here.
        """
        shown = np.asarray(pixels)
        if shown.dtype != np.uint8 or shown.ndim != 2 or min(shown.shape) < LEAST_SIDE:
            raise UsageError(
                f"pixels are {shown.dtype} of shape {shown.shape}; expected uint8 of (rows, columns), "
                f"{LEAST_SIDE} or more, e.g. cxr_runtime.read_film(content).pixels"
            )
        heat, how = self.manifest.heat, self.manifest.preprocessing
        lungs = lung_field().find(shown)
        placement = place((shown.shape[0], shown.shape[1]), lungs.box_film_xyxy, how)
        outputs = self._engine.run(normalise(prepare(shown, placement, how, lungs)[None], how))
        cells = heat_cells(outputs.conv5[0], heat, method, placement, lungs.box_film_xyxy)
        probability = float(self.calibration.probability(margins(outputs.logits))[0])
        return FilmScore(probability, film_heat(cells, placement, heat.view(method)))

    @cached_property
    def _engine(self) -> Engine:
        return open_engine(self, AUTO, batch_size=1)


def open_model(
    name_or_folder: str | Path = DEFAULT_MODEL,
    *,
    allow_uncalibrated: bool = False,
    calibration: Path | None = None,
) -> ReadyModel:
    """As `cxr_runtime.model.folder.open_model`, ready to score films that are given as arrays."""
    model = folder.open_model(name_or_folder, allow_uncalibrated=allow_uncalibrated, calibration=calibration)
    return ReadyModel(**vars(model))
