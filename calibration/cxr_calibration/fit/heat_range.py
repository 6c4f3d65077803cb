"""The heat map's threshold and colour range, from boxes: so that red means the same on every film.

The paper picks its threshold by eye, "to match the range of activations" (paper, III.B). Here the threshold
is the one with the best overlap with boxes drawn by radiologists, full red is what the hottest cells in boxes
reach, and what both mean is measured on films that had no part in choosing them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import Scores
from cxr_calibration.statistics.folds import FOLDS, grouped_folds
from cxr_calibration.statistics.intervals import REPLICATES, Estimate, bootstrap
from cxr_runtime.heat.map import HeatRecipe

THRESHOLDS = np.arange(2, 99) / 100  # of heat, tried
RED_QUANTILE = 0.95  # the hottest twentieth of cells in boxes is shown in full red
RED_SHOWN = 0.95  # heat that the colours show as full red, of 1

Heat = NDArray[np.float32]  # (N, h, w) 0..1
Cells = NDArray[np.bool_]  # (N, h, w)


@dataclass(frozen=True)
class HeatRange:
    """A threshold and a colour range, with what they mean on films that had no part in choosing them."""

    threshold: float  # heat below it is not coloured
    red: float  # heat from which on cells are full red
    overlap: Estimate  # mean intersection over union of coloured cells and boxes, film by film
    coloured_in_box: Estimate  # share of coloured cells that lie in a box
    red_in_box: Estimate  # share of full red cells that lie in a box; nan where no cell is
    curve: tuple[
        tuple[float, float, float], ...
    ]  # (heat, share of cells in a box, share of box cells) at or above


def fit_heat_range(
    heat: Heat, inside: Cells, known: Cells, patients: NDArray[np.str_], seed: int = 0
) -> HeatRange:
    """Choose the threshold and the range, and measure them by cross-validation.

    Args:
        heat: (N, h, w) 0..1, of N films with at least one box each, on conv5's cells or finer.
        inside: (N, h, w) whether each cell lies in a box.
        known: (N, h, w) whether it is known of a cell; others do not count (beyond the film, say).
        patients: (N,) one value a patient, at least two.
        seed: of folds and bootstrap.

    Raises:
        ValueError: shapes differ, there are fewer than two patients, or a film has no box.
    """
    if not heat.shape == inside.shape == known.shape or patients.shape != heat.shape[:1]:
        raise ValueError(
            f"heat {heat.shape}, inside {inside.shape}, known {known.shape} do not belong together"
        )
    inside = inside & known
    if not inside.any(axis=(1, 2)).all():
        raise ValueError("every film needs a cell in a box; leave films without boxes out")
    heat = np.where(known, heat, -1)
    overlaps = np.stack([_overlap(heat >= threshold, inside) for threshold in THRESHOLDS])
    number = min(FOLDS, np.unique(patients).size)
    folds = grouped_folds(patients, np.zeros(patients.size), number, seed)
    coloured, red = np.empty_like(inside), np.empty_like(inside)
    for fold in range(number):
        own = folds == fold
        coloured[own] = heat[own] >= _best(overlaps[:, ~own])
        red[own] = heat[own] >= _red(heat[~own], inside[~own])
    return HeatRange(
        threshold=_best(overlaps),
        red=_red(heat, inside),
        overlap=_mean_of_films(_overlap(coloured, inside), patients, seed),
        coloured_in_box=share_in_box(coloured, inside, patients, seed),
        red_in_box=share_in_box(red, inside, patients, seed),
        curve=tuple(_curve_point(float(threshold), heat, inside) for threshold in THRESHOLDS),
    )


def recipe_with(recipe: HeatRecipe, fitted: HeatRange) -> HeatRecipe:
    """The recipe with that threshold, stretched so that `fitted.red` is shown as RED_SHOWN.

    The stretch is linear in the log odds of heat: the threshold stays where it is, and all heat in its order.

    Raises:
        ValueError: red is not above the threshold, or so little that the colours would be too steep.
    """
    if not 0 < fitted.threshold < fitted.red < 1:
        raise ValueError(f"red {fitted.red:.3f} must be above the threshold {fitted.threshold:.3f}, below 1")
    low, high = _logit(fitted.threshold), _logit(fitted.red)
    stretch = (_logit(RED_SHOWN) - low) / (high - low)
    return replace(
        recipe,
        threshold=fitted.threshold,
        stretch=recipe.stretch * stretch,
        offset=stretch * recipe.offset + low - stretch * low,
    )


def share_in_box(
    chosen: Cells,
    inside: Cells,
    patients: NDArray[np.str_],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Estimate:
    """Share of all chosen cells that lie in a box, films drawn by patient; nan where none is chosen.

    Args:
        chosen: (N, h, w) of N films.
        inside: (N, h, w) whether each cell lies in a box.
        patients: (N,) one value a patient.
        seed: of the bootstrap.
        replicates: bootstrap samples.
    """
    hits, cells = (chosen & inside).sum(axis=(1, 2)), chosen.sum(axis=(1, 2))

    def share(rows: NDArray[np.intp]) -> float:
        total = cells[rows].sum()
        return float(hits[rows].sum() / total) if total else float("nan")

    return bootstrap(share, patients, replicates=replicates, seed=seed)


def _overlap(coloured: Cells, inside: Cells) -> Scores:
    """(N,) intersection over union of each film."""
    both = (coloured & inside).sum(axis=(1, 2))
    return np.asarray(both / (coloured | inside).sum(axis=(1, 2)), np.float64)


def _best(overlaps: Scores) -> float:
    """The threshold of the best mean overlap, from (T, N) overlaps; of several the middle one."""
    mean = overlaps.mean(axis=1)
    best = np.flatnonzero(mean >= mean.max() - 1e-12)
    return float(THRESHOLDS[best[best.size // 2]])


def _red(heat: Heat, inside: Cells) -> float:
    return float(np.quantile(heat[inside], RED_QUANTILE))


def _mean_of_films(values: Scores, patients: NDArray[np.str_], seed: int) -> Estimate:
    return bootstrap(lambda rows: float(values[rows].mean()), patients, seed=seed)


def _curve_point(threshold: float, heat: Heat, inside: Cells) -> tuple[float, float, float]:
    chosen = heat >= threshold
    hits = int((chosen & inside).sum())
    return threshold, hits / max(1, int(chosen.sum())), hits / int(inside.sum())


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
