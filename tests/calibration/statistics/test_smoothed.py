import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cxr_calibration.statistics.roc import roc_curve
from cxr_calibration.statistics.smoothed import best_smoothed_threshold

ABNORMAL, NORMAL, SHIFT = 60, 300, 2.0  # films of a draw, and how much higher abnormal ones score


def _drawn(
    seed: int,
) -> tuple["np.ndarray[tuple[int], np.dtype[np.float64]]", "np.ndarray[tuple[int], np.dtype[np.bool_]]"]:
    random = np.random.default_rng(seed)
    truth = np.arange(ABNORMAL + NORMAL) < ABNORMAL
    return 1 / (1 + np.exp(2 - random.normal(SHIFT * truth))), truth


def _margin(probability: float) -> float:
    return float(np.log(probability / (1 - probability)) + 2)


def test_the_threshold_of_two_bells_lies_between_them() -> None:
    found = [_margin(best_smoothed_threshold(*_drawn(seed))) for seed in range(40)]
    assert abs(np.mean(found) - SHIFT / 2) < 0.1


def test_it_stays_nearer_to_the_truth_than_the_highest_point_of_the_bare_curve() -> None:
    smooth, bare = [], []
    for seed in range(60):
        said, truth = _drawn(seed)
        curve = roc_curve(said, truth)
        best = curve.thresholds[1 + int(np.argmax((curve.sensitivity + curve.specificity)[1:]))]
        bare.append(abs(_margin(float(best)) - SHIFT / 2))
        smooth.append(abs(_margin(best_smoothed_threshold(said, truth)) - SHIFT / 2))
    assert np.mean(smooth) < 0.7 * np.mean(bare)


def test_films_that_are_wholly_apart_are_all_told_apart() -> None:
    said = np.array([0.1, 0.2, 0.2, 0.7, 0.8])
    threshold = best_smoothed_threshold(said, said > 0.5)
    assert 0.2 < threshold <= 0.7


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_the_threshold_flags_at_least_one_film_whatever_the_scores(drawn: list[float]) -> None:
    said, truth = np.array(drawn), np.arange(len(drawn)) % 2 == 0
    assert 0 <= best_smoothed_threshold(said, truth) <= max(drawn)
