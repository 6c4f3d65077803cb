import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.checkpoint import read_config
from cxr_train.data import TrainingFilm, read_data_set
from cxr_train.data.known import known_films
from cxr_train.data.prepared_films import PreparedFilms, prepare_films
from cxr_train.data.split import SplitPlan
from cxr_train.run import train
from cxr_train.teachers import CERTAIN, teach
from tiny_training import short_recipe, taught_by, tiny_recipe

STUDENT = tiny_recipe().preprocessing


@pytest.fixture(scope="module")
def films(data_set: Path) -> tuple[TrainingFilm, ...]:
    return tuple(read_data_set(data_set).films)


def shown(films: tuple[TrainingFilm, ...], cache: Path, how: Preprocessing = STUDENT) -> PreparedFilms:
    return prepare_films(films, how, cache)


def test_folds_speak_only_of_films_they_have_not_seen(
    teacher_folds: Path, films: tuple[TrainingFilm, ...], cache: Path
) -> None:
    runs, rows, ours = sorted(teacher_folds.iterdir()), np.arange(60), shown(films, cache)
    together = teach([str(run) for run in runs], films, rows, ours, about_heat=True)
    assert together.heat is not None
    for run in runs:
        alone, known = teach([str(run)], films, rows, ours, about_heat=True), known_films(run).patients
        assert alone.heat is not None
        unseen = [row for row, film in enumerate(films) if film.patient not in known]
        assert (abs(together.probability[unseen] - alone.probability[unseen]) < 1e-6).all()
        np.testing.assert_array_equal(together.heat[unseen], alone.heat[unseen])


def test_teachers_say_nothing_of_films_they_are_not_asked_about(
    teacher_folds: Path, films: tuple[TrainingFilm, ...], cache: Path
) -> None:
    said = teach([str(teacher_folds / "fold-0")], films, np.array([3, 7]), shown(films, cache))
    assert np.flatnonzero(np.isfinite(said.probability)).tolist() == [3, 7]
    assert said.heat is None


def test_what_a_teacher_sees_lies_on_its_place_of_the_film_whatever_part_the_student_is_shown(
    teacher_folds: Path, films: tuple[TrainingFilm, ...], cache: Path
) -> None:
    teacher, rows = str(teacher_folds / "fold-0"), np.arange(4)
    ours = shown(films, cache, read_config(Path(teacher)).recipe.preprocessing)
    left_half = replace(ours.placements[0], box_film_xyxy=(0.0, 0.0, 32.0, 64.0))
    halves = replace(ours, placements=(left_half,) * len(films))
    whole, half = (teach([teacher], films, rows, part, about_heat=True).heat for part in (ours, halves))
    assert whole is not None
    assert half is not None
    stretched = half[rows].astype(int)  # two columns of the half are one of the whole
    pairs = (stretched[:, :, 0::2] + stretched[:, :, 1::2]) / 2
    assert abs(pairs - whole[rows, :, :32]).max() <= 0.02 * CERTAIN
    assert whole[rows].std() > 0


def test_a_teacher_without_a_head_for_it_cannot_say_where_disease_is(
    films: tuple[TrainingFilm, ...], data_set: Path, cache: Path, tmp_path: Path
) -> None:
    mute = tmp_path / "mute"
    recipe = short_recipe(terms={"heat": 0.0, "label": 1.0})
    train(mute, [data_set], recipe, SplitPlan(folds=3, fold=0, validated=False), cache=cache)
    with pytest.raises(UsageError, match=r"mute cannot say where disease is.*terms\.heat"):
        teach([str(mute)], films, np.arange(4), shown(films, cache), about_heat=True)


def test_folds_can_teach_a_network_of_all_films(
    teacher_folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    run = tmp_path / "student"
    recipe = taught_by(*sorted(teacher_folds.iterdir()), terms={"teacher": 1.0, "teacher_heat": 0.5})
    train(run, [data_set], recipe, SplitPlan(validated=False), cache=cache)
    with (run / "log.csv").open(encoding="utf-8") as lines:
        losses = next(csv.DictReader(lines))
    assert float(losses["teacher_loss"]) > 0
    assert float(losses["teacher_heat_loss"]) > 0
