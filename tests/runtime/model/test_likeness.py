from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ncx2

from cxr_runtime.model.likeness import (
    AT_ONCE,
    FOREIGN,
    LEAST_FILMS,
    NEAR,
    Alike,
    Foreign,
    Likeness,
    LooksReference,
    NotKnown,
    TooFew,
    chance_of,
    compare,
    likeness,
    told,
    warning,
)
from cxr_runtime.model.looks import LOOKS, Looks

SIZE = len(LOOKS)
EYE = tuple(tuple(float(row == column) for column in range(SIZE + 1)) for row in range(14))
REFERENCE = LooksReference(names=LOOKS, films=1000, middle=(0.0,) * (SIZE + 1), axes=EYE)


def _night(films: int, shift: float = 0.0, seed: int = 0) -> tuple[list[Looks], list[float]]:
    drawn = np.random.default_rng(seed).normal(size=(films, SIZE))
    drawn[:, 0] += shift
    return [tuple(row) for row in drawn.tolist()], [0.0] * films


def _compared(reference: LooksReference | None, looks: list[Looks], margins: list[float]) -> Likeness:
    return likeness(reference, zip(looks, margins, strict=True))


@pytest.mark.parametrize(("axes", "expected"), [(2, 0.5), (14, 19.2), (14, 640.0), (14, 6400.0)])
def test_the_chance_is_that_of_scipy(axes: int, expected: float) -> None:
    for found in np.array([0.2, 0.7, 1.0, 1.2, 2.0]) * (axes + expected):
        assert chance_of(float(found), axes, expected) == pytest.approx(
            ncx2.sf(found, axes, expected), rel=1e-5, abs=1e-9
        )


def test_films_of_the_same_kind_are_alike_nearly_always() -> None:
    called = [isinstance(_compared(REFERENCE, *_night(50, seed=seed)), Foreign) for seed in range(200)]
    assert sum(called) == 0


def test_a_difference_as_films_of_one_hospital_have_is_no_alarm_however_many_films() -> None:
    for films in (50, 5000):
        assert isinstance(_compared(REFERENCE, *_night(films, NEAR * 0.9)), Alike)


@pytest.mark.parametrize("films", [20, 50, 200])
def test_films_that_look_another_way_are_foreign_on_the_first_night(films: int) -> None:
    found = _compared(REFERENCE, *_night(films, 3.0))
    assert isinstance(found, Foreign)
    assert found.distance == pytest.approx(3.0, abs=0.6)
    assert warning(found) == FOREIGN
    assert told(found) == f"unlike those of the calibration: {films} films compared"


def test_a_few_films_tell_nothing_and_that_is_said() -> None:
    found = _compared(REFERENCE, *_night(LEAST_FILMS - 1, 9.0))
    assert found == TooFew(LEAST_FILMS - 1)
    assert warning(found) == ""
    assert "fewer than 10" in told(found)


def test_without_a_reference_or_with_one_of_other_looks_nothing_is_compared() -> None:
    other = replace(REFERENCE, names=("other", *LOOKS[1:]))
    assert [_compared(each, *_night(50, 3.0)) for each in (None, other)] == [NotKnown(), NotKnown()]
    assert "does not say how its films looked" in told(NotKnown())


def test_one_odd_film_does_not_make_a_night_foreign() -> None:
    looks, margins = _night(30)
    looks[0] = (1e5, *looks[0][1:])
    assert isinstance(_compared(REFERENCE, looks, margins), Alike)


def test_films_without_looks_are_left_out() -> None:
    looks, margins = _night(30, 3.0)
    assert _compared(REFERENCE, [*looks, ()], [*margins, 1.0]) == _compared(REFERENCE, looks, margins)


def test_a_small_reference_is_less_sure() -> None:
    few = replace(REFERENCE, films=20)
    night = _night(100, 1.9)
    assert compare(few, *night)[1] > compare(REFERENCE, *night)[1]


@pytest.mark.parametrize(
    "change",
    [
        {"films": 0},
        {"axes": ()},
        {"axes": EYE[:3]},
        {"middle": (0.0,)},
        {"middle": (1e300,) * (SIZE + 1)},
        {"axes": ((1.0,), (1.0,))},
    ],
)
def test_a_reference_that_cannot_be_compared_with_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"it (has|does not have)"):
        replace(REFERENCE, **change)  # type: ignore[arg-type]  # any of its fields


def test_a_great_many_films_are_compared_a_few_at_a_time() -> None:
    looks, margins = _night(2 * AT_ONCE + 3, 3.0)
    found = _compared(REFERENCE, looks, margins)
    assert isinstance(found, Foreign)
    assert found.films == len(looks)
    assert found.distance == pytest.approx(compare(REFERENCE, looks, margins)[0])
