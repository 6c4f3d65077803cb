"""The review band: films too close to the threshold to call, with a stated error rate for all others.

Class-conditional split conformal prediction (Vovk 2012). A margin so low that at most `error_rate` of the
abnormal films lie below it may go unflagged, one so high that at most `error_rate` of the normal films lie
above it may be flagged; what is between goes to review. The guarantee counts ranks only, so it holds for any
rising map from margins to probabilities, whatever films that map was fitted on. Where films are weighted it
holds too, if a new film is given the weight of the heaviest (Tibshirani 2019); only many labels then show a
small error rate.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.operating_points import MeasuredPoint
from cxr_calibration.fit.probability_maps import MapChoice
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.intervals import Estimate, wilson_by_film
from cxr_runtime.model.calibration import ProbabilityMap


@dataclass(frozen=True)
class ReviewBand:
    """Films of a probability within it go to review."""

    low: float  # probability; 0 where so few abnormal films cannot show the error rate
    high: float  # probability; 1 where so few normal films cannot show it
    error_rate: float  # asked for: of abnormal films not flagged, and of normal films flagged, unreviewed
    review_share: Estimate  # of films as they come
    missed: Estimate  # abnormal films neither flagged nor reviewed, by cross-validation
    false_alarms: Estimate  # normal films flagged and not reviewed, by cross-validation


def measure_band(
    point: MeasuredPoint,
    films: LabelledFilms,
    choice: MapChoice,
    folds: NDArray[np.intp],
    everyday: Scores,
    error_rate: float,
    sources: NDArray[np.intp] | None = None,
) -> ReviewBand:
    """The band around an operating point's threshold, and what it comes to on films it was not set on.

    Args:
        point: measured on the same films and folds.
        films: N films.
        choice: the map from margins to probabilities, with its folds.
        folds: (N,) fold of each film.
        everyday: (M,) margins of films as they come.
        error_rate: 0 < rate < 0.5.
        sources: as `measure_point`.
    """
    everyone = np.ones(films.margins.size, np.bool_)
    low, high = _band(films, everyone, choice.chosen, point.threshold, error_rate)
    below, above = np.empty_like(everyone), np.empty_like(everyone)
    for fold, (fitted, threshold) in enumerate(zip(choice.by_fold, point.thresholds_by_fold, strict=True)):
        own = folds == fold
        fold_low, fold_high = _band(films, ~own, fitted, threshold, error_rate)
        below[own], above[own] = choice.probabilities[own] < fold_low, choice.probabilities[own] > fold_high
    usual = choice.chosen.probability(everyday)
    return ReviewBand(
        low=low,
        high=high,
        error_rate=error_rate,
        review_share=wilson_by_film((usual >= low) & (usual <= high), sources),
        missed=films.share(below, films.truth),
        false_alarms=films.share(above, ~films.truth),
    )


def lowest_margin(
    margins: Scores,
    patients: NDArray[np.str_],
    error_rate: float,
    sources: NDArray[np.intp] | None = None,
    heaviest: int = 1,
) -> float:
    """A margin below which a new film of this class lies with a chance of at most `error_rate`.

    Each patient has the weight of one film, shared by the patient's films. Where films are weighted, that is
    the mean weight of the patient's films.

    Args:
        margins: (N,) of films of one class.
        patients: (N,) one value a patient.
        error_rate: 0 < rate < 1.
        sources: (N,) number of the film of each row; None: every row is a film of its own.
        heaviest: the greatest weight that a new film can have.

    Returns:
        One of the margins, or -inf where so few patients cannot show so small a rate.
    """
    _, which, rows = np.unique(patients, return_inverse=True, return_counts=True)
    first = slice(None) if sources is None else np.unique(sources, return_index=True)[1]
    films = np.bincount(which[first])
    rank = error_rate * (float(np.sum(rows / films)) + heaviest)
    if rank < heaviest:
        return -inf
    order = np.argsort(margins, kind="stable")
    weight = np.cumsum((1 / films[which])[order])
    return float(margins[order][np.argmax(weight > rank - heaviest + 1e-9)])


def _band(
    films: LabelledFilms, which: Truth, fitted: ProbabilityMap, threshold: float, error_rate: float
) -> tuple[float, float]:
    low = _lowest(films.margins, films, which & films.truth, error_rate)
    high = -_lowest(-films.margins, films, which & ~films.truth, error_rate)
    said_low = 0.0 if low == -inf else float(fitted.probability(np.array([low]))[0])
    said_high = 1.0 if high == inf else float(fitted.probability(np.array([high]))[0])
    return min(said_low, threshold), max(said_high, threshold)


def _lowest(margins: Scores, films: LabelledFilms, which: Truth, error_rate: float) -> float:
    sources = None if films.sources is None else films.sources[which]
    return lowest_margin(margins[which], films.patients[which], error_rate, sources, films.heaviest)
