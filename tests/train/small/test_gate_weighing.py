import numpy as np
import pytest

from cxr_runtime.gate.reasons import Code, Doubt, Reason, Weighing
from cxr_train.small.gate.weighing import NOT_TO_SCORE, Weighed, fit_weighing

ENOUGH = 20.0  # size from which on a doubt is enough by itself: far beyond those drawn
TELLING = Doubt.OTHER  # the doubt that tells good films from bad ones


def _reason(doubt: Doubt, size: float) -> Reason:
    return Reason(doubt, size, ENOUGH, Code.TOO_DARK, "found", "step")


def _picture(rng: np.random.Generator, *, is_good: bool) -> Weighed:
    """A picture of which one doubt says something, and the others nothing."""
    sizes = dict.fromkeys(Doubt, 0.0)
    sizes[TELLING] = float(rng.uniform(0, 2) if is_good else rng.uniform(1, 9))
    sizes[Doubt.PICTURED] = float(rng.uniform(0, 1))
    reasons = tuple(_reason(doubt, size) for doubt, size in sizes.items())
    return Weighed("bad" if not is_good else "good", is_good, reasons)


@pytest.fixture(scope="module")
def pictures() -> list[Weighed]:
    rng = np.random.default_rng(2)
    return [_picture(rng, is_good=is_good) for is_good in (True, False) for _ in range(2000)]


@pytest.fixture(scope="module")
def weighing(pictures: list[Weighed]) -> Weighing:
    return fit_weighing(pictures)


def test_the_doubt_that_tells_weighs_and_none_weighs_for_a_film(weighing: Weighing) -> None:
    assert weighing.weights[TELLING] > 3 * weighing.weights[Doubt.PICTURED]
    assert min(weighing.weights.values()) > 0


def test_probabilities_hold_at_the_share_of_bad_pictures_that_is_assumed(
    weighing: Weighing, pictures: list[Weighed]
) -> None:
    said = np.array([weighing.probability(picture.reasons) for picture in pictures])
    is_good = np.array([picture.is_good for picture in pictures])
    share = np.where(is_good, 1 - NOT_TO_SCORE, NOT_TO_SCORE) / 2000
    assert float(share @ said) == pytest.approx(1 - NOT_TO_SCORE, abs=0.002)


def test_each_doubt_is_enough_by_itself_from_its_size_on(weighing: Weighing) -> None:
    for doubt in Doubt:
        assert weighing.probability([_reason(doubt, ENOUGH + 0.1)]) < weighing.least_probability
