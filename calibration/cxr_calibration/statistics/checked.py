"""Scores and truth, checked once: same length, finite, labels 0 or 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]  # (N,), higher is more suspicious
Truth = NDArray[np.bool_]  # (N,), True is abnormal
AnyScores = NDArray[np.floating[Any]]
AnyLabels = NDArray[np.integer[Any]] | NDArray[np.bool_]


def checked(scores: AnyScores, labels: AnyLabels) -> tuple[Scores, Truth]:
    """Scores as float64 and labels as bool.

    Args:
        scores: (N,) any float, higher is more suspicious; probabilities or logit differences.
        labels: (N,) integer or bool, 0 normal, 1 abnormal.

    Raises:
        ValueError: lengths differ, a score is not finite, or a label is neither 0 nor 1.
    """
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ValueError(f"scores {scores.shape} and labels {labels.shape} must be two lists of one length")
    if not np.isfinite(scores).all():
        raise ValueError(f"score {int(np.argmin(np.isfinite(scores)))} is not finite; expected numbers only")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f"labels are {np.unique(labels)[:5]}; expected only 0 (normal) and 1 (abnormal)")
    return scores.astype(np.float64), labels.astype(np.bool_)


def checked_both(scores: AnyScores, labels: AnyLabels) -> tuple[Scores, Truth]:
    """As `checked`, and there is at least one film of each class.

    Raises:
        ValueError: as `checked`, or a class is empty.
    """
    values, truth = checked(scores, labels)
    if truth.all() or not truth.any():
        raise ValueError(
            f"{int(truth.sum())} abnormal of {truth.size} films; expected at least one of each class"
        )
    return values, truth
