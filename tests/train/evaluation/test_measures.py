import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from cxr_runtime.film import View
from cxr_train.data.film import TrainingFilm
from cxr_train.evaluation.measures import OVERALL, groups_of, measure


def film(label: int, **known: object) -> TrainingFilm:
    return TrainingFilm(Path("a"), "a", "p", float(label), **known)  # type: ignore[arg-type]  # each test its own


def test_a_group_that_is_all_films_is_named_once() -> None:
    films = [film(label, site="here") for label in (0, 1)]
    assert [group.name for group in groups_of(films, np.arange(2))] == [OVERALL]


def test_groups_without_both_classes_are_left_out() -> None:
    films = [film(0, view=View.PA), film(1, view=View.PA), film(1, view=View.AP), film(1)]
    names = [group.name for group in groups_of(films, np.arange(4))]
    assert names == [OVERALL, "view PA"]


def test_each_class_of_disease_is_set_against_all_normal_films() -> None:
    films = [
        film(0, radiologist_class="Normal"),
        film(1, radiologist_class="Lung Opacity"),
        film(1, radiologist_class="No Lung Opacity / Not Normal"),
        film(0),
    ]
    groups = {group.name: group.rows.tolist() for group in groups_of(films, np.arange(4))}
    assert groups["Normal or Lung Opacity"] == [0, 1]
    assert groups["Normal or No Lung Opacity / Not Normal"] == [0, 2]


def test_a_class_is_set_against_normal_films_within_each_view_too() -> None:
    films = [
        film(label, view=view, radiologist_class=name)
        for view in (View.PA, View.AP)
        for label, name in ((0, "Normal"), (1, "Lung Opacity"))
    ]
    names = [group.name for group in groups_of([*films, film(0), film(1)], np.arange(6))]
    assert names[-2:] == ["Normal or Lung Opacity, AP", "Normal or Lung Opacity, PA"]
    names = [group.name for group in groups_of([*films[:2], film(0), film(1)], np.arange(4))]
    assert names[-1] == "Normal or Lung Opacity"


def test_ages_are_grouped_in_steps() -> None:
    films = [film(label, age=age) for age in (7, 17.9, 18, 80) for label in (0, 1)]
    names = [group.name for group in groups_of(films, np.arange(8))]
    assert names == [OVERALL, "age 18-39", "age 65 and over", "age under 18"]


rng = np.random.default_rng(0)
LABELS = (rng.random(200) < 0.4).astype(np.intp)
SAID = np.clip(0.5 * LABELS + rng.normal(0.3, 0.3, 200), 0, 1)
PATIENTS = np.array([f"p{number // 2}" for number in range(200)])
FOUND = measure(SAID, LABELS, PATIENTS, threshold=0.5, replicates=200)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auc", metrics.roc_auc_score(LABELS, SAID)),
        ("sensitivity", metrics.recall_score(LABELS, SAID >= 0.5)),
        ("specificity", metrics.recall_score(1 - LABELS, SAID < 0.5)),
        ("ppv", metrics.precision_score(LABELS, SAID >= 0.5)),
        ("npv", metrics.precision_score(1 - LABELS, SAID < 0.5)),
        ("accuracy", metrics.accuracy_score(LABELS, SAID >= 0.5)),
        ("f1", metrics.f1_score(LABELS, SAID >= 0.5)),
        ("mcc", metrics.matthews_corrcoef(LABELS, SAID >= 0.5)),
        ("brier", metrics.brier_score_loss(LABELS, SAID)),
    ],
)
def test_measures_agree_with_scikit_learn(name: str, expected: float) -> None:
    estimate = FOUND.estimates()[name]
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < estimate.value < estimate.high


@pytest.mark.parametrize(("name", "sensitivity"), [("specificity_at_90", 0.9), ("specificity_at_95", 0.95)])
def test_specificity_is_that_of_the_best_threshold_that_is_sensitive_enough(
    name: str, sensitivity: float
) -> None:
    rate_of_false, rate_of_true, _ = metrics.roc_curve(LABELS, SAID, drop_intermediate=False)
    assert FOUND.estimates()[name].value == pytest.approx(
        1 - rate_of_false[rate_of_true >= sensitivity].min()
    )


def test_a_share_of_all_films_still_has_an_interval() -> None:
    perfect = measure(LABELS.astype(np.float64), LABELS, PATIENTS, replicates=100)
    assert perfect.sensitivity.value == perfect.sensitivity.high == 1
    assert 0.9 < perfect.sensitivity.low < 1


def test_what_nothing_can_be_said_of_is_unknown() -> None:
    nobody = measure(np.zeros(20), np.tile([0, 1], 10), np.arange(20).astype(np.str_), replicates=100)
    assert math.isnan(nobody.ppv.value)


@pytest.mark.parametrize("patients", [np.arange(8), np.zeros(8)])
def test_eight_films_have_no_interval_of_the_auc(patients: NDArray[np.float64]) -> None:
    labels = np.tile([0, 1], 4)
    found = measure(0.2 + 0.6 * labels, labels, patients.astype(np.str_), replicates=100)
    for name in ("auc", "f1", "mcc", "brier", "specificity_at_90"):
        assert math.isnan(found.estimates()[name].low), name
    assert found.auc.value == 1
