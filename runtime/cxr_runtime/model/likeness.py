"""Do the films of a run look like those that a calibration was made on?

Looks and margin of a film, together, are made independent and of unit variance by what the calibration's
films showed (`LooksReference.axes`). The directions in which films differ because they are abnormal, or AP,
are taken out: a ward with more disease, or a bedside machine, does not make films foreign. What is left of
the mean of a run's films is a distance. Films are foreign if it is larger, beyond chance, than films of one
hospital have among each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.model.looks import LOOKS, Looks

MOST = 1e6  # of every number of a reference
AT_ONCE = 1000  # films in memory
LEAST_FILMS = 10  # fewer are not compared
NEAR = 1.0  # distance that films of one hospital can have; see docs/calibration.md
CHANCE = 0.001  # of calling films foreign that are just NEAR
FARTHEST = 4.0  # of one film on one axis: a single odd film moves the mean by no more


@dataclass(frozen=True, kw_only=True)
class LooksReference:
    """How the films looked that a calibration was made on; no film's own numbers are in it."""

    names: tuple[str, ...]  # of the looks that were measured
    films: int  # independent ones, that it was made from
    middle: tuple[float, ...]  # (D,) mean of looks and margin
    axes: tuple[tuple[float, ...], ...]  # K times (D,): what to multiply with, K even

    def __post_init__(self) -> None:
        """Refuse what cannot be compared with.

        Raises:
            ValueError: numbers are missing or beyond MOST, or the number of axes is odd or none.
        """
        size = len(self.names) + 1
        if len(self.middle) != size or any(len(axis) != size for axis in self.axes):
            raise ValueError(f"it does not have {size} numbers a film")
        if any(abs(number) > MOST for numbers in (self.middle, *self.axes) for number in numbers):
            raise ValueError(f"it has a number beyond {MOST:g}")
        if self.films < 1 or not self.axes or len(self.axes) % 2:
            raise ValueError(f"it has {self.films} films and {len(self.axes)} axes; expected 1 and 2 or more")

    @property
    def is_todays(self) -> bool:
        """Whether this program measures the same numbers."""
        return self.names == LOOKS

    def places(self, looks: Sequence[Looks], margins: Sequence[float]) -> NDArray[np.float64]:
        """(N, K) where films lie: mean 0 and variance 1 on each axis for films like the calibration's."""
        films = np.column_stack([np.array(looks, np.float64), np.array(margins, np.float64)])
        placed = (films - np.array(self.middle, np.float64)) @ np.array(self.axes, np.float64).T
        return np.asarray(np.clip(placed, -FARTHEST, FARTHEST), np.float64)


@dataclass(frozen=True)
class Alike:
    """Nothing but chance, or so small a difference as films of one hospital have."""

    films: int


@dataclass(frozen=True)
class Foreign:
    """The films differ beyond chance, and by more than films of one hospital do."""

    films: int
    distance: float


@dataclass(frozen=True)
class TooFew:
    """So few films that nothing can be said."""

    films: int


@dataclass(frozen=True)
class NotKnown:
    """The calibration does not say how its films looked."""


Likeness = Alike | Foreign | TooFew | NotKnown

FOREIGN = (
    "These films are unlike those that the threshold was set on; the share that it flags means nothing here. "
    "Calibrate on 100 of your own films."
)


def warning(found: Likeness) -> str:
    """What every report says first where films are foreign; "" otherwise."""
    return FOREIGN if isinstance(found, Foreign) else ""


def told(found: Likeness) -> str:
    """What was found, in a few words."""
    match found:
        case Foreign():
            return f"unlike those of the calibration: {found.films:,} films compared"
        case Alike():
            return f"like those of the calibration: {found.films:,} films compared"
        case TooFew():
            return f"not compared with those of the calibration: fewer than {LEAST_FILMS}"
        case NotKnown():
            return "not compared: the calibration does not say how its films looked"


def likeness(reference: LooksReference | None, films: Iterable[tuple[Looks, float]]) -> Likeness:
    """Compare the films of a run with those of the calibration; a few at a time are in memory.

    Args:
        reference: how the calibration's films looked; None: it does not say.
        films: looks and margin of each scored film; one without looks is left out.
    """
    if reference is None or not reference.is_todays:
        return NotKnown()
    measured, count, total = (film for film in films if film[0]), 0, np.zeros(len(reference.axes))
    while block := list(islice(measured, AT_ONCE)):
        total += reference.places(*zip(*block, strict=True)).sum(axis=0)
        count += len(block)
    if count < LEAST_FILMS:
        return TooFew(count)
    distance, chance = _distance(reference, total / count, count)
    return Foreign(count, distance) if chance < CHANCE else Alike(count)


def compare(
    reference: LooksReference, looks: Sequence[Looks], margins: Sequence[float]
) -> tuple[float, float]:
    """How far films lie from the reference.

    Args:
        reference: how the calibration's films looked; `is_todays`.
        looks: of N films, N above 0.
        margins: of the same films.

    Returns:
        The distance of their mean, in standard deviations, with what chance adds to it taken off; and the
        chance of one so large for films whose true distance is NEAR.
    """
    return _distance(reference, reference.places(looks, margins).mean(axis=0), len(looks))


def _distance(reference: LooksReference, mean: NDArray[np.float64], films: int) -> tuple[float, float]:
    """As of `compare`, of the (K,) mean of where so many films lie."""
    axes, independent = len(reference.axes), 1 / (1 / films + 1 / reference.films)
    squared = float((mean**2).sum())
    distance = max(0.0, squared - axes / independent) ** 0.5
    return distance, chance_of(independent * squared, axes, independent * NEAR**2)


def chance_of(found: float, axes: int, expected: float) -> float:
    """Chance that a non-central chi-square variable is at least as large as found.

    It is a mixture of central ones by a Poisson variable of mean `expected` / 2; for an even number of
    degrees of freedom each of these is a Poisson probability, too (Johnson, Kotz and Balakrishnan 1995,
    chapter 29).

    Args:
        found: 0 or more.
        axes: degrees of freedom, even.
        expected: noncentrality, 0 or more.

    Returns:
        A p-value, 0..1.
    """
    half = expected / 2
    reach = 50 + 10 * int(half**0.5)  # beyond it no term counts
    mixed = np.arange(max(0, int(half) - reach), int(half) + reach + 1)
    at_most = np.cumsum(_poisson(found / 2, int(mixed[-1]) + axes // 2))
    return float(min(1.0, (_poisson(half, int(mixed[-1]) + 1)[mixed] * at_most[mixed + axes // 2 - 1]).sum()))


def _poisson(mean: float, terms: int) -> NDArray[np.float64]:
    """(terms,) probabilities of 0, 1, 2 ..."""
    counts = np.arange(terms)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, terms)))])
    powers = counts * np.log(max(mean, np.finfo(float).tiny))
    return np.asarray(np.exp(powers - mean - logs), np.float64)
