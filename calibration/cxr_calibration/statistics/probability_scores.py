"""How good probabilities are: Brier score, log loss, calibration error and the reliability curve."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import AnyLabels, AnyScores, Scores, Truth, checked
from cxr_calibration.statistics.intervals import Estimate, wilson_by_film

BINS = 10
LEAST_PROBABILITY = 1e-12  # the log loss of a certain error would be infinite


class Binning(StrEnum):
    """How probabilities are put into bins."""

    WIDTH = "width"  # bins of one width
    COUNT = "count"  # bins of about as many films each


@dataclass(frozen=True)
class ReliabilityBin:
    """Films of about one probability."""

    films: int  # each as many times as it stands for films
    probability: float  # mean of what was said
    abnormal: Estimate  # share that is abnormal, with Wilson's interval


def brier(probabilities: AnyScores, labels: AnyLabels) -> float:
    """Mean squared difference of probability and truth (Brier 1950); 0 is perfect.

    Raises:
        ValueError: not probabilities, or not labels of 0 and 1.
    """
    said, truth = _checked(probabilities, labels)
    return float(np.mean((said - truth) ** 2))


def log_loss(probabilities: AnyScores, labels: AnyLabels) -> float:
    """Mean negative logarithm of the probability given to the truth, in nats; 0 is perfect.

    Raises:
        ValueError: not probabilities, or not labels of 0 and 1.
    """
    return float(film_log_losses(probabilities, labels).mean())


def film_log_losses(probabilities: AnyScores, labels: AnyLabels) -> Scores:
    """(N,) the log loss of each film; arguments and errors as `log_loss`."""
    said, truth = _checked(probabilities, labels)
    given = np.where(truth, said, 1 - said)
    return np.asarray(-np.log(np.maximum(given, LEAST_PROBABILITY)), np.float64)


def calibration_error(probabilities: AnyScores, labels: AnyLabels) -> float:
    """Expected calibration error: mean distance of said and found shares, weighted by films (Guo 2017).

    It is of ten bins of one width.

    Raises:
        ValueError: not probabilities, or not labels of 0 and 1.
    """
    curve = reliability(probabilities, labels, binning=Binning.WIDTH)
    films = sum(part.films for part in curve)
    return sum(part.films * abs(part.probability - part.abnormal.value) for part in curve) / films


def reliability(
    probabilities: AnyScores,
    labels: AnyLabels,
    bins: int = BINS,
    binning: Binning = Binning.COUNT,
    sources: NDArray[np.intp] | None = None,
) -> tuple[ReliabilityBin, ...]:
    """Said probability against found share, bin by bin; empty bins are left out.

    Args:
        probabilities: (N,) 0..1.
        labels: (N,) 0 normal, 1 abnormal.
        bins: at most so many.
        binning: of one width, or of about as many films each.
        sources: (N,) film of each row, where films are weighted; None: every row is a film of its own.

    Raises:
        ValueError: not probabilities, or not labels of 0 and 1.
    """
    said, truth = _checked(probabilities, labels)
    inner = np.arange(1, bins) / bins
    edges = inner if binning is Binning.WIDTH else np.quantile(said, inner)
    which = np.searchsorted(edges, said, side="right" if binning is Binning.WIDTH else "left")
    parts = (which == number for number in np.unique(which))
    return tuple(_bin(said[part], truth[part], None if sources is None else sources[part]) for part in parts)


def _bin(said: Scores, truth: Truth, sources: NDArray[np.intp] | None) -> ReliabilityBin:
    return ReliabilityBin(said.size, float(said.mean()), wilson_by_film(truth, sources))


def _checked(probabilities: AnyScores, labels: AnyLabels) -> tuple[Scores, Truth]:
    said, truth = checked(probabilities, labels)
    if said.size == 0 or said.min() < 0 or said.max() > 1:
        raise ValueError("expected at least one probability, and all of them from 0 to 1")
    return said, truth
