from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from cxr_runtime.film import View
from cxr_train.data.film import TrainingFilm, Truth
from cxr_train.loop.batches import epoch_order

FILMS = [
    TrainingFilm(Path(str(n)), str(n), str(n), float(n < 900), view=View.AP if n % 10 == 0 else View.PA)
    for n in range(1000)
]
ROWS = np.arange(1000)


def test_each_film_is_shown_once_an_epoch() -> None:
    order = epoch_order(FILMS, ROWS, (), (0, 1, 0))
    assert sorted(order) == list(ROWS)
    assert (order != ROWS).any()


def test_another_epoch_has_another_order() -> None:
    assert (epoch_order(FILMS, ROWS, (), (0, 1, 0)) != epoch_order(FILMS, ROWS, (), (0, 1, 1))).any()


def test_every_label_and_view_is_shown_equally_often_when_balanced() -> None:
    order = epoch_order(FILMS, ROWS, ("label", "view"), (0, 1, 0))
    shown = Counter((FILMS[row].label, FILMS[row].view) for row in order)
    assert len(order) == 1000
    assert all(abs(count - 250) < 50 for count in shown.values())
    assert len(shown) == 4


def test_half_way_to_even_a_film_s_chance_goes_by_the_root_of_how_many_there_are() -> None:
    order = epoch_order(FILMS, ROWS, ("label",), (0, 1, 0), evenness=0.5)
    rare = sum(FILMS[row].label == 0 for row in order)
    assert abs(rare - 250) < 50  # of 900 and 100 films: 3 to 1


def test_each_truth_fills_its_quota_and_others_are_not_shown() -> None:
    truths = (Truth.RADIOLOGIST, Truth.REPORT, Truth.STATED)
    films = [replace(film, truth=truths[n % 3]) for n, film in enumerate(FILMS)]
    order = epoch_order(films, ROWS, (), (0, 1, 0), quotas={"radiologist": 0.8, "report": 0.2})
    shown = Counter(films[row].truth for row in order)
    assert abs(shown[Truth.RADIOLOGIST] - 800) < 50
    assert shown[Truth.STATED] == 0
