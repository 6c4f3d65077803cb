import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import Calibration, OperatingPoint, ProbabilityMap, read_calibration
from cxr_runtime.outcome import Triage
from model_folders import write_model_folder

MAPS = [
    ProbabilityMap(method="temperature", temperature=1.7),
    ProbabilityMap(method="platt", slope=0.6, intercept=-1.0),
    ProbabilityMap(method="isotonic", knots=((-2.0, 0.05), (0.0, 0.05), (1.5, 0.9))),
]


@pytest.mark.parametrize("fitted", MAPS, ids=lambda fitted: fitted.method)
@settings(derandomize=True, deadline=None)
@given(margins=st.lists(st.floats(-50, 50), min_size=2, max_size=20))
def test_no_map_changes_the_order_of_films(fitted: ProbabilityMap, margins: list[float]) -> None:
    probability = fitted.probability(np.sort(np.array(margins)))
    assert (np.diff(probability) >= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize(
    "knots",
    [
        ((0.0, 0.2), (0.0, 0.3)),
        ((0.0, 0.5), (1.0, 0.4)),
        ((0.0, -0.1), (1.0, 0.4)),
        ((0.0, 0.1), (1.0, 1.4)),
        ((float("nan"), 0.1), (1.0, 0.4)),
    ],
)
def test_knots_that_do_not_rise_are_refused(knots: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        ProbabilityMap(method="isotonic", knots=knots)


@pytest.mark.parametrize("slope", [0.0, -1.0, float("inf")])
def test_a_slope_that_would_turn_the_worklist_over_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        ProbabilityMap(method="platt", slope=slope)


def calibration(**entries: object) -> Calibration:
    stated: dict[str, object] = {"method": "temperature"} | entries
    return Calibration("0" * 64, "1", "fp32", "full", **stated)  # type: ignore[arg-type]  # keys are its own


def test_a_temperature_divides_the_margin() -> None:
    probability = calibration(temperature=2.0).probability(np.array([-2.0, 0.0, 2.0]))
    np.testing.assert_allclose(probability, 1 / (1 + np.exp([1.0, 0.0, -1.0])))


def test_platt_has_a_slope_and_an_intercept() -> None:
    probability = calibration(method="platt", slope=2.0, intercept=1.0).probability(np.array([1.0]))
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-3.0)))


def test_isotonic_interpolates_between_knots_and_stays_flat_beyond() -> None:
    isotonic = calibration(method="isotonic", knots=((-1.0, 0.1), (1.0, 0.9)))
    np.testing.assert_allclose(isotonic.probability(np.array([-9.0, 0.0, 9.0])), [0.1, 0.5, 0.9])


def test_huge_margins_neither_overflow_nor_leave_the_range() -> None:
    probability = calibration().probability(np.array([-1e6, 1e6]))
    assert probability.tolist() == [0.0, 1.0]


def test_a_film_at_the_threshold_is_flagged() -> None:
    point = OperatingPoint("balanced", threshold=0.4)
    assert point.triage(0.4) is Triage.FLAGGED
    assert point.triage(0.39) is Triage.NOT_FLAGGED


def test_a_film_in_the_band_goes_to_review() -> None:
    point = OperatingPoint("balanced", threshold=0.4, review_low=0.3, review_high=0.5)
    assert [point.triage(p) for p in (0.29, 0.3, 0.5, 0.51)] == [
        Triage.NOT_FLAGGED,
        Triage.REVIEW,
        Triage.REVIEW,
        Triage.FLAGGED,
    ]


def test_an_unknown_operating_point_names_those_there_are() -> None:
    with pytest.raises(CalibrationError, match="it has: balanced"):
        calibration(operating_points=(OperatingPoint("balanced", 0.5),)).operating_point("rule-out")


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"temperature": float("nan")},
        {"method": "magic"},
        {"method": "isotonic", "knots": []},
        {"operating_points": {"balanced": {}}},
        {"operating_points": None},
        {"operating_points": {"balanced": {"threshold": 1.5}}},
        {"operating_points": {"balanced": {"threshold": -0.1}}},
        {"operating_points": {"balanced": {"threshold": "0.5"}}},
        {"operating_points": {"balanced": {"threshold": 0.5, "met": 1}}},
        {"operating_points": {"balanced": {"threshold": 0.5, "sensitivity": 2}}},
        {"operating_points": {"balanced": {"threshold": 0.5, "review_low": 0.6, "review_high": 0.4}}},
        {"model_sha256": 7},
    ],
)
def test_a_calibration_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = write_model_folder(tmp_path / "m") / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CalibrationError, match="cxr-triage calibrate") as refused:
        read_calibration(path)
    assert "\n" not in str(refused.value)
