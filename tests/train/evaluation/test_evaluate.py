import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_calibration.statistics.roc import PairedComparison, compare_aucs
from cxr_runtime.errors import UsageError
from cxr_runtime.progress import Silence
from cxr_train.checkpoint import CONFIG_FILE, find_runs, model_names
from cxr_train.data import Truth, read_data_set
from cxr_train.data.drawn_films import draw_data_set
from cxr_train.data.known import known_films
from cxr_train.data.split import SplitPlan
from cxr_train.evaluation.evaluate import evaluate
from cxr_train.evaluation.page_tables import model_rows
from cxr_train.evaluation.scoring import rows_to_score, score_films
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
    known = known_films(finished_run).patients
    unseen = [film for film in read_data_set(data_set).films if film.patient not in known]
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
    elsewhere = write_data_set(tmp_path / "elsewhere", 24, sites=("far", "away"), first_seed=500)
    found = evaluate([finished_run], [elsewhere], tmp_path / "out", replicates=100, cache=cache)
    assert found.rows[0].measures.films == 24
    assert found.comparisons == ()


def test_a_film_that_was_trained_on_is_known_under_any_name(
    finished_run: Path, cache: Path, tmp_path: Path
) -> None:
    copies = write_data_set(tmp_path / "copies", sites=("far", "away"))
    found = evaluate([finished_run], [copies], tmp_path / "out", replicates=100, cache=cache)
    learned = len(known_films(finished_run).sha256s)
    assert found.rows[0].measures.films == 60 - learned < 60


def test_a_checkpoint_s_file_is_judged_as_its_run(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    models = [finished_run, finished_run / "best.safetensors"]
    found = evaluate(models, [data_set], tmp_path / "out", replicates=100, cache=cache)
    (comparison,) = found.comparisons
    assert comparison.second == "best.safetensors"
    assert comparison.auc.difference.value == 0


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
    together = score_films(tmp_path / "cv", films, rows, cache, "cpu", Silence()).probability
    assert np.isfinite(together).all()
    by_one = score_films(tmp_path / "cv", films, rows, cache, "cpu", Silence(), by_one=True).probability
    np.testing.assert_array_equal(by_one, together)
    alone = score_films(tmp_path / "cv" / "fold-1", films, rows, cache, "cpu", Silence()).probability
    known = known_films(tmp_path / "cv" / "fold-1").patients
    for row, film in enumerate(films):
        assert np.isnan(alone[row]) if film.patient in known else alone[row] == together[row]


def test_a_film_that_no_fold_has_seen_can_be_scored_by_one_alone(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    folds, others = tmp_path / "cv", draw_data_set(tmp_path / "others", 24, seed=90)
    cross_validate(folds, [data_set], tiny_recipe(epochs=1), SplitPlan(folds=3), cache=cache)
    films, rows = read_data_set(others).films, np.arange(24)

    def probabilities(model: Path, *, by_one: bool = False) -> list[float]:
        scored = score_films(model, films, rows, cache, "cpu", Silence(), by_one=by_one)
        return [float(each) for each in scored.probability]

    each = [probabilities(folds / f"fold-{fold}") for fold in range(3)]
    one = probabilities(folds, by_one=True)
    dealt = [[fold[row] for fold in each].index(one[row]) for row in rows]
    assert set(dealt) == {0, 1, 2}
    assert np.allclose(probabilities(folds), np.mean(each, axis=0))


def test_a_model_that_has_seen_everything_is_not_measured(finished_run: Path, data_set: Path) -> None:
    known = known_films(finished_run).patients
    films = tuple(film for film in read_data_set(data_set).films if film.patient in known)
    with pytest.raises(UsageError, match=r"0 labelled films .* that no model has seen"):
        rows_to_score(films, [finished_run])


def test_a_folder_without_runs_is_refused(tmp_path: Path, data_set: Path, cache: Path) -> None:
    with pytest.raises(UsageError, match="is not a run and holds none"):
        evaluate([tmp_path], [data_set], tmp_path / "out", cache=cache)


def test_only_the_folds_of_a_folder_make_one_model(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / CONFIG_FILE).touch()
    with pytest.raises(UsageError, match=r"runs that are not the folds .* name each run itself, e\.g\. .*a$"):
        find_runs(tmp_path)
    (tmp_path / "a").rename(tmp_path / "fold-0")
    assert find_runs(tmp_path) == [tmp_path / "fold-0"]


def test_films_that_are_not_there_are_counted_on_the_page(
    finished_run: Path, cache: Path, tmp_path: Path
) -> None:
    elsewhere = write_data_set(tmp_path / "elsewhere", 24, sites=("far", "away"), first_seed=500)
    for name in ("000", "001", "002"):
        (elsewhere.parent / f"{name}.png").unlink()
    found = evaluate([finished_run], [elsewhere], tmp_path / "out", replicates=100, cache=cache)
    assert (found.rows[0].measures.films, found.absent) == (21, 3)
    page = (tmp_path / "out" / "evaluation.md").read_text(encoding="utf-8")
    assert "\n3 films of the tables are not there.\n" in page


def test_models_of_one_name_are_told_apart_by_their_folders_and_one_given_twice_is_refused(
    tmp_path: Path,
) -> None:
    models = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "b" / "other"]
    assert model_names(models) == ["a/run", "b/run", "b/other"]
    assert model_names(models[1:]) == ["run", "other"]
    with pytest.raises(UsageError, match="run is given more than once"):
        model_names([*models, tmp_path / "b" / "." / "run"])


def test_a_class_of_one_film_has_areas_without_intervals_on_every_page(
    finished_run: Path, cache: Path, tmp_path: Path
) -> None:
    table = write_data_set(tmp_path / "few", 5, 1, ("far", "away"), first_seed=700)
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([lines[0], *lines[1::2], lines[2]]) + "\n", encoding="utf-8")
    models, out = [finished_run, finished_run / "best.safetensors"], tmp_path / "out"
    found = evaluate(models, [table], out, replicates=100, cache=cache)
    assert (found.rows[0].measures.films, found.rows[0].measures.abnormal) == (4, 1)
    (comparison,) = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))["comparisons"]
    assert comparison["auc"]["p_value"] is None
    assert comparison["auc"]["difference"] == {"value": 0, "low": None, "high": None}
    page = (out / "evaluation.md").read_text(encoding="utf-8")
    assert "| 0.000 (too few films) | - |" in page
    assert "best.safetensors" in model_rows([out / "evaluation.json"], intervals=True, against="tiny")


def test_films_of_one_patient_are_not_counted_as_independent(
    finished_run: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(
        first: NDArray[np.float64],
        second: NDArray[np.float64],
        labels: NDArray[np.intp],
        patients: NDArray[np.str_],
    ) -> PairedComparison:
        asked.append(np.unique(patients).size)
        return compare_aucs(first, second, labels, patients)

    monkeypatch.setattr("cxr_train.evaluation.evaluate.compare_aucs", counting)
    table = write_data_set(tmp_path / "pairs", 48, sites=("far", "away"), first_seed=800)
    evaluate(
        [finished_run, finished_run / "best.safetensors"],
        [table],
        tmp_path / "out",
        cache=cache,
        replicates=100,
    )
    assert asked == [24]
