"""The receiver operating characteristic, the area under it, and the areas of two models compared.

DeLong, DeLong and Clarke-Pearson, Biometrics 1988; computed by ranks as Sun and Xu, 2014.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import AnyLabels, AnyScores, Scores, checked_both
from cxr_calibration.statistics.intervals import CONFIDENCE, Estimate, normal_quantile


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


@dataclass(frozen=True)
class PairedComparison:
    """Two models on the same films."""

    first: Estimate  # AUC of the first model
    second: Estimate  # AUC of the second model
    difference: Estimate  # first minus second
    p_value: float  # two-sided, of no difference


def delong_auc(scores: AnyScores, labels: AnyLabels) -> Estimate:
    """AUC with DeLong's interval of 95 %, for films of different patients.

    Args:
        scores: (N,) higher is more suspicious.
        labels: (N,) 0 normal, 1 abnormal; at least two of each.

    Raises:
        ValueError: lengths differ, a score is not finite, or a class has fewer than two films.
    """
    areas, covariance = _areas(scores[None], labels)
    return _within(float(areas[0]), float(covariance[0, 0]), (0.0, 1.0))


def compare_aucs(first: AnyScores, second: AnyScores, labels: AnyLabels) -> PairedComparison:
    """Compare two models that scored the same films; intervals are of 95 %.

    Args:
        first: (N,) scores of one model.
        second: (N,) scores of the other, the same films in the same order.
        labels: (N,) 0 normal, 1 abnormal; at least two of each.

    Raises:
        ValueError: lengths differ, a score is not finite, or a class has fewer than two films.
    """
    if first.shape != second.shape:
        raise ValueError(f"{first.size} and {second.size} scores; expected the same films from both models")
    areas, covariance = _areas(np.stack([first, second]), labels)
    difference = float(areas[0] - areas[1])
    variance = max(0.0, float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))
    return PairedComparison(
        first=_within(float(areas[0]), float(covariance[0, 0]), (0.0, 1.0)),
        second=_within(float(areas[1]), float(covariance[1, 1]), (0.0, 1.0)),
        difference=_within(difference, variance, (-1.0, 1.0)),
        p_value=_two_sided(difference, variance),
    )


def _areas(scores: AnyScores, labels: AnyLabels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M,) areas and (M, M) covariance of M models from (M, N) scores."""
    of_abnormal, of_normal = [], []
    for row in scores:
        values, truth = checked_both(row, labels)
        abnormal, normal = np.sort(values[truth]), np.sort(values[~truth])
        of_abnormal.append(placements(values[truth], normal))
        of_normal.append(1 - placements(values[~truth], abnormal))
    abnormal_films, normal_films = np.stack(of_abnormal), np.stack(of_normal)
    if min(abnormal_films.shape[1], normal_films.shape[1]) < 2:
        raise ValueError("DeLong's variance needs at least two films of each class")
    covariance = np.atleast_2d(np.cov(abnormal_films)) / abnormal_films.shape[1]
    covariance = covariance + np.atleast_2d(np.cov(normal_films)) / normal_films.shape[1]
    return abnormal_films.mean(axis=1), covariance


def _within(value: float, variance: float, limits: tuple[float, float]) -> Estimate:
    half = normal_quantile(CONFIDENCE) * sqrt(variance)
    return Estimate(value, max(limits[0], value - half), min(limits[1], value + half))


def _two_sided(difference: float, variance: float) -> float:
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * NormalDist().cdf(-abs(difference) / sqrt(variance))
