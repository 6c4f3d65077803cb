"""The worklist in a real browser, opened from disk: it works, obeys its policy and asks for nothing."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browsers import launched, needs_chromium
from cxr_runtime.language import language, speaking
from cxr_runtime.reports.exhibit import Exhibit, tally
from cxr_runtime.reports.worklist import write_worklist
from drawn_exhibits import RUN, failed, rejected, scored

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "<img src=x onerror=alert(1)>.png"
FILMS = [
    scored("night/first.png", 0.95),
    scored(f"night/{HOSTILE}", 0.9, lung_heat_share=0.1),
    scored("night/צילום.png", 0.44),
    scored("night/quiet film.png", 0.1),
    rejected("night/side.png"),
    failed("night/broken.dcm"),
]

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with launched() as found:
        yield found


@pytest.fixture
def page(browser: "Browser", tmp_path: Path) -> Iterator["Page"]:
    """The worklist, opened; after the test: no message on the console, and no request but for the page."""
    messages: list[str] = []
    requests: list[str] = []
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
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


def ready(page: "Page") -> None:
    """Wait until the film that was asked for is on the screen."""
    page.wait_for_selector(".film-viewer .fv-films:not([hidden]), .fv-message:not([hidden]) > *")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def colour(page: "Page") -> list[int]:
    """What stands on the screen where the films are warm."""
    ready(page)
    found: list[int] = page.evaluate(
        """() => {
            const canvas = document.querySelectorAll(".fv-pane canvas")[1];
            const { width, height } = canvas;
            const scale = Math.min(width / 128, height / 160);
            const [x, y] = [width / 2 - 0.22 * 128 * scale, height / 2 - 0.15 * 160 * scale];
            const copy = new OffscreenCanvas(1, 1).getContext("2d");
            copy.drawImage(canvas, x, y, 1, 1, 0, 0, 1, 1);
            return [...copy.getImageData(0, 0, 1, 1).data];
        }"""
    )
    return found


def is_warm(page: "Page") -> bool:
    red, green, blue, _ = colour(page)
    return red > green + 20 and red > blue + 20


def test_the_film_is_the_largest_thing_and_bars_take_at_most_120_pixels(page: "Page") -> None:
    assert current(page) == "night/first.png"
    assert page.inner_text(".fv-place") == "1 of 6"
    stage = page.locator(".fv-stage").bounding_box()
    assert stage is not None
    assert stage["height"] >= 768 - 120
    assert stage["width"] > 1366 / 2
    assert is_warm(page)


def test_the_slider_and_a_key_set_the_opacity_of_the_heat_also_for_the_next_film(page: "Page") -> None:
    full = colour(page)
    page.locator(".fv-heat input").fill("30")
    weak = colour(page)
    assert full[0] - full[2] > weak[0] - weak[2] > 5
    page.keyboard.press("j")
    assert current(page) == f"night/{HOSTILE}"
    ready(page)
    assert page.inner_text(".fv-heat output") == "30 %"
    page.keyboard.press("h")
    assert not is_warm(page)
    assert not page.is_visible(".legend")
    page.keyboard.press("h")
    assert page.inner_text(".fv-heat output") == "30 %"


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
    assert HOSTILE in page.inner_text(".fv-caption")
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
    ready(page)
    outline = page.locator(".fv-do-outlines")
    assert outline.get_attribute("aria-pressed") == "false"
    page.keyboard.press("l")
    assert outline.get_attribute("aria-pressed") == "true"
    page.keyboard.press("End")
    assert not outline.is_visible()


def test_a_film_that_could_not_be_read_shows_why(page: "Page") -> None:
    page.keyboard.press("End")
    assert "could not be read" in page.inner_text(".fv-stage")
    assert "truncated: it ends too soon: copy it again" in page.inner_text(".fv-stage")


def test_what_there_is_no_heat_for_offers_no_heat(page: "Page") -> None:
    ready(page)
    parts = [page.locator(part) for part in (".fv-heat", ".legend", "#heat-notice")]
    assert [part.is_visible() for part in parts] == [True, True, True]
    page.click("button[data-filter=rejected]")
    assert [part.is_visible() for part in parts] == [False, False, False]


def test_a_patients_earlier_film_stands_beside_with_its_score_and_distances_can_be_measured(
    browser: "Browser", tmp_path: Path
) -> None:
    def of_patient(file: str, probability: float, studied: str, patient: str = "P-17") -> Exhibit:
        film = scored(file, probability)
        assert film.picture is not None
        shown = replace(film.picture, spacing_mm=0.5)
        owner = (f"ID {patient}", f"study of {studied}")
        return replace(film, picture=shown, patient=patient, studied=studied, owner=owner)

    films = [
        of_patient("now.dcm", 0.9, "2026-11-20"),
        of_patient("later.dcm", 0.8, "2026-11-28"),
        of_patient("other.dcm", 0.7, "2026-11-19", "P-18"),
        of_patient("before.dcm", 0.05, "2026-01-02"),
        of_patient("long-before.dcm", 0.04, "2020-01-02"),
    ]
    path = tmp_path / "worklist.html"
    write_worklist(path, RUN, tally(film.outcome for film in films), films)
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    opened.goto(path.as_uri())
    ready(opened)
    opened.keyboard.press("s")
    titles = opened.locator(".fv-pane:visible figcaption")
    assert titles.all_inner_texts() == ["Film", "With heat", "Earlier film of 2026-01-02, score 5.00"]
    assert "ID P-17" in opened.inner_text(".fv-caption")
    assert opened.is_enabled(".fv-do-length")
    opened.keyboard.press("j")
    ready(opened)
    assert titles.last.inner_text() == "Earlier film of 2026-11-20, score 90.00"
    opened.close()


@pytest.mark.parametrize("media", ["screen", "print"])
def test_whose_film_it_is_stands_whole_in_the_list(browser: "Browser", tmp_path: Path, media: Any) -> None:
    owner = ("RAKOTONDRAMANANA RAZAFINDRAKOTO, Andriamihaja", "ID CHU-2026-000123456", "born 1961-03-04")
    films = [replace(scored("a.dcm", 0.9), owner=owner)]
    path = tmp_path / "worklist.html"
    write_worklist(path, RUN, tally(film.outcome for film in films), films)
    opened = browser.new_page(viewport={"width": 800, "height": 700})
    opened.emulate_media(media=media)
    opened.goto(path.as_uri())
    of_facts, of_cell = (opened.locator(part).bounding_box() for part in (".list .owner > span", "td.file"))
    assert of_facts is not None
    assert of_cell is not None
    assert of_facts["x"] + of_facts["width"] <= of_cell["x"] + of_cell["width"]
    opened.close()


def test_the_viewer_says_how_much_of_the_heat_lies_in_the_lungs(page: "Page") -> None:
    assert "90% of the heat in the lungs" in page.inner_text("#said")


@pytest.mark.parametrize("width", [400, 480, 760, 1000, 1440, 2500])
def test_no_result_is_cut_off_in_a_window_of_any_width(page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 860})
    cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert page.eval_on_selector_all("td.result, td.score, td.rank", cut) == []
    assert page.locator(".fv-stage").bounding_box()["height"] > 250  # type: ignore[index]  # it is shown
    assert page.evaluate("document.documentElement.scrollWidth") <= width


OVERLAPPING_OR_CUT = """() => {
    const list = document.querySelector(".list").getBoundingClientRect();
    const cells = [...document.querySelectorAll("th button, td .badge")].filter((cell) => cell.offsetWidth);
    const wide = cells.filter((cell) => {
        const room = cell.closest("th, td").getBoundingClientRect();
        const text = document.createRange();
        text.selectNodeContents(cell);
        const { left, right } = text.getBoundingClientRect();
        return cell.scrollWidth > cell.clientWidth || left < room.left || right > room.right
            || room.left < list.left || room.right > list.right;
    });
    return [...new Set(wide.map((cell) => cell.textContent.trim()))];
}"""


@pytest.mark.parametrize("name", ["en", "ar", "es", "fr", "pt"])
def test_no_word_of_the_list_is_cut_or_overlaps_another_in_any_language(
    browser: "Browser", tmp_path: Path, name: str
) -> None:
    with speaking(language(name)):
        uri = worklist_uri(tmp_path)
    opened = browser.new_page()
    opened.goto(uri)
    for width in (390, 950, 1024, 1300, 1500, 1800, 1920, 2560):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate(OVERLAPPING_OR_CUT) == [], width
        assert opened.eval_on_selector(".list", "list => list.scrollWidth <= list.clientWidth")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.close()


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_on_a_phone_the_film_fills_the_width_and_no_bar_is_wider_than_the_window(
    page: "Page", direction: str
) -> None:
    page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
    page.set_viewport_size({"width": 390, "height": 844})
    ready(page)
    stage = page.locator(".fv-stage").bounding_box()
    assert stage is not None
    assert (stage["x"], stage["width"], stage["height"]) == (0, 390, 390)
    assert stage["y"] + stage["height"] < 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_from_right_to_left_the_list_stands_on_the_right_and_the_left_arrow_leads_on(
    browser: "Browser", tmp_path: Path
) -> None:
    uri = worklist_uri(tmp_path)
    file = tmp_path / "worklist.html"
    file.write_text(
        file.read_text(encoding="utf-8").replace('lang="en"', 'lang="ar" dir="rtl"'), encoding="utf-8"
    )
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    opened.goto(uri)
    viewer, films = (opened.locator(part).bounding_box() for part in ("#viewer", ".list"))
    assert viewer is not None
    assert films is not None
    assert viewer["x"] == 0
    assert films["x"] == viewer["width"]
    opened.keyboard.press("ArrowLeft")
    assert current(opened) == f"night/{HOSTILE}"
    opened.close()


def test_going_through_films_scrolls_the_list_and_not_the_page(page: "Page") -> None:
    page.set_viewport_size({"width": 1000, "height": 500})
    page.keyboard.press("End")
    assert current(page) == "night/broken.dcm"
    page.wait_for_function(
        """() => {
            const [list, row] = [".list", "tr[aria-current=true]"].map((part) =>
                document.querySelector(part).getBoundingClientRect());
            return list.top > 0 && row.top >= list.top && row.bottom <= list.bottom;
        }"""
    )
    page.keyboard.press("Home")
    page.set_viewport_size({"width": 480, "height": 500})
    page.eval_on_selector("#viewer", "viewer => viewer.scrollIntoView()")
    before = page.evaluate("scrollY")
    page.keyboard.press("End")
    assert current(page) == "night/broken.dcm"
    assert page.evaluate("scrollY") == before


def test_the_list_is_one_stop_of_the_tab_key_and_the_focus_follows_the_arrows(page: "Page") -> None:
    stops = page.eval_on_selector_all(
        "#films button", "all => all.filter((one) => one.tabIndex === 0).length"
    )
    assert stops == 1
    page.focus("tr[aria-current=true] .open")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').dataset.file") == f"night/{HOSTILE}"
    page.keyboard.press("Tab")
    assert not page.evaluate("Boolean(document.activeElement.closest('#films'))")


def test_the_film_fills_the_window_and_escape_brings_the_list_back(page: "Page") -> None:
    page.keyboard.press("f")
    assert page.locator("#viewer").bounding_box() == {"x": 0, "y": 0, "width": 1366, "height": 768}
    assert page.evaluate("document.querySelector('.list').inert")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('.list').inert")


AXE = os.environ.get("CXR_TRIAGE_AXE")  # axe.min.js of axe-core
WINDOWS = ((390, 844), (480, 800), (768, 1024), (1024, 768), (1366, 768), (2560, 1440))


@pytest.mark.skipif(AXE is None, reason="CXR_TRIAGE_AXE names no axe.min.js")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["en", "ar"])
def test_axe_finds_nothing_at_six_sizes_in_the_list_the_keys_and_the_full_window(
    browser: "Browser", tmp_path: Path, theme: Any, name: str
) -> None:
    with speaking(language(name)):
        uri = worklist_uri(tmp_path)
    found = []
    for width, height in WINDOWS:
        size: Any = {"width": width, "height": height}
        opened = browser.new_page(viewport=size, color_scheme=theme, bypass_csp=True)
        opened.goto(uri)
        opened.evaluate(Path(str(AXE)).read_text(encoding="utf-8"))
        for keys in ((), ("?",), ("Escape", "f")):
            for key in keys:
                opened.keyboard.press(key)
            result = opened.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            found += [(width, keys, violation["id"]) for violation in result["violations"]]
        opened.close()
    assert found == []


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


@pytest.mark.parametrize("width", [900, 1100, 1300, 1500, 1900])
def test_a_name_of_usual_length_stands_on_one_line(browser: "Browser", width: int, tmp_path: Path) -> None:
    films = [
        scored("night/00000915_005.png", 0.9),
        rejected("night/00000920_000.png"),
        failed("IM-0001-0001.dcm"),
    ]
    path = tmp_path / "worklist.html"
    write_worklist(path, RUN, tally(film.outcome for film in films), films)
    page = browser.new_page(viewport={"width": width, "height": 768})
    page.goto(path.as_uri())
    for name in page.locator(".open bdi").all():
        assert name.evaluate("name => name.getClientRects().length") == 1
    result = page.locator("td.result").evaluate_all(
        "cells => cells.map((cell) => cell.getBoundingClientRect().x)"
    )
    assert len(set(result)) == 1  # one column, whether a film has a score or not
    page.close()
