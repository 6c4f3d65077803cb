"""What the losses compare a network's outputs with; nan where nothing is known."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.film import View, resize
from cxr_runtime.model.preprocessing import InputPixels
from cxr_runtime.placement import CellGrid
from cxr_train.data.film import FINDINGS, TrainingFilm, Truth
from cxr_train.networks.heads import SITES, SUBCELLS

VIEWS = {View.PA: 0.0, View.AP: 1.0}
SEXES = {"F": 0.0, "M": 1.0}
MEAN_AGE, AGE_SPREAD = 50.0, 20.0  # years; of adults in a hospital, roughly


@dataclass(frozen=True)
class Targets:
    """Of one batch, float32."""

    label: Tensor  # (B,) 0 normal .. 1 abnormal
    weight: Tensor  # (B,) of the label
    findings: Tensor  # (B, 14) 0 or 1
    view: Tensor  # (B,) 0 PA, 1 AP
    site: Tensor  # (B,) number of the hospital, 0..SITES - 1
    sex: Tensor  # (B,) 0 female, 1 male
    age: Tensor  # (B,) standardised, about -2..2
    heat: Tensor  # (B, h, w) share of each conv5 cell that lies in a box
    clean: Tensor  # (B, SUBCELLS h, SUBCELLS w) the film before it was spoilt, 0..1
    teacher: Tensor  # (B,) the teachers' probability of abnormal
    teacher_weight: Tensor  # (B,) of that probability
    teacher_heat: Tensor  # (B, h, w) the teachers' probability that disease is in a conv5 cell

    def map(self, change: Callable[[Tensor], Tensor]) -> "Targets":
        """The same change of every tensor, e.g. a move to a device or another order of films."""
        return Targets(**{field.name: change(getattr(self, field.name)) for field in fields(self)})


def film_targets(
    films: Sequence[TrainingFilm],
    report_weight: float,
    teacher: NDArray[np.float32],
    teacher_weights: Mapping[str, float],
) -> dict[str, NDArray[np.float32]]:
    """The targets that a film has however it is varied, for a whole film table.

    Args:
        films: the film table.
        report_weight: weight of labels that were mined from reports.
        teacher: (N,) the teachers' probability, nan without any.
        teacher_weights: weight of that probability by who labelled the film; 1 where nothing is said.
    """
    weights = [film.weight * (report_weight if film.truth is Truth.REPORT else 1.0) for film in films]
    labels = [math.nan if film.label is None else film.label for film in films]
    return {
        "label": np.array(labels, np.float32),
        "weight": np.array(weights, np.float32),
        "findings": np.stack([_findings(film) for film in films]),
        "view": np.array([VIEWS.get(film.view, math.nan) for film in films], np.float32),
        "site": _sites(films),
        "sex": np.array([SEXES.get(film.sex, math.nan) for film in films], np.float32),
        "age": np.array([_age(film) for film in films], np.float32),
        "teacher": teacher,
        "teacher_weight": np.array([teacher_weights.get(str(film.truth), 1.0) for film in films], np.float32),
    }


def _sites(films: Sequence[TrainingFilm]) -> NDArray[np.float32]:
    """(N,) each film's hospital by number, those with most films first; nan of what is not known."""
    most = Counter(film.site for film in films if film.site).most_common(SITES)
    numbers = {site: number for number, (site, _) in enumerate(most)}
    return np.array([numbers.get(film.site, math.nan) for film in films], np.float32)


def heat_target(
    film: TrainingFilm, region: InputPixels, cells: CellGrid, hw: tuple[int, int]
) -> NDArray[np.float32]:
    """How much of every conv5 cell lies in the film's boxes.

    Args:
        film: says what is known where no box is.
        region: (H, W) uint8, the boxes on the input as it was varied.
        cells: where conv5's cells lie on the input; a cell is a square as wide as their stride.
        hw: rows and columns of conv5.

    Returns:
        (h, w) 0..1; nan in cells of which nothing is known.
    """
    inside = cell_means(region, cells, hw)
    healthy = film.label == 0 and film.truth is not Truth.REPORT
    if not (healthy or film.boxes_complete):
        inside[inside == 0] = math.nan
    return inside


def cell_means(mark: InputPixels, cells: CellGrid, hw: tuple[int, int]) -> NDArray[np.float32]:
    """The mean over every conv5 cell, (h, w) 0..1, of a mark on the input, (H, W) uint8; 255 counts as 1."""
    side = round(cells.stride)
    means = cv2.blur(mark, (side, side), borderType=cv2.BORDER_CONSTANT).astype(np.float32) / 255
    middle = 0.5 * (side % 2)  # a square of even width has its middle between two pixels
    y, x = ((cells.origin - middle + cells.stride * np.arange(count)).astype(np.float32) for count in hw)
    return np.asarray(cv2.remap(means, *np.meshgrid(x, y), cv2.INTER_LINEAR), np.float32)


def clean_target(clean: InputPixels, hw: tuple[int, int]) -> NDArray[np.float32]:
    """The film as the reconstruction head should draw it: (SUBCELLS h, SUBCELLS w) 0..1."""
    return np.asarray(resize(clean, (SUBCELLS * hw[0], SUBCELLS * hw[1])) / 255, np.float32)


def _age(film: TrainingFilm) -> float:
    return math.nan if film.age is None else (film.age - MEAN_AGE) / AGE_SPREAD


def _findings(film: TrainingFilm) -> NDArray[np.float32]:
    if film.findings is None:
        return np.full(len(FINDINGS), math.nan, np.float32)
    return np.array([name in film.findings for name in FINDINGS], np.float32)
