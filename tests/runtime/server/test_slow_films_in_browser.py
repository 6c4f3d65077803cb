"""A film that does not come in time: the page says so, shows what it has, and asks again when it is to."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browsers import launched, needs_chromium
from drawn_stores import Drawn, change, write_store
from read_pages import PATIENCE_MS, opened
from served_rooms import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

AGAIN = 5  # seconds; the list waits 4 before it asks for a small picture again
LIMIT = 21  # seconds; the page waits 20 for the first byte, and for a picture
HALF_A_FILM = """
const all = window.fetch;
const headers = { "x-rows": 100, "x-columns": 100, "x-bits": 8, "x-window": "128 256", "x-spacing": "" };
window.fetch = (address, options) => {
  if (!String(address).endsWith("/pixels")) return all(address, options);
  const start = (answer) => {
    answer.enqueue(new Uint8Array(5000));
    options.signal.addEventListener("abort", () => answer.error(new Error("aborted")));
  };
  return Promise.resolve(new Response(new ReadableStream({ start }), { headers }));
};
"""
LATE = "The film does not come at full size: this is the small picture that the store keeps"


def with_own_clock(
    browser: "Browser", address: str, *silent: str, script: str = ""
) -> "tuple[Page, list[Route]]":
    """A page whose clock the test turns; requests for these parts of a film are never answered."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    held: list[Route] = []
    for part in silent:
        page.route(f"**/film/*/{part}", lambda route: held.append(route))  # noqa: PLW0108 - it must take attributes
    page.add_init_script(script)
    page.clock.install()
    page.goto(address)
    page.wait_for_selector(".fv-wait", state="attached")
    page.wait_for_selector("body[data-shown], .vb-summary b", state="attached")
    return page, held


def asked(page: "Page", held: "list[Route]", times: int) -> "Route":
    """The latest request that is held, once there have been so many."""
    for _ in range(PATIENCE_MS // 20):
        if len(held) >= times:
            break
        page.wait_for_timeout(20)
    assert len(held) == times
    return held[-1]


@needs_chromium
def test_a_film_that_stalls_is_shown_small_with_a_way_to_try_again(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    with served(folder) as room, launched() as browser:
        page, held = with_own_clock(browser, f"http://127.0.0.1:{room.port}/", "pixels")
        assert page.is_hidden(".fv-films")
        page.clock.fast_forward(LIMIT * 1000)
        page.wait_for_selector(".fv-films:visible")
        assert LATE in page.inner_text(".fv-caption")
        page.unroute_all()
        page.route("**/film/*/pixels", lambda route: route.fulfill(status=404))  # its file is gone by now
        page.click(".fv-caption button")
        page.wait_for_selector(".fv-caption .fv-notice:has-text('gone or has changed')")
        assert len(held) == 1
        assert page.query_selector(".fv-caption button") is None


@needs_chromium
def test_a_film_of_which_nothing_comes_is_said_and_asked_for_again(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    with served(folder) as room, launched() as browser:
        address = f"http://127.0.0.1:{room.port}/"
        page, _ = with_own_clock(browser, address, "pixels", "preview.jpg")
        with page.expect_request("**/preview.jpg"):
            page.clock.fast_forward(LIMIT * 1000)
        page.clock.fast_forward(LIMIT * 1000)
        page.wait_for_selector(".fv-message button")
        assert "This film cannot be shown here." in page.inner_text(".fv-message")
        page.unroute_all()
        page.click(".fv-message button")
        page.wait_for_selector(".fv-films:visible")
        assert page.is_hidden(".fv-message")


@needs_chromium
def test_a_film_that_stops_in_its_middle_is_shown_small(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    with served(folder) as room, launched() as browser:
        page, _ = with_own_clock(browser, f"http://127.0.0.1:{room.port}/", script=HALF_A_FILM)
        page.clock.fast_forward(LIMIT * 1000)
        page.wait_for_selector(".fv-films:visible")
        assert LATE in page.inner_text(".fv-caption")


@needs_chromium
def test_a_picture_that_the_store_has_dropped_is_no_broken_one_in_the_list(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    change(folder, "DELETE FROM pictures")
    with served(folder) as room, launched() as browser:
        page = opened(browser, f"http://127.0.0.1:{room.port}/")
        page.wait_for_selector(".film-row .no-picture")
        page.wait_for_selector(".film-row img", state="detached")


@needs_chromium
@pytest.mark.parametrize("comes", [True, False])
def test_a_small_picture_that_did_not_come_is_asked_for_once_more(tmp_path: Path, comes: bool) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    with served(folder) as room, launched() as browser:
        page, held = with_own_clock(browser, f"http://127.0.0.1:{room.port}/", "thumb.jpg")
        asked(page, held, 1).abort()
        page.wait_for_selector(".film-row .no-picture")
        page.clock.fast_forward(AGAIN * 1000)
        if comes:
            asked(page, held, 2).continue_()
            page.wait_for_selector(".film-row img")
            return
        asked(page, held, 2).abort()
        page.wait_for_selector(".film-row .no-picture")
        page.clock.fast_forward(AGAIN * 1000)
        assert page.query_selector(".film-row img") is None


@needs_chromium
def test_a_film_that_was_left_comes_no_further(tmp_path: Path) -> None:
    """Six of them would take all connections of the browser, and the page would hear nothing any more."""
    folder = write_store(tmp_path, [Drawn("one.png", 0.9), Drawn("two.png", 0.8)])
    with served(folder) as room, launched() as browser:
        page, held = with_own_clock(browser, f"http://127.0.0.1:{room.port}/", "pixels")
        with page.expect_event("requestfailed") as left:
            page.click(".film-row:not([aria-current])")
        assert left.value.url == held[0].request.url
        page.unroute_all()
        page.click(".film-row:not([aria-current])")  # back to it: it is asked for again
        page.wait_for_selector(".fv-films:visible")
        assert "gone or has changed" in page.inner_text(".fv-caption")
