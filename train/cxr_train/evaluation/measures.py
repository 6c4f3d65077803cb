"""The measures of a classifier, each with its confidence interval."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import nan

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.confusion import Confusion, confusion_at
from cxr_calibration.intervals import REPLICATES, Estimate, bootstrap
from cxr_calibration.probability_scores import brier
from cxr_calibration.roc import auc, specificity_at_sensitivity

THRESHOLD = 0.5  # where softmax changes sides


@dataclass(frozen=True)
class Measures:
    """One model on one group of films; intervals of 95 % by bootstrap of patients."""

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
        return {
            f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), Estimate)
        }


def measure(
    probability: NDArray[np.float64],
    labels: NDArray[np.intp],
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

    def at_threshold(name: str) -> Estimate:
        def of(rows: NDArray[np.intp]) -> float:
            table: Confusion = confusion_at(probability[rows], labels[rows], threshold)
            return float(getattr(table, name))

        return bootstrap(of, patients, replicates=replicates)

    def of_both(statistic: Callable[[NDArray[np.float64], NDArray[np.intp]], float]) -> Estimate:
        def of(rows: NDArray[np.intp]) -> float:
            return statistic(probability[rows], labels[rows]) if 0 < labels[rows].mean() < 1 else nan

        return bootstrap(of, patients, replicates=replicates)

    return Measures(
        films=len(labels),
        abnormal=int(labels.sum()),
        auc=of_both(auc),
        **{name: at_threshold(name) for name in AT_THRESHOLD},
        brier=of_both(brier),
        specificity_at_90=of_both(lambda scores, truth: specificity_at_sensitivity(scores, truth, 0.90)),
        specificity_at_95=of_both(lambda scores, truth: specificity_at_sensitivity(scores, truth, 0.95)),
    )


AT_THRESHOLD = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "mcc")
