from collections.abc import Sequence

import numpy as np
import pytest

from cxr_calibration.monitoring.checks import Check, Threshold, check_night, share_check, share_limits
from cxr_calibration.monitoring.reference import Reference, ReferenceFilm, make_reference
from cxr_runtime.model.calibration import ProbabilityMap

THRESHOLD = Threshold(ProbabilityMap(method="temperature"), 0.5)
LEVEL = 0.01 / 8


def _night(films: int, seed: int, shift: float = 0.0, view: str = "") -> list[ReferenceFilm]:
    random = np.random.default_rng(seed)
    drawn = random.normal([shift - 1, 0.5, 0.2], [1.5, 0.05, 0.02], size=(films, 3))
    return [ReferenceFilm(m, b, c, view=view) for m, b, c in drawn.tolist()]


def _reference(films: int = 400, seed: int = 1000) -> Reference:
    rejected = [ReferenceFilm(None, code="lateral")] * 8
    return make_reference([*_night(films, seed), *rejected], patients=None, is_everyday=True)


def _alarms(films: Sequence[ReferenceFilm], reference: Reference) -> list[str]:
    return [check.name for check in check_night(films, reference, THRESHOLD) if check.alarms(LEVEL)]


def test_every_part_is_compared_that_both_know() -> None:
    names = [check.name for check in check_night(_night(50, 1), _reference(), THRESHOLD)]
    assert names == [
        "flagged share", "scores (KS)", "scores (PSI)", "brightness (KS)", "contrast (KS)",
        "films without a score", "code lateral",
    ]  # fmt: skip


@pytest.mark.parametrize("films", [15, 60, 250])
def test_fresh_samples_of_the_same_seldom_alarm(films: int) -> None:
    """Reference and night are both drawn anew, so the reference's own chance counts too."""
    nights = 150
    alarms = sum(bool(_alarms(_night(films, seed), _reference(seed=5000 + seed))) for seed in range(nights))
    assert alarms / nights <= 0.02


def test_scores_that_moved_alarm() -> None:
    assert {"flagged share", "scores (KS)", "scores (PSI)"} <= set(_alarms(_night(150, 2, 1.2), _reference()))


def test_another_exposure_alarms_though_the_scores_are_the_same() -> None:
    darker = [ReferenceFilm(f.margin, (f.brightness or 0) ** 1.3, f.contrast) for f in _night(80, 3)]
    assert _alarms(darker, _reference()) == ["brightness (KS)"]


def test_many_rejections_alarm_with_their_code() -> None:
    night = [*_night(80, 4), *[ReferenceFilm(None, code="inverted")] * 15]
    assert _alarms(night, _reference()) == ["films without a score", "code inverted"]


def test_another_mix_of_views_alarms_where_films_state_their_views() -> None:
    reference = make_reference(
        [*_night(300, 5, view="PA"), *_night(100, 6, view="AP")], patients=None, is_everyday=False
    )
    assert _alarms(_night(60, 7, view="AP"), reference) == ["view PA"]
    assert _alarms(_night(60, 7), reference) == []


def test_a_night_without_a_score_is_still_compared_by_its_codes() -> None:
    assert _alarms([ReferenceFilm(None, code="lateral")] * 20, _reference()) == [
        "films without a score",
        "code lateral",
    ]


def test_an_empty_night_is_not_compared() -> None:
    assert check_night([], _reference(), THRESHOLD) == ()


def test_a_difference_too_small_to_matter_is_quiet_however_sure() -> None:
    check = share_check("flagged share", 20_500, 100_000, 20_000, 100_000)
    assert check.p_value < 0.01
    assert not check.alarms(0.05)


def test_a_one_sided_check_does_not_alarm_at_good_news() -> None:
    assert not share_check("sensitivity", 60, 60, 80, 100, one_sided=True).alarms(0.01)
    assert share_check("sensitivity", 30, 60, 80, 100, one_sided=True).alarms(0.01)


@pytest.mark.parametrize(
    ("films", "expected", "of"), [(10, 100, 500), (80, 100, 500), (400, 10, 90), (50, 0, 40)]
)
def test_control_limits_are_the_outermost_shares_that_stay_quiet(films: int, expected: int, of: int) -> None:
    def check(found: int) -> Check:
        return share_check("flagged share", found, films, expected, of)

    quiet = [found for found in range(films + 1) if not check(found).alarms(LEVEL)]
    assert share_limits(check(0), LEVEL) == (quiet[0] / films, quiet[-1] / films)
