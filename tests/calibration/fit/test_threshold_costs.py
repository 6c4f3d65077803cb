import csv
import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_calibration.fit.threshold_costs import Clinic, costs_csv, threshold_costs, threshold_row
from cxr_calibration.labels.labelled_films import LabelledFilms
from drawn_films import drawn_films


def test_a_worked_example_comes_out_as_by_hand() -> None:
    """10 films, 4 abnormal; at 0.5 three of the four and one of the six are flagged."""
    said = np.array([0.9, 0.8, 0.6, 0.2, 0.7, 0.4, 0.3, 0.3, 0.2, 0.1])
    truth = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], np.bool_)
    clinic = Clinic(prevalence=0.1, films=1000, price_per_film=2.0, price_per_read=12.0)
    films = LabelledFilms(np.zeros(10), truth, np.arange(10).astype(np.str_))
    row = threshold_row(0.5, said, films, clinic)
    counts = row.counts
    assert (counts.true_positives, counts.false_positives) == (3, 1)
    assert (counts.true_negatives, counts.false_negatives) == (5, 1)
    assert row.cases_found == pytest.approx(75)
    assert row.cases_missed == pytest.approx(25)
    assert row.films_to_read == pytest.approx(75 + 900 / 6)
    assert row.cost == pytest.approx(2000 + 12 * 225)
    assert row.cost_per_case_found == pytest.approx(4700 / 75)
    assert row.ppv == pytest.approx(75 / 225)
    assert row.npv == pytest.approx(750 / 775)


@given(st.integers(0, 50), st.floats(0.01, 0.5))
def test_raising_the_threshold_never_finds_more_nor_reads_more(seed: int, prevalence: float) -> None:
    films = drawn_films(60, seed=seed)
    said = 1 / (1 + np.exp(-films.margins))
    rows = threshold_costs(said, films, Clinic(prevalence))
    for lower, higher in pairwise(rows):
        assert lower.threshold < higher.threshold
        assert lower.sensitivity.value >= higher.sensitivity.value
        assert lower.specificity.value <= higher.specificity.value
        assert lower.cases_found >= higher.cases_found
        assert lower.films_to_read >= higher.films_to_read - 1e-9
        assert lower.counts.films == 60


def test_the_lowest_threshold_finds_all_and_reads_all() -> None:
    films = drawn_films(60)
    first = threshold_costs(1 / (1 + np.exp(-films.margins)), films, Clinic(0.05))[0]
    assert (first.cases_found, first.cases_missed, first.films_to_read) == pytest.approx((50, 0, 1000))


def test_a_film_that_stands_for_many_counts_once_and_its_share_is_no_surer() -> None:
    copies = [1, 1, 1, 1, 1, 1, 30]  # the last film is abnormal and stands for 30
    truth = np.repeat([True, True, True, False, False, False, True], copies)
    said = np.repeat([0.9, 0.8, 0.7, 0.6, 0.2, 0.1, 0.3], copies)
    number = np.repeat(np.arange(7), copies)
    films = LabelledFilms(np.zeros(36), truth, number.astype(np.str_), sources=number)
    row = threshold_row(0.5, said, films, Clinic(0.1))
    assert (row.counts.true_positives, row.counts.false_negatives, row.counts.films) == (3, 1, 7)
    assert row.sensitivity.value == pytest.approx(3 / 33)
    assert row.sensitivity.high > 0.5  # four films, however many they stand for


def test_very_many_films_get_a_row_for_every_tenth_of_a_point() -> None:
    films = drawn_films(3000)
    rows = threshold_costs(1 / (1 + np.exp(-films.margins)), films, Clinic(0.05))
    assert len(rows) == 1001
    assert np.isnan(rows[-1].cost_per_case_found)


def test_the_csv_says_the_same_and_leaves_what_does_not_exist_empty() -> None:
    truth, patients = np.array([True, False, False]), np.array(["a", "b", "c"])
    films = LabelledFilms(np.zeros(3), truth, patients)
    rows = threshold_costs(np.array([0.25, 0.5, 0.75]), films, Clinic(0.5))
    read = list(csv.DictReader(io.StringIO(costs_csv(rows).decode())))
    assert [row["score"] for row in read] == ["25", "50", "75"]
    assert [row["tp"] for row in read] == ["1", "0", "0"]
    assert read[0]["cost_per_case_found"] == "22"
    assert read[2]["cost_per_case_found"] == ""
