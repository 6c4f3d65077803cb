from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_calibration.monitoring.checks import Threshold
from cxr_calibration.monitoring.reference import ReferenceFilm
from cxr_calibration.monitoring.rehearsal import USUAL, rehearse, rehearse_scans, through_gamma, write_films
from cxr_runtime.errors import UsageError
from cxr_runtime.model.calibration import ProbabilityMap
from cxr_runtime.model.folder import open_model
from cxr_runtime.phantom import draw_phantom
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, write_scan


def test_black_and_white_stay_and_the_middle_moves() -> None:
    assert through_gamma(np.array([[0, 128, 255]], np.uint8), 2.0).tolist() == [[0, 64, 255]]
    assert through_gamma(np.array([[0, 64, 255]], np.uint8), 0.5).tolist() == [[0, 128, 255]]


def test_every_film_that_can_be_read_is_written(tmp_path: Path) -> None:
    films = tmp_path / "films"
    (films / "ward").mkdir(parents=True)
    phantom = draw_phantom(1, hw=(128, 128))
    for name in ("a.png", "ward/a.png"):
        cv2.imwrite(str(films / name), phantom)
    (films / "broken.png").write_bytes(b"no film")
    assert write_films([films], tmp_path / "out", 1.4) == 2
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == 2
    found = cv2.imread(str(written[0]), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    np.testing.assert_array_equal(found, through_gamma(phantom, 1.4))


def test_a_gamma_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="above 0"):
        write_films([tmp_path], tmp_path / "out", 0.0)


THRESHOLD = Threshold(ProbabilityMap(method="temperature"), 0.5)


def _films(number: int, shift: float = 0.0, seed: int = 0) -> list[ReferenceFilm]:
    drawn = np.random.default_rng(seed).normal([shift, 0.5, 0.2], [1.5, 0.05, 0.02], size=(number, 3))
    return [ReferenceFilm(margin, brightness, contrast) for margin, brightness, contrast in drawn.tolist()]


def test_fresh_nights_stay_quiet_and_drifted_ones_are_noticed() -> None:
    drifted = {"a little": _films(400, 0.6, seed=1), "much": _films(400, 2.0, seed=2)}
    rates = rehearse(_films(400), drifted, THRESHOLD, films=80, nights=60)
    assert list(rates) == [USUAL, "a little", "much"]
    assert rates[USUAL].value <= 0.02
    assert rates["a little"].value < rates["much"].value
    assert rates["much"].value == 1


def test_too_few_films_for_the_nights_are_refused() -> None:
    with pytest.raises(ValueError, match="need more films"):
        rehearse(_films(60), {}, THRESHOLD, films=60)


def test_scans_are_rehearsed_as_a_table(tmp_path: Path) -> None:
    model, films = write_model_folder(tmp_path / "model"), drawn_films(200)
    sha256 = open_model(model).manifest.model_sha256
    write_scan(tmp_path / "usual", drawn_scores(films, model_sha256=sha256))
    moved = replace(films, margins=films.margins + 4)
    write_scan(tmp_path / "moved", drawn_scores(moved, model_sha256=sha256))
    drifted = {"gamma": tmp_path / "moved"}
    table = rehearse_scans(model, tmp_path / "usual", drifted, films=40, nights=10)
    assert table.splitlines()[-1] == "| gamma | 100 % (72-100) |"


def test_scans_with_too_few_films_for_such_nights_are_wrong_usage(tmp_path: Path) -> None:
    model = write_model_folder(tmp_path / "model")
    sha256 = open_model(model).manifest.model_sha256
    write_scan(tmp_path / "usual", drawn_scores(drawn_films(20), model_sha256=sha256))
    with pytest.raises(UsageError, match="need more films than there are; ask for smaller nights"):
        rehearse_scans(model, tmp_path / "usual", {})
