"""Which map from margins to probabilities: by the log loss on films it was not fitted on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.checked import AnyLabels, AnyScores, Scores, checked_both
from cxr_calibration.fitting import FITTERS
from cxr_calibration.probability_scores import film_log_losses
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import ProbabilityMap


@dataclass(frozen=True)
class MapChoice:
    """The chosen map, and what every method reached."""

    chosen: ProbabilityMap  # fitted on all films
    by_fold: tuple[ProbabilityMap, ...]  # the chosen method, fitted without that fold
    probabilities: Scores  # (N,) of each film, from the map that was fitted without it
    log_losses: dict[str, float]  # by method, cross-validated


def choose_map(margins: AnyScores, labels: AnyLabels, folds: NDArray[np.intp]) -> MapChoice:
    """Fit every method and keep the plainest that is not worse than the best beyond chance.

    Not worse beyond chance: by less than one standard error of the difference, film by film (Breiman 1984).

    Args:
        margins: (N,) logit of abnormal minus logit of normal.
        labels: (N,) 0 normal, 1 abnormal.
        folds: (N,) fold of each film, 0.., patients whole (see `grouped_folds`).

    Raises:
        ValueError: lengths differ, a margin is not finite, or a class is empty.
        CalibrationError: abnormal films do not have the higher margins, or a fold's training films are all
            of one class.
    """
    values, truth = checked_both(margins, labels)
    numbers = range(int(folds.max()) + 1)
    if any(np.unique(truth[folds != fold]).size < 2 for fold in numbers):
        raise CalibrationError(
            f"calibration is not possible with {int(truth.sum())} abnormal and {int((~truth).sum())} normal "
            "films; expected several patients of each class: label more films"
        )
    maps: dict[str, tuple[ProbabilityMap, ...]] = {}
    probabilities: dict[str, Scores] = {}
    losses: dict[str, Scores] = {}
    for method, fit in FITTERS.items():
        maps[method] = tuple(fit(values[folds != fold], truth[folds != fold]) for fold in numbers)
        probabilities[method] = apply_by_fold(maps[method], values, folds)
        losses[method] = film_log_losses(probabilities[method], truth)
    chosen = _plainest_of_the_best(losses)
    means = {method: float(loss.mean()) for method, loss in losses.items()}
    return MapChoice(FITTERS[chosen](values, truth), maps[chosen], probabilities[chosen], means)


def apply_by_fold(maps: tuple[ProbabilityMap, ...], margins: Scores, folds: NDArray[np.intp]) -> Scores:
    """Each film's probability from the map of its own fold, that is, the one fitted without it."""
    probabilities = np.empty_like(margins)
    for fold, fitted in enumerate(maps):
        probabilities[folds == fold] = fitted.probability(margins[folds == fold])
    return probabilities


def _plainest_of_the_best(losses: dict[str, Scores]) -> str:
    best = min(losses.values(), key=lambda loss: float(loss.mean()))
    excesses = {method: loss - best for method, loss in losses.items()}
    return next(
        method for method, excess in excesses.items() if excess.mean() <= excess.std() / np.sqrt(excess.size)
    )
