"""Operating points: a threshold by a rule, and what it comes to on films that had no part in setting it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.probability_maps import MapChoice
from cxr_calibration.fit.rules import Measured, Rule, Sample
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.confusion import (
    Confusion,
    count,
    flagged_share_at,
    npv_interval,
    ppv_interval,
)
from cxr_calibration.statistics.intervals import Estimate, wilson_by_film
from cxr_runtime.model.calibration import ProbabilityMap

PREVALENCES = (0.01, 0.05, 0.20)  # for which predictive values are stated


@dataclass(frozen=True)
class AtPrevalence:
    """What a flag means where another share of the films is abnormal."""

    prevalence: float
    ppv: Estimate  # share of flagged films that are abnormal
    npv: Estimate  # share of films not flagged that are normal
    flagged_share: float  # share of all films that are flagged


@dataclass(frozen=True)
class MeasuredPoint:
    """An operating point with everything that was measured of it, by cross-validation."""

    name: str
    threshold: float  # flagged at or above this probability; set on all films
    shortfall: str  # why the films do not support it; "" where they do
    counts: Confusion  # each film flagged by a threshold that was set without its fold
    sensitivity: Estimate
    specificity: Estimate
    flagged_share: Estimate  # of films as they come
    at_prevalence: tuple[AtPrevalence, ...]
    flagged: Truth = field(repr=False)  # (N,) the flags that `counts` counts
    thresholds_by_fold: tuple[float, ...] = field(repr=False)  # each set without its fold

    @property
    def met(self) -> bool:
        """Whether the films support what the rule promises."""
        return not self.shortfall


def measure_point(
    rule: Rule,
    films: LabelledFilms,
    choice: MapChoice,
    folds: NDArray[np.intp],
    everyday: Scores,
    sources: NDArray[np.intp] | None = None,
) -> MeasuredPoint:
    """Set a threshold on all films, and measure the rule fold by fold.

    In each fold the map and the threshold come from the other folds; the flags of all folds together
    give sensitivity and specificity, their intervals count patients. Where they ask for it, the rule is tried
    again with more room for chance.

    Args:
        rule: how the threshold is set.
        films: N films.
        choice: the map from margins to probabilities, with its folds.
        folds: (N,) fold of each film.
        everyday: (M,) margins of films as they come, labelled or not.
        sources: (M,) film of each of these, where films are weighted; None: every margin is of its own.
    """
    measured, point = _measure(rule, films, choice, folds, everyday, sources)
    while (safer := rule.safer(measured)) is not None:
        rule = safer
        measured, point = _measure(rule, films, choice, folds, everyday, sources)
    return point


def _measure(
    rule: Rule,
    films: LabelledFilms,
    choice: MapChoice,
    folds: NDArray[np.intp],
    everyday: Scores,
    sources: NDArray[np.intp] | None,
) -> tuple[Measured, MeasuredPoint]:
    everyone = np.ones(films.margins.size, np.bool_)
    by_fold = tuple(
        rule.threshold(_sample(films, folds != fold, everyday, fitted))
        for fold, fitted in enumerate(choice.by_fold)
    )
    flagged = choice.probabilities >= np.array(by_fold)[folds]
    threshold = rule.threshold(_sample(films, everyone, everyday, choice.chosen))
    usual = choice.chosen.probability(everyday)
    sensitivity = films.share(flagged, films.truth)
    specificity = films.share(~flagged, ~films.truth)
    share = wilson_by_film(usual >= threshold, sources)
    measured = Measured(films.abnormal, films.normal, sensitivity, specificity, share)
    return measured, MeasuredPoint(
        name=rule.name,
        threshold=threshold,
        shortfall=rule.shortfall(measured),
        counts=count(flagged, films.truth),
        sensitivity=sensitivity,
        specificity=specificity,
        flagged_share=share,
        at_prevalence=tuple(meaning_at(prevalence, sensitivity, specificity) for prevalence in PREVALENCES),
        flagged=flagged,
        thresholds_by_fold=by_fold,
    )


def _sample(films: LabelledFilms, which: Truth, everyday: Scores, fitted: ProbabilityMap) -> Sample:
    said = fitted.probability(films.margins[which])
    return Sample(said, films.truth[which], films.patients[which], fitted.probability(everyday))


def meaning_at(prevalence: float, sensitivity: Estimate, specificity: Estimate) -> AtPrevalence:
    """What a flag means where that share of the films is abnormal."""
    return AtPrevalence(
        prevalence,
        ppv_interval(sensitivity, specificity, prevalence),
        npv_interval(sensitivity, specificity, prevalence),
        flagged_share_at(sensitivity.value, specificity.value, prevalence),
    )
