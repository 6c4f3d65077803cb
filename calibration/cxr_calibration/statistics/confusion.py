"""Films flagged and not flagged against the truth at one threshold, and at another prevalence."""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from cxr_calibration.statistics.checked import AnyLabels, AnyScores, Truth, checked
from cxr_calibration.statistics.intervals import Estimate


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold; a ratio without films to take it from is nan."""

    true_positives: int  # abnormal and flagged
    false_positives: int  # normal and flagged
    true_negatives: int  # normal and not flagged
    false_negatives: int  # abnormal and not flagged

    @property
    def films(self) -> int:
        """All films."""
        return self.true_positives + self.false_positives + self.true_negatives + self.false_negatives

    @property
    def sensitivity(self) -> float:
        """Share of abnormal films that are flagged."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        """Share of normal films that are not flagged."""
        return _ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def ppv(self) -> float:
        """Share of flagged films that are abnormal, at the prevalence of these films."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def npv(self) -> float:
        """Share of films not flagged that are normal, at the prevalence of these films."""
        return _ratio(self.true_negatives, self.true_negatives + self.false_negatives)

    @property
    def accuracy(self) -> float:
        """Share of films on the right side."""
        return _ratio(self.true_positives + self.true_negatives, self.films)

    @property
    def flagged_share(self) -> float:
        """Share of films that are flagged."""
        return _ratio(self.true_positives + self.false_positives, self.films)

    @property
    def f1(self) -> float:
        """Harmonic mean of PPV and sensitivity."""
        wrong = self.false_positives + self.false_negatives
        return _ratio(2 * self.true_positives, 2 * self.true_positives + wrong)

    @property
    def mcc(self) -> float:
        """Matthews correlation coefficient, -1..1; 0 where a margin of the table is empty."""
        tp, fp = self.true_positives, self.false_positives
        tn, fn = self.true_negatives, self.false_negatives
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / sqrt(product) if product else 0.0


def confusion_at(scores: AnyScores, labels: AnyLabels, threshold: float) -> Confusion:
    """Count films at one threshold.

    Args:
        scores: (N,) higher is more suspicious.
        labels: (N,) 0 normal, 1 abnormal.
        threshold: a film is flagged at or above it.

    Raises:
        ValueError: lengths differ, a score is not finite, or a label is neither 0 nor 1.
    """
    values, truth = checked(scores, labels)
    return count(values >= threshold, truth)


def count(flagged: Truth, truth: Truth) -> Confusion:
    """Count films.

    Args:
        flagged: (N,) bool.
        truth: (N,) bool, True is abnormal.
    """
    return Confusion(
        true_positives=int(np.sum(flagged & truth)),
        false_positives=int(np.sum(flagged & ~truth)),
        true_negatives=int(np.sum(~flagged & ~truth)),
        false_negatives=int(np.sum(~flagged & truth)),
    )


def ppv_at(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Share of flagged films that are abnormal where `prevalence` of all films are (Bayes' rule)."""
    found = sensitivity * prevalence
    return _ratio(found, found + (1 - specificity) * (1 - prevalence))


def npv_at(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Share of films not flagged that are normal where `prevalence` of all films are abnormal."""
    cleared = specificity * (1 - prevalence)
    return _ratio(cleared, cleared + (1 - sensitivity) * prevalence)


def flagged_share_at(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Share of films that are flagged where `prevalence` of all films are abnormal."""
    return sensitivity * prevalence + (1 - specificity) * (1 - prevalence)


def ppv_interval(sensitivity: Estimate, specificity: Estimate, prevalence: float) -> Estimate:
    """PPV at a prevalence, with the interval that those of sensitivity and specificity imply.

    The interval is that of the ratio sensitivity / (1 - specificity), recovered from the two intervals
    (MOVER-R: Donner and Zou, Stat Methods Med Res 2012).

    Args:
        sensitivity: with its interval.
        specificity: with its interval, measured on other films (the normal ones).
        prevalence: share of abnormal films, 0 < prevalence < 1.
    """
    low, high = _ratio_interval(sensitivity, _complement(specificity))
    odds = prevalence / (1 - prevalence)
    value = ppv_at(sensitivity.value, specificity.value, prevalence)
    return Estimate(value, _share(low * odds), _share(high * odds))


def npv_interval(sensitivity: Estimate, specificity: Estimate, prevalence: float) -> Estimate:
    """NPV at a prevalence, with its interval; as `ppv_interval`, from specificity / (1 - sensitivity)."""
    low, high = _ratio_interval(specificity, _complement(sensitivity))
    odds = (1 - prevalence) / prevalence
    value = npv_at(sensitivity.value, specificity.value, prevalence)
    return Estimate(value, _share(low * odds), _share(high * odds))


def _ratio_interval(above: Estimate, below: Estimate) -> tuple[float, float]:
    a, b = above.value, below.value
    lower_root = (a * b) ** 2 - above.low * below.high * (2 * a - above.low) * (2 * b - below.high)
    upper_root = (a * b) ** 2 - above.high * below.low * (2 * a - above.high) * (2 * b - below.low)
    lower_base, upper_base = below.high * (2 * b - below.high), below.low * (2 * b - below.low)
    low = (a * b - sqrt(max(0.0, lower_root))) / lower_base if lower_base else nan
    high = (a * b + sqrt(max(0.0, upper_root))) / upper_base if upper_base else inf
    return max(0.0, low), high


def _complement(estimate: Estimate) -> Estimate:
    return Estimate(1 - estimate.value, 1 - estimate.high, 1 - estimate.low)


def _share(odds: float) -> float:
    return 1.0 if odds == inf else odds / (1 + odds)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else nan
