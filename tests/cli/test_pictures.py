"""The pictures of the docs are made from the examples by one command."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cxr_cli.main import app

EXAMPLES = Path(__file__).parents[2] / "examples"
LARGEST = 200_000  # bytes

pytest.importorskip("playwright.sync_api", reason="playwright, of the dev extra, is not installed")
pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
    pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils are not installed"),
]


def test_one_command_makes_small_pictures_of_the_worklist_its_viewer_and_a_page_of_the_report(
    tmp_path: Path,
) -> None:
    out = tmp_path / "pictures"
    done = CliRunner().invoke(app, ["lab", "pictures", str(EXAMPLES), "--out", str(out)])
    assert done.exit_code == 0, done.output
    for name in ("worklist.jpg", "viewer.jpg", "serve.jpg", "similar.jpg", "report.jpg", "report-arabic.jpg"):
        picture = cv2.imread(str(out / name))
        assert picture is not None
        assert picture.shape[1] > 1200
        assert (out / name).stat().st_size < LARGEST
        reds = (picture[..., 2].astype(int) - picture[..., 0] > 100).sum()
        assert reds > 2000, "the heat or the marks are missing"
        assert np.ptp(picture) > 200
