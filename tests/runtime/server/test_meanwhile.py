"""What changes while a film is open: the bar tells it, and the list leads on from where the film stood."""

from pathlib import Path
from typing import TYPE_CHECKING

from browsers import launched, needs_chromium
from drawn_stores import Drawn, write_store
from read_pages import is_pressed, logged_in, next_film, read, shown, wait_for_film
from served_rooms import add_account, served

if TYPE_CHECKING:
    from playwright.sync_api import Page


def keys_of(page: "Page") -> list[str]:
    return [str(row.get_attribute("data-key")) for row in page.query_selector_all(".film-row")]


@needs_chromium
def test_what_is_said_in_another_window_is_shown_and_takes_no_note_away(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("one.png", 0.9), Drawn("two.png", 0.1)])
    for name in ("ann", "ben"):
        add_account(folder, name)
    with served(folder) as room, launched() as browser:
        address = f"http://127.0.0.1:{room.port}/"
        first, ben = logged_in(browser, address, "ann"), logged_in(browser, address, "ben")
        second = first.context.new_page()
        second.goto(address)
        second.wait_for_selector("body[data-shown]")
        read(first, "a")
        for page in (second, ben):
            page.wait_for_selector(".said.abnormal")
        second.wait_for_selector(".vb-word.vb-abnormal[aria-pressed=true]")
        ben.wait_for_selector(".vb-others:has-text('ann: Abnormal')")
        first.keyboard.press("2")
        ben.wait_for_selector(".vb-others:has-text('ann: Abnormal (Opacity)')")
        second.wait_for_selector(".vb-opacity[aria-pressed=true]")
        second.keyboard.press("Delete")
        first.wait_for_selector(".vb-state:text-is('verdict withdrawn')")
        assert not is_pressed(first, "abnormal")
        ben.wait_for_selector(".vb-others:has-text('ann: verdict withdrawn')")
        second.keyboard.press("c")
        second.keyboard.type("old sc")
        read(first, "n")
        second.wait_for_selector(".said.normal")
        second.keyboard.type("ar")
        assert second.input_value(".vb-note") == "old scar"
        assert not is_pressed(second, "normal")  # nothing changes under the reader's hands


@needs_chromium
def test_after_a_verdict_the_list_of_unread_films_leads_on_from_where_the_film_stood(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn(f"{number}.png", number / 10) for number in range(1, 7)])
    add_account(folder, "ann")
    with served(folder) as room, launched() as browser:
        page = logged_in(browser, f"http://127.0.0.1:{room.port}/?read=mine", "ann")
        keys = keys_of(page)
        for _ in range(3):
            next_film(page)
        read(page, "n")
        page.wait_for_selector(f"[data-key='{keys[3]}']", state="detached")
        assert page.inner_text(".fv-place") == ""
        page.keyboard.press("j")
        wait_for_film(page, keys[4])
        read(page, "n")
        page.wait_for_selector(f"[data-key='{keys[4]}']", state="detached")
        page.keyboard.press("k")
        wait_for_film(page, keys[2])
        page.wait_for_function("document.querySelector('.fv-place').textContent === '3 of 4'")
        assert shown(page) == keys[2]
