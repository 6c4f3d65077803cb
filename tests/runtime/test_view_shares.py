from pathlib import Path

import pytest

from cxr_runtime.model.calibration import read_calibration
from cxr_runtime.model.folder import MODELS_FOLDER
from cxr_runtime.view_shares import StatedShare, StatedSubgroup, by_view


def _view(level: str, abnormal: int = 30, sensitivity: float | None = 0.8) -> StatedSubgroup:
    return StatedSubgroup(
        variable="view",
        level=level,
        films=100,
        abnormal=abnormal,
        sensitivity=StatedShare(value=sensitivity),
        specificity=StatedShare(value=0.9),
    )


def test_both_views_are_said_pa_first() -> None:
    found = by_view([StatedSubgroup(variable="sex", level="F"), _view("AP"), _view("PA", sensitivity=0.85)])
    assert [(of.view, of.sensitivity, of.specificity) for of in found] == [
        ("PA", 0.85, 0.9),
        ("AP", 0.8, 0.9),
    ]


@pytest.mark.parametrize("other", [_view("PA", abnormal=9), _view("PA", sensitivity=None), _view("")])
def test_nothing_is_said_where_one_view_is_not_known_well(other: StatedSubgroup) -> None:
    assert by_view([_view("AP"), other]) == ()


def test_the_default_model_says_what_it_finds_of_each_view() -> None:
    stated = read_calibration(Path(MODELS_FOLDER) / "default" / "calibration.json").by_view
    assert [of.view for of in stated] == ["PA", "AP"]
    with pytest.raises(ValueError, match=r"not within 0\.\.1"):
        by_view([_view("AP"), _view("PA", sensitivity=1.2)])
