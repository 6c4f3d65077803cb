"""Maps from margins to probabilities: fitted, and chosen by the log loss on films they were not fitted on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import AnyLabels, AnyScores, Scores, checked_both
from cxr_calibration.statistics.probability_scores import film_log_losses
from cxr_calibration.statistics.regression import (
    fit_logistic,
    pool_adjacent_violators,
    smoothed_targets,
    target_limits,
)
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import ProbabilityMap

HOTTEST = 1000.0  # temperature at which every film is called even; margins far from 0 may fit no lower one


def fit_temperature(margins: AnyScores, labels: AnyLabels) -> ProbabilityMap:
    """One temperature for all margins (Guo et al. 2017).

    Args:
        margins: (N,) logit of abnormal minus logit of normal.
        labels: (N,) 0 normal, 1 abnormal, both present.

    Raises:
        ValueError: lengths differ, a margin is not finite, or a class is empty.
    """
    values, truth = checked_both(margins, labels)
    (sharpness,) = fit_logistic(values[:, None], smoothed_targets(truth))
    return ProbabilityMap(method="temperature", temperature=1 / max(float(sharpness), 1 / HOTTEST))


def fit_platt(margins: AnyScores, labels: AnyLabels) -> ProbabilityMap:
    """A slope and an intercept (Platt 1999); arguments and errors as `fit_temperature`.

    Raises:
        CalibrationError: the slope is not positive: abnormal films do not have the higher margins.
    """
    values, truth = checked_both(margins, labels)
    design = np.stack([values, np.ones_like(values)], axis=1)
    slope, intercept = fit_logistic(design, smoothed_targets(truth))
    if slope <= 0:
        raise CalibrationError(
            "calibration is not possible: abnormal films do not get the higher scores; "
            "expected labels of 0 (normal) and 1 (abnormal) on films the model was made for"
        )
    return ProbabilityMap(method="platt", slope=float(slope), intercept=float(intercept))


def fit_isotonic(margins: AnyScores, labels: AnyLabels) -> ProbabilityMap:
    """Isotonic regression, drawn through the centres of its steps (Oron and Flournoy 2017).

    Centres instead of steps keep films apart that plain isotonic regression would tie. Probabilities stay
    within what so many films can support, and go on rising a little beyond the outermost films.

    Arguments and errors as `fit_temperature`.
    """
    values, truth = checked_both(margins, labels)
    centre, share = _steps(values, truth)
    low, high = target_limits(truth)
    share = np.clip(share, low, high)
    reach = float(np.ptp(values))
    at = [values.min() - reach, *centre, values.max() + reach]
    probability = [share[0] / 2, *share, (1 + share[-1]) / 2]
    knots = tuple((float(m), float(p)) for m, p in zip(at, probability, strict=True))
    return ProbabilityMap(method="isotonic", knots=knots)


FITTERS: dict[str, Callable[[AnyScores, AnyLabels], ProbabilityMap]] = {
    "temperature": fit_temperature,
    "platt": fit_platt,
    "isotonic": fit_isotonic,
}  # the plainest first


def _steps(
    margins: NDArray[np.float64], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean margin and share of abnormal films of every isotonic step."""
    distinct, which, films = np.unique(margins, return_inverse=True, return_counts=True)
    weights = films.astype(np.float64)
    steps = pool_adjacent_violators(np.bincount(which, weights=truth) / weights, weights)
    step_of = np.repeat(np.arange(len(steps)), [number for _, _, number in steps])
    total = np.bincount(step_of, weights=weights)
    return np.bincount(step_of, weights=weights * distinct) / total, np.array([step[0] for step in steps])


@dataclass(frozen=True)
class MapChoice:
    """The chosen map, and what every method reached."""

    chosen: ProbabilityMap  # fitted on all films
    by_fold: tuple[ProbabilityMap, ...]  # the chosen method, fitted without that fold
    probabilities: Scores  # (N,) of each film, from the map that was fitted without it
    log_losses: dict[str, float]  # by method, cross-validated


def choose_map(
    margins: AnyScores,
    labels: AnyLabels,
    folds: NDArray[np.intp],
    sources: NDArray[np.intp] | None = None,
) -> MapChoice:
    """Fit every method and keep the plainest that is not worse than the best beyond chance.

    Not worse beyond chance: by less than one standard error of the difference, film by film (Breiman 1984).

    Args:
        margins: (N,) logit of abnormal minus logit of normal.
        labels: (N,) 0 normal, 1 abnormal.
        folds: (N,) fold of each film, 0.., patients whole (see `grouped_folds`).
        sources: (N,) film of each row, where films are weighted; None: every row is a film of its own.

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
    chosen = _plainest_of_the_best(losses, sources)
    means = {method: float(loss.mean()) for method, loss in losses.items()}
    return MapChoice(FITTERS[chosen](values, truth), maps[chosen], probabilities[chosen], means)


def apply_by_fold(maps: tuple[ProbabilityMap, ...], margins: Scores, folds: NDArray[np.intp]) -> Scores:
    """Each film's probability from the map of its own fold, that is, the one fitted without it."""
    probabilities = np.empty_like(margins)
    for fold, fitted in enumerate(maps):
        probabilities[folds == fold] = fitted.probability(margins[folds == fold])
    return probabilities


def _plainest_of_the_best(losses: dict[str, Scores], sources: NDArray[np.intp] | None) -> str:
    best = min(losses.values(), key=lambda loss: float(loss.mean()))
    excesses = {method: loss - best for method, loss in losses.items()}
    return next(
        method for method, excess in excesses.items() if excess.mean() <= _standard_error(excess, sources)
    )


def _standard_error(excess: Scores, sources: NDArray[np.intp] | None) -> float:
    """Of the mean of (N,) numbers; all rows of a film are one."""
    off = excess - excess.mean()
    by_film = off if sources is None else np.bincount(sources, weights=off)
    return float(np.sqrt(by_film @ by_film) / excess.size)
