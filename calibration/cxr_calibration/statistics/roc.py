"""The receiver operating characteristic, the area under it, and the areas of two models compared.

DeLong, DeLong and Clarke-Pearson, Biometrics 1988; computed by ranks as Sun and Xu, 2014; where patients have
several films, as Obuchowski, Biometrics 1997.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

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


def delong_auc(scores: AnyScores, labels: AnyLabels, patients: NDArray[Any] | None = None) -> Estimate:
    """AUC with DeLong's interval of 95 %, by patient.

    Args:
        scores: (N,) higher is more suspicious.
        labels: (N,) 0 normal, 1 abnormal; each of at least two patients.
        patients: (N,) any type, one value a patient; None: every film is of another one.

    Raises:
        ValueError: lengths differ, a score is not finite, or a class has films of fewer than two patients.
    """
    areas, covariance = _areas(scores[None], labels, patients)
    return _within(float(areas[0]), float(covariance[0, 0]), (0.0, 1.0))


def compare_aucs(
    first: AnyScores, second: AnyScores, labels: AnyLabels, patients: NDArray[Any] | None = None
) -> PairedComparison:
    """Compare two models that scored the same films; intervals are of 95 %, by patient.

    Args:
        first: (N,) scores of one model.
        second: (N,) scores of the other, the same films in the same order.
        labels: (N,) 0 normal, 1 abnormal; each of at least two patients.
        patients: (N,) any type, one value a patient; None: every film is of another one.

    Raises:
        ValueError: lengths differ, a score is not finite, or a class has films of fewer than two patients.
    """
    if first.shape != second.shape:
        raise ValueError(f"{first.size} and {second.size} scores; expected the same films from both models")
    areas, covariance = _areas(np.stack([first, second]), labels, patients)
    difference = float(areas[0] - areas[1])
    variance = max(0.0, float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))
    return PairedComparison(
        first=_within(float(areas[0]), float(covariance[0, 0]), (0.0, 1.0)),
        second=_within(float(areas[1]), float(covariance[1, 1]), (0.0, 1.0)),
        difference=_within(difference, variance, (-1.0, 1.0)),
        p_value=_two_sided(difference, variance),
    )


def _areas(
    scores: AnyScores, labels: AnyLabels, patients: NDArray[Any] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M,) areas and (M, M) covariance of M models from (M, N) scores."""
    of_abnormal, of_normal = [], []
    for row in scores:
        values, truth = checked_both(row, labels)
        abnormal, normal = np.sort(values[truth]), np.sort(values[~truth])
        of_abnormal.append(placements(values[truth], normal))
        of_normal.append(1 - placements(values[~truth], abnormal))
    areas = np.stack(of_abnormal).mean(axis=1)
    which = np.arange(truth.size) if patients is None else np.unique(patients, return_inverse=True)[1]
    abnormal_part = _by_patient(np.stack(of_abnormal), which[truth], which.max() + 1)
    normal_part = _by_patient(np.stack(of_normal), which[~truth], which.max() + 1)
    both = abnormal_part @ normal_part.T
    covariance = abnormal_part @ abnormal_part.T * _unbiased(which[truth])
    covariance = covariance + normal_part @ normal_part.T * _unbiased(which[~truth])
    return areas, covariance + (both + both.T) * _unbiased(which)


def _by_patient(films: NDArray[np.float64], which: NDArray[np.intp], number: int) -> NDArray[np.float64]:
    """(M, P) what each of P patients adds to the mean of (M, N) placements, less what it would on average."""
    centred = films - films.mean(axis=1, keepdims=True)
    return np.stack([np.bincount(which, weights=row, minlength=number) for row in centred]) / which.size


def _unbiased(which: NDArray[np.intp]) -> float:
    """What makes a sum of squares over patients free of bias (Obuchowski 1997)."""
    number = np.unique(which).size
    if number < 2:
        raise ValueError("DeLong's variance needs at least two films of each class, of different patients")
    return number / (number - 1)


def _within(value: float, variance: float, limits: tuple[float, float]) -> Estimate:
    half = normal_quantile(CONFIDENCE) * sqrt(variance)
    return Estimate(value, max(limits[0], value - half), min(limits[1], value + half))


def _two_sided(difference: float, variance: float) -> float:
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * NormalDist().cdf(-abs(difference) / sqrt(variance))
