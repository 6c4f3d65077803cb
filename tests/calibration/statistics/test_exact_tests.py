import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cxr_calibration.statistics.exact_tests import LEAST_P_VALUE, fisher_exact, kolmogorov_smirnov


@given(st.integers(1, 60), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1))
def test_fishers_test_is_scipys(of_first: int, of_second: int, share: float, other: float) -> None:
    first, second = round(share * of_first), round(other * of_second)
    table = [[first, of_first - first], [second, of_second - second]]
    found = fisher_exact(first, of_first, second, of_second)
    assert found == pytest.approx(stats.fisher_exact(table)[1], rel=1e-6, abs=1e-12)
    less = fisher_exact(first, of_first, second, of_second, one_sided=True)
    assert less == pytest.approx(stats.fisher_exact(table, "less")[1], rel=1e-6, abs=1e-12)


def test_fishers_tea_comes_out_as_he_published_it() -> None:
    """The Design of Experiments, 1935: all of 4 cups of 8 right by chance, 1 in 70."""
    assert fisher_exact(0, 4, 4, 4, one_sided=True) == pytest.approx(1 / 70)


def test_no_films_differ_from_nothing() -> None:
    assert fisher_exact(0, 0, 3, 10) == 1


@pytest.mark.parametrize(("of_first", "of_second"), [(1, 1), (5, 7), (20, 20), (37, 211), (300, 450)])
def test_the_exact_kolmogorov_smirnov_test_is_scipys(of_first: int, of_second: int) -> None:
    random = np.random.default_rng(of_first)
    for shift in (0.0, 0.3, 1.0):
        theirs = stats.ks_2samp(
            random.normal(size=of_first), random.normal(shift, size=of_second), method="exact"
        )
        found = kolmogorov_smirnov(theirs.statistic, of_first, of_second)
        assert found == pytest.approx(max(theirs.pvalue, LEAST_P_VALUE), rel=1e-4, abs=1e-9)


def test_large_samples_take_the_limiting_distribution() -> None:
    films = 6000
    for distance in (0.01, 0.02, 0.03):
        theirs = stats.ks_2samp(np.arange(films), np.arange(films) + distance * films, method="asymp").pvalue
        assert kolmogorov_smirnov(distance, films, films) == pytest.approx(theirs, rel=0.05)


def test_the_limit_takes_over_without_a_step() -> None:
    exact, limit = (kolmogorov_smirnov(0.025, 4400, films) for films in (4540, 4550))
    assert exact == pytest.approx(limit, rel=0.1)


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_larger_distance_is_never_more_likely(of_first: int, of_second: int) -> None:
    chances = [kolmogorov_smirnov(d, of_first, of_second) for d in np.linspace(0, 1, 15)]
    assert (np.diff(chances) <= 1e-12).all()
    assert chances[0] == 1
