"""The measures of a classifier with their confidence intervals, and the groups of films they are taken on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import nan

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.confusion import confusion_at
from cxr_calibration.statistics.intervals import REPLICATES, Estimate, bootstrap, wilson_by_patient
from cxr_calibration.statistics.probability_scores import brier
from cxr_calibration.statistics.roc import auc, specificity_at_sensitivity
from cxr_train.data.film import TrainingFilm, column
from cxr_train.data.split import Rows

GROUPED_BY = ("site", "view", "sex", "age")
OVERALL = "all films"
THRESHOLD = 0.5  # where softmax changes sides
Probabilities = NDArray[np.float64]  # (N,)
Labels = NDArray[np.intp]  # (N,) 0 normal, 1 abnormal


@dataclass(frozen=True)
class Group:
    """Some of the films that are scored."""

    name: str  # e.g. `view PA`
    rows: Rows  # of the film table


def groups_of(films: Sequence[TrainingFilm], rows: Rows) -> list[Group]:
    """All groups with both classes that are not all films.

    A radiologist's class of abnormal films, e.g. Lung Opacity, makes a group with all films of class Normal,
    and one within each view.
    """
    shown = [films[row] for row in rows]
    groups = [group for name in GROUPED_BY for group in _by_value(name, column(shown, name), rows)]
    of_class = _class_groups(np.array(column(shown, "radiologist_class")), _labels(films, rows), rows)
    groups += of_class
    for group in of_class:
        views = column([films[row] for row in group.rows], "view")
        within = _by_value(f"{group.name},", views, group.rows)
        groups += [view for view in within if len(view.rows) < len(group.rows)]
    others = [group for group in groups if len(group.rows) < len(rows)]
    return [Group(OVERALL, rows)] + [group for group in others if 0 < _labels(films, group.rows).mean() < 1]


def _by_value(name: str, values: Sequence[str], rows: Rows) -> list[Group]:
    """One group for each value of a column that is known, named `name value`."""
    known = np.array(values)
    return [Group(f"{name} {value}", rows[known == value]) for value in sorted(set(values)) if value]


def _class_groups(classes: NDArray[np.str_], labels: NDArray[np.float64], rows: Rows) -> list[Group]:
    is_normal = (labels == 0) & (classes != "")
    abnormal = sorted(set(classes[(labels == 1) & (classes != "")].tolist()))
    return [Group(f"Normal or {name}", rows[is_normal | (classes == name)]) for name in abnormal]


def _labels(films: Sequence[TrainingFilm], rows: Rows) -> NDArray[np.float64]:
    return np.array([films[row].label for row in rows], np.float64)


@dataclass(frozen=True)
class Measures:
    """One model on one group of films, with 95 % intervals.

    Shares of films have Wilson's interval with the patients' design effect, which is honest at 0 and 1 where
    a bootstrap is not; everything else has the bootstrap by patient, and no interval where patients are too
    few.
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

        return bootstrap(of, patients, classes=labels, replicates=replicates)

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
