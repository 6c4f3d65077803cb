"""What models say of films they have never seen: for an evaluation, or as a labels file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_runtime.model.preprocessing import InputPixels
from cxr_runtime.progress import Progress, Silence
from cxr_train.checkpoint import RunConfig, find_runs, load_checkpoint, read_config, run_of
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.fifths import Fifth
from cxr_train.data.film import Truth
from cxr_train.data.known import known_films, known_to_every_fold, unknown_rows
from cxr_train.data.prepared_films import CACHE, prepare_films
from cxr_train.data.split import Rows
from cxr_train.evaluation.cost import Cost, cost_of
from cxr_train.prediction import predict, scored_rows

COLUMNS = (
    "file",
    "label",
    "patient",
    "view",
    "sex",
    "age",
    "site",
    "margin",
    "brightness",
    "contrast",
)


@dataclass(frozen=True)
class ScoredModel:
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


def score_films(
    model: Path,
    films: Sequence[TrainingFilm],
    rows: Rows,
    cache: Path,
    device: str,
    progress: Progress,
    *,
    by_one: bool = False,
) -> ScoredModel:
    """What a model says of films of patients it was neither trained nor chosen on.

    Each fold of a cross-validation scores what it has not seen, so every film is scored out of fold; films of
    other hospitals are scored by all folds, and their mean counts.

    Args:
        model: a run, or a folder of folds.
        films: the film table.
        rows: the films to score; what all folds have seen stays nan.
        cache: folder of prepared films.
        device: cpu, or cuda.
        progress: hears of every fold.
        by_one: a film that several folds have not seen is scored by one of them alone, by a hash of its
            patient, so that its probability is of the same kind as that of a film that only one may score.

    Raises:
        UsageError: there is no run.
    """
    runs = find_runs(model)
    total, folds = np.zeros(len(films)), np.zeros(len(films))
    progress.begin(f"scoring by {model.name}", len(runs))
    asked = [films[row] for row in rows]
    may_score = _unseen_by(runs, asked, cache)
    if by_one:
        may_score = _by_one(may_score, asked)
    for run, unseen in zip(runs, may_score, strict=True):
        network, config = load_checkpoint(run)
        how = config.recipe.preprocessing
        prepared = prepare_films(asked, how, cache)
        said = predict(network.to(device), prepared, np.flatnonzero(unseen), how)
        total[rows[unseen]] += said.probability
        folds[rows[unseen]] += 1
        progress.advance()
    progress.end()
    first, config = load_checkpoint(runs[0])
    cost = cost_of(first, config.recipe.preprocessing.input_hw)
    probability = np.divide(total, folds, out=np.full(len(films), np.nan), where=folds > 0)
    return ScoredModel(model.resolve().name, _described(config), config.starting_weights, cost, probability)


def _unseen_by(runs: Sequence[Path], films: Sequence[TrainingFilm], cache: Path) -> NDArray[np.bool_]:
    """(folds, N) whether each fold has not seen each film."""
    unseen = []
    for run in runs:
        known = known_films(run_of(run))
        sha256s = prepare_films(films, read_config(run_of(run)).recipe.preprocessing, cache).sha256s
        unseen.append([not known.knows(film, digest) for film, digest in zip(films, sha256s, strict=True)])
    return np.array(unseen, np.bool_)


def _by_one(unseen: NDArray[np.bool_], films: Sequence[TrainingFilm]) -> NDArray[np.bool_]:
    """(folds, N) the same with one fold a film at most, the same one for all films of a patient."""
    chosen = np.zeros_like(unseen)
    for place, film in enumerate(films):
        folds = np.flatnonzero(unseen[:, place])
        if folds.size:
            dealt = int(sha256(f"a fold for {film.patient}".encode()).hexdigest(), 16)
            chosen[folds[dealt % folds.size], place] = True
    return chosen


def margins_csv(
    model: Path,
    data: Sequence[Path],
    fifths: Sequence[Fifth] = (Fifth.TRAINING,),
    cache: Path = CACHE,
) -> bytes:
    """The labels file of every film that a model is scored on, each film by one fold.

    Args:
        model: a cross-validation, or a run, which then is scored on its test side.
        data: data sets; labels mined from reports are left out where there are others.
        fifths: of the patients of public collections, see data/fifths.py.
        cache: folder of prepared films.

    Raises:
        UsageError: a model or data set cannot be used, or too few films are left.
    """
    films = read_film_table(data, fifths)
    rows = rows_to_score(films, [model])
    scored = score_films(model, films, rows, cache, "cpu", Silence(), by_one=True)
    how = read_config(run_of(find_runs(model)[0])).recipe.preprocessing
    inputs = prepare_films(films, how, cache).inputs
    lines = [(*film_facts(films[row]), f"{_margin(scored, row):.6f}", *_shown(inputs[row])) for row in rows]
    return csv_bytes([COLUMNS, *lines])


def film_facts(film: TrainingFilm) -> tuple[str, ...]:
    """The cells of COLUMNS that are known without a model."""
    view = "" if film.view is View.UNKNOWN else film.view.value
    age = "" if film.age is None else f"{film.age:g}"
    return (film.name, f"{int(film.label or 0)}", film.patient, view, film.sex, age, film.site)


def _shown(picture: InputPixels) -> tuple[str, str]:
    """Brightness and contrast of the network's input."""
    shares = np.asarray(picture) / 255
    return f"{shares.mean():.6f}", f"{shares.std():.6f}"


def _margin(scored: ScoredModel, row: int) -> float:
    """The logit of a probability that is a softmax of two."""
    probability = scored.probability[row]
    return float(np.log(probability) - np.log1p(-probability))


def _described(config: RunConfig) -> str:
    height, width = config.recipe.preprocessing.input_hw
    return f"{config.recipe.architecture.network} {height} x {width}"
