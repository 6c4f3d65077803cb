"""Where on a film a network sees disease: the ways to ask it, by name."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.heat.map import HeatMethod, HeatRecipe, heat_cells
from cxr_runtime.placement import CellGrid
from cxr_train.explain.looker import Looker, ShownFilm

BLIND_CELLS = 32  # down the input, for the prior alone; across it as many as fit at the same distance
OCCLUSIONS = 12  # places down the input, and across it likewise
AS_SHIPPED = "cam"  # the method whose heat is scaled and thresholded as in the clinic
PRIOR_ALONE = "prior-alone"  # the method that sees no film
OCCLUDED = 2.0  # side of what is covered, in distances of these places


class Attribution(NamedTuple):
    """Heat on cells of the input."""

    heat: NDArray[np.float32]  # (h, w), 0 or more; how large it is means nothing between methods
    cells: CellGrid  # where these lie on the input


def cam(looker: Looker, film: ShownFilm) -> Attribution:
    """What the clinic is shown: the manifest's weighted sum of channels, with the location prior."""
    return _by_runtime(looker, film, looker.recipe, HeatMethod.CAM)


def cam_without_prior(looker: Looker, film: ShownFilm) -> Attribution:
    """The same without the location prior."""
    return _by_runtime(looker, film, replace(looker.recipe, prior=None), HeatMethod.CAM)


def prior_alone(looker: Looker, film: ShownFilm) -> Attribution:
    """The location prior, blind to all of the film but where its lungs are; without a prior even heat."""
    cells, hw = _grid_over(film.picture.shape, BLIND_CELLS)
    if looker.recipe.prior is None:
        return Attribution(np.ones(hw, np.float32), cells)
    shares = replace(looker.recipe.prior, weight=1.0)
    said = shares.on_cells(film.placement, cells, hw, film.lungs_film_xyxy)
    return Attribution(said.astype(np.float32), cells)


def strongest_channel(looker: Looker, film: ShownFilm) -> Attribution:
    """The channel with the strongest activation, after ReLU (paper, III.B)."""
    return _by_runtime(looker, film, looker.recipe, HeatMethod.STRONGEST_CHANNEL)


def grad_cam(looker: Looker, film: ShownFilm) -> Attribution:
    """Channels weighted by this film's own gradient of abnormal over normal (Selvaraju 2017)."""
    with torch.no_grad():
        conv5 = looker.network.features(looker.image(film.picture))
    conv5.requires_grad_(True)
    gradient = torch.autograd.grad(_margin(looker.network.classify(conv5)).sum(), conv5)[0]
    weighted = (gradient.mean(dim=(2, 3), keepdim=True) * conv5).sum(dim=1)
    return Attribution(torch.relu(weighted)[0].detach().cpu().numpy(), looker.network.cells)


@torch.inference_mode()
def occlusion(looker: Looker, film: ShownFilm) -> Attribution:
    """How much less abnormal a film becomes when a square is covered with its mean grey (Zeiler 2014)."""
    image = looker.image(film.picture)
    cells, hw = _grid_over(image.shape[2:], OCCLUSIONS)
    half = round(OCCLUDED * cells.stride / 2)
    down, across = ([round((place + 0.5) * cells.stride) for place in range(count)] for count in hw)
    grey = image.mean(dim=(2, 3), keepdim=True)
    whole = _margin(looker.network(image).logits)
    lines = []
    for y in down:
        covered = image.repeat(len(across), 1, 1, 1)
        for column, x in enumerate(across):
            covered[column, :, max(0, y - half) : y + half, max(0, x - half) : x + half] = grey[0]
        lines.append(torch.relu(whole - _margin(looker.network(covered).logits)))
    return Attribution(torch.stack(lines).cpu().numpy(), cells)


METHODS: dict[str, Callable[[Looker, ShownFilm], Attribution]] = {
    "cam": cam,
    "cam-without-prior": cam_without_prior,
    PRIOR_ALONE: prior_alone,
    "grad-cam": grad_cam,
    "occlusion": occlusion,
    "strongest-channel": strongest_channel,
}


def _grid_over(input_hw: Sequence[int], rows: int) -> tuple[CellGrid, tuple[int, int]]:
    """So many rows of square cells over an input, and their number down and across it."""
    height, width = input_hw
    stride = height / rows
    return CellGrid(stride / 2, stride), (rows, max(1, round(width / stride)))


def _by_runtime(looker: Looker, film: ShownFilm, recipe: HeatRecipe, method: HeatMethod) -> Attribution:
    with torch.inference_mode():
        conv5 = looker.network.features(looker.image(film.picture))[0].cpu().numpy()
    heat = heat_cells(conv5, recipe, method, film.placement, film.lungs_film_xyxy)
    return Attribution(heat, recipe.cells)


def _margin(logits: Tensor) -> Tensor:
    """(B, 2) -> (B,), how much more abnormal than normal."""
    return logits[:, 1] - logits[:, 0]
