"""The worklist in a real browser, opened from disk: it works, obeys its policy and asks for nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cxr_runtime.reports.exhibit import tally
from cxr_runtime.reports.worklist import write_worklist
from drawn_exhibits import RUN, failed, rejected, scored

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, of the dev extra, is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)>.png"
FILMS = [
    scored("night/first.png", 0.95),
    scored(f"night/{HOSTILE}", 0.9, lung_heat_share=0.1),
    scored("night/צילום.png", 0.44),
    scored("night/quiet film.png", 0.1),
    rejected("night/side.png"),
    failed("night/broken.dcm"),
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: "Browser", tmp_path: Path) -> Iterator["Page"]:
    """The worklist, opened; after the test: no message on the console, and no request but for the page."""
    messages: list[str] = []
    requests: list[str] = []
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    opened.on("dialog", lambda dialog: messages.append(dialog.message))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(worklist_uri(tmp_path))
    yield opened
    opened.close()
    assert messages == []
    assert [url for url in requests if not url.startswith("data:image/")] == [worklist_uri(tmp_path)]


def worklist_uri(folder: Path) -> str:
    path = folder / "worklist.html"
    if not path.exists():
        write_worklist(path, RUN, tally(film.outcome for film in FILMS), FILMS)
    return path.as_uri()


def current(page: "Page") -> str:
    return str(page.locator("tr[aria-current=true]").get_attribute("data-file"))


def shown(page: "Page") -> list[str]:
    rows = page.locator("#films tr:not([hidden])")
    return [str(row.get_attribute("data-file")).removeprefix("night/") for row in rows.all()]


def heat_opacity(page: "Page") -> float:
    return float(page.eval_on_selector("#stage .heat", "heat => getComputedStyle(heat).opacity"))


def test_the_most_suspicious_film_is_open_with_its_picture_decoded(page: "Page") -> None:
    assert current(page) == "night/first.png"
    assert page.inner_text("#place") == "1 of 6"
    drawn = page.eval_on_selector("#stage svg.film", "svg => svg.getBoundingClientRect().height")
    assert drawn > 400
    sizes = page.evaluate(
        """() => Promise.all([...document.querySelectorAll("#stage image")].map(async (layer) => {
            const image = new Image();
            image.src = layer.getAttribute("href");
            await image.decode();
            return image.naturalHeight;
        }))"""
    )
    assert sizes == [160, 512]


def test_the_slider_and_a_key_set_the_opacity_of_the_heat_also_for_the_next_film(page: "Page") -> None:
    assert heat_opacity(page) == 1
    page.locator("#opacity").fill("30")
    assert heat_opacity(page) == pytest.approx(0.3)
    page.keyboard.press("j")
    assert current(page) == f"night/{HOSTILE}"
    assert heat_opacity(page) == pytest.approx(0.3)
    page.keyboard.press("h")
    assert heat_opacity(page) == 0
    page.keyboard.press("h")
    assert heat_opacity(page) == pytest.approx(0.3)


def test_keys_go_through_the_films_and_stop_at_both_ends(page: "Page") -> None:
    for key, expected in [
        ("ArrowUp", "first.png"),
        ("ArrowDown", HOSTILE),
        ("k", "first.png"),
        ("End", "broken.dcm"),
        ("j", "broken.dcm"),
        ("ArrowLeft", "side.png"),
        ("Home", "first.png"),
    ]:
        page.keyboard.press(key)
        assert current(page) == f"night/{expected}"


def test_a_hostile_name_is_text_in_the_list_and_in_the_viewer(page: "Page") -> None:
    page.keyboard.press("j")
    assert page.inner_text("#name") == HOSTILE
    assert page.locator('img[src="x"]').count() == 0
    assert "heat lies outside the lungs" in page.inner_text("#said")


def test_filters_and_search_narrow_the_list_and_escape_shows_all_again(page: "Page") -> None:
    page.click('button[data-filter="flagged"]')
    assert shown(page) == ["first.png", HOSTILE]
    page.click('button[data-filter="outside-lungs"]')
    assert shown(page) == [HOSTILE]
    assert current(page) == f"night/{HOSTILE}"
    page.keyboard.press("Escape")
    assert len(shown(page)) == 6
    page.keyboard.press("/")
    page.keyboard.type("SIDE view")
    assert shown(page) == ["side.png"]
    page.locator("#search").fill("nothing like it")
    assert shown(page) == []
    assert page.is_visible("#none")
    page.click("#clear")
    assert len(shown(page)) == 6


def test_columns_sort_both_ways(page: "Page") -> None:
    page.click('button[data-key="score"]')
    assert shown(page)[0] == "first.png"
    page.click('button[data-key="score"]')
    assert shown(page)[-1] == "first.png"
    assert page.get_attribute("th.score", "aria-sort") == "ascending"
    page.click('button[data-key="rank"]')
    assert shown(page)[0] == "first.png"


def test_the_lung_outline_can_be_switched_on_where_there_is_one(page: "Page") -> None:
    outline = page.locator("#stage .outline").first
    assert not outline.is_visible()
    page.keyboard.press("l")
    assert outline.is_visible()
    page.keyboard.press("End")
    assert not page.is_visible("#outline-tool")


def test_a_film_that_could_not_be_read_shows_why(page: "Page") -> None:
    page.keyboard.press("End")
    assert "could not be read" in page.inner_text("#stage")
    assert "truncated: it ends too soon: copy it again" in page.inner_text("#stage")


def test_what_there_is_no_heat_for_offers_no_heat(page: "Page") -> None:
    parts = [page.locator(part) for part in ("#heat-tool", "#tools", "#heat-notice")]
    assert [part.is_visible() for part in parts] == [True, True, True]
    page.click("button[data-filter=rejected]")
    assert [part.is_visible() for part in parts] == [False, False, False]


def test_the_viewer_says_how_much_of_the_heat_lies_in_the_lungs(page: "Page") -> None:
    assert "90% of the heat in the lungs" in page.inner_text("#said")


@pytest.mark.parametrize("width", [400, 480, 760, 1000, 1440, 2500])
def test_no_result_is_cut_off_in_a_window_of_any_width(page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 860})
    cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert page.eval_on_selector_all("td.result, td.score, td.rank", cut) == []
    assert page.locator("#stage").bounding_box()["height"] > 250  # type: ignore[index]  # it is shown


def test_going_through_films_scrolls_the_list_and_not_the_page(page: "Page") -> None:
    page.set_viewport_size({"width": 480, "height": 500})
    page.eval_on_selector("#viewer", "viewer => viewer.scrollIntoView()")
    before = page.evaluate("scrollY")
    page.keyboard.press("End")
    assert current(page) == "night/broken.dcm"
    assert page.evaluate("scrollY") == before
    assert page.eval_on_selector(".list", "list => list.scrollTop") > 0


def test_the_film_fills_the_window_and_escape_brings_the_list_back(page: "Page") -> None:
    page.keyboard.press("f")
    assert not page.is_visible("#films")
    assert page.is_visible("#stage svg.film")
    page.keyboard.press("Escape")
    assert page.is_visible("#films")


def test_a_script_that_is_not_the_pages_own_is_stopped(browser: "Browser", tmp_path: Path) -> None:
    opened = browser.new_page()
    opened.goto(worklist_uri(tmp_path))
    stopped = opened.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "document.title = 'it ran'";
            document.body.append(script);
        })"""
    )
    assert stopped == "script-src-elem"
    assert opened.title().startswith("Worklist")
    opened.close()
