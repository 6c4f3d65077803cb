"""What films, scores and rejections were like when the calibration was made; monitoring compares to it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from cxr_calibration.checked import Scores

QUANTILES = 256  # a stored distribution is known at 257 quantiles, from the least value to the greatest


@dataclass(frozen=True)
class Distribution:
    """A distribution, kept as quantiles: no film's own number is in it."""

    films: int  # how many it was taken from
    quantiles: Scores = field(repr=False)  # (QUANTILES + 1,) rising

    @classmethod
    def of(cls, values: Scores) -> "Distribution | None":
        """The distribution of (N,) numbers, or None of none."""
        if values.size == 0:
            return None
        return cls(int(values.size), np.quantile(values, np.arange(QUANTILES + 1) / QUANTILES))

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
class ReferenceFilm:
    """One film as it came, scored or not."""

    margin: float | None  # None where it was not scored
    brightness: float | None = None  # mean of the network's input, 0..1
    contrast: float | None = None  # its standard deviation
    code: str = ""  # why it was not scored
    view: str = ""  # PA, AP or ""


@dataclass(frozen=True)
class Reference:
    """What films looked like when all was well."""

    margins: Distribution
    independent_films: int  # as many as there were patients, where that was known
    brightness: Distribution | None
    contrast: Distribution | None
    views: dict[str, int]  # scored films by stated view
    films: int | None  # scored or not; None where only films fit for scoring were given
    unscored: dict[str, int]  # films by code; empty where `films` is None


def make_reference(films: Iterable[ReferenceFilm], *, patients: int | None, is_everyday: bool) -> Reference:
    """Describe films as they came.

    Args:
        films: at least one of them scored.
        patients: how many different patients the scored films are of, if known.
        is_everyday: the films are all that came, not a choice; only then the unscored ones mean anything.

    Raises:
        ValueError: no film was scored.
    """
    films = list(films)
    scored = [film for film in films if film.margin is not None]
    margins = Distribution.of(_known(film.margin for film in scored))
    if margins is None:
        raise ValueError("a reference needs at least one scored film")
    return Reference(
        margins=margins,
        independent_films=patients or len(scored),
        brightness=Distribution.of(_known(film.brightness for film in scored)),
        contrast=Distribution.of(_known(film.contrast for film in scored)),
        views=_count(film.view for film in scored if film.view),
        films=len(films) if is_everyday else None,
        unscored=_count(film.code for film in films if film.margin is None) if is_everyday else {},
    )


def _known(values: Iterable[float | None]) -> Scores:
    return np.array([value for value in values if value is not None], np.float64)


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
