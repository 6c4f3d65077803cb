import json
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_train.data import Truth, read_data_set
from cxr_train.data.split import SplitPlan, known_patients
from cxr_train.evaluation.evaluate import evaluate
from cxr_train.evaluation.judged import judge, rows_to_score
from cxr_train.progress import Silence
from cxr_train.run import cross_validate, train
from drawn_data_sets import write_data_set
from tiny_training import tiny_recipe


def test_models_are_measured_side_by_side_on_the_side_that_none_has_seen(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    plan = SplitPlan(shares=(0.5, 0.2, 0.3))
    train(tmp_path / "other", [data_set], tiny_recipe(epochs=1, seed=3), plan, cache=cache)
    found = evaluate(
        [finished_run, tmp_path / "other"], [data_set], tmp_path / "out", replicates=100, cache=cache
    )
    unseen = [
        film for film in read_data_set(data_set).films if film.patient not in known_patients(finished_run)
    ]
    assert found.rows[0].measures.films == len(unseen) > 0
    assert {row.group for row in found.rows} >= {"all films", "view PA", "view AP", "sex F", "site here"}
    (comparison,) = found.comparisons
    assert (comparison.first, comparison.second) == ("tiny", "other")
    assert comparison.auc.first.value == pytest.approx(found.rows[0].measures.auc.value)
    table = (tmp_path / "out" / "evaluation.md").read_text(encoding="utf-8")
    assert "| started from | scratch | scratch |" in table
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))["threshold"] == 0.5
    for figure in ("roc", "calibration", "confusion"):
        assert (tmp_path / "out" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_films_of_another_site_are_all_judged(finished_run: Path, cache: Path, tmp_path: Path) -> None:
    elsewhere = write_data_set(tmp_path / "elsewhere", 24)
    elsewhere = elsewhere.rename(elsewhere.with_name("elsewhere.csv"))
    found = evaluate([finished_run], [elsewhere], tmp_path / "out", replicates=100, cache=cache)
    assert found.rows[0].measures.films == 24
    assert found.comparisons == ()


def test_labels_of_one_kind_can_be_asked_for(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="0 labelled films"):
        evaluate([finished_run], [data_set], tmp_path, truth=Truth.REPORT, cache=cache)


def test_every_film_is_judged_by_a_fold_that_has_not_seen_it(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    cross_validate(tmp_path / "cv", [data_set], tiny_recipe(epochs=1), SplitPlan(folds=3), cache=cache)
    films, rows = read_data_set(data_set).films, np.arange(60)
    together = judge(tmp_path / "cv", films, rows, cache, "cpu", Silence()).probability
    assert np.isfinite(together).all()
    alone = judge(tmp_path / "cv" / "fold-1", films, rows, cache, "cpu", Silence()).probability
    known = known_patients(tmp_path / "cv" / "fold-1")
    for row, film in enumerate(films):
        assert np.isnan(alone[row]) if film.patient in known else alone[row] == together[row]


def test_a_model_that_has_seen_everything_is_not_measured(finished_run: Path, data_set: Path) -> None:
    known = known_patients(finished_run)
    films = tuple(film for film in read_data_set(data_set).films if film.patient in known)
    with pytest.raises(UsageError, match=r"0 labelled films .* that no model has seen"):
        rows_to_score(films, [finished_run])


def test_a_folder_without_runs_is_refused(tmp_path: Path, data_set: Path, cache: Path) -> None:
    with pytest.raises(UsageError, match="is no run and holds none"):
        evaluate([tmp_path], [data_set], tmp_path / "out", cache=cache)
