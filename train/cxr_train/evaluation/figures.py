"""Figures of an evaluation: ROC curves, calibration, and a confusion table a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxr_calibration.statistics.confusion import confusion_at
from cxr_calibration.statistics.intervals import TOO_FEW_FILMS, are_enough
from cxr_calibration.statistics.probability_scores import reliability
from cxr_calibration.statistics.roc import auc, delong_auc, roc_curve
from cxr_train.data.split import Rows
from cxr_train.evaluation.scoring import ScoredModel

DARK = 0.55  # share of a row from which on its cell is so blue that black is not read on it
FILMS_A_BAR, MOST_BARS = 10, 10  # of a calibration curve; a bar over three films says nothing
BAND_CURVES, BAND_POINTS = 200, 101  # of a ROC curve's band


def draw_figures(
    models: Sequence[ScoredModel],
    labels: NDArray[np.intp],
    patients: NDArray[np.str_],
    rows: Rows,
    threshold: float,
    out: Path,
) -> None:
    """Write roc.png, calibration.png and confusion.png.

    Args:
        models: their probabilities of the whole film table.
        labels: (N,) of the rows that are scored.
        patients: (N,) whose films these are.
        rows: (N,) which these are.
        threshold: of the confusion tables.
        out: folder of the figures.
    """
    figures = {name: Figure(figsize=(5, 5), layout="constrained") for name in ("roc", "calibration")}
    axes = {name: figure.subplots() for name, figure in figures.items()}
    for model in models:
        _draw_roc(axes["roc"], model.name, model.probability[rows], labels, patients)
        _draw_calibration(axes["calibration"], model.name, model.probability[rows], labels)
    films = f"{(labels == 0).sum()} normal, {(labels == 1).sum()} abnormal films"
    _label(axes["roc"], f"{films}; bands: 95 %", "1 - specificity", "sensitivity")
    _label(axes["calibration"], f"{films}; bars: 95 %", "probability said", "share found abnormal")
    axes["roc"].legend(loc="lower right", fontsize=8)
    axes["calibration"].legend(loc="upper left", fontsize=8)
    figures["confusion"] = Figure(figsize=(3.4 * len(models), 3.2), layout="constrained")
    tables = figures["confusion"].subplots(1, len(models), squeeze=False)[0]
    for model, table in zip(models, tables, strict=True):
        _draw_confusion(table, model.name, model.probability[rows], labels, threshold)
    for name, figure in figures.items():
        figure.savefig(out / f"{name}.png", dpi=130)


def _draw_roc(
    axes: Axes,
    name: str,
    probability: NDArray[np.float64],
    labels: NDArray[np.intp],
    patients: NDArray[np.str_],
) -> None:
    curve = roc_curve(probability, labels)
    low, value, high = _interval(probability, labels, patients)
    interval = f"{low:.3f} to {high:.3f}" if high > low else TOO_FEW_FILMS
    label = f"{name}: AUC {value:.3f} ({interval})"
    line = axes.plot(1 - curve.specificity, curve.sensitivity, label=label)[0]
    falls, band = _band(probability, labels)
    axes.fill_between(falls, *band, color=line.get_color(), alpha=0.15, linewidth=0)


def _interval(
    probability: NDArray[np.float64], labels: NDArray[np.intp], patients: NDArray[np.str_]
) -> tuple[float, float, float]:
    """The AUC between the ends of its 95 % interval; nan where there are too few patients for one."""
    if not are_enough(patients, labels):
        return np.nan, auc(probability, labels), np.nan
    estimate = delong_auc(probability, labels, patients)
    return estimate.low, estimate.value, estimate.high


def _band(
    probability: NDArray[np.float64], labels: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where 95 % of bootstrapped curves lie: (K,) 1 - specificity, (2, K) sensitivity."""
    rng = np.random.default_rng(0)
    normal, abnormal = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    falls, curves = np.linspace(0, 1, BAND_POINTS), []
    for _ in range(BAND_CURVES):
        rows = np.concatenate([rng.choice(normal, len(normal)), rng.choice(abnormal, len(abnormal))])
        curve = roc_curve(probability[rows], labels[rows])
        curves.append(np.interp(falls, 1 - curve.specificity, curve.sensitivity))
    return falls, np.asarray(np.quantile(curves, (0.025, 0.975), axis=0), np.float64)


def _draw_calibration(
    axes: Axes, name: str, probability: NDArray[np.float64], labels: NDArray[np.intp]
) -> None:
    bins = reliability(probability, labels, max(2, min(MOST_BARS, labels.size // FILMS_A_BAR)))
    found = np.array([part.abnormal.value for part in bins])
    below = found - [part.abnormal.low for part in bins]
    above = np.array([part.abnormal.high for part in bins]) - found
    axes.errorbar(
        [part.probability for part in bins], found, [below, above], marker="o", capsize=3, label=name
    )


def _label(axes: Axes, title: str, x: str, y: str) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linestyle="dotted")
    axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_title(title, fontsize=10)


def _draw_confusion(
    axes: Axes, name: str, probability: NDArray[np.float64], labels: NDArray[np.intp], threshold: float
) -> None:
    counts = confusion_at(probability, labels, threshold)
    cells = np.array(
        [[counts.true_negatives, counts.false_positives], [counts.false_negatives, counts.true_positives]]
    )
    shares = cells / cells.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(cells):
        ink = "white" if shares[row, column] > DARK else "black"
        said = f"{count}\n{shares[row, column]:.0%}"
        axes.text(column, row, said, ha="center", va="center", color=ink, fontsize=13)
    axes.set_xticks([0, 1], ["not flagged", "flagged"])
    axes.set_yticks([0, 1], [f"normal\nn = {cells[0].sum()}", f"abnormal\nn = {cells[1].sum()}"])
    axes.set_title(f"{name}, from {threshold:g} on", fontsize=10)
