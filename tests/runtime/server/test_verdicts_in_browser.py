"""Verdicts in a real browser, where the server is slow, silent or wants a login: each reaches its film."""

from pathlib import Path
from typing import TYPE_CHECKING

from browsers import launched, needs_chromium
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.verdicts import standing
from drawn_stores import Drawn, write_store
from read_pages import is_pressed, logged_in, next_film, opened, read, shown, wait_for_film
from served_rooms import PASSWORD, add_account, served

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def keys_of(page: "Page") -> list[str]:
    return [str(row.get_attribute("data-key")) for row in page.query_selector_all(".film-row")]


def stands(folder: Path, key: str) -> dict[str, str]:
    """What was said last of a film, by source."""
    with Desk.open(folder, writes=False) as desk:
        return {said.source.value: said.verdict.value for said in standing(desk.verdicts.of(key)).standing}


def say_of_a_film_that_is_being_opened(page: "Page", key: str) -> None:
    """The next one; its facts come after the word."""
    held: list[Route] = []
    page.route(f"**/film/{key}", lambda route: held.append(route))  # noqa: PLW0108
    page.keyboard.press("j")
    page.wait_for_selector(".vb-empty", state="attached")
    page.keyboard.press("n")  # there is no film yet
    assert page.is_hidden(".fv-films")
    held[0].continue_()
    page.unroute(f"**/film/{key}")
    wait_for_film(page, key)


def change_a_word_while_it_is_sent(page: "Page") -> None:
    """Normal is on its way; abnormal follows it."""
    said: list[Route] = []
    page.route("**/verdict", lambda route: route.continue_() if said else said.append(route))
    with page.expect_request("**/verdict"):
        page.keyboard.press("n")
    page.keyboard.press("a")  # it follows the one that is on its way
    page.wait_for_selector(".vb-word.vb-abnormal[aria-pressed=true]")
    said[0].continue_()
    page.wait_for_selector(".vb-state:text-is('Kept')")
    page.unroute("**/verdict")


@needs_chromium
def test_nothing_is_said_of_the_wrong_film_and_nothing_that_was_said_is_lost(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9), Drawn("two.png", 0.1)])
    with served(folder) as room, launched() as browser:
        page = opened(browser, f"http://127.0.0.1:{room.port}/")
        page.wait_for_selector("body[data-shown]")
        first, second = keys_of(page)
        say_of_a_film_that_is_being_opened(page, second)
        assert not is_pressed(page, "normal")

        page.route("**/verdict", lambda route: route.abort())
        page.keyboard.press("a")
        page.wait_for_selector(".vb-unkept:has-text('two.png')")
        page.keyboard.press("k")
        wait_for_film(page, first)
        assert "two.png, Abnormal" in page.inner_text(".vb-unkept")
        assert page.inner_text(".vb-state") == ""
        page.unroute("**/verdict")
        page.click(".vb-unkept button")
        page.wait_for_selector(".vb-unkept p", state="detached")
        assert (stands(folder, first), stands(folder, second)) == ({}, {"reading": "abnormal"})

        next_film(page)
        change_a_word_while_it_is_sent(page)
        assert stands(folder, second) == {"reading": "abnormal"}
        page.keyboard.press("k")
        wait_for_film(page, first)

        page.keyboard.press("c")
        page.keyboard.type("old scar")
        assert "choose a word first" in page.inner_text(".vb-state")
        page.keyboard.press("Enter")
        next_film(page)
        page.keyboard.press("k")
        wait_for_film(page, first)
        assert page.input_value(".vb-note") == "old scar"

        page.click("text=Test results")
        page.click(".vb-test[aria-label=Sputum] .vb-abnormal")
        page.wait_for_selector(".vb-others:has-text('Sputum: positive')")
        next_film(page)  # by a key, while the results are open
        page.keyboard.press("k")
        wait_for_film(page, first)
        assert (stands(folder, first), stands(folder, second)) == (
            {"sputum": "abnormal"},
            {"reading": "abnormal"},
        )
        page.click("text=Test results")
        page.click("text=no result >> nth=0")
        page.wait_for_selector(".vb-others:has-text('Sputum: result withdrawn')")
        page.wait_for_selector(".said[title='Sputum: result withdrawn']")
        assert stands(folder, first) == {}

        page.keyboard.press("2")
        page.reload()  # before the finding has settled
        page.wait_for_selector(".vb-word.vb-abnormal[aria-pressed=true]")
        assert page.input_value(".vb-note") == "old scar"


@needs_chromium
def test_what_others_said_can_be_seen_beside_a_long_description_at_every_width(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9)])
    for name in ("ann", "ben", "eve"):
        add_account(folder, name)
    with served(folder) as room, launched() as browser:
        for name, word in (("ann", "a"), ("ben", "n")):
            page = logged_in(browser, f"http://127.0.0.1:{room.port}/", name)
            read(page, word)
        page = logged_in(browser, f"http://127.0.0.1:{room.port}/", "eve")
        remark = "words.map((word) => word.repeat(40)).join(' ')"
        page.evaluate(
            f"(words) => document.querySelector('.vb-summary').append({remark})", ["heat ", "here "]
        )
        for width in (390, 768, 1024, 1200, 1366, 1920):
            page.set_viewport_size({"width": width, "height": 768})
            bar = page.locator(".vb").bounding_box()
            words = [page.locator(".vb-others > *").nth(place).bounding_box() for place in range(3)]
            for box in words:
                assert bar is not None
                assert box is not None
                assert box["width"] > 40
                assert bar["x"] <= box["x"] <= box["x"] + box["width"] <= bar["x"] + bar["width"]
        assert page.inner_text(".vb-others").split("\n") == [
            "Readers disagree",
            "ann: Abnormal",
            "ben: Normal",
        ]


@needs_chromium
def test_a_server_that_is_silent_or_wants_a_login_is_said_and_takes_nothing_away(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9), Drawn("two.png", 0.1)])
    add_account(folder, "ann")
    with served(folder) as room, launched() as browser:
        page = opened(browser, f"http://127.0.0.1:{room.port}/?order=newest")
        page.clock.install()
        page.fill("[name=name]", "ann")
        page.fill("[name=password]", PASSWORD)
        page.click("text=Log in")
        page.wait_for_selector("body[data-shown]")
        assert "order=newest" in page.url
        page.wait_for_selector(".live:text-matches('.')")
        for broken in ("**/open?again=1", "**/rows?*"):
            page.route(broken, lambda route: route.fulfill(status=500, body="broken"))
            read(page, "u")  # the list is read anew
            page.clock.fast_forward(20_000)
            page.wait_for_selector(".live.away")
            page.unroute(broken)
            page.clock.fast_forward(20_000)
            page.wait_for_selector(".live:not(.away)")

        page.route("**/rows?*", lambda route: route.fulfill(status=401, body="Please log in again."))
        read(page, "u")
        page.wait_for_selector(".live.away:text-is('Please log in again.')")
        page.unroute("**/rows?*")
        page.clock.fast_forward(20_000)
        page.wait_for_selector(".live:not(.away)")

        page.context.clear_cookies()
        page.keyboard.press("n")
        page.wait_for_selector(".vb-unkept p")
        with page.expect_popup() as other:
            page.click("#log-in a")
        other.value.fill("[name=name]", "ann")
        other.value.fill("[name=password]", PASSWORD)
        other.value.click("text=Log in")
        other.value.wait_for_selector("body[data-shown]")
        assert other.value.url == page.url
        page.click(".vb-unkept button")
        page.wait_for_selector(".vb-state:text-is('Kept')")
        assert page.query_selector("#log-in") is None
        assert stands(folder, shown(page)) == {"reading": "normal"}
