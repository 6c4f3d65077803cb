from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.checks import Threshold
from cxr_calibration.reference import ReferenceFilm
from cxr_calibration.rehearsal import USUAL, main, rehearse
from cxr_runtime.model.calibration import ProbabilityMap
from cxr_runtime.model.folder import open_model
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, write_scan

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


def test_the_table_of_scans_is_printed(tmp_path: Path) -> None:
    model, films = write_model_folder(tmp_path / "model"), drawn_films(200)
    sha256 = open_model(model).manifest.model_sha256
    write_scan(tmp_path / "usual", drawn_scores(films, model_sha256=sha256))
    moved = replace(films, margins=films.margins + 4)
    write_scan(tmp_path / "moved", drawn_scores(moved, model_sha256=sha256))
    folders = [str(model), str(tmp_path / "usual"), f"gamma={tmp_path / 'moved'}"]
    table = main([*folders, "--films", "40", "--nights", "10"])
    assert table.splitlines()[-1] == "| gamma | 100 % (72-100) |"
