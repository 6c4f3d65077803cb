import numpy as np
import pytest

from cxr_calibration.statistics.distributions import Distribution, stability_index, stability_p_value


def _reference(films: int = 20_000, seed: int = 0) -> Distribution:
    kept = Distribution.of(np.random.default_rng(seed).normal(size=films))
    assert kept is not None
    return kept


def test_a_worked_example_comes_out_as_by_hand() -> None:
    """An even reference; of 1000 films 190 are in its lowest tenth and 90 in every other one."""
    kept = Distribution.of(np.linspace(0, 1, 1001))
    assert kept is not None
    values = np.repeat(np.arange(10) / 10 + 0.05, [190] + [90] * 9)
    by_hand = (0.19 - 0.1) * np.log(0.19 / 0.1) + 9 * (0.09 - 0.1) * np.log(0.09 / 0.1)
    assert stability_index(kept, values) == pytest.approx(by_hand, abs=0.001)


def test_a_large_sample_of_the_same_has_next_to_no_index() -> None:
    assert stability_index(_reference(), np.random.default_rng(2).normal(size=20_000)) < 0.003


def test_a_small_sample_of_the_same_passes_the_usual_limit_and_is_known_to_be_chance() -> None:
    random = np.random.default_rng(3)
    indices = [stability_index(_reference(), random.normal(size=30)) for _ in range(200)]
    assert np.mean(np.array(indices) > 0.25) > 0.3
    p_values = [stability_p_value(index, 20_000, 30) for index in indices]
    assert np.mean(np.array(p_values) < 0.05) <= 0.12


def test_chance_counts_that_the_reference_is_small_too() -> None:
    assert stability_p_value(0.2, 100, 200) > 10 * stability_p_value(0.2, 10_000, 200)
