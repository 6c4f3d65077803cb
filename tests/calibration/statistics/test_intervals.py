import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from cxr_calibration.statistics.intervals import (
    UNKNOWN,
    Estimate,
    bootstrap,
    films_worth,
    wilson,
    wilson_by_film,
    wilson_by_patient,
)


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_examples(
    successes: int, total: int, low: float, high: float
) -> None:
    """Newcombe, Stat Med 1998; 17: 857-872, table I, method 3."""
    found = wilson(successes, total)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilsons_interval_is_statsmodels(total: int, share: float, confidence: float) -> None:
    successes = round(share * total)
    low, high = proportion_confint(successes, total, alpha=1 - confidence, method="wilson")
    found = wilson(successes, total, confidence)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(1, 500), st.floats(0, 1))
def test_an_interval_as_files_state_it_tells_how_many_films_it_is_of(total: int, share: float) -> None:
    found = wilson(round(share * total), total)
    stated = Estimate(*(round(number, 6) for number in (found.value, found.low, found.high)))
    assert films_worth(stated) == pytest.approx(total, abs=0.1)


def test_rows_that_stand_for_others_count_as_their_films() -> None:
    hits = np.arange(40) < 31
    assert wilson_by_film(hits, None) == wilson(31, 40)
    found = wilson_by_film(np.repeat(hits, 5), np.repeat(np.arange(40), 5))
    assert films_worth(found) == pytest.approx(40, abs=2)


def test_rows_are_worth_no_more_than_the_films_that_were_read() -> None:
    """Where films in error weigh little, the share is known well, but not as of more films."""
    films = np.repeat(np.arange(60), [1] * 20 + [12] * 40)
    assert films_worth(wilson_by_film(films >= 10, films)) == pytest.approx(60)


def test_no_films_give_no_interval() -> None:
    assert wilson(0, 0) is UNKNOWN
    assert films_worth(UNKNOWN) == 0
    assert str(UNKNOWN) == "-"


def test_one_film_a_patient_gives_the_plain_interval() -> None:
    hits = np.arange(40) < 31
    assert wilson_by_patient(hits, np.arange(40)) == wilson(31, 40)


def test_films_of_one_patient_that_agree_count_as_one() -> None:
    hits = np.repeat(np.arange(40) < 31, 5)
    found, plain = wilson_by_patient(hits, np.repeat(np.arange(40), 5)), wilson(31, 40)
    assert found.value == plain.value
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=4e-3)


def test_where_all_films_agree_every_patient_counts_once() -> None:
    assert wilson_by_patient(np.ones(60, np.bool_), np.repeat(np.arange(20), 3)) == wilson(20, 20)


def test_intervals_by_patient_cover_the_truth_as_often_as_they_say() -> None:
    random, covered = np.random.default_rng(5), 0
    for _ in range(400):
        share_of_patient = random.beta(4.0, 1.0, size=60)  # mean 0.8, films of a patient alike
        patients = np.repeat(np.arange(60), random.integers(1, 6, size=60))
        found = wilson_by_patient(random.random(patients.size) < share_of_patient[patients], patients)
        covered += found.low <= 0.8 <= found.high
    assert covered / 400 >= 0.92


def test_the_bootstrap_of_a_mean_is_the_textbook_interval() -> None:
    values = np.random.default_rng(1).normal(10, 2, size=400)
    found = bootstrap(lambda rows: float(values[rows].mean()), np.arange(400))
    half = 1.96 * values.std() / 20
    expected = (values.mean() - half, values.mean() + half)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.03)


def test_the_bootstrap_draws_patients_with_all_their_films() -> None:
    patients = np.array(["b", "a", "b", "c", "a", "b", "d", "e", "f", "f"])

    is_whole: list[bool] = []

    def watched(rows: NDArray[np.intp]) -> float:
        for name in np.unique(patients):
            drawn = np.bincount(rows[patients[rows] == name], minlength=patients.size)
            is_whole.append(np.unique(drawn[patients == name]).size == 1)
        return 0.0

    bootstrap(watched, patients, replicates=50)
    assert is_whole == [True] * 6 * 51


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values, patients = np.random.default_rng(2).random(30), np.arange(30)

    def interval(seed: int) -> tuple[float, float]:
        found = bootstrap(lambda rows: float(values[rows].mean()), patients, replicates=100, seed=seed)
        return found.low, found.high

    assert interval(3) == interval(3)
    assert interval(3) != interval(4)


def test_a_statistic_that_samples_seldom_define_has_no_interval() -> None:
    found = bootstrap(lambda rows: 1.0 if 0 in rows else np.nan, np.arange(50), replicates=100)
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("patients", [np.zeros(40), np.arange(40) % 5])
def test_few_patients_have_no_interval_however_many_films(patients: NDArray[np.float64]) -> None:
    values = np.random.default_rng(5).random(40)
    found = bootstrap(lambda rows: float(values[rows].mean()), patients)
    assert found.value == values.mean()
    assert np.isnan([found.low, found.high]).all()
    assert str(found) == f"{found.value:.3f} (too few films)"


def test_each_class_needs_films_of_enough_patients() -> None:
    values, patients = np.random.default_rng(6).random(40), np.arange(40)
    for abnormal, is_known in ((5, False), (6, True)):
        found = bootstrap(lambda rows: float(values[rows].mean()), patients, classes=patients < abnormal)
        assert np.isfinite(found.low) == is_known


def test_samples_that_all_agree_show_no_certainty() -> None:
    found = bootstrap(lambda rows: float(rows.size == 100), np.arange(100), replicates=100)
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()
