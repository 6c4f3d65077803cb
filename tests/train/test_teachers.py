import csv
from pathlib import Path

import numpy as np

from cxr_train.data import read_data_set
from cxr_train.data.split import SplitPlan, known_patients
from cxr_train.run import train
from cxr_train.teachers import teach
from tiny_training import taught_by


def test_folds_speak_only_of_films_they_have_not_seen(
    teacher_folds: Path, data_set: Path, cache: Path
) -> None:
    runs = sorted(teacher_folds.iterdir())
    films, rows = read_data_set(data_set).films, np.arange(60)
    together = teach([str(run) for run in runs], films, rows, cache)
    for run in runs:
        alone, known = teach([str(run)], films, rows, cache), known_patients(run)
        unseen = [row for row, film in enumerate(films) if film.patient not in known]
        assert (abs(together[unseen] - alone[unseen]) < 1e-6).all()


def test_teachers_say_nothing_of_films_they_are_not_asked_about(
    teacher_folds: Path, data_set: Path, cache: Path
) -> None:
    films, asked = read_data_set(data_set).films, np.array([3, 7])
    said = teach([str(teacher_folds / "fold-0")], films, asked, cache)
    assert np.flatnonzero(np.isfinite(said)).tolist() == [3, 7]


def test_folds_can_teach_a_network_of_all_films(
    teacher_folds: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    run = tmp_path / "student"
    train(
        run, [data_set], taught_by(*sorted(teacher_folds.iterdir())), SplitPlan(validated=False), cache=cache
    )
    with (run / "log.csv").open(encoding="utf-8") as lines:
        assert float(next(csv.DictReader(lines))["teacher_loss"]) > 0
