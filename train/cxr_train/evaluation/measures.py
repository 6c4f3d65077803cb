"""The measures of a classifier, each with its confidence interval."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import nan

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.confusion import confusion_at
from cxr_calibration.intervals import REPLICATES, Estimate, bootstrap, wilson_by_patient
from cxr_calibration.probability_scores import brier
from cxr_calibration.roc import auc, specificity_at_sensitivity

THRESHOLD = 0.5  # where softmax changes sides

Probabilities = NDArray[np.float64]  # (N,)
Labels = NDArray[np.intp]  # (N,) 0 normal, 1 abnormal


@dataclass(frozen=True)
class Measures:
    """One model on one group of films, with 95 % intervals.

    Shares of films have Wilson's interval with the patients' design effect, which is honest at 0 and 1 where
    a bootstrap is not; everything else has the bootstrap by patient.
    """

    films: int
    abnormal: int
    auc: Estimate
    sensitivity: Estimate  # this and the next six at the threshold
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    accuracy: Estimate
    f1: Estimate
    mcc: Estimate
    brier: Estimate
    specificity_at_90: Estimate  # at the threshold that finds 90 % of abnormal films
    specificity_at_95: Estimate

    def estimates(self) -> dict[str, Estimate]:
        """Every estimate by its name, in order."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Estimate)}


def measure(
    probability: Probabilities,
    labels: Labels,
    patients: NDArray[np.str_],
    threshold: float = THRESHOLD,
    replicates: int = REPLICATES,
) -> Measures:
    """Measure one model on one group of films.

    Args:
        probability: (N,) of abnormal.
        labels: (N,) 0 normal, 1 abnormal.
        patients: (N,) films of one patient are drawn together.
        threshold: a film is flagged at or above it.
        replicates: bootstrap samples.
    """

    def bootstrapped(statistic: Callable[[Probabilities, Labels], float]) -> Estimate:
        def of(rows: NDArray[np.intp]) -> float:
            return statistic(probability[rows], labels[rows]) if 0 < labels[rows].mean() < 1 else nan

        return bootstrap(of, patients, replicates=replicates)

    def share(right: NDArray[np.bool_], among: NDArray[np.bool_]) -> Estimate:
        return wilson_by_patient(right[among], patients[among])

    flagged, abnormal = probability >= threshold, labels == 1
    return Measures(
        films=len(labels),
        abnormal=int(abnormal.sum()),
        auc=bootstrapped(auc),
        sensitivity=share(flagged, abnormal),
        specificity=share(~flagged, ~abnormal),
        ppv=share(abnormal, flagged),
        npv=share(~abnormal, ~flagged),
        accuracy=share(flagged == abnormal, np.ones_like(flagged)),
        f1=bootstrapped(lambda scores, truth: confusion_at(scores, truth, threshold).f1),
        mcc=bootstrapped(lambda scores, truth: confusion_at(scores, truth, threshold).mcc),
        brier=bootstrapped(brier),
        specificity_at_90=bootstrapped(lambda scores, truth: specificity_at_sensitivity(scores, truth, 0.90)),
        specificity_at_95=bootstrapped(lambda scores, truth: specificity_at_sensitivity(scores, truth, 0.95)),
    )
