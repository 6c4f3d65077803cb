"""Logistic and isotonic regression, so small that neither needs a library."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.logits import sigmoid

MAX_STEPS = 100
TOLERANCE = 1e-10  # of the mean loss, at which the search ends
SMALLEST_STEP = 1e-9  # share of Newton's step tried before giving up


def fit_logistic(design: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of least mean log loss.

    Args:
        design: (N, K) one row a film, columns linearly independent.
        targets: (N,) wanted probabilities, strictly within 0..1, so that the loss has one least point.

    Returns:
        (K,) coefficients; the probability is sigmoid(design @ coefficients).

    Raises:
        ArithmeticError: the search did not end, as it does on columns that are not independent.
    """
    coefficients: NDArray[np.float64] = np.zeros(design.shape[1])
    loss = _loss(design, targets, coefficients)
    for _ in range(MAX_STEPS):
        said = sigmoid(design @ coefficients)
        slope = design.T @ (said - targets) / targets.size
        curvature = (design * (said * (1 - said))[:, None]).T @ design / targets.size
        step = np.linalg.lstsq(curvature, slope, rcond=None)[0]
        share, better = 1.0, loss
        while share > SMALLEST_STEP:
            better = _loss(design, targets, coefficients - share * step)
            if better <= loss:
                break
            share /= 2
        coefficients, gain, loss = coefficients - share * step, loss - better, better
        if gain < TOLERANCE:
            return coefficients
    raise ArithmeticError(f"logistic regression did not settle in {MAX_STEPS} steps (loss {loss:.6f})")


def smoothed_targets(truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Targets a little inside 0 and 1, so that classes that do not overlap have a fit (Platt 1999, 2.2).

    Args:
        truth: (N,) bool, True is abnormal.

    Returns:
        (N,) (n1 + 1) / (n1 + 2) on the n1 abnormal films, 1 / (n0 + 2) on the n0 normal ones.
    """
    low, high = target_limits(truth)
    return np.where(truth, high, low)


def target_limits(truth: NDArray[np.bool_]) -> tuple[float, float]:
    """The two targets of `smoothed_targets`: the least and greatest probability that films can support."""
    abnormal, normal = int(truth.sum()), int((~truth).sum())
    return 1 / (normal + 2), (abnormal + 1) / (abnormal + 2)


def _loss(
    design: NDArray[np.float64], targets: NDArray[np.float64], coefficients: NDArray[np.float64]
) -> float:
    logits = design @ coefficients
    return float(np.mean(np.logaddexp(0.0, logits) - targets * logits))


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
