from dataclasses import replace

import numpy as np
import pytest

from cxr_calibration.fit.description import Description, fit_and_describe
from cxr_calibration.fit.wider import Beside, founded_on_more
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.intervals import Estimate
from drawn_films import drawn_films

HARD = 0.35  # share of the easier half of the abnormal films that the hard sample is left with
ASKED = 200  # films of the hard sample that the other network was asked about


@pytest.fixture(scope="module")
def everybody() -> LabelledFilms:
    films = drawn_films(4000, apart=1.6)
    return replace(films, subgroups={"view": np.where(np.arange(4000) % 2, "PA", "AP")})


@pytest.fixture(scope="module")
def hard(everybody: LabelledFilms) -> LabelledFilms:
    """400 of them, of which the abnormal ones are harder than others."""
    random = np.random.default_rng(5)
    is_easy = everybody.margins > np.median(everybody.margins[everybody.truth])
    kept = ~(everybody.truth & is_easy) | (random.random(4000) < HARD)
    return _rows(everybody, np.flatnonzero(kept)[:400])


@pytest.fixture(scope="module")
def described(hard: LabelledFilms) -> Description:
    return fit_and_describe(hard)


def _rows(films: LabelledFilms, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> LabelledFilms:
    levels = {name: level[rows] for name, level in films.subgroups.items()}
    return LabelledFilms(films.margins[rows], films.truth[rows], films.patients[rows], levels)


def _beside(hard: LabelledFilms, everybody: LabelledFilms, noise: float, asked: int = 400) -> Beside:
    """Another network, which sees what this one sees, more or less."""
    random = np.random.default_rng(6)
    here = hard.margins + noise * random.normal(size=hard.margins.size)
    here[asked:] = np.nan
    others = _rows(everybody, np.arange(1500, 4000))
    there = others.margins + noise * random.normal(size=others.margins.size)
    return Beside(here, replace(others, margins=there))


def _off(found: Estimate, described: Description, everybody: LabelledFilms) -> float:
    """How far a sensitivity is from what everybody shows at the threshold."""
    said = described.choice.chosen.probability(everybody.margins[everybody.truth])
    return abs(found.value - float((said >= described.default_point.threshold).mean()))


def test_films_that_are_harder_than_others_promise_what_others_show(
    described: Description, hard: LabelledFilms, everybody: LabelledFilms
) -> None:
    before = described.default_point
    for noise, asked, nearer in ((0.5, 400, 0.4), (0.5, ASKED, 0.9), (1.0, 400, 0.6)):
        wider = founded_on_more(described, hard, _beside(hard, everybody, noise, asked)).default_point
        off = _off(wider.sensitivity, described, everybody)
        assert off < nearer * _off(before.sensitivity, described, everybody)
        assert wider.sensitivity.low < wider.sensitivity.value < wider.sensitivity.high
        assert (wider.threshold, wider.counts, wider.met) == (before.threshold, before.counts, before.met)
        assert wider.at_prevalence[0].ppv.value != before.at_prevalence[0].ppv.value


def test_the_interval_is_narrower_the_more_alike_the_networks_are(
    described: Description, hard: LabelledFilms, everybody: LabelledFilms
) -> None:
    def width(noise: float) -> float:
        wider = founded_on_more(described, hard, _beside(hard, everybody, noise)).default_point
        return wider.specificity.high - wider.specificity.low

    before = described.default_point.specificity
    assert width(0.1) < width(2.0) < 1.02 * (before.high - before.low)


def test_each_view_is_corrected_by_films_of_that_view(
    described: Description, hard: LabelledFilms, everybody: LabelledFilms
) -> None:
    beside = _beside(hard, everybody, 0.5)
    only_pa = _rows(beside.elsewhere, np.flatnonzero(beside.elsewhere.subgroups["view"] == "PA"))
    wider = founded_on_more(described, hard, replace(beside, elsewhere=only_pa))
    before, after = (
        {group.level: group.sensitivity.value for group in report.subgroups}
        for report in (described.subgroups, wider.subgroups)
    )
    assert after["AP"] == before["AP"]
    assert after["PA"] > before["PA"] + 0.02


def test_a_network_that_knows_nothing_changes_little(
    described: Description, hard: LabelledFilms, everybody: LabelledFilms
) -> None:
    wider = founded_on_more(described, hard, _beside(hard, everybody, 1000.0)).default_point
    before = described.default_point
    assert abs(wider.sensitivity.value - before.sensitivity.value) < 0.02
    backwards = _beside(hard, everybody, 0.1)
    turned = Beside(-backwards.here, replace(backwards.elsewhere, margins=-backwards.elsewhere.margins))
    assert founded_on_more(described, hard, turned).default_point.sensitivity == before.sensitivity


def test_few_films_change_nothing(
    described: Description, hard: LabelledFilms, everybody: LabelledFilms
) -> None:
    beside = _beside(hard, everybody, 0.5, asked=6)
    assert beside.compared == 6
    assert (
        founded_on_more(described, hard, beside).default_point.sensitivity
        == described.default_point.sensitivity
    )
