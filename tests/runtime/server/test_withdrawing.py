"""A reader withdraws a verdict: the film counts as not read by him, and nothing of it is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from browsers import launched, needs_chromium
from cxr_runtime.store.accounts import Role
from drawn_stores import Drawn, ask, write_store
from read_pages import is_pressed, logged_in, next_film, shown
from served_rooms import Browser, add_account, served

SAID = {"verdict": "abnormal", "findings": ["tb"], "note": "left apex", "source": "reading"}
WITHDRAWN = {"verdict": "withdrawn", "findings": [], "note": "", "source": "reading"}
FILMS = (Drawn("high.png", 0.9), Drawn("low.png", 0.1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_store(tmp_path / "out", FILMS)
    for name in ("ann", "ben"):
        add_account(folder, name)
    add_account(folder, "guest", Role.READ_ONLY)
    return folder


@pytest.fixture
def browser(folder: Path) -> Iterator[Browser]:
    with served(folder) as found:
        found.log_in("ann")
        yield found


def key_of(folder: Path) -> str:
    return str(ask(folder, "SELECT sha256 FROM results ORDER BY probability DESC")[0][0])


def history(folder: Path) -> list[tuple[object, ...]]:
    return ask(folder, "SELECT reader, verdict, findings, note FROM verdicts ORDER BY id")


def test_a_verdict_is_withdrawn_by_its_reader_and_stays_in_the_store(browser: Browser, folder: Path) -> None:
    address = f"/film/{key_of(folder)}/verdict"
    browser.post(address, SAID)
    (told,) = browser.post(address, {**WITHDRAWN, "findings": ["tb"], "note": "by error"}).json["verdicts"]
    assert (told["verdict"], told["findings"], told["note"], told["isMine"]) == ("withdrawn", [], "", True)
    assert history(folder) == [("ann", "abnormal", "tb", "left apex"), ("ann", "withdrawn", "", "")]
    about = [about for (about,) in ask(folder, "SELECT about FROM audit WHERE act = 'said' ORDER BY id")]
    assert [str(each).partition(" ")[2] for each in about] == ["reading abnormal", "reading withdrawn"]


def test_who_has_said_nothing_withdraws_nothing_of_another_reader(browser: Browser, folder: Path) -> None:
    address = f"/film/{key_of(folder)}/verdict"
    browser.post(address, SAID)
    browser.log_in("ben")
    (told,) = browser.post(address, WITHDRAWN).json["verdicts"]
    assert (told["reader"], told["verdict"]) == ("ann", "abnormal")
    browser.log_in("ann")
    for _ in range(2):  # a second time says the same
        assert browser.post(address, WITHDRAWN).json["verdicts"][0]["verdict"] == "withdrawn"
    assert [row[:2] for row in history(folder)] == [("ann", "abnormal"), ("ann", "withdrawn")]
    browser.log_in("guest")
    assert browser.post(address, WITHDRAWN).status == 403


def test_to_withdraw_where_nothing_was_said_shows_no_hidden_score(browser: Browser, folder: Path) -> None:
    address, hidden = f"/film/{key_of(folder)}", "?blinded=1"
    assert browser.post(f"{address}/verdict{hidden}", WITHDRAWN).json["verdicts"] == []
    assert browser.get(f"{address}{hidden}").json["isHidden"]
    assert (history(folder), ask(folder, "SELECT count(*) FROM seen")) == ([], [(0,)])
    assert browser.post(f"{address}/verdict{hidden}", SAID).json["verdicts"][0]["isBlinded"]
    browser.post(f"{address}/verdict{hidden}", WITHDRAWN)
    again = browser.post(f"{address}/verdict{hidden}", SAID).json["verdicts"][0]
    assert not again["isBlinded"]  # by then the score was known


@needs_chromium
def test_a_reader_withdraws_by_key_and_by_button_and_another_sees_it(folder: Path) -> None:
    with served(folder) as room, launched() as browser:
        page = logged_in(browser, f"http://127.0.0.1:{room.port}/", "ann")
        assert page.is_hidden(".vb-back")
        page.keyboard.press("Delete")  # there is nothing to withdraw
        page.keyboard.press("1")
        page.keyboard.press("c")
        page.keyboard.type("left apexx")
        page.keyboard.press("Delete")  # in a note it takes a letter
        page.keyboard.press("Enter")
        page.wait_for_selector(".vb-state:text-is('Kept')")
        page.wait_for_selector(".said.abnormal")
        page.keyboard.press("Delete")
        page.wait_for_selector(".vb-state:text-is('verdict withdrawn')")
        page.wait_for_selector(".said.abnormal", state="detached")
        assert (page.input_value(".vb-note"), page.is_hidden(".vb-back")) == ("", True)
        assert not is_pressed(page, "abnormal")
        page.reload()
        page.wait_for_selector(".vb-state:text-is('verdict withdrawn')")
        page.wait_for_selector("body[data-shown]")
        other = logged_in(browser, f"http://127.0.0.1:{room.port}/?read=mine&film={shown(page)}", "ben")
        other.wait_for_selector(".vb-others:has-text('ann: verdict withdrawn')")
        page.keyboard.press("2")  # it would be kept after a moment
        page.click(".vb-back")
        page.wait_for_selector(".vb-state:text-is('verdict withdrawn')")
        page.keyboard.press("n")
        page.wait_for_selector(".vb-state:text-is('Kept')")
        next_film(page)
    verdicts = [row[:2] for row in history(folder)]
    assert verdicts == [("ann", "abnormal"), ("ann", "withdrawn"), ("ann", "normal")]
