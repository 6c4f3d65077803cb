"""What models say of films they have never seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_train.checkpoint import RunConfig, find_runs, load_checkpoint, read_config
from cxr_train.data.film import TrainingFilm, Truth
from cxr_train.data.prepared_films import prepare_films
from cxr_train.data.split import known_patients
from cxr_train.prediction import predict, scored_rows
from cxr_train.progress import Progress


@dataclass(frozen=True)
class JudgedModel:
    """One model's probabilities of the films of a table."""

    name: str
    network: str  # e.g. squeezenet
    starting_weights: str  # what it was trained from
    probability: NDArray[np.float64] = field(repr=False)  # (N,) of abnormal; nan where it may not judge


def judge(
    model: Path, films: Sequence[TrainingFilm], cache: Path, device: str, progress: Progress
) -> JudgedModel:
    """Let a model judge the films of patients it was neither trained nor chosen on.

    Each fold of a cross-validation judges what it has not seen, so every film is judged out of fold; films of
    other hospitals are judged by all folds, and their mean counts.

    Raises:
        UsageError: there is no run, or no film is left to judge.
    """
    runs = find_runs(model)
    total, judges = np.zeros(len(films)), np.zeros(len(films))
    progress.begin(f"judging by {model.name}", len(runs))
    for run in runs:
        known = known_patients(run)
        rows = np.array([row for row, film in enumerate(films) if film.patient not in known], np.intp)
        network, config = load_checkpoint(run)
        how = config.recipe.preprocessing
        total[rows] += predict(network.to(device), prepare_films(films, how, cache), rows, how).probability
        judges[rows] += 1
        progress.advance()
    progress.end()
    if not judges.any():
        raise UsageError(f"{model.name} has seen every film given; give films that it was not trained on")
    config = read_config(runs[0])
    probability = np.divide(total, judges, out=np.full(len(films), np.nan), where=judges > 0)
    return JudgedModel(model.name, _described(config), config.starting_weights, probability)


def rows_to_score(
    films: Sequence[TrainingFilm], models: Sequence[JudgedModel], truth: Truth | None
) -> NDArray[np.intp]:
    """The films that models are compared on: those with a label that counts, judged by all of them.

    Args:
        films: the film table.
        models: what they say of it.
        truth: labels of this kind alone; None takes all but those mined from reports, if there are others.

    Raises:
        UsageError: a class is missing among them.
    """
    judged = np.all([np.isfinite(model.probability) for model in models], axis=0)
    wanted = [row for row in np.flatnonzero(judged).tolist() if truth in (None, films[row].truth)]
    rows = scored_rows(films, np.array(wanted, np.intp))
    classes = {films[row].label for row in rows}
    if len(classes) < 2:
        raise UsageError(
            f"{len(rows)} labelled films of {len(classes)} classes are left that no model has seen; expected "
            "films of both classes: give other data, or models trained on the same split"
        )
    return rows


def _described(config: RunConfig) -> str:
    height, width = config.recipe.preprocessing.input_hw
    return f"{config.recipe.architecture.network} {height} x {width}"
