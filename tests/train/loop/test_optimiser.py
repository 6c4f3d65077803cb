from dataclasses import replace

import pytest

from cxr_train.loop.optimiser import Plateau, rate_factor
from cxr_train.recipe.recipe import Recipe

PAPER = Recipe(patience=2)


def after(figures: list[float], recipe: Recipe = PAPER) -> Plateau:
    plateau = Plateau()
    for figure in figures:
        plateau = plateau.after(figure, recipe)
    return plateau


def test_the_rate_is_divided_by_ten_when_validation_stalls() -> None:
    assert after([0.5, 0.6, 0.6, 0.6]).drops == 0
    assert after([0.5, 0.6, 0.6, 0.6, 0.59]).drops == 1
    assert rate_factor(PAPER, 100, 1000, after([0.6] * 4)) == pytest.approx(0.1)


def test_the_rate_falls_three_times_and_no_more() -> None:
    assert after([0.6] * 100).drops == 3


def test_the_best_figure_is_remembered() -> None:
    assert after([0.5, 0.8, 0.7]).best == 0.8


def test_cosine_falls_to_zero_after_the_warm_up() -> None:
    recipe = replace(PAPER, schedule="cosine", warmup_steps=9)
    rates = [rate_factor(recipe, step, 1000, Plateau()) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert rates[-1] < 1e-4
