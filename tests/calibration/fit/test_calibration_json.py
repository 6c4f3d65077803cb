import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.fit.calibration_json import FittedOn, calibration_json, write_calibration
from cxr_calibration.fit.description import Description, FitOptions, fit_and_describe
from cxr_calibration.fit.probability_maps import FITTERS
from cxr_calibration.monitoring.reference import ReferenceFilm, make_reference, read_reference
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import read_calibration
from cxr_runtime.model.own_digest import mark_of
from drawn_films import drawn_films

FITTED_ON = FittedOn("ab" * 32, "1", "fp32")


@pytest.fixture(scope="module")
def description() -> Description:
    return fit_and_describe(drawn_films(300), FitOptions(error_rate=0.05))


@pytest.mark.parametrize("method", FITTERS)
def test_the_scan_reads_the_map_that_was_fitted(
    tmp_path: Path, description: Description, method: str
) -> None:
    films = drawn_films(300)
    fitted = FITTERS[method](films.margins, films.truth)
    described = replace(description, choice=replace(description.choice, chosen=fitted))
    write_calibration(tmp_path, calibration_json(described, FITTED_ON))
    found = read_calibration(tmp_path / "calibration.json")
    np.testing.assert_array_equal(found.probability(films.margins), fitted.probability(films.margins))
    assert (found.model_sha256, found.preprocessing_version) == ("ab" * 32, "1")
    assert (found.precision, found.input_route) == ("fp32", "full")


def test_the_scan_reads_the_operating_points_with_their_bands(
    tmp_path: Path, description: Description
) -> None:
    write_calibration(tmp_path, calibration_json(description, FITTED_ON))
    found = read_calibration(tmp_path / "calibration.json")
    assert found.default_operating_point == "balanced"
    for point in description.points:
        read = found.operating_point(point.name)
        assert (read.threshold, read.met) == (point.threshold, point.met)
        band = description.bands[point.name]
        assert (read.review_low, read.review_high) == (band.low, band.high)
        assert read.sensitivity == pytest.approx(point.sensitivity.value, abs=1e-6)
        assert read.specificity == pytest.approx(point.specificity.value, abs=1e-6)


def test_without_an_error_rate_no_film_goes_to_review(tmp_path: Path) -> None:
    write_calibration(tmp_path, calibration_json(fit_and_describe(drawn_films(100)), FITTED_ON))
    point = read_calibration(tmp_path / "calibration.json").operating_point()
    assert (point.review_low, point.review_high) == (None, None)


def test_the_file_says_what_each_point_buys(description: Description) -> None:
    stated = json.loads(calibration_json(description, FITTED_ON, made="2026-01-02"))
    point = stated["operating_points"]["who-triage"]
    assert set(point["at_prevalence"]) == {"0.01", "0.05", "0.2"}
    assert len(point["sensitivity_interval"]) == 2
    assert point["met"] == (point["shortfall"] == "")
    assert stated["before"]["brier"] > 0
    assert stated["made"] == "2026-01-02"
    assert sum(stated["reference"]["score_histogram"]["shares"]) == pytest.approx(1, abs=1e-4)
    assert len(stated["reference"]["margins"]["quantiles"]) == 257


def test_numbers_that_do_not_exist_are_null(description: Description) -> None:
    stated = json.loads(calibration_json(fit_and_describe(drawn_films(40, prevalence=0.1)), FITTED_ON))
    assert "NaN" not in json.dumps(stated)


def test_the_reference_comes_back_as_it_was_written(tmp_path: Path) -> None:
    films = drawn_films(300)
    everyday = [ReferenceFilm(margin, 0.5, 0.2, view="PA") for margin in films.margins.tolist()]
    reference = make_reference(
        [*everyday, ReferenceFilm(None, code="lateral")], patients=250, is_everyday=True
    )
    write_calibration(tmp_path, calibration_json(fit_and_describe(films, reference=reference), FITTED_ON))
    found = read_reference(tmp_path / "calibration.json")
    np.testing.assert_allclose(found.margins.quantiles, reference.margins.quantiles, atol=1e-6)
    assert (found.independent_films, found.films, found.unscored) == (250, 301, {"lateral": 1})
    assert found.views == {"PA": 300}


@pytest.mark.parametrize(
    "text", ["{}", "no json", '{"reference": {"margins": {"films": 2, "quantiles": [2, 1]}}}']
)
def test_a_calibration_without_a_usable_reference_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(CalibrationError, match="--baseline"):
        read_reference(path)


def test_the_old_calibration_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    first, second, third = (json.dumps({"made": str(number)}) for number in range(3))
    assert write_calibration(tmp_path, first) is None
    first_kept, second_kept = write_calibration(tmp_path, second), write_calibration(tmp_path, third)
    assert first_kept is not None
    assert second_kept is not None
    texts = [path.read_text() for path in (first_kept, second_kept, tmp_path / "calibration.json")]
    assert [json.loads(text)["made"] for text in texts] == ["0", "1", "2"]
    assert all(mark_of(text.encode()).is_ours for text in texts)


def test_a_folder_that_cannot_be_written_keeps_its_calibration(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text("first")
    with pytest.raises(OSError, match="calibration"):
        write_calibration(tmp_path / "nowhere" / "calibration", "{}")
    assert (tmp_path / "calibration.json").read_text() == "first"
