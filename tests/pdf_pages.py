"""A report that is written for a test, and what stands on its pages."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cxr_runtime.reports.exhibit import Exhibit, tally
from cxr_runtime.reports.pdf import other_fonts, write_report
from cxr_runtime.reports.shown_films import WITH_A_PAGE, Ranked
from cxr_runtime.store.rows import RunFacts
from drawn_exhibits import RUN

needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler-utils are not installed: no pdftotext"
)


@pytest.fixture(autouse=True)
def no_installed_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The fonts of this machine must not change what a test sees: it has the (empty) folder given back."""
    folder = tmp_path / "installed fonts"
    folder.mkdir()
    monkeypatch.setattr(other_fonts, "font_folders", lambda: (folder,))
    other_fonts.installed_font_files.cache_clear()
    return folder


def ranked(exhibits: Iterable[Exhibit]) -> Iterator[Ranked]:
    """Films that have a page, with their ranks."""
    places = enumerate(exhibits, start=1)
    return ((rank, exhibit) for rank, exhibit in places if exhibit.outcome.triage in WITH_A_PAGE)


def written(folder: Path, exhibits: list[Exhibit], run: RunFacts = RUN) -> Path:
    path = folder / "report.pdf"
    write_report(path, run, tally(exhibit.outcome for exhibit in exhibits), ranked(exhibits))
    return path


def pages(path: Path) -> list[str]:
    """The text of each page."""
    made = subprocess.run(
        ["pdftotext", "-layout", path, "-"], check=True, capture_output=True, encoding="utf-8"
    )
    return made.stdout.split("\f")[:-1]
