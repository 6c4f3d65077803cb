"""What 0.1.0 left behind holds: its store, its model folder, and the calibration in it.

made_by_0_1_0/ was written by the program of 0.1.0 (commit 0c8e01b): `calibrate --model model --labels ...` on
60 drawn films, then `scan night --out out --model model` on two drawn films and one cut short. store.sql is
its triage.sqlite as a text.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import pytest

from cxr_calibration.monitoring.reference import read_reference
from cxr_runtime.files import STORE_FILE
from cxr_runtime.model.folder import open_model
from cxr_runtime.outcome import Outcome, Triage
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from cxr_runtime.store.store import read_scores

MADE = Path(__file__).parent / "made_by_0_1_0"


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clinic's folder the morning after the update."""
    shutil.copytree(MADE / "model", tmp_path / "model")
    (tmp_path / "out").mkdir()
    with closing(sqlite3.connect(tmp_path / "out" / STORE_FILE)) as db:
        db.executescript((MADE / "store.sql").read_text(encoding="utf-8"))
    (tmp_path / "night").mkdir()
    for seed in range(2):
        cv2.imwrite(str(tmp_path / "night" / f"film-{seed}.png"), draw_phantom(seed, hw=(112, 112)))
    whole = (tmp_path / "night" / "film-0.png").read_bytes()
    (tmp_path / "night" / "cut.png").write_bytes(whole[:3000])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(outcome: Outcome) -> tuple[str, str, float | None, Triage | None, float | None, str]:
    """What a clinic goes by."""
    shown = None if outcome.probability is None else round(outcome.probability, 6)
    threshold = None if outcome.threshold is None else round(outcome.threshold, 6)
    return outcome.file, outcome.status.value, shown, outcome.triage, threshold, outcome.operating_point


def test_a_scan_into_the_folder_of_0_1_0_gives_its_scores_by_its_calibration(clinic: Path) -> None:
    before = [judged(score.outcome) for score in read_scores(clinic / "out")]
    assert [row[1] for row in before] == ["failed", "scored", "scored"]
    calibration = (clinic / "model" / "calibration.json").read_bytes()
    summary = scan(
        "night", ScanOptions(out=Path("out"), model=Path("model"), backend="onnxruntime", workers=1)
    )
    assert [judged(outcome) for outcome in summary.outcomes()] == before
    assert (clinic / "model" / "calibration.json").read_bytes() == calibration
    assert {path.name for path in (clinic / "out").iterdir()} >= {
        "results.csv",
        "worklist.html",
        "report.pdf",
    }


def test_the_calibration_of_0_1_0_keeps_its_operating_points_and_what_monitor_compares_with(
    clinic: Path,
) -> None:
    model = open_model(clinic / "model")
    names = [point.name for point in model.calibration.operating_points]
    assert names == ["balanced", "who-triage", "rule-out", "capacity:20%", "fixed:0.5"]
    assert read_reference(model.calibration_file).independent_films == 60
