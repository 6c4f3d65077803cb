from dataclasses import replace

import numpy as np
import pytest

from cxr_calibration.fit.whole_choice import whole_choice, whole_choice_table
from cxr_runtime.errors import UsageError
from drawn_films import drawn_films


def test_the_best_of_many_that_know_nothing_is_worth_nothing_on_other_films() -> None:
    films, random = drawn_films(120), np.random.default_rng(0)
    blind = {str(n): replace(films, margins=random.normal(size=120)) for n in range(20)}
    choice = whole_choice(blind, replicates=40)
    assert choice.apparent.sensitivity + choice.apparent.specificity > 1.1
    assert choice.outside.sensitivity + choice.outside.specificity == pytest.approx(1, abs=0.06)
    assert sum(choice.how_often.values()) == pytest.approx(1)


def test_a_choice_that_is_clear_is_made_in_every_sample_and_costs_little() -> None:
    films = drawn_films(200)
    worse = replace(films, margins=films.margins + np.random.default_rng(1).normal(size=200, scale=9))
    text = whole_choice_table({"good": films, "bad": worse}, replicates=20)
    assert text.startswith("| good, `balanced` | sensitivity | specificity |")
    assert "good by 100 %, bad by 0 %" in text


def test_candidates_are_about_the_same_films() -> None:
    with pytest.raises(UsageError, match="b is about other films than the first"):
        whole_choice({"a": drawn_films(40), "b": drawn_films(60)})
    with pytest.raises(UsageError, match="there is no candidate"):
        whole_choice({})
