import csv
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_train.checkpoint import read_config
from cxr_train.data import read_data_set
from cxr_train.data.split import SplitPlan, known_patients
from cxr_train.recipe import Recipe
from cxr_train.run import cross_validate, train
from cxr_train.teachers import recipe_of_fold, teach
from tiny_training import tiny_recipe

FOLDS = SplitPlan(folds=3, validated=False)


def short(**changes: object) -> Recipe:
    return tiny_recipe(epochs=1, select_by="last", **changes)


def taught_by(*teachers: Path, **changes: object) -> Recipe:
    return short(teachers=[str(path) for path in teachers], terms={"teacher": 1.0}, **changes)


@pytest.fixture(scope="module")
def folds(data_set: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation of teachers, which see films at another size than their students do."""
    out = tmp_path_factory.mktemp("teachers")
    recipe = short(preprocessing={"input_hw": [64, 64], "working_hw": [80, 80], "clahe_clip": 2.0})
    cross_validate(out, [data_set], recipe, FOLDS, cache=cache)
    return out


def test_folds_speak_only_of_films_they_have_not_seen(folds: Path, data_set: Path, cache: Path) -> None:
    runs = sorted(folds.iterdir())
    films, rows = read_data_set(data_set).films, np.arange(60)
    together = teach([str(run) for run in runs], films, rows, cache)
    for run in runs:
        alone, known = teach([str(run)], films, rows, cache), known_patients(run)
        unseen = [row for row, film in enumerate(films) if film.patient not in known]
        assert (abs(together[unseen] - alone[unseen]) < 1e-6).all()


def test_teachers_say_nothing_of_films_they_are_not_asked_about(
    folds: Path, data_set: Path, cache: Path
) -> None:
    films, asked = read_data_set(data_set).films, np.array([3, 7])
    said = teach([str(folds / "fold-0")], films, asked, cache)
    assert np.flatnonzero(np.isfinite(said)).tolist() == [3, 7]


def test_folds_can_teach_a_network_of_all_films(
    folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    run = tmp_path / "student"
    train(run, [data_set], taught_by(*sorted(folds.iterdir())), SplitPlan(validated=False), cache=cache)
    with (run / "log.csv").open(encoding="utf-8") as lines:
        assert float(next(csv.DictReader(lines))["teacher_loss"]) > 0


def test_each_fold_of_students_has_the_teacher_of_its_own_fold(
    folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    cross_validate(tmp_path / "cv", [data_set], taught_by(folds / "fold-{fold}"), FOLDS, cache=cache)
    for fold in range(3):
        teachers = read_config(tmp_path / "cv" / f"fold-{fold}").recipe.teachers
        assert teachers == (str(folds / f"fold-{fold}"),)


def test_a_teacher_that_knows_a_film_of_the_test_is_refused(
    folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"fold-1 knows 12 of the 12 patients whom this run is tested on"):
        train(tmp_path / "run", [data_set], taught_by(folds / "fold-1"), FOLDS, cache=cache)
    assert not (tmp_path / "run").exists()


def test_the_teacher_of_a_fold_needs_folds() -> None:
    with pytest.raises(UsageError, match="films are not split into folds"):
        recipe_of_fold(taught_by(Path("runs/fold-{fold}")), SplitPlan())


@pytest.mark.parametrize("recipe", [taught_by(), short(teachers=["runs/a"])], ids=["no teacher", "no term"])
def test_teachers_and_their_term_need_each_other(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="one needs the other"):
        recipe_of_fold(recipe, SplitPlan())
