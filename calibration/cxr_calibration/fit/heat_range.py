"""The heat map's threshold and colour range, from boxes: so that red means the same on every film.

The paper picks its threshold by eye, "to match the range of activations" (paper, III.B). Here the threshold
is the one with the best overlap with boxes drawn by radiologists, and full red is what the hottest cells in
boxes reach. `cxr-triage explain` measures what both mean on films that a network has not seen.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.intervals import REPLICATES, Estimate, bootstrap
from cxr_runtime.heat.map import HeatRecipe

THRESHOLDS = np.arange(2, 99) / 100  # of heat, tried
RED_QUANTILE = 0.95  # the hottest twentieth of cells in boxes is shown in full red
RED_SHOWN = 0.95  # heat that the colours show as full red, of 1

Heat = NDArray[np.float32]  # (N, h, w) 0..1
Cells = NDArray[np.bool_]  # (N, h, w)


@dataclass(frozen=True)
class HeatRange:
    """A threshold and a colour range."""

    threshold: float  # heat below it is not coloured
    red: float  # heat from which on cells are full red


def fit_heat_range(heat: Heat, inside: Cells) -> HeatRange:
    """Choose the threshold and the range.

    Args:
        heat: (N, h, w) 0..1, of N films with at least one box each, on conv5's cells or finer.
        inside: (N, h, w) whether each cell lies in a box.

    Raises:
        ValueError: shapes differ, or a film has no box.
    """
    if heat.shape != inside.shape:
        raise ValueError(f"heat {heat.shape} and inside {inside.shape} do not belong together")
    if not inside.any(axis=(1, 2)).all():
        raise ValueError("every film needs a cell in a box; leave films without boxes out")
    overlaps = np.array([_mean_overlap(heat >= threshold, inside) for threshold in THRESHOLDS])
    best = np.flatnonzero(overlaps >= overlaps.max() - 1e-12)
    middle = float(THRESHOLDS[best[best.size // 2]])
    return HeatRange(middle, float(np.quantile(heat[inside], RED_QUANTILE)))


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


def _mean_overlap(coloured: Cells, inside: Cells) -> float:
    """Intersection over union, the mean of films."""
    both = (coloured & inside).sum(axis=(1, 2))
    return float((both / (coloured | inside).sum(axis=(1, 2))).mean())


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
