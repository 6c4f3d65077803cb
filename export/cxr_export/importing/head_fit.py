"""A head fitted on labelled films, and how well it does on those that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.folds import shared_parts
from cxr_calibration.statistics.intervals import TOO_FEW_FILMS, Estimate, are_enough
from cxr_calibration.statistics.roc import auc, delong_auc
from cxr_export.importing.head import Head
from cxr_runtime.errors import UsageError
from cxr_runtime.logits import sigmoid

FOLDS = 5
LEAST_FILMS = 20  # of each class
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # of the sum of squares, tried out of fold
MOST_STEPS, SMALL_STEP = 60, 1e-8


@dataclass(frozen=True)
class FittedHead:
    """A head, and what it is worth."""

    head: Head
    auc: Estimate  # of the margins out of fold, by patient


def fit_head(
    taken: NDArray[np.float32], labels: NDArray[np.intp], patients: Sequence[str], of_map: bool
) -> FittedHead:
    """Logistic regression with a penalty, which is chosen by the loss out of fold; patients stay whole.

    All columns are divided by one spread. Each by its own would give a channel that hardly ever moves so
    large a weight that the rounding of FP16 or INT8 moves scores.

    Args:
        taken: (N, K) outputs of the network, or its map's averages.
        labels: (N,) 0 normal, 1 abnormal.
        patients: (N,) whose films these are.
        of_map: which of the two was taken.

    Raises:
        UsageError: there are too few films of a class.
    """
    counts = np.bincount(labels, minlength=2)
    if min(counts) < LEAST_FILMS:
        raise UsageError(
            f"{counts[0]} normal and {counts[1]} abnormal films are too few to fit a head on; expected "
            f"{LEAST_FILMS} of each, or a rule with --abnormal"
        )
    middle, spread = taken.mean(axis=0), max(float(np.sqrt(taken.var(axis=0).mean())), 1e-6)
    centred = ((taken - middle) / spread).astype(np.float64)
    axes = np.linalg.svd(centred, full_matrices=False)[2]  # the penalty is the same in any, and these are few
    design = np.c_[centred @ axes.T, np.ones(len(taken))]
    fold_of = shared_parts(np.array(patients), labels, [1 / FOLDS] * FOLDS, 0)
    tried = {penalty: _out_of_fold(design, labels, fold_of, penalty) for penalty in PENALTIES}
    penalty = min(tried, key=lambda each: _loss(tried[each], labels))
    slopes = _fitted(design, labels, penalty)
    weights = slopes[:-1] @ axes / spread
    bias = slopes[-1] - float(weights @ middle)
    area = _area(tried[penalty], labels, np.array(patients))
    interval = TOO_FEW_FILMS if isnan(area.low) else f"{area.low:.3f} to {area.high:.3f}"
    source = "the averages of its map" if of_map else "its outputs"
    said = (
        f"logistic regression on {source}, {len(labels)} films of {len(set(patients))} patients, "
        f"penalty {penalty:g}, AUC out of fold {area.value:.3f} ({interval})"
    )
    rows = np.stack([-weights / 2, weights / 2]).astype(np.float32)
    return FittedHead(Head(rows, np.array([-bias / 2, bias / 2], np.float32), said, of_map), area)


def _area(margins: NDArray[np.float64], labels: NDArray[np.intp], patients: NDArray[np.str_]) -> Estimate:
    """AUC; without an interval where patients are too few."""
    if are_enough(patients, labels):
        return delong_auc(margins, labels, patients)
    return Estimate(auc(margins, labels), nan, nan)


def _out_of_fold(
    design: NDArray[np.float64], labels: NDArray[np.intp], fold_of: NDArray[np.intp], penalty: float
) -> NDArray[np.float64]:
    """(N,) margins of films by fits that have not seen their patients."""
    margins = np.zeros(len(labels))
    for fold in np.unique(fold_of):
        held = fold_of == fold
        margins[held] = design[held] @ _fitted(design[~held], labels[~held], penalty)
    return margins


def _fitted(design: NDArray[np.float64], labels: NDArray[np.intp], penalty: float) -> NDArray[np.float64]:
    """(K + 1,) coefficients by Newton's method; the last one, the constant, is free of the penalty."""
    slopes = np.zeros(design.shape[1])
    ridge = np.append(np.full(design.shape[1] - 1, penalty), 1e-6)
    for _ in range(MOST_STEPS):
        said = sigmoid(design @ slopes)
        slope = design.T @ (said - labels) + ridge * slopes
        curvature = (design * (said * (1 - said))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        slopes = slopes - step
        if np.abs(step).max() < SMALL_STEP:
            break
    return slopes


def _loss(margins: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    return float(np.mean(np.logaddexp(0.0, margins) - labels * margins))
