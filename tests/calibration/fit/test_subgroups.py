from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_chisquare

from cxr_calibration.fit.subgroups import holm, measure_subgroups, permutation_test
from cxr_calibration.labels.facts import NOT_STATED, age_group
from cxr_calibration.labels.labelled_films import LabelledFilms
from drawn_films import drawn_films


def _with_views(films: LabelledFilms, seed: int = 0) -> LabelledFilms:
    views = np.random.default_rng(500 + seed).choice(
        ["PA", "AP", NOT_STATED], size=films.films, p=[0.5, 0.4, 0.1]
    )
    return replace(films, subgroups={"view": views})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_statsmodels(p_values: list[float]) -> None:
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], atol=1e-12)


def test_no_comparison_is_no_p_value() -> None:
    assert holm([]) == []


def test_the_permutation_test_agrees_with_the_chi_squared_test() -> None:
    random = np.random.default_rng(3)
    levels = random.choice(["PA", "AP", "other"], size=300)
    hits = random.random(300) < np.where(levels == "PA", 0.75, 0.85)
    counts = [(hits[levels == level].sum(), (levels == level).sum()) for level in np.unique(levels)]
    expected = proportions_chisquare([c for c, _ in counts], [n for _, n in counts])[1]
    assert permutation_test(hits, levels, np.arange(300).astype(np.str_)) == pytest.approx(expected, abs=0.03)


def test_films_of_one_patient_do_not_count_as_evidence_many_times() -> None:
    once = np.array([True] * 6 + [False] * 2 + [True] * 3 + [False] * 5)
    levels, patients = np.repeat(["PA", "AP"], 8), np.arange(16).astype(np.str_)
    many = [np.repeat(values, 10) for values in (once, levels, patients)]
    alone = permutation_test(once, levels, patients)
    assert alone > 0.1
    assert permutation_test(many[0], many[1], many[2]) == pytest.approx(alone, abs=0.03)


def test_a_true_difference_is_warned_of_in_words() -> None:
    films = _with_views(drawn_films(1000))
    shifted = replace(films, margins=films.margins - 3.0 * (films.subgroups["view"] == "AP"))
    report = measure_subgroups(shifted, shifted.margins >= 0)
    assert len(report.warnings) == 2
    assert "sensitivity differs by view beyond chance (AP 0." in report.warnings[0]


def test_false_alarms_are_no_more_than_stated_over_all_comparisons() -> None:
    alarms = 0
    for seed in range(30):
        films = _with_views(drawn_films(150, seed=seed), seed)
        sexes = np.random.default_rng(900 + seed).choice(["F", "M"], size=150)
        films = replace(films, subgroups=films.subgroups | {"sex": sexes})
        alarms += bool(measure_subgroups(films, films.margins >= 0).warnings)
    assert alarms <= 4  # 5 % of 30 is 1.5; more than 4 has a chance of 2 %


def test_every_level_is_listed_and_those_not_stated_are_not_compared() -> None:
    films = _with_views(drawn_films(200))
    report = measure_subgroups(films, films.margins >= 0)
    assert [group.level for group in report.subgroups] == ["", "AP", "PA"]
    assert sum(group.films for group in report.subgroups) == 200
    assert {(found.variable, found.measure) for found in report.differences} == {
        ("view", "sensitivity"),
        ("view", "specificity"),
    }


def test_a_level_without_abnormal_films_has_no_sensitivity() -> None:
    films = drawn_films(100)
    sites = np.where(films.truth, "here", "there")
    report = measure_subgroups(replace(films, subgroups={"site": sites}), films.margins >= 0)
    assert np.isnan(report.subgroups[1].sensitivity.value)
    assert report.differences == ()


@pytest.mark.parametrize(
    ("age", "group"),
    [(None, ""), (float("nan"), ""), (-1, ""), (0, "under 18"), (17.9, "under 18"), (18, "18-39"),
     (64.5, "40-64"), (65, "65 and over"), (104, "65 and over")],
)  # fmt: skip
def test_ages_fall_into_their_groups(age: float | None, group: str) -> None:
    assert age_group(age) == group
