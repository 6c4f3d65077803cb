"""The receiver operating characteristic: how well scores tell abnormal films from normal ones."""

from dataclasses import dataclass

import numpy as np

from cxr_calibration.checked import AnyLabels, AnyScores, Scores, checked_both


@dataclass(frozen=True)
class RocCurve:
    """One point for every threshold that flags other films than the one before."""

    thresholds: Scores  # (K,) falling from +inf; a film is flagged at or above its threshold
    sensitivity: Scores  # (K,) rising from 0 to 1
    specificity: Scores  # (K,) falling from 1 to 0


def auc(scores: AnyScores, labels: AnyLabels) -> float:
    """Chance that an abnormal film scores above a normal one, ties counted half (Mann-Whitney).

    Args:
        scores: (N,) higher is more suspicious.
        labels: (N,) 0 normal, 1 abnormal.

    Returns:
        0..1; 0.5 is chance.

    Raises:
        ValueError: lengths differ, a score is not finite, or a class is empty.
    """
    values, truth = checked_both(scores, labels)
    normal = np.sort(values[~truth])
    return float(placements(values[truth], normal).mean())


def placements(scores: Scores, among_sorted: Scores) -> Scores:
    """Share of `among_sorted` below each score, ties counted half.

    Args:
        scores: (N,).
        among_sorted: (M,), rising.

    Returns:
        (N,) 0..1.
    """
    below = np.searchsorted(among_sorted, scores, side="left")
    not_above = np.searchsorted(among_sorted, scores, side="right")
    return np.asarray((below + not_above) / (2 * among_sorted.size), np.float64)


def roc_curve(scores: AnyScores, labels: AnyLabels) -> RocCurve:
    """Sensitivity and specificity at every threshold.

    Args:
        scores: (N,) higher is more suspicious.
        labels: (N,) 0 normal, 1 abnormal.

    Raises:
        ValueError: lengths differ, a score is not finite, or a class is empty.
    """
    values, truth = checked_both(scores, labels)
    order = np.argsort(-values, kind="stable")
    falling, hits = values[order], truth[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(falling)), falling.size - 1)
    found, flagged = np.cumsum(hits)[last_of_tie], last_of_tie + 1
    sensitivity = np.append(0.0, found / truth.sum())
    specificity = np.append(1.0, 1 - (flagged - found) / (~truth).sum())
    return RocCurve(np.append(np.inf, falling[last_of_tie]), sensitivity, specificity)


def specificity_at_sensitivity(scores: AnyScores, labels: AnyLabels, sensitivity: float) -> float:
    """The best specificity of any threshold whose sensitivity is at least the one asked for.

    Raises:
        ValueError: as `roc_curve`.
    """
    curve = roc_curve(scores, labels)
    return float(curve.specificity[curve.sensitivity >= sensitivity].max())


def sensitivity_at_specificity(scores: AnyScores, labels: AnyLabels, specificity: float) -> float:
    """The best sensitivity of any threshold whose specificity is at least the one asked for.

    Raises:
        ValueError: as `roc_curve`.
    """
    curve = roc_curve(scores, labels)
    return float(curve.sensitivity[curve.specificity >= specificity].max())
