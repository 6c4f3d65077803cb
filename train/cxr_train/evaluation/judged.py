"""What models say of films they have never seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_runtime.progress import Progress
from cxr_train.checkpoint import RunConfig, find_runs, load_checkpoint, run_of
from cxr_train.data.film import TrainingFilm, Truth
from cxr_train.data.known import known_films, known_to_every_fold, unknown_rows
from cxr_train.data.prepared_films import prepare_films
from cxr_train.data.split import Rows
from cxr_train.evaluation.cost import Cost, cost_of
from cxr_train.prediction import predict, scored_rows


@dataclass(frozen=True)
class JudgedModel:
    """One model's probabilities of the films of a table."""

    name: str
    network: str  # e.g. squeezenet 224 x 224
    starting_weights: str  # what it was trained from
    cost: Cost  # of one fold's network
    probability: NDArray[np.float64] = field(repr=False)  # (N,) of abnormal; nan where it was not asked


def rows_to_score(films: Sequence[TrainingFilm], models: Sequence[Path], truth: Truth | None = None) -> Rows:
    """The films that models are compared on: those with a label that counts, unseen by a fold of each model.

    Args:
        films: the film table.
        models: runs, or folders of folds.
        truth: labels of this kind alone; None takes all but those mined from reports, if there are others.

    Raises:
        UsageError: there is no run, or a class is missing among the films left.
    """
    known = [known_to_every_fold(known_films(run_of(run)) for run in find_runs(model)) for model in models]
    asked = [row for row in unknown_rows(films, known) if truth is None or films[row].truth is truth]
    rows = scored_rows(films, np.array(asked, np.intp))
    classes = {films[row].label for row in rows}
    if len(classes) < 2:
        raise UsageError(
            f"{len(rows)} labelled films of {len(classes)} classes are left that no model has seen; expected "
            "films of both classes: give other data, or models trained on the same split"
        )
    return rows


def judge(
    model: Path, films: Sequence[TrainingFilm], rows: Rows, cache: Path, device: str, progress: Progress
) -> JudgedModel:
    """Let a model judge films of patients it was neither trained nor chosen on.

    Each fold of a cross-validation judges what it has not seen, so every film is judged out of fold; films of
    other hospitals are judged by all folds, and their mean counts.

    Args:
        model: a run, or a folder of folds.
        films: the film table.
        rows: the films to judge; what all folds have seen stays nan.
        cache: folder of prepared films.
        device: cpu, or cuda.
        progress: told of every fold.

    Raises:
        UsageError: there is no run.
    """
    runs = find_runs(model)
    total, judges = np.zeros(len(films)), np.zeros(len(films))
    progress.begin(f"judging by {model.name}", len(runs))
    for run in runs:
        network, config = load_checkpoint(run)
        how = config.recipe.preprocessing
        prepared, known = prepare_films([films[row] for row in rows], how, cache), known_films(run_of(run))
        unseen = np.array(
            [not known.knows(films[row], prepared.sha256s[place]) for place, row in enumerate(rows)], np.bool_
        )
        said = predict(network.to(device), prepared, np.flatnonzero(unseen), how)
        total[rows[unseen]] += said.probability
        judges[rows[unseen]] += 1
        progress.advance()
    progress.end()
    first, config = load_checkpoint(runs[0])
    cost = cost_of(first, config.recipe.preprocessing.input_hw)
    probability = np.divide(total, judges, out=np.full(len(films), np.nan), where=judges > 0)
    return JudgedModel(model.resolve().name, _described(config), config.starting_weights, cost, probability)


def _described(config: RunConfig) -> str:
    height, width = config.recipe.preprocessing.input_hw
    return f"{config.recipe.architecture.network} {height} x {width}"
