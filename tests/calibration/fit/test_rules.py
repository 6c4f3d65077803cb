import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_calibration.fit.rules import (
    DEFAULT_RULES,
    RULE_OUT,
    WHO_TRIAGE,
    Capacity,
    Fixed,
    Rule,
    Sample,
    films_needed,
    parse_rule,
)
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.intervals import wilson
from cxr_runtime.errors import UsageError

FILMS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=4, max_size=60)


def _sample(said: Scores, truth: Truth) -> Sample:
    return Sample(said, truth, np.arange(said.size).astype(np.str_), said)


def test_every_default_rule_is_known_by_its_name() -> None:
    assert [parse_rule(rule.name) for rule in DEFAULT_RULES] == list(DEFAULT_RULES)


def test_capacity_and_fixed_take_any_number() -> None:
    assert parse_rule("capacity:12.5%") == Capacity("capacity:12.5%", 0.125)
    assert parse_rule("fixed:.25") == Fixed("fixed:.25", 0.25)


@pytest.mark.parametrize("text", ["", "best", "capacity:0%", "capacity:120%", "fixed:1.5", "fixed:-1"])
def test_an_unknown_rule_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="expected balanced, who-triage, rule-out"):
        parse_rule(text)


@given(FILMS, st.sampled_from([*DEFAULT_RULES, Capacity("capacity:70%", 0.7)]))
def test_a_threshold_is_always_a_number_that_a_film_can_be_compared_with(
    drawn: list[tuple[float, bool]], rule: Rule
) -> None:
    said = np.array([p for p, _ in drawn])
    truth = np.array([t for _, t in drawn])
    truth[:2] = (True, False)
    threshold = rule.threshold(_sample(said, truth))
    assert 0 <= threshold <= 1.001


@given(FILMS, st.floats(0.05, 0.95))
def test_capacity_never_flags_more_than_it_may(drawn: list[tuple[float, bool]], share: float) -> None:
    said = np.array([p for p, _ in drawn])
    threshold = Capacity("capacity", share).threshold(_sample(said, said > 0))
    assert np.sum(said >= threshold) <= share * said.size + 1e-6


@given(FILMS)
def test_a_sensitivity_is_always_reached_on_the_films_the_threshold_was_set_on(
    drawn: list[tuple[float, bool]],
) -> None:
    said = np.array([p for p, _ in drawn])
    truth = np.array([t for _, t in drawn])
    truth[0] = True
    threshold = WHO_TRIAGE.threshold(_sample(said, truth))
    assert np.mean(said[truth] >= threshold) >= 0.9


def test_a_stricter_sensitivity_never_has_the_higher_threshold() -> None:
    random = np.random.default_rng(0)
    truth = np.arange(400) % 2 == 1
    said = 1 / (1 + np.exp(-(2 * truth - 1 + random.normal(size=400))))
    sample = _sample(said, truth)
    assert RULE_OUT.threshold(sample) < WHO_TRIAGE.threshold(sample)


@pytest.mark.parametrize(("target", "needed"), [(0.90, 35), (0.95, 73)])
def test_the_films_needed_are_the_fewest_whose_lower_bound_can_reach_the_target(
    target: float, needed: int
) -> None:
    assert films_needed(target) == needed
    assert wilson(needed, needed).low >= target > wilson(needed - 1, needed - 1).low
