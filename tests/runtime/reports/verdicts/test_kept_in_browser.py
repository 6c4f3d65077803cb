"""Verdicts on worklist.html: they stay in the browser, and come out as a table that `calibrate` reads."""

from pathlib import Path
from typing import TYPE_CHECKING

from browsers import launched, needs_chromium
from cxr_calibration.labels.labels import read_labels
from cxr_runtime.reports.exhibit import tally
from cxr_runtime.reports.worklist import write_worklist
from drawn_exhibits import RUN, failed, scored

if TYPE_CHECKING:
    from playwright.sync_api import Page

FILMS = [
    scored("=first.png", 0.95),
    scored("second.png", 0.5),
    scored("third.png", 0.1),
    failed("broken.dcm"),
]


def pressed(page: "Page") -> list[str]:
    buttons = page.query_selector_all(".vb [aria-pressed=true]")
    return [(button.get_attribute("title") or "").partition(" ")[0] for button in buttons]


def marks(page: "Page") -> list[str]:
    """What the list says of its films."""
    return [mark.inner_text() for mark in page.query_selector_all("tr:not([hidden]) .mine")]


@needs_chromium
def test_what_a_reader_says_stays_and_is_taken_out_as_labels(tmp_path: Path) -> None:
    path = tmp_path / "worklist.html"
    write_worklist(path, RUN, tally(film.outcome for film in FILMS), FILMS)
    with launched() as browser:
        page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
        page.set_default_timeout(120_000)
        page.goto(path.as_uri())
        for keys in ("a2", "n", "u"):
            for key in keys:
                page.keyboard.press(key)
            page.wait_for_selector(".vb-state:text-is('Kept')")
            page.keyboard.press("j")
        page.wait_for_selector(
            ".vb.vb-empty", state="attached"
        )  # of a film without bytes nothing can be said
        first, second = (page.context.new_page() for _ in "12")
        for other in (first, second):
            other.goto(path.as_uri())
        first.keyboard.press("j")
        for other in (first, second):  # windows, neither of which loses what the other keeps
            other.keyboard.press("a")
            other.wait_for_selector(".vb-state:text-is('Kept')")
        first.keyboard.press("Delete")
        first.wait_for_selector(".vb-state:text-is('verdict withdrawn')")
        first.reload()
        first.keyboard.press("j")
        assert pressed(first) == []
        assert marks(first) == ["A", "?"]
        first.keyboard.press("a")
        first.wait_for_selector(".vb-state:text-is('Kept')")
        page.reload()
        assert pressed(page) == ["Abnormal", "Opacity"]
        assert marks(page) == ["A", "A", "?"]
        page.keyboard.press("Delete")
        page.wait_for_selector(".vb-state:text-is('verdict withdrawn')")
        other.wait_for_function("document.querySelectorAll('.mine').length === 2")
        page.keyboard.press("a")
        page.wait_for_selector(".vb-state:text-is('Kept')")
        with page.expect_download() as taken:
            page.click("text=Verdicts as CSV")
        taken.value.save_as(tmp_path / "verdicts.csv")
    labels = read_labels(tmp_path / "verdicts.csv")
    known = [film.outcome.sha256 for film in FILMS]
    assert [(label.sha256, label.abnormal) for label in labels] == [(known[0], True), (known[1], True)]
    assert "'=first.png" in (tmp_path / "verdicts.csv").read_text()
