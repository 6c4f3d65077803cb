import csv
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.checkpoint import read_config
from cxr_train.data.known import known_films
from cxr_train.data.split import SplitPlan
from cxr_train.earlier_runs import recipe_of_fold
from cxr_train.recipe import Recipe
from cxr_train.run import cross_validate, train
from drawn_data_sets import write_data_set
from tiny_training import short_recipe, taught_by

FOLDS = SplitPlan(folds=3, validated=False)


def test_each_fold_of_students_has_the_teacher_of_its_own_fold(
    teacher_folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    cross_validate(tmp_path / "cv", [data_set], taught_by(teacher_folds / "fold-{fold}"), FOLDS, cache=cache)
    for fold in range(3):
        teachers = read_config(tmp_path / "cv" / f"fold-{fold}").recipe.teachers
        assert teachers == (str(teacher_folds / f"fold-{fold}"),)


def test_a_teacher_that_knows_a_film_of_the_test_is_refused(
    teacher_folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"fold-1 knows \d+ of the \d+ films on which this run is tested"):
        train(tmp_path / "run", [data_set], taught_by(teacher_folds / "fold-1"), FOLDS, cache=cache)
    assert not (tmp_path / "run").exists()


def test_the_teacher_of_a_fold_needs_folds() -> None:
    with pytest.raises(UsageError, match="films are not split into folds"):
        recipe_of_fold(taught_by(Path("runs/fold-{fold}")), SplitPlan())


@pytest.mark.parametrize(
    "recipe", [taught_by(), short_recipe(teachers=["runs/a"])], ids=["no teacher", "no term"]
)
def test_teachers_and_their_term_need_each_other(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="one needs the other"):
        recipe_of_fold(recipe, SplitPlan())


def test_each_fold_can_go_on_from_its_own_fold_of_another_run(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    cross_validate(tmp_path / "first", [data_set], short_recipe(), FOLDS, cache=cache)
    recipe = short_recipe(start=str(tmp_path / "first" / "fold-{fold}"))
    cross_validate(tmp_path / "second", [data_set], recipe, FOLDS, cache=cache)
    starts = [read_config(tmp_path / "second" / f"fold-{fold}").starting_weights for fold in range(3)]
    assert starts == ["run first/fold-0", "run first/fold-1", "run first/fold-2"]


def test_a_start_that_knows_a_film_of_the_test_is_refused(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"tiny knows \d+ of the \d+ films"):
        train(tmp_path / "run", [data_set], short_recipe(start=str(finished_run)), FOLDS, cache=cache)


def test_what_a_start_knows_is_known_ever_after(finished_run: Path, cache: Path, tmp_path: Path) -> None:
    elsewhere = write_data_set(tmp_path / "elsewhere", films=24, sites=("far", "away"), first_seed=500)
    alone, second, third = tmp_path / "alone", tmp_path / "second", tmp_path / "third"
    for run, start in ((alone, "scratch"), (second, str(finished_run)), (third, str(second))):
        train(run, [elsewhere], short_recipe(start=start), FOLDS, cache=cache)
    both = known_films(finished_run) | known_films(alone)
    assert known_films(second) == known_films(third) == both
    assert both.patients > known_films(alone).patients
    assert both.sha256s > known_films(alone).sha256s


def test_a_teacher_may_have_begun_with_films_that_are_not_scored(cache: Path, tmp_path: Path) -> None:
    films = _half_known_by_reports(write_data_set(tmp_path / "films"))
    reports, teachers, students = tmp_path / "reports", tmp_path / "teachers", tmp_path / "students"
    train(reports, [films], short_recipe(), SplitPlan(validated=False, unread=True), cache=cache)
    cross_validate(teachers, [films], short_recipe(start=str(reports)), FOLDS, cache=cache)
    cross_validate(students, [films], taught_by(teachers / "fold-{fold}"), FOLDS, cache=cache)
    assert known_films(reports).patients <= known_films(students / "fold-0").patients


def _half_known_by_reports(table: Path) -> Path:
    """The table with every other pair of patients known by reports alone."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        if int(row["patient"].removeprefix("p")) // 2 % 2:
            row |= {"truth": "report", "boxes": ""}
    with table.open("w", encoding="utf-8", newline="") as lines:
        written = csv.DictWriter(lines, rows[0].keys())
        written.writeheader()
        written.writerows(rows)
    return table
