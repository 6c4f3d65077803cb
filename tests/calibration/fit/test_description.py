from dataclasses import replace

import numpy as np
import pytest

from cxr_calibration.fit.description import FitOptions, fit_and_describe
from cxr_calibration.fit.rules import Balanced, parse_rule
from cxr_runtime.errors import CalibrationError, UsageError
from drawn_films import drawn_films


def test_a_calibration_betters_scores_that_are_too_sure_of_themselves() -> None:
    films = drawn_films(800)
    description = fit_and_describe(replace(films, margins=3 * films.margins))
    assert description.choice.chosen.method == "temperature"
    assert description.choice.chosen.temperature == pytest.approx(3, rel=0.2)
    assert description.after.log_loss < description.before.log_loss
    assert description.after.calibration_error < description.before.calibration_error
    assert description.after.brier < description.before.brier


def test_everything_is_measured_and_named() -> None:
    description = fit_and_describe(drawn_films(400), FitOptions(error_rate=0.05), unscored={"lateral": 2})
    names = [point.name for point in description.points]
    assert names == ["balanced", "who-triage", "rule-out", "capacity:20%", "fixed:0.5"]
    assert list(description.bands) == names
    assert description.default_point.name == "balanced"
    assert (description.films, description.patients, description.unscored) == (400, 400, {"lateral": 2})
    assert description.auc.low < description.auc.value < description.auc.high
    assert description.reference.margins.films == 400


def test_the_same_films_give_the_same_calibration() -> None:
    once, again = fit_and_describe(drawn_films(200)), fit_and_describe(drawn_films(200))
    assert once.choice.chosen == again.choice.chosen
    assert once.auc == again.auc


def test_shuffled_labels_are_refused_or_next_to_nothing_is_called_met() -> None:
    films, met = drawn_films(300), 0
    for seed in range(12):
        shuffled = replace(films, truth=np.random.default_rng(seed).permutation(films.truth))
        try:
            description = fit_and_describe(shuffled)
        except CalibrationError:
            continue
        met += sum(point.met for point in description.points)
    assert met <= 5  # of 60


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"default": "rule-out", "rules": (Balanced(),)}, "'rule-out' is none of those asked for"),
        ({"rules": (Balanced(), Balanced())}, "give each once"),
        ({"error_rate": 0.7}, "must be between 0 and 0.5"),
    ],
)
def test_options_that_cannot_be_are_wrong_usage(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(FitOptions(), **change)  # type: ignore[arg-type]  # its own keys


def test_a_dozen_films_still_give_a_calibration_that_calls_nothing_met() -> None:
    films = drawn_films(12, apart=4, seed=1)
    description = fit_and_describe(films, FitOptions(rules=(Balanced(), parse_rule("who-triage"))))
    assert not any(point.met for point in description.points)
    assert "too few" in description.points[0].shortfall


def test_films_of_one_patient_alone_are_refused() -> None:
    films = drawn_films(40)
    with pytest.raises(CalibrationError, match="all 40 films with a score are of one patient"):
        fit_and_describe(replace(films, patients=np.full(40, "one")))


def test_few_patients_have_no_interval_of_the_auc() -> None:
    films = drawn_films(60)
    patients = np.array([f"p{number % 5} {truth}" for number, truth in enumerate(films.truth)])
    description = fit_and_describe(replace(films, patients=patients))
    assert str(description.auc).endswith("(too few films)")
