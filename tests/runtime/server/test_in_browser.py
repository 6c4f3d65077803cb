"""A doctor's evening in a real browser: ten films of a scan that still runs, a reload, a second opinion."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from browsers import launched, needs_chromium
from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
from cxr_calibration.fit.description import FitOptions
from cxr_calibration.fit.rules import parse_rule
from cxr_calibration.labels.verdict_labels import labels_of_store
from cxr_runtime.phantom import OpacitySpot, draw_phantom
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from cxr_runtime.server.events import MOST_STREAMS_OF_ONE
from cxr_runtime.store.accounts import Role
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.pruning import prune
from cxr_runtime.store.verdicts import Said, Verdict
from drawn_stores import Drawn, write_store
from model_folders import write_model_folder
from read_pages import (
    PATIENCE_MS,
    is_pressed,
    logged_in,
    next_film,
    opened,
    read,
    shown,
    wait_for_film,
)
from served_rooms import PASSWORD, add_account, served

if TYPE_CHECKING:
    from playwright.sync_api import Route

FILMS, READ = 24, 10
AXE = os.environ.get("CXR_TRIAGE_AXE")  # axe.min.js of axe-core
WINDOWS = ((390, 844), (480, 800), (768, 1024), (1024, 768), (1366, 768), (2560, 1440))
LEAST_HIGH = 600  # pixels of the film at that size


def draw(folder: Path) -> None:
    """Films of 16 bits, every other one with an opacity, which the test's network finds brighter."""
    folder.mkdir()
    for number in range(FILMS):
        opacity = OpacitySpot(0.32, 0.5, radius=0.25, density=1.5) if number % 2 else None
        grey = draw_phantom(number, hw=(256, 256), opacity=opacity)
        cv2.imwrite(str(folder / f"{number:02}.png"), grey.astype(np.uint16) * 257)


@contextmanager
def scanned_meanwhile(films: Path, out: Path, model: Path) -> Iterator[None]:
    options = ScanOptions(model=model, out=out, workers=1, formats=frozenset())
    thread = threading.Thread(target=scan, args=([films], options))
    thread.start()
    try:
        yield
    finally:
        thread.join(120)
        assert not thread.is_alive()


@needs_chromium
def test_ten_films_of_a_live_scan_are_read_reloaded_disputed_and_calibrated_from(tmp_path: Path) -> None:
    films, out, model = tmp_path / "films", tmp_path / "out", write_model_folder(tmp_path / "model")
    draw(films)
    scan([films / "00.png"], ScanOptions(model=model, out=out, workers=1, formats=frozenset()))
    add_account(out, "ann")
    add_account(out, "ben")
    with served(out) as room, launched() as browser:
        address = f"http://127.0.0.1:{room.port}/"
        ann = logged_in(browser, address, "ann")
        with scanned_meanwhile(films, out, model):
            ann.wait_for_selector(f".films li:nth-child({FILMS})")
        assert ann.evaluate("document.querySelector('.fv-stage').clientHeight") >= LEAST_HIGH
        assert ann.evaluate("document.querySelector('.fv-reading').textContent").endswith("width 65535")
        first = ann.get_attribute(".film-row", "data-key") or ""
        ann.click(f'[data-key="{first}"]')
        wait_for_film(ann, first)
        known = {}
        for number in range(READ):
            known[shown(ann)] = is_abnormal(ann.text_content(".film-row[aria-current] b") or "")
            read(ann, "a" if known[shown(ann)] else "n")
            if number + 1 < READ:
                next_film(ann)
        last = shown(ann)
        ann.reload()
        wait_for_film(ann, last)
        assert is_pressed(ann, "abnormal" if known[last] else "normal")
        ben = logged_in(browser, f"{address}?film={first}", "ben")
        ben.goto(f"{address}?film={first}")
        wait_for_film(ben, first)
        assert "ann: Abnormal" in ben.inner_text(".vb-others")
        read(ben, "n")
        assert "Readers disagree" in ben.inner_text(".vb-others")
        ben.click("#beside li:nth-child(2) button")
        ben.wait_for_selector(".fv-pane:visible >> nth=2")
        ann.wait_for_selector(f'[data-key="{first}"] .disputed')
    say_of_the_others(out, known)
    labels = labels_of_store(out)
    assert {label.sha256: label.abnormal for label in labels.labels} == {
        key: truth for key, truth in known.items() if key != first
    }
    assert "Films left out because readers disagree about them: 1." in labels.remarks
    fit = FitOptions(rules=(parse_rule("fixed:0.5"),), default="fixed:0.5")
    assert calibrate_model(out, CalibrateOptions(model, fit=fit)).description.films == FILMS - 1


def is_abnormal(name: str) -> bool:
    """By the number of a drawn film."""
    return int(name.partition(".")[0]) % 2 == 1


def say_of_the_others(out: Path, known: dict[str, bool]) -> None:
    """A calibration needs ten films of each kind: the rest of the night is read in no time."""
    with Desk.open(out) as desk:
        for row in list(desk.outcomes(None)):
            if row.sha256 not in known:
                known[row.sha256] = is_abnormal(Path(row.file).name)
                verdict = Verdict.ABNORMAL if known[row.sha256] else Verdict.NORMAL
                with desk.acting("ann", Act.SAID) as now:
                    desk.verdicts.add(Said(row.sha256, "ann", now, verdict))


@needs_chromium
def test_a_blinded_reader_sees_the_score_after_the_verdict(tmp_path: Path) -> None:
    films, out, model = tmp_path / "films", tmp_path / "out", write_model_folder(tmp_path / "model")
    draw(films)
    scan([films / "01.png"], ScanOptions(model=model, out=out, workers=1, formats=frozenset()))
    with served(out, is_blinded=True) as room, launched() as browser:
        page = opened(browser, f"http://127.0.0.1:{room.port}/")
        page.wait_for_selector("body[data-shown]")
        assert "Say what it is" in page.inner_text(".vb-summary")
        assert page.query_selector(".vb-summary .score") is None
        page.keyboard.press("a")
        page.wait_for_selector(".vb-summary .score")
        assert is_pressed(page, "abnormal")
    assert labels_of_store(out).remarks == ()


@needs_chromium
def test_a_film_whose_picture_was_dropped_is_shown_from_its_file_or_said_to_be_gone(tmp_path: Path) -> None:
    film = tmp_path / "one.png"
    cv2.imwrite(str(film), draw_phantom(1, hw=(256, 256)))
    digest = sha256(film.read_bytes()).hexdigest()
    folder = write_store(tmp_path / "out", [Drawn("one.png", 0.9, sha256=digest)])
    prune(folder, None, 1)
    with served(folder) as room, launched() as browser:
        page = opened(browser, f"http://127.0.0.1:{room.port}/")
        wait_for_film(page, digest)
        assert "as its file has it" in page.inner_text(".fv-notice")
    film.unlink()
    with served(folder) as room, launched() as browser:
        page = opened(browser, f"http://127.0.0.1:{room.port}/")
        page.wait_for_selector(".fv-message strong")
        assert page.inner_text(".fv-message").split("\n\n") == [
            "Flagged",
            "The film's file is not where it was scored.",
            "The store keeps no picture of this film.",
        ]


@needs_chromium
def test_a_page_too_many_says_that_it_hears_of_no_new_films(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    with served(folder) as room, launched() as browser:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        pages = [context.new_page() for _ in range(MOST_STREAMS_OF_ONE + 1)]
        for page in pages[:-1]:
            page.goto(f"http://127.0.0.1:{room.port}/")
            page.wait_for_selector("#live:text-is('1 film')")
        pages[-1].goto(f"http://127.0.0.1:{room.port}/")
        pages[-1].wait_for_selector("#live.away:has-text('Too many pages')")


@needs_chromium
def test_no_other_film_stands_above_a_score_while_its_own_is_being_opened(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9), Drawn("two.png", 0.1)])
    with served(folder) as room, launched() as browser:
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE_MS)
        held: list[Route] = []
        page.goto(f"http://127.0.0.1:{room.port}/")
        page.wait_for_selector("body[data-shown]")
        second = page.get_attribute("li:nth-child(2) .film-row", "data-key") or ""
        page.route(f"**/film/{second}/pixels", lambda route: held.append(route))  # noqa: PLW0108 - it must take attributes
        page.reload()
        page.wait_for_selector("body[data-shown]")
        assert page.inner_text(".fv-place") == "1 of 2"
        page.keyboard.press("j")
        page.wait_for_selector(".fv-wait")
        assert page.inner_text(".fv-place") == "2 of 2"
        assert page.is_hidden(".fv-films")
        held[0].continue_()
        wait_for_film(page, second)
        assert page.is_visible(".fv-films")


@pytest.mark.skipif(AXE is None, reason="CXR_TRIAGE_AXE names no axe.min.js")
@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_on_any_page_at_six_sizes(tmp_path: Path, theme: Any, language: str) -> None:
    folder = write_store(
        tmp_path, [Drawn("one.png", 0.9, features=(9, 1)), Drawn("two.png", 0.1, features=(9, 2))]
    )
    add_account(folder, "ann", Role.ADMIN)
    found = []
    with served(folder, language=language) as room, launched() as browser:
        context = browser.new_context(color_scheme=theme, bypass_csp=True)
        page = context.new_page()
        address = f"http://127.0.0.1:{room.port}"
        for path in ("/login", "/", "/tally", "/accounts", "/audit"):
            if path == "/":
                page.fill("[name=name]", "ann")
                page.fill("[name=password]", PASSWORD)
                page.click(".fields button")
                page.wait_for_selector("#beside li")
            else:
                page.goto(address + path)
            page.evaluate(Path(str(AXE)).read_text(encoding="utf-8"))
            for width, height in WINDOWS:
                page.set_viewport_size({"width": width, "height": height})
                result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
                found += [
                    (path, width, each["id"], each["nodes"][0]["html"][:90]) for each in result["violations"]
                ]
    assert found == []
