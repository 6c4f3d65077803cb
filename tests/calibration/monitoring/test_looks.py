from collections.abc import Sequence

import numpy as np
import pytest

from cxr_calibration.monitoring.looks import AXES, LEAST_FILMS, fit_looks
from cxr_runtime.model.likeness import LooksReference, compare
from cxr_runtime.model.looks import LOOKS, Looks

MIXING = np.random.default_rng(9).normal(size=(len(LOOKS), len(LOOKS)))  # looks hang together
DISEASE, VIEW = MIXING[0] * 2, MIXING[1] * 3


def _films(
    count: int, *, abnormal: float = 0.5, ap: float = 0.3, shift: float = 0.0, seed: int = 0
) -> tuple[list[Looks], list[float], list[bool], list[str]]:
    """Films whose looks depend on disease and view, too."""
    random = np.random.default_rng(seed)
    truth, bedside = random.random(count) < abnormal, random.random(count) < ap
    looks = (
        random.normal(size=(count, len(LOOKS))) @ MIXING + truth[:, None] * DISEASE + bedside[:, None] * VIEW
    )
    looks += shift * MIXING[2]
    margins = 3.0 * truth - 1 + random.normal(size=count)
    views = np.where(bedside, "AP", "PA").tolist()
    return [tuple(row) for row in looks.tolist()], margins.tolist(), truth.tolist(), views


def _reference(patients: int | None = None) -> LooksReference:
    found = fit_looks(*_films(600), patients=patients)
    assert found is not None
    return found


def _distance(
    reference: LooksReference, films: tuple[Sequence[Looks], Sequence[float], object, object]
) -> float:
    return compare(reference, films[0], films[1])[0]


def test_fresh_films_of_the_same_kind_are_near() -> None:
    assert _distance(_reference(), _films(300, seed=1)) < 0.4


@pytest.mark.parametrize("abnormal", [0.02, 0.98])
def test_more_or_less_disease_does_not_make_films_foreign(abnormal: float) -> None:
    assert _distance(_reference(), _films(300, abnormal=abnormal, seed=1)) < 0.6


@pytest.mark.parametrize("ap", [0.0, 1.0])
def test_another_share_of_bedside_films_does_not_make_films_foreign(ap: float) -> None:
    assert _distance(_reference(), _films(300, ap=ap, seed=1)) < 0.6


def test_films_that_differ_in_another_way_are_far() -> None:
    assert _distance(_reference(), _films(300, shift=3.0, seed=1)) > 2.0


def test_the_reference_holds_so_many_axes_whatever_is_known() -> None:
    looks, margins, truth, _ = _films(200)
    nothing = fit_looks(looks, margins, [None] * 200, [""] * 200)
    for found in (_reference(), nothing, fit_looks(looks, margins, truth, [""] * 200)):
        assert found is not None
        assert len(found.axes) == AXES
        assert found.names == LOOKS


def test_films_of_one_patient_count_once() -> None:
    assert _reference(patients=150).films == 150


def test_films_without_a_label_are_left_out_where_others_have_one() -> None:
    looks, margins, truth, views = _films(300)
    odd = [tuple(100.0 for _ in LOOKS)] * 50
    found = fit_looks([*looks, *odd], [*margins, *[0.0] * 50], [*truth, *[None] * 50], [*views, *[""] * 50])
    assert found == fit_looks(looks, margins, truth, views)


def test_too_few_films_make_no_reference() -> None:
    assert fit_looks(*_films(LEAST_FILMS - 1)) is None
    assert fit_looks([()] * 100, [0.0] * 100, [True] * 100, [""] * 100) is None


def test_a_look_that_never_changes_does_no_harm() -> None:
    looks, margins, truth, views = _films(200)
    found = fit_looks([(0.5, *look[1:]) for look in looks], margins, truth, views)
    assert found is not None
    assert np.isfinite(np.array(found.axes)).all()
