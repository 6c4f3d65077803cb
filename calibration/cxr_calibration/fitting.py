"""Maps from margins to probabilities, fitted: temperature, Platt's line, isotonic regression."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.checked import AnyLabels, AnyScores, checked_both
from cxr_calibration.logistic import fit_logistic, smoothed_targets, target_limits
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


def pool_adjacent_violators(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[tuple[float, float, int]]:
    """Least-squares rising steps (Ayer et al. 1955).

    Args:
        values: (N,) in the order of what they should rise with.
        weights: (N,) above 0.

    Returns:
        (value, weight, number of values) of each step, values strictly rising.
    """
    steps: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        steps.append((value, weight, 1))
        while len(steps) > 1 and steps[-2][0] >= steps[-1][0]:
            (later, w1, n1), (earlier, w0, n0) = steps.pop(), steps.pop()
            steps.append(((earlier * w0 + later * w1) / (w0 + w1), w0 + w1, n0 + n1))
    return steps


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
