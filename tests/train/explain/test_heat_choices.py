from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.heat.map import LocationPrior
from cxr_runtime.progress import Silence
from cxr_train.data import read_data_set
from cxr_train.data.known import Known
from cxr_train.explain.heat_choices import (
    SMOOTHINGS,
    WEIGHTS,
    chosen_by_others,
    heat_choices,
    heat_choices_of,
)
from cxr_train.explain.looker import explained_model, open_lookers

PRIOR = LocationPrior(((1.0, 0.5), (0.25, 0.1)), 1.0, 0.1, (0.1, 0.1, 0.9, 0.9))


def test_a_fold_s_value_is_chosen_by_the_films_of_the_others() -> None:
    overlap = np.array([[0.9, 0.9, 0.1, 0.1], [0.2, 0.2, 0.8, 0.8]])
    folds = np.array([0, 0, 1, 1])
    assert chosen_by_others(overlap, folds).tolist() == [1, 1, 0, 0]


def test_one_run_has_no_folds_to_choose_by(finished_run: Path, data_set: Path, cache: Path) -> None:
    films = read_data_set(data_set).films
    folds = open_lookers(finished_run)
    unseen = [film for film in films if film.patient not in folds[0].known.patients]
    model = explained_model("tiny", folds, unseen, cache, Silence())
    with pytest.raises(UsageError, match="boxes in 1 folds; expected a cross-validation"):
        heat_choices(model, unseen)


def test_every_value_has_a_row_and_the_nested_choice_one(
    finished_run: Path, data_set: Path, cache: Path
) -> None:
    films = read_data_set(data_set).films
    (run,) = open_lookers(finished_run)
    patients = sorted({film.patient for film in films})
    halves = (frozenset(patients[::2]), frozenset(patients[1::2]))
    recipe = replace(run.recipe, prior=PRIOR)
    folds = tuple(
        replace(run, known=Known(known), recipe=recipe, starting_weights=f"{number}")
        for number, known in enumerate(halves)
    )
    tables = heat_choices(explained_model("tiny", folds, films, cache, Silence()), films).split("\n\n")
    for rows, values in zip([made.splitlines() for made in tables], [WEIGHTS, SMOOTHINGS], strict=True):
        assert len(rows) == 2 + len(values) + 1
        assert rows[-1].startswith("| chosen by the other folds: ")


def test_one_run_on_its_own_films_has_no_folds_to_choose_by(
    finished_run: Path, data_set: Path, cache: Path
) -> None:
    with pytest.raises(UsageError, match="boxes in 1 folds; expected a cross-validation"):
        heat_choices_of(finished_run, [data_set], cache)
