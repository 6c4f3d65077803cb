"""Confidence intervals: Wilson's for shares of films, the bootstrap by patient for the rest; and in words."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, isnan, nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95  # of every interval that does not say otherwise
REPLICATES = 2000  # bootstrap samples; the ends of an interval are then good to about 0.003
DECIMALS = 6  # of measured numbers in files
FEWEST_PATIENTS = 6  # for an interval: from least to most, 6 cover the median with 97 %, and 5 with 94 %
TOO_FEW_FILMS = "too few films"  # said in place of an interval that is not known
DEFINED_AT_LEAST = 0.9  # share of bootstrap samples in which the statistic must exist


@dataclass(frozen=True)
class Estimate:
    """A measured number with its confidence interval; all nan where it cannot be known.

    Both ends are nan where the number is known and its interval is not.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if isnan(self.value):
            return "-"
        if isnan(self.low + self.high):
            return f"{self.value:.3f} ({TOO_FEW_FILMS})"
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


UNKNOWN = Estimate(nan, nan, nan)


def normal_quantile(confidence: float) -> float:
    """Half width, in standard errors, of a two-sided interval of that confidence (0 <= confidence < 1)."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(successes: float, total: float, confidence: float = CONFIDENCE) -> Estimate:
    """Wilson's score interval for a share (Wilson, JASA 1927).

    Args:
        successes: films that have the property; need not be whole where `total` is an effective number.
        total: films; 0 gives `UNKNOWN`.
        confidence: two-sided, 0 <= confidence < 1.

    Returns:
        The share and its interval, all within 0..1.
    """
    if total == 0:
        return UNKNOWN
    z, share = normal_quantile(confidence), successes / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def wilson_by_patient(
    hits: NDArray[np.bool_], patients: NDArray[Any], confidence: float = CONFIDENCE, most: float = inf
) -> Estimate:
    """Wilson's interval with as many films as the patients are worth.

    Films of one patient resemble each other, so the number of films is divided by the design effect (the
    variance between patients over the variance of independent films, never below 1); where all films agree
    and the design effect cannot be seen, every patient counts as one film.

    Args:
        hits: (N,) bool, films that have the property.
        patients: (N,) any type, one value a patient.
        confidence: two-sided.
        most: films that they can be worth, where rows stand for films that nobody has read.
    """
    total = int(hits.size)
    if total == 0:
        return UNKNOWN
    share, (_, which) = float(hits.mean()), np.unique(patients, return_inverse=True)
    number = int(which.max()) + 1
    independent = share * (1 - share) / total
    if number in (total, 1) or independent == 0:
        return wilson(share * number, number, confidence)
    excess = np.bincount(which, weights=hits - share, minlength=number)
    between = number / (number - 1) * float(excess @ excess) / total**2
    effective = min(total / max(1.0, between / independent), most)
    return wilson(share * effective, effective, confidence)


def wilson_by_film(hits: NDArray[np.bool_], sources: NDArray[np.intp] | None) -> Estimate:
    """Wilson's interval for (N,) rows that stand for films: `sources` has the film of each; None: its own."""
    if sources is None:
        return wilson(int(hits.sum()), hits.size)
    return wilson_by_patient(hits, sources, most=np.unique(sources).size)


def films_worth(share: Estimate) -> float:
    """How many independent films have Wilson's interval of that share: the inverse of `wilson`.

    Both ends x of Wilson's interval solve films * (share - x)^2 = z^2 * x * (1 - x); the end that is farther
    from the share tells best. 0 where there is no interval, or one without a width, which is not Wilson's.
    """
    if isnan(share.value + share.low + share.high) or share.low == share.high:
        return 0.0
    end = max(share.low, share.high, key=lambda one: abs(one - share.value))
    return normal_quantile(CONFIDENCE) ** 2 * end * (1 - end) / (share.value - end) ** 2


def are_enough(patients: NDArray[Any], classes: NDArray[Any]) -> bool:
    """Whether films of every class are of enough patients for an interval.

    Args:
        patients: (N,) any type, one value a patient.
        classes: (N,) any type, e.g. the truth.
    """
    return all(np.unique(patients[classes == one]).size >= FEWEST_PATIENTS for one in np.unique(classes))


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    patients: NDArray[Any],
    *,
    classes: NDArray[Any] | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Estimate:
    """Percentile bootstrap of 95 % that draws patients, not films.

    Args:
        statistic: given row numbers of films (repeats allowed), the number of interest; nan where a sample
            does not define it (say, no abnormal film in it).
        patients: (N,) any type, one value a patient.
        classes: (N,) any type, of a statistic of several classes of films; None: all are of one.
        replicates: bootstrap samples.
        seed: the same seed gives the same interval.

    Returns:
        The statistic of all films and its interval; low and high are nan where a class has films of fewer
        than FEWEST_PATIENTS patients, where more than a tenth of the samples do not define the statistic, and
        where samples agree so well that the interval has no width: that shows no certainty, but that no
        film shows an error yet.
    """
    value = statistic(np.arange(patients.size))
    if not are_enough(patients, np.zeros(patients.size) if classes is None else classes):
        return Estimate(value, nan, nan)
    draw = _PatientDraw(patients)
    random = np.random.default_rng(seed)
    drawn = np.array([statistic(draw.films(random)) for _ in range(replicates)], np.float64)
    defined = drawn[np.isfinite(drawn)]
    if defined.size < DEFINED_AT_LEAST * replicates:
        return Estimate(value, nan, nan)
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    if high - low < 10**-DECIMALS:
        return Estimate(value, nan, nan)
    return Estimate(value, float(low), float(high))


class _PatientDraw:
    """Draws patients with replacement and gives the rows of all their films."""

    def __init__(self, patients: NDArray[Any]) -> None:
        _, which = np.unique(patients, return_inverse=True)
        self._by_patient = np.argsort(which, kind="stable")
        self._films = np.bincount(which)
        self._start = np.cumsum(self._films) - self._films

    def films(self, random: np.random.Generator) -> NDArray[np.intp]:
        picks = random.integers(self._films.size, size=self._films.size)
        films = self._films[picks]
        before = np.cumsum(films) - films
        places = np.repeat(self._start[picks] - before, films) + np.arange(int(films.sum()))
        return self._by_patient[places]


def rounded(value: float) -> float | None:
    """As a file states a measured number: DECIMALS places; None where it is not finite."""
    return round(value, DECIMALS) if isfinite(value) else None


def stated(estimate: Estimate) -> dict[str, float | list[float | None] | None]:
    """As a file states an estimate."""
    return {"value": rounded(estimate.value), "interval": stated_interval(estimate)}


def stated_interval(estimate: Estimate) -> list[float | None]:
    """The two ends, as a file states them."""
    return [rounded(estimate.low), rounded(estimate.high)]


def percent(share: float) -> str:
    """A share as a percentage with the digits that matter; `-` where it cannot be known."""
    return "-" if isnan(share) else f"{100 * share:.{_digits(share)}f} %"


def percent_interval(estimate: Estimate) -> str:
    """`87 % (80-92)`; the interval is left out where it cannot be known."""
    if isnan(estimate.value + estimate.low + estimate.high):
        return percent(estimate.value)
    low, high = (f"{100 * end:.{_digits(estimate.value)}f}" for end in (estimate.low, estimate.high))
    return f"{percent(estimate.value)} ({low}-{high})"


def _digits(share: float) -> int:
    """After the point; the more, the closer to 0 or 1."""
    from_end = min(share, 1 - share)
    if from_end >= 0.0995 or from_end <= 0:
        return 0
    return 1 if from_end >= 0.00995 else 2
