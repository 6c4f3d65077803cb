from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_train.data.film import DrawnBox, TrainingFilm, Truth
from cxr_train.data.known import known_films
from cxr_train.data.split import (
    SIDES,
    Split,
    SplitPlan,
    refuse_leaks,
    split_csv,
    split_films,
)


def films(patients: int = 200, seed: int = 0) -> list[TrainingFilm]:
    """Patients with one to six films each, labels and views unevenly spread."""
    rng = np.random.default_rng(seed)
    return [
        TrainingFilm(
            Path(f"{patient}_{film}.png"),
            f"{patient}_{film}.png",
            f"p{patient}",
            label=float(patient % 3 == 0),
            view=View.AP if rng.random() < 0.3 else View.PA,
        )
        for patient in range(patients)
        for film in range(int(rng.integers(1, 7)))
    ]


PLANS = [
    SplitPlan(),
    SplitPlan((0.5, 0.3, 0.2), seed=4),
    *(SplitPlan(folds=5, fold=fold) for fold in range(5)),
]


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_no_patient_stands_on_two_sides_and_no_film_is_lost(plan: SplitPlan) -> None:
    table = films()
    split = split_films(table, plan)
    assert sorted(np.concatenate([split.side(side) for side in SIDES])) == list(range(len(table)))
    patients = [{table[row].patient for row in split.side(side)} for side in SIDES]
    assert sum(map(len, patients)) == len(set.union(*patients))


def test_every_side_gets_its_share_of_each_label_and_view() -> None:
    table = films()
    split = split_films(table, SplitPlan())
    whole = Counter((film.label, film.view) for film in table)
    for side, share in zip(SIDES, (0.7, 0.2, 0.1), strict=True):
        counts = Counter((table[row].label, table[row].view) for row in split.side(side))
        for stratum, count in whole.items():
            assert counts[stratum] == pytest.approx(share * count, abs=3)


def test_the_folds_tests_make_up_the_whole_table_once() -> None:
    table = films()
    tests = [split_films(table, SplitPlan(folds=4, fold=fold)).test for fold in range(4)]
    assert sorted(np.concatenate(tests)) == list(range(len(table)))


def test_the_seed_decides() -> None:
    table = films()
    tests = [split_films(table, SplitPlan(seed=seed)).test for seed in (0, 0, 1)]
    assert tests[0].tolist() == tests[1].tolist() != tests[2].tolist()


@pytest.mark.parametrize(
    ("plan", "digest"),
    [(SplitPlan(), "999c66a79da69832"), (SplitPlan(folds=5, fold=2, seed=4), "3e48babdd9520f3d")],
)
def test_the_splits_of_published_networks_stay_as_they_are(plan: SplitPlan, digest: str) -> None:
    split = split_films(films(), plan)
    sides = np.concatenate([split.training, split.validation, split.test]).astype(np.int64)
    assert sha256(sides.tobytes()).hexdigest().startswith(digest)


def rows(*numbers: int) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    return np.array(numbers, np.intp)


def test_a_patient_on_two_sides_is_refused() -> None:
    table = [TrainingFilm(Path(name), name, "same", 0.0) for name in ("a", "b")]
    with pytest.raises(UsageError, match="patient same stands in training and in test"):
        refuse_leaks(table, Split(rows(0), rows(), rows(1)))


def test_a_copy_under_another_patient_s_name_is_refused() -> None:
    table = [TrainingFilm(Path(name), name, name, 0.0) for name in ("a", "b")]
    with pytest.raises(UsageError, match="film 5ha stands in training and in validation"):
        refuse_leaks(table, Split(rows(0), rows(1), rows()), ["5ha", "5ha"])


def test_a_written_split_says_which_films_were_met_in_training(tmp_path: Path) -> None:
    table = films()
    split = split_films(table, SplitPlan())
    sha256s = [f"sha of {film.name}" for film in table]
    (tmp_path / "split.csv").write_bytes(split_csv(table, split, sha256s))
    known = known_films(tmp_path)
    met = [row for side in SIDES[:2] for row in split.side(side)]
    assert known.patients == {table[row].patient for row in met}
    assert known.sha256s == {sha256s[row] for row in met}


@pytest.mark.parametrize(
    "plan",
    [SplitPlan(folds=2), SplitPlan(folds=5, fold=5), SplitPlan(shares=(0.5, 0.2)), SplitPlan((1.0, 0, 0))],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(plan: SplitPlan) -> None:
    with pytest.raises(UsageError):
        split_films(films(20), plan)


def test_without_validation_every_other_fold_is_trained_on() -> None:
    table = films()
    split = split_films(table, SplitPlan(folds=4, fold=1, validated=False))
    assert len(split.validation) == 0
    assert split.test.tolist() == split_films(table, SplitPlan(folds=4, fold=1)).test.tolist()
    assert len(split.training) + len(split.test) == len(table)
    assert len(split_films(table, SplitPlan(validated=False)).training) == len(table)


def test_pretraining_leaves_out_every_film_of_a_patient_of_whom_one_was_read() -> None:
    mined = [replace(film, truth=Truth.REPORT) for film in films()]
    box = DrawnBox((0, 0, 0.5, 0.5), "Mass")
    mined[0] = replace(mined[0], truth=Truth.RADIOLOGIST)
    mined[-1] = replace(mined[-1], boxes=(box,))
    read = {mined[0].patient, mined[-1].patient}
    split = split_films(mined, SplitPlan(unread=True, validated=False))
    assert {mined[row].patient for row in split.training} == {film.patient for film in mined} - read


@pytest.mark.parametrize("validated", [True, False])
def test_folds_of_which_a_later_one_would_have_no_test_are_refused_at_the_first(validated: bool) -> None:
    plan = SplitPlan(folds=7, validated=validated)
    with pytest.raises(UsageError, match="films of 5 patients cannot be dealt to --folds 7: none is left to"):
        split_films(films(5), plan)
