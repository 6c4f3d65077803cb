import math
from pathlib import Path

import numpy as np

from cxr_runtime.film import View
from cxr_runtime.placement import CellGrid
from cxr_train.data.film import FINDINGS, DrawnBox, TrainingFilm, Truth
from cxr_train.loop.targets import clean_target, film_targets, heat_target

CELLS = CellGrid(origin=4.0, stride=8.0)


def film(**known: object) -> TrainingFilm:
    return TrainingFilm(Path("a.png"), "a.png", "p", **known)  # type: ignore[arg-type]  # each test states its own


def test_a_cell_s_heat_is_its_share_of_the_boxes() -> None:
    region = np.zeros((32, 32), np.uint8)
    region[8:16, 8:20] = 255
    heat = heat_target(film(label=1.0, boxes_complete=True), region, CELLS, (4, 4))
    expected = np.zeros((4, 4))
    expected[1, 1], expected[1, 2] = 1, 0.5
    np.testing.assert_allclose(heat, expected, atol=0.01)


def test_outside_boxes_nothing_is_known_unless_all_disease_has_a_box() -> None:
    region = np.zeros((32, 32), np.uint8)
    region[8:16, 8:16] = 255
    heat = heat_target(film(label=1.0, boxes=(DrawnBox((0.25, 0.25, 0.5, 0.5), ""),)), region, CELLS, (4, 4))
    assert heat[1, 1] == 1
    assert np.isnan(heat).sum() == 15


def test_a_normal_film_is_cold_everywhere_if_somebody_looked_at_it() -> None:
    nothing = np.zeros((32, 32), np.uint8)
    assert (heat_target(film(label=0.0, truth=Truth.RADIOLOGIST), nothing, CELLS, (4, 4)) == 0).all()
    assert np.isnan(heat_target(film(label=0.0, truth=Truth.REPORT), nothing, CELLS, (4, 4))).all()


def test_what_is_not_known_of_a_film_is_nan() -> None:
    films = [
        film(
            label=1.0,
            truth=Truth.REPORT,
            weight=0.5,
            view=View.AP,
            sex="M",
            age=70.0,
            findings=frozenset({"Mass"}),
        ),
        film(),
    ]
    made = film_targets(films, 0.3, np.full(2, math.nan, np.float32), {"report": 0.25})
    np.testing.assert_allclose(made["weight"], [0.15, 1.0])
    np.testing.assert_array_equal(made["teacher_weight"], [0.25, 1.0])
    np.testing.assert_array_equal(made["label"], [1, math.nan])
    np.testing.assert_array_equal(made["view"], [1, math.nan])
    np.testing.assert_array_equal(made["sex"], [1, math.nan])
    np.testing.assert_array_equal(made["age"], [1, math.nan])
    assert made["findings"][0].sum() == made["findings"][0, FINDINGS.index("Mass")] == 1
    assert np.isnan(made["findings"][1]).all()


def test_hospitals_are_numbered_and_a_film_of_none_is_nan() -> None:
    films = [film(site=site) for site in ("B", "A", "", "B")]
    made = film_targets(films, 1.0, np.full(4, math.nan, np.float32), {})
    np.testing.assert_array_equal(made["site"], [0, 1, math.nan, 0])


def test_the_clean_target_is_the_film_in_small() -> None:
    drawn = clean_target(np.full((32, 32), 51, np.uint8), (2, 2))
    np.testing.assert_allclose(drawn, np.full((8, 8), 0.2))
