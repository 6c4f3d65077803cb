"""The pictures of the docs are made from the examples by one command."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cxr_cli.commands import app

EXAMPLES = Path(__file__).parents[2] / "examples"
LARGEST = 200_000  # bytes
DOCS = EXAMPLES.parent / "docs"
ILLUSTRATED = ("clinic-it", "reader", "data-scientist", "privacy-security", "support", "serve")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils are not installed")
def test_one_command_makes_small_pictures_of_the_worklist_its_viewer_and_a_page_of_the_report(
    tmp_path: Path,
) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright, of the dev extra, is not installed")
    out = tmp_path / "pictures"
    done = CliRunner().invoke(app, ["lab", "pictures", str(EXAMPLES), "--out", str(out)])
    assert done.exit_code == 0, done.output
    for name in ("health.jpg", "doctor.jpg", "tally.jpg", "audit.jpg"):
        picture = cv2.imread(str(out / name))
        assert picture is not None
        assert min(picture.shape[:2]) > 150
        assert np.ptp(picture) > 200
    for name in ("worklist.jpg", "viewer.jpg", "serve.jpg", "similar.jpg", "report.jpg", "report-arabic.jpg"):
        picture = cv2.imread(str(out / name))
        assert picture is not None
        assert picture.shape[1] > 1200
        assert (out / name).stat().st_size < LARGEST
        reds = (picture[..., 2].astype(int) - picture[..., 0] > 100).sum()
        assert reds > 2000, "the heat or the marks are missing"
        assert np.ptp(picture) > 200


@pytest.mark.parametrize("page", ILLUSTRATED)
def test_a_page_for_people_shows_the_real_thing(page: str) -> None:
    assert "](pictures/" in (DOCS / f"{page}.md").read_text(encoding="utf-8")


def test_every_picture_is_shown_somewhere() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    shown = [picture.name for picture in (DOCS / "pictures").iterdir()]
    assert [name for name in shown if f"pictures/{name}" not in pages + readme] == []
