import numpy as np
import pytest

from cxr_calibration.fit.unlabelled import SHIFTS, expect, fit_mixture, over_all
from cxr_calibration.fit.unlabelled_trials import WAYS, coverage_table, ways_table
from cxr_calibration.labels.site_films import SiteFilms
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.distributions import Kinds
from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.errors import UsageError
from cxr_runtime.model.looks import LOOKS

THRESHOLD = 1.0
SENSITIVITY, SPECIFICITY = Estimate(0.9, 0.86, 0.93), Estimate(0.95, 0.92, 0.97)


def _scores(films: int, abnormal: float, shift: float = 0.0, seed: int = 0) -> tuple[Scores, Truth]:
    random = np.random.default_rng(seed)
    truth = random.random(films) < abnormal
    return random.normal(size=films) + np.where(truth, 3.0, -0.5) + shift, truth


def _kinds() -> Kinds:
    found = Kinds.of(*_scores(2000, 0.5))
    assert found is not None
    return found


@pytest.mark.parametrize("abnormal", [0.02, 0.2, 0.8])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 1.0])
def test_shift_and_share_of_abnormal_films_are_found(abnormal: float, shift: float) -> None:
    found = fit_mixture(_kinds(), _scores(600, abnormal, shift, seed=1)[0])
    assert found.shift.low - 0.1 <= shift <= found.shift.high + 0.1
    assert found.shift.value == pytest.approx(shift, abs=0.4)
    assert found.abnormal.value == pytest.approx(abnormal, abs=0.08)


def test_more_films_make_the_shift_surer() -> None:
    widths = [
        (found := fit_mixture(_kinds(), _scores(films, 0.2, seed=2)[0]).shift).high - found.low
        for films in (100, 2000)
    ]
    assert widths[1] < widths[0]


def test_without_a_shift_what_was_measured_is_expected() -> None:
    found = expect(_kinds(), THRESHOLD, SENSITIVITY, SPECIFICITY, _scores(1000, 0.2, seed=3)[0])
    assert found.sensitivity.value == pytest.approx(0.9, abs=0.03)
    assert found.sensitivity.low == pytest.approx(SENSITIVITY.low, abs=0.03)
    assert found.specificity.high == pytest.approx(SPECIFICITY.high, abs=0.03)


def test_scores_that_are_shifted_up_cost_specificity() -> None:
    found = expect(_kinds(), THRESHOLD, SENSITIVITY, SPECIFICITY, _scores(1000, 0.2, 1.0, seed=3)[0])
    assert found.specificity.value < SPECIFICITY.low
    assert found.sensitivity.value > SENSITIVITY.value
    assert 0 <= found.specificity.low <= found.specificity.value <= found.specificity.high <= 1


def test_an_interval_covers_those_of_all_parts() -> None:
    whole = over_all(Estimate(0.9, 0.85, 0.93), [Estimate(0.95, 0.9, 0.99), Estimate(0.7, 0.6, 0.8)])
    assert whole == Estimate(0.9, 0.6, 0.99)


def test_every_shift_that_is_tried_has_its_density() -> None:
    assert SHIFTS[0] == -SHIFTS[-1]
    assert 0.0 in SHIFTS.round(6).tolist()


def _site(films: int, seed: int, look: float = 0.0, apart: float = 3.0) -> SiteFilms:
    random = np.random.default_rng(seed)
    kinds = (random.random(films) < 0.5).astype(np.intp)
    return SiteFilms(
        margins=random.normal(size=films) + apart * kinds,
        looks=random.normal(size=(films, len(LOOKS))) + look,
        kinds=kinds,
        views=np.array(random.choice(["PA", "AP"], films), np.str_),
        patients=np.array([f"{seed}-{number}" for number in range(films)], np.str_),
    )


def test_the_table_of_ways_has_every_pair_of_sites_and_every_way() -> None:
    sites = {"a": _site(300, 0), "b": _site(300, 1, look=2.0, apart=1.0), "few": _site(30, 2)}
    head, _, *rows = ways_table(sites, draws=1).splitlines()
    assert all(way in head for way in WAYS)
    assert [row.split("|")[1].strip() for row in rows] == ["a to b", "b to a"]
    assert all(row.split("|")[2].strip() == "100 %" for row in rows)
    with pytest.raises(UsageError, match="1 sites have 50 films"):
        ways_table({"a": sites["a"], "few": sites["few"]}, draws=1)


def test_what_is_expected_at_the_same_hospital_holds_nearly_always() -> None:
    table = coverage_table(_site(1200, 3), draws=3)
    within = [row.split("|")[3].strip() for row in table.splitlines()[2:]]
    assert sum(cell == "100 %" for cell in within) >= len(within) - 3
