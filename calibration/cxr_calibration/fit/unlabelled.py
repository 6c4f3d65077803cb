"""What can be known at a site without a label: the shift of its scores, its share of abnormal films.

The scores are taken for a mixture of the calibration's normal and abnormal films, all shifted by one number
(expectation maximisation over the share, on a grid of shifts). That holds where films look like those of the
calibration. It does not hold elsewhere: there the two kinds themselves score otherwise (docs/calibration.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import Scores
from cxr_calibration.statistics.distributions import Distribution, Kinds
from cxr_calibration.statistics.intervals import Estimate, wilson

LEAST_FILMS = 100  # with fewer, neither shift nor share is known well enough to be of use
STEP = 0.05  # between shifts of margins that are tried
SHIFTS = STEP * np.arange(-40, 41)
BINS = np.arange(-14.0, 20.01, 0.125)  # of margins
ROUNDS = 60  # of expectation maximisation, for each shift
WITHIN = 1.92  # log likelihood below the best that a 95 % interval reaches down to (Wilks 1938)
SMOOTHING = 0.85  # times n ** -0.2 standard deviations: width of the bells that make a density
STRAY = 0.01  # share of every density that is spread widely, for films unlike all others


@dataclass(frozen=True)
class Mixture:
    """A site's scores as a shifted mixture of the calibration's two kinds."""

    shift: Estimate  # of margins against the calibration's
    abnormal: Estimate  # share of abnormal films


@dataclass(frozen=True)
class Expected:
    """What a threshold is expected to do at a site."""

    mixture: Mixture
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class _Densities:
    """Both kinds over BINS, for every shift."""

    normal: NDArray[np.float64] = field(repr=False)  # (shifts, bins)
    abnormal: NDArray[np.float64] = field(repr=False)

    @classmethod
    def of(cls, kinds: Kinds) -> "_Densities":
        return cls(_shifted(kinds.normal), _shifted(kinds.abnormal))


def fit_mixture(kinds: Kinds, margins: Scores) -> Mixture:
    """Fit the shift and the share of abnormal films.

    Args:
        kinds: of the calibration.
        margins: (N,) of the site's films, as they come.
    """
    counts = np.histogram(np.clip(margins, BINS[0], BINS[-1] - 1e-9), BINS)[0].astype(np.float64)
    densities = _Densities.of(kinds)
    shares = np.full(SHIFTS.size, 0.3)
    for _ in range(ROUNDS):
        abnormal = shares[:, None] * densities.abnormal
        mixed = abnormal + (1 - shares[:, None]) * densities.normal
        shares = np.clip((counts * abnormal / mixed).sum(axis=1) / counts.sum(), 0.001, 0.999)
    mixed = shares[:, None] * densities.abnormal + (1 - shares[:, None]) * densities.normal
    likelihoods = (counts * np.log(mixed)).sum(axis=1)
    films = float(counts.sum())
    best, likely = int(np.argmax(likelihoods)), likelihoods >= likelihoods.max() - WITHIN
    return Mixture(
        Estimate(float(SHIFTS[best]), float(SHIFTS[likely].min()) - STEP, float(SHIFTS[likely].max()) + STEP),
        Estimate(
            float(shares[best]),
            wilson(float(shares[likely].min()) * films, films).low,
            wilson(float(shares[likely].max()) * films, films).high,
        ),
    )


def expect(
    kinds: Kinds, threshold: float, sensitivity: Estimate, specificity: Estimate, margins: Scores
) -> Expected:
    """What to expect of a threshold at a site whose films look like those of the calibration.

    Args:
        kinds: of the calibration.
        threshold: margin from which films are flagged.
        sensitivity: that the calibration measured there, with an interval over all kinds of its films.
        specificity: likewise.
        margins: (N,) of the site's films, as they come.
    """
    mixture = fit_mixture(kinds, margins)
    shifts = np.array([mixture.shift.value, mixture.shift.low, mixture.shift.high])
    found = 1 - kinds.abnormal.share_below(threshold - shifts)
    cleared = kinds.normal.share_below(threshold - shifts)
    start = np.array([threshold])
    return Expected(
        mixture,
        _moved(sensitivity, found, 1 - float(kinds.abnormal.share_below(start)[0])),
        _moved(specificity, cleared, float(kinds.normal.share_below(start)[0])),
    )


def over_all(whole: Estimate, parts: Sequence[Estimate]) -> Estimate:
    """An estimate whose interval covers those of all parts: nobody knows which part a site's films are."""
    return Estimate(
        whole.value,
        min([whole.low, *(part.low for part in parts)]),
        max([whole.high, *(part.high for part in parts)]),
    )


def _moved(measured: Estimate, shares: Scores, unmoved: float) -> Estimate:
    """What was measured, moved as the shift moves it; the interval covers both uncertainties."""
    steps = shares - unmoved
    low = measured.low + float(steps.min())
    high = measured.high + float(steps.max())
    value = min(1.0, max(0.0, measured.value + float(steps[0])))
    return Estimate(value, max(0.0, low), min(1.0, high))


def _shifted(kind: Distribution) -> NDArray[np.float64]:
    """(shifts, bins) share of films in each bin."""
    films, centres = kind.quantiles, (BINS[:-1] + BINS[1:]) / 2
    spread = max(float(films.std()), 0.1)
    width = SMOOTHING * spread * max(kind.films, 2) ** -0.2
    fine = np.arange(BINS[0] + SHIFTS[0] - 1, BINS[-1] - SHIFTS[0] + 1, 0.05)
    bells = np.exp(-0.5 * ((fine[:, None] - films) / width) ** 2).mean(axis=1) / width
    wide = np.exp(-0.5 * ((fine - films.mean()) / (3 * spread)) ** 2) / (3 * spread)
    density = (1 - STRAY) * bells + STRAY * wide
    return np.stack([np.interp(centres - shift, fine, density) for shift in SHIFTS]) + 1e-12
