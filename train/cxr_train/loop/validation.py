"""How good a network is after an epoch, and which epoch is kept."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_calibration.statistics.roc import auc
from cxr_train.data.film import TrainingFilm
from cxr_train.data.split import Rows
from cxr_train.loop.batches import BatchMaker, in_steps
from cxr_train.loop.losses import Objective, TrainingError
from cxr_train.networks import Network
from cxr_train.prediction import Predictions, labels_of, scored_rows
from cxr_train.recipe.recipe import Recipe


@torch.inference_mode()
def validate(
    network: Network, objective: Objective, maker: BatchMaker, rows: Rows, films_a_step: int
) -> dict[str, float]:
    """Loss over all of validation; AUC and accuracy at 0.5 over the films a model is scored on.

    Returns:
        `validation_loss`, `auc` and `accuracy`; the last two nan where nothing is labelled, all of them
        where there are no films.
    """
    if not len(rows):
        return {"validation_loss": math.nan, "auc": math.nan, "accuracy": math.nan}
    network.eval()
    logits: dict[int, NDArray[np.float32]] = {}
    total = 0.0
    for step in in_steps(rows, films_a_step):
        _, losses, outputs = objective.of(network, maker.make(step))
        total += len(step) * losses["loss"]
        logits.update(zip(step.tolist(), outputs.logits.float().cpu().numpy(), strict=True))
    return {"validation_loss": total / len(rows), **_measure(maker, rows, logits)}


def figure_of(entry: Mapping[str, float], recipe: Recipe) -> float:
    """What the recipe selects by, higher is better."""
    if recipe.select_by == "last":
        return entry["epoch"]
    return -entry["validation_loss"] if recipe.select_by == "loss" else entry[recipe.select_by]


def refuse_blind_selection(films: Sequence[TrainingFilm], rows: Rows, recipe: Recipe) -> None:
    """Refuse to select by a figure that validation cannot measure.

    Raises:
        TrainingError: a class is missing among the labelled films, or there is no validation.
    """
    labels = labels_of(films, scored_rows(films, rows))
    if recipe.select_by == "last":
        return
    if not len(rows):
        raise TrainingError(f"nothing is kept back to select by {recipe.select_by}; set select_by to last")
    normal, abnormal = np.bincount(labels, minlength=2)
    if recipe.select_by != "loss" and not (normal and abnormal):
        raise TrainingError(
            f"validation holds {normal} normal and {abnormal} abnormal films; both are needed to select by "
            f"{recipe.select_by}: give films of both classes, or set select_by to loss"
        )


def _measure(maker: BatchMaker, rows: Rows, logits: dict[int, NDArray[np.float32]]) -> dict[str, float]:
    scored = scored_rows(maker.films, rows)
    labels = labels_of(maker.films, scored)
    if not len(scored):
        return {"auc": math.nan, "accuracy": math.nan}
    said = Predictions(np.stack([logits[int(row)] for row in scored])).probability
    area = auc(said, labels) if 0 < labels.mean() < 1 and np.isfinite(said).all() else math.nan
    return {"auc": area, "accuracy": float(np.mean((said >= 0.5) == labels))}
