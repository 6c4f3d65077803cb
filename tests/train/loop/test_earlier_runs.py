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
from cxr_train.loop.earlier_runs import CERTAIN, known_before, recipe_of_fold, teach
from cxr_train.recipe.recipe import Recipe
from cxr_train.run import cross_validate, train
from drawn_data_sets import write_data_set
from tiny_training import short_recipe, taught_by, tiny_recipe

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


def test_a_recipe_says_what_an_exported_start_has_learned(data_set: Path) -> None:
    films = read_data_set(data_set).films
    known = known_before(short_recipe(learned=[str(data_set)]))
    assert known.patients == {film.patient for film in films}
    assert len(known.sha256s) == len({film.path.read_bytes() for film in films})


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
