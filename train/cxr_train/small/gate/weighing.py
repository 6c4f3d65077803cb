"""The weights by which the gate joins what speaks against a film, fitted on films not learned from."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from cxr_runtime.gate.reasons import Doubt, Reason, Weighing
from cxr_runtime.logits import sigmoid

NOT_TO_SCORE = 0.1  # share of a clinic's pictures that are taken not to be films to score
SHRINKAGE = 1e-5  # of the squared weights, so that kinds that never overlap have a fit
LEAST_PROBABILITY = 0.8  # below it a film is not scored


@dataclass(frozen=True)
class Weighed:
    """What the gate found of a picture that is to be scored, or not."""

    kind: str  # row of the table it belongs to
    is_good: bool  # to be scored
    reasons: tuple[Reason, ...]


def fit_weighing(pictures: list[Weighed]) -> Weighing:
    """Fit a logistic model in which each doubt is enough by itself from its `enough` on.

    Every kind that is not to be scored is taken to be equally frequent, all together NOT_TO_SCORE.

    Args:
        pictures: good films, and others of every kind.
    """
    sizes = np.array([_by_doubt(picture, lambda reason: reason.size) for picture in pictures])
    enough = np.array(_by_doubt(pictures[0], lambda reason: reason.enough))
    is_good, shares = np.array([picture.is_good for picture in pictures]), _shares(pictures)
    bar = log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))
    # A weight takes the base down to the bar where the doubt is enough; it is larger where that fits better.
    together = (sizes / enough).sum(axis=1)
    design, offset = np.column_stack([1 - together, -sizes]), bar * together

    def loss(fitted: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = design @ fitted + offset
        lost = np.where(is_good, np.logaddexp(0, -logits), np.logaddexp(0, logits))
        slope = design.T @ (shares * (sigmoid(logits) - is_good))
        shrunk = np.concatenate([[0.0], fitted[1:]])
        return float(shares @ lost + SHRINKAGE * (shrunk @ shrunk)), slope + 2 * SHRINKAGE * shrunk

    bounds = [(bar, None), *[(0.0, None)] * len(Doubt)]
    start, exact = np.full(1 + len(Doubt), 2 * bar), {"gtol": 1e-10, "ftol": 1e-14, "maxiter": 5000}
    base, *more = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=exact).x
    weights = ((base - bar) / enough + more).tolist()
    return Weighing(float(base), dict(zip(Doubt, weights, strict=True)), LEAST_PROBABILITY)


def _by_doubt(picture: Weighed, number: Callable[[Reason], float]) -> list[float]:
    numbers = {reason.doubt: number(reason) for reason in picture.reasons}
    return [numbers[doubt] for doubt in Doubt]


def _shares(pictures: list[Weighed]) -> NDArray[np.float64]:
    """How frequent each picture is taken to be; they add up to 1."""
    good = sum(picture.is_good for picture in pictures)
    bad = Counter(picture.kind for picture in pictures if not picture.is_good)
    each = [
        (1 - NOT_TO_SCORE) / good if picture.is_good else NOT_TO_SCORE / len(bad) / bad[picture.kind]
        for picture in pictures
    ]
    return np.array(each)
