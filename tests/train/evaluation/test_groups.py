from pathlib import Path

import numpy as np

from cxr_runtime.film import View
from cxr_train.data.film import TrainingFilm
from cxr_train.evaluation.groups import OVERALL, groups_of


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
    assert names == [OVERALL, "age 0-17", "age 18-39", "age 75+"]
