"""How the films of a calibration looked, fitted: what `model/likeness.py` compares a run's films with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.intervals import DECIMALS
from cxr_runtime.model.likeness import LooksReference
from cxr_runtime.model.looks import LOOKS, Looks

AXES = 14  # that films are compared on, even; the first hold most of how films differ
LEAST_FILMS = 60  # fewer do not tell how films differ among each other
LEAST_OF_A_KIND = 20  # normal or abnormal, AP or PA films that tell how the one kind differs from the other

Numbers = NDArray[np.float64]  # (N, D), a row a film: looks and margin


def fit_looks(
    looks: Sequence[Looks],
    margins: Sequence[float],
    abnormal: Sequence[bool | None],
    views: Sequence[str],
    *,
    patients: int | None = None,
) -> LooksReference | None:
    """Describe how films look.

    Args:
        looks: of N films, an empty one is left out; so are films without a label where others have one.
        margins: of the same films, as the ones that follow.
        abnormal: what they are, None where that is not known.
        views: PA, AP or "".
        patients: how many different patients they are of, if known.

    Returns:
        What the films of a run are compared with, or None of fewer than LEAST_FILMS.
    """
    labelled = any(found is not None for found in abnormal)
    rows = [
        (*one, float(margin), -1.0 if found is None else float(found), {"AP": 1.0, "PA": 0.0}.get(view, -1.0))
        for one, margin, found, view in zip(looks, margins, abnormal, views, strict=True)
        if len(one) == len(LOOKS) and (found is not None or not labelled)
    ]
    if len(rows) < LEAST_FILMS:
        return None
    table = np.array(rows, np.float64)
    return _fitted(table[:, :-2], table[:, -2], table[:, -1], min(patients or len(rows), len(rows)))


def _fitted(
    films: Numbers, kinds: NDArray[np.float64], views: NDArray[np.float64], count: int
) -> LooksReference:
    """Axes within kinds, without the directions in which kinds and views differ."""
    middle, kind_step = _step(films, kinds)
    within = films - films.mean(axis=0) if kind_step is None else _within(films, kinds)
    _, view_step = _step(within, views)
    spread = within.std(axis=0)
    spread[spread == 0] = 1.0
    values, vectors = np.linalg.eigh(np.cov((within / spread).T, ddof=0))
    steps = [step for step in (kind_step, view_step) if step is not None]
    most = np.argsort(values)[::-1][: AXES + len(steps)]
    axes = vectors[:, most] / np.sqrt(np.maximum(values[most], 1e-6)) / spread[:, None]  # (D, AXES + steps)
    if steps:
        taken_out, _ = np.linalg.qr(np.stack([step @ axes for step in steps], axis=1), mode="complete")
        axes = axes @ taken_out[:, len(steps) :]
    return LooksReference(
        names=LOOKS,
        films=count,
        middle=tuple(middle.round(DECIMALS).tolist()),
        axes=tuple(tuple(axis) for axis in axes.T.round(DECIMALS).tolist()),
    )


def _step(films: Numbers, kinds: NDArray[np.float64]) -> tuple[Numbers, Numbers | None]:
    """The middle of the films of both kinds, and the way from one to the other; None where one is rare."""
    ones, zeros = films[kinds == 1], films[kinds == 0]
    if min(len(ones), len(zeros)) < LEAST_OF_A_KIND:
        return films.mean(axis=0), None
    return (ones.mean(axis=0) + zeros.mean(axis=0)) / 2, ones.mean(axis=0) - zeros.mean(axis=0)


def _within(films: Numbers, kinds: NDArray[np.float64]) -> Numbers:
    """The films, those of each kind around their own mean."""
    within = films.copy()
    for kind in (0, 1):
        within[kinds == kind] -= films[kinds == kind].mean(axis=0)
    return within
