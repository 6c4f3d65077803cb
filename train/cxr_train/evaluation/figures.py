"""Figures of an evaluation: ROC curves, calibration, and a confusion table a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxr_calibration.statistics.confusion import confusion_at
from cxr_calibration.statistics.probability_scores import reliability
from cxr_calibration.statistics.roc import auc, roc_curve
from cxr_train.data.split import Rows
from cxr_train.evaluation.scoring import ScoredModel


def draw_figures(
    models: Sequence[ScoredModel], labels: NDArray[np.intp], rows: Rows, threshold: float, out: Path
) -> None:
    """Write roc.png, calibration.png and confusion.png.

    Args:
        models: their probabilities of the whole film table.
        labels: (N,) of the rows that are scored.
        rows: (N,) which these are.
        threshold: of the confusion tables.
        out: folder of the figures.
    """
    figures = {name: Figure(figsize=(5, 5), layout="constrained") for name in ("roc", "calibration")}
    axes = {name: figure.subplots() for name, figure in figures.items()}
    for model in models:
        _draw_roc(axes["roc"], model.name, model.probability[rows], labels)
        _draw_calibration(axes["calibration"], model.name, model.probability[rows], labels)
    _label(axes["roc"], "1 - specificity", "sensitivity")
    _label(axes["calibration"], "probability said", "share found abnormal")
    figures["confusion"] = Figure(figsize=(3 * len(models), 3), layout="constrained")
    tables = figures["confusion"].subplots(1, len(models), squeeze=False)[0]
    for model, table in zip(models, tables, strict=True):
        _draw_confusion(table, model.name, model.probability[rows], labels, threshold)
    for name, figure in figures.items():
        figure.savefig(out / f"{name}.png", dpi=120)


def _draw_roc(axes: Axes, name: str, probability: NDArray[np.float64], labels: NDArray[np.intp]) -> None:
    curve = roc_curve(probability, labels)
    axes.plot(1 - curve.specificity, curve.sensitivity, label=f"{name}, AUC {auc(probability, labels):.3f}")


def _draw_calibration(
    axes: Axes, name: str, probability: NDArray[np.float64], labels: NDArray[np.intp]
) -> None:
    bins = reliability(probability, labels)
    found = np.array([part.abnormal.value for part in bins])
    below = found - [part.abnormal.low for part in bins]
    above = np.array([part.abnormal.high for part in bins]) - found
    axes.errorbar(
        [part.probability for part in bins], found, [below, above], marker="o", capsize=3, label=name
    )


def _label(axes: Axes, x: str, y: str) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linestyle="dotted")
    axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="lower right")


def _draw_confusion(
    axes: Axes, name: str, probability: NDArray[np.float64], labels: NDArray[np.intp], threshold: float
) -> None:
    counts = confusion_at(probability, labels, threshold)
    cells = np.array(
        [[counts.true_negatives, counts.false_positives], [counts.false_negatives, counts.true_positives]]
    )
    axes.imshow(cells / cells.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(cells):
        axes.text(column, row, str(count), ha="center", va="center")
    axes.set_xticks([0, 1], ["not flagged", "flagged"])
    axes.set_yticks([0, 1], ["normal", "abnormal"])
    axes.set_title(name)
