"""The population stability index, with the limit that so few films need.

The index of a fresh sample of the same films grows as the sample shrinks (its mean is about bins / films), so
the usual limits of 0.1 and 0.25 alarm on small nights for nothing; here chance is simulated instead.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.checked import Scores
from cxr_calibration.reference import Distribution

BINS = 10  # tenths of the reference
SIMULATIONS = 50_000


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
