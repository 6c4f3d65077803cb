"""Whether a reader would notice the GPU: scores, triage and AUC of one model, film by film."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.roc import PairedComparison, compare_aucs
from cxr_export.films import run_films
from cxr_runtime.backends.engine import Engine
from cxr_runtime.logits import margins
from cxr_runtime.model.folder import Model
from cxr_train.data import read_film_table
from cxr_train.data.prepared_films import CACHE, prepare_films
from cxr_train.prediction import labels_of, scored_rows


@dataclass(frozen=True)
class Agreement:
    """An engine against float32 on the processor."""

    films: int
    score_change: float  # largest of any film, calibrated score 0..100
    triage_changes: int  # films whose triage is another one
    auc: PairedComparison  # on the films that a radiologist classified


def agreement(
    model: Model, expected: Engine, found: Engine, data: Sequence[Path], cache: Path = CACHE
) -> Agreement:
    """Run every film of data sets through both.

    Args:
        model: calibrated.
        expected: float32 on the processor; closed at the end, as is the other.
        found: what is judged.
        data: data sets, as for training.
        cache: folder of prepared films.
    """
    how = model.manifest.preprocessing
    films = read_film_table(data)
    inputs = np.asarray(prepare_films(films, how, cache, 1, None).inputs)
    one, other = (_probability(model, engine, inputs) for engine in (expected, found))
    point = model.calibration.operating_point()
    triage = [[point.triage(float(value)) for value in values] for values in (one, other)]
    rows = scored_rows(films, np.arange(len(films)))
    patients = np.array([films[row].patient for row in rows])
    return Agreement(
        films=len(films),
        score_change=100 * float(np.abs(one - other).max()),
        triage_changes=sum(before is not after for before, after in zip(*triage, strict=True)),
        auc=compare_aucs(other[rows], one[rows], labels_of(films, rows), patients),
    )


def _probability(model: Model, engine: Engine, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
    outputs = run_films(engine, inputs, model.manifest.preprocessing)
    return model.calibration.probability(margins(outputs.logits))
