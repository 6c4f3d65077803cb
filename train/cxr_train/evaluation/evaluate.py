"""Models measured on films they have not seen, side by side: the whole of `cxr-triage evaluate`."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.intervals import REPLICATES, Estimate, are_enough
from cxr_calibration.statistics.roc import PairedComparison, auc, compare_aucs
from cxr_runtime.atomic import write_bytes
from cxr_runtime.progress import Progress, Silence
from cxr_train.checkpoint import model_names
from cxr_train.data import TrainingFilm, Truth, film_table, read_data_sets
from cxr_train.data.fifths import Fifth
from cxr_train.data.prepared_films import CACHE
from cxr_train.data.split import Rows
from cxr_train.evaluation.figures import draw_figures
from cxr_train.evaluation.measures import (
    THRESHOLD,
    Group,
    Labels,
    Probabilities,
    groups_of,
    measure,
)
from cxr_train.evaluation.results import Comparison, Evaluation, Row, write_measured
from cxr_train.evaluation.scoring import ScoredModel, rows_to_score, score_films
from cxr_train.evaluation.tables import as_markdown
from cxr_train.prediction import labels_of


def evaluate(
    models: Sequence[Path],
    data: Sequence[Path],
    out: Path,
    *,
    truth: Truth | None = None,
    fifths: Sequence[Fifth] = (Fifth.TRAINING,),
    threshold: float = THRESHOLD,
    replicates: int = REPLICATES,
    device: str = "cpu",
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure models and write evaluation.md, evaluation.json and figures.

    Args:
        models: runs, or folders of runs that are the folds of one cross-validation.
        data: data sets; of a model's own, only patients it has not seen are scored.
        out: folder of the results; made where it is missing.
        truth: score on labels of this kind alone; None takes all but those mined from reports.
        fifths: of the patients of public collections, see data/fifths.py.
        threshold: of the probability, for the measures that need one.
        replicates: bootstrap samples.
        device: cpu, or cuda.
        cache: folder of prepared films.
        progress: hears how it gets on.

    Raises:
        UsageError: a model or data set cannot be used, a model is given twice, or too few films are left.
    """
    progress = progress or Silence()
    sets = read_data_sets(data)
    films = film_table(sets, fifths)
    rows = rows_to_score(films, models, truth)
    scored = [
        replace(score_films(model, films, rows, cache, device, progress), name=name)
        for model, name in zip(models, model_names(models), strict=True)
    ]
    evaluation = Evaluation(
        data_sets=tuple(path.stem for path in data),
        absent=sum(data_set.absent for data_set in sets),
        truth=tuple(sorted({str(films[row].truth) for row in rows})),
        threshold=threshold,
        costs={model.name: model.cost for model in scored},
        rows=tuple(_measured(films, groups_of(films, rows), scored, threshold, replicates, progress)),
        comparisons=tuple(_compared(films, rows, scored)),
    )
    write_measured(evaluation, out / "evaluation.json")
    write_bytes(out / "evaluation.md", as_markdown(evaluation).encode())
    draw_figures(scored, labels_of(films, rows), _patients(films, rows), rows, threshold, out)
    return evaluation


def _measured(
    films: Sequence[TrainingFilm],
    groups: Sequence[Group],
    scored: Sequence[ScoredModel],
    threshold: float,
    replicates: int,
    progress: Progress,
) -> list[Row]:
    progress.begin("measuring", len(groups) * len(scored))
    measured = []
    for group in groups:
        labels = labels_of(films, group.rows)
        patients = _patients(films, group.rows)
        for model in scored:
            found = measure(model.probability[group.rows], labels, patients, threshold, replicates)
            measured.append(Row(model.name, model.network, model.starting_weights, group.name, found))
            progress.advance()
    progress.end()
    return measured


def _compared(films: Sequence[TrainingFilm], rows: Rows, scored: Sequence[ScoredModel]) -> list[Comparison]:
    labels, patients = labels_of(films, rows), _patients(films, rows)
    return [
        Comparison(
            one.name, other.name, _pair(one.probability[rows], other.probability[rows], labels, patients)
        )
        for one, other in combinations(scored, 2)
    ]


def _pair(
    one: Probabilities, other: Probabilities, labels: Labels, patients: NDArray[np.str_]
) -> PairedComparison:
    """DeLong's comparison; without intervals and p-value where patients are too few."""
    if are_enough(patients, labels):
        return compare_aucs(one, other, labels, patients)
    areas = auc(one, labels), auc(other, labels)
    first, second, difference = (Estimate(value, nan, nan) for value in (*areas, areas[0] - areas[1]))
    return PairedComparison(first, second, difference, p_value=nan)


def _patients(films: Sequence[TrainingFilm], rows: Rows) -> NDArray[np.str_]:
    return np.array([films[row].patient for row in rows])
