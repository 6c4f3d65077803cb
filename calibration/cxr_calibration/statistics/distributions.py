"""The population stability index, with the limit that so few films need.

The index of a fresh sample of the same films grows as the sample shrinks (its mean is about bins / films), so
the usual limits of 0.1 and 0.25 alarm on small nights for nothing; here chance is simulated instead.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import Scores, Truth

QUANTILES = 256  # a stored distribution is known at 257 quantiles, from the least value to the greatest
BINS = 10  # tenths of the reference
SIMULATIONS = 50_000


@dataclass(frozen=True)
class Distribution:
    """A distribution, kept as quantiles: no film's own number is in it."""

    films: int  # how many it was taken from
    quantiles: Scores = field(repr=False)  # (QUANTILES + 1,) rising

    @classmethod
    def of(cls, values: Scores, stands_for: NDArray[np.intp] | None = None) -> "Distribution | None":
        """The distribution of (N,) numbers, each of which stands for 1 film or for so many; None of none."""
        if values.size == 0:
            return None
        every = values if stands_for is None else np.repeat(values, stands_for)
        return cls(int(values.size), np.quantile(every, np.arange(QUANTILES + 1) / QUANTILES))

    def share_below(self, values: Scores) -> Scores:
        """(N,) 0..1: the share of the distribution below each value."""
        rank = np.arange(self.quantiles.size) / (self.quantiles.size - 1)
        distinct, which, ties = np.unique(self.quantiles, return_inverse=True, return_counts=True)
        middle = np.bincount(which, weights=rank) / ties
        return np.asarray(np.interp(values, distinct, middle, left=0.0, right=1.0), np.float64)

    def histogram(self, edges: Scores) -> Scores:
        """(K - 1,) share of the distribution between each of (K,) rising edges and the next."""
        return np.diff(self.share_below(edges))


@dataclass(frozen=True)
class Kinds:
    """How normal and abnormal films score."""

    normal: Distribution
    abnormal: Distribution

    @classmethod
    def of(cls, margins: Scores, truth: Truth, stands_for: NDArray[np.intp] | None = None) -> "Kinds | None":
        """Of (N,) margins and whether films are abnormal; None where there is none of a kind."""
        normal, abnormal = (
            Distribution.of(margins[kind], None if stands_for is None else stands_for[kind])
            for kind in (~truth, truth)
        )
        return None if normal is None or abnormal is None else cls(normal, abnormal)


def stability_index(reference: Distribution, values: Scores) -> float:
    """Population stability index of (N,) values against a reference, by its tenths; N above 0.

    An empty tenth counts as half a film, so that the logarithm exists.
    """
    tenth = np.minimum((BINS * reference.share_below(values)).astype(np.intp), BINS - 1)
    return float(_index(np.bincount(tenth, minlength=BINS)[None])[0])


def stability_p_value(index: float, independent_films: int, films: int) -> float:
    """Chance of an index so great where nothing has changed.

    Args:
        index: from `stability_index`.
        independent_films: that the reference was made of; its own tenths are uncertain too.
        films: that the index was taken from, above 0.

    Returns:
        A p-value, at least 1 / (SIMULATIONS + 1).
    """
    by_chance = _by_chance(independent_films, films)
    as_great = by_chance.size - int(np.searchsorted(by_chance, index - 1e-9))
    return (as_great + 1) / (SIMULATIONS + 1)


@lru_cache(maxsize=32)
def _by_chance(independent_films: int, films: int) -> Scores:
    """(SIMULATIONS,) indices of samples of the same, rising; the same ones every time."""
    random = np.random.default_rng(0)
    tenths = random.dirichlet(np.full(BINS, (independent_films + 1) / BINS), size=SIMULATIONS)
    return np.sort(_index(random.multinomial(films, tenths)))


def _index(counts: NDArray[np.integer]) -> Scores:
    """(S,) indices of (S, BINS) counts."""
    share = (counts + 0.5) / (counts.sum(axis=1, keepdims=True) + BINS / 2)
    return np.asarray(np.sum((share - 1 / BINS) * np.log(share * BINS), axis=1), np.float64)
