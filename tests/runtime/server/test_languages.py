"""Pages of the server speak the language of the room; what programs read does not."""

import json
from pathlib import Path

import pytest

from drawn_stores import Drawn, write_store
from served_rooms import Browser, first_event, served


@pytest.mark.parametrize(
    ("name", "direction", "word"), [("ar", "rtl", "قائمة العمل"), ("fr", "ltr", "Liste de travail")]
)
def test_every_page_speaks_the_language_of_the_room(
    name: str, direction: str, word: str, tmp_path: Path
) -> None:
    folder = write_store(tmp_path / "out", [Drawn("a.png", 0.9), Drawn("b.png", None)])
    with served(folder, language=name) as browser:
        for address in ("/", "/tally", "/accounts", "/audit"):
            page = browser.get(address).text
            assert f'<html lang="{name}" dir="{direction}">' in page
            assert word in page


def test_words_of_scripts_and_of_a_film_are_translated_and_its_verdicts_are_not(tmp_path: Path) -> None:
    folder = write_store(tmp_path / "out", [Drawn("a.png", 0.9)])
    with served(folder, language="fr") as browser:
        page = browser.get("/").text
        assert "Le serveur ne répond pas" in page
        assert "The server does not answer" not in page
        key = page.partition('data-key="')[2].partition('"')[0]
        told = browser.get(f"/film/{key}").json
        assert told["resultWord"] == "Signalé"
        assert told["score"] == "90,00"
        assert told["result"] == "flagged"
        table = browser.get("/export/results.csv").text
    assert table.startswith("file,sha256,status")
    assert ",90.00," in table


def test_a_refusal_is_said_in_the_language_too(tmp_path: Path) -> None:
    folder = write_store(tmp_path / "out", [Drawn("a.png", 0.9)])
    with served(folder, language="es") as browser:
        assert "No existe esa placa" in browser.get(f"/film/{'0' * 64}").text


@pytest.mark.parametrize(
    ("name", "films", "words"),
    [
        ("en", 1, "1 film"),
        ("en", 2, "2 films"),
        ("fr", 1, "1 cliché"),
        ("es", 2, "2 placas"),
        ("pt", 1, "1 radiografia"),
        ("ar", 2, "صورتان"),
    ],
)
def test_one_film_and_several_are_counted_as_the_language_does(
    name: str, films: int, words: str, tmp_path: Path
) -> None:
    folder = write_store(tmp_path / "out", [Drawn(f"{number}.png", 0.9) for number in range(films)])
    with served(folder, language=name) as browser:
        assert told_words(browser.load()) == words
        assert ("Films 1 to 1" in browser.get("/rows").text) is False
        assert ("Film 1<" in browser.get("/rows").text) is ((name, films) == ("en", 1))


def test_a_film_that_came_whole_at_the_second_time_is_counted_once(tmp_path: Path) -> None:
    folder = write_store(tmp_path / "out", [Drawn("a.png", None)], [Drawn("a.png", 0.9), Drawn("b.png", 0.1)])
    with served(folder) as browser:
        assert told_words(browser.load()) == "2 films"
        assert browser.get("/counts").json["all"] == 2


def told_words(browser: Browser) -> str:
    data = first_event(browser).partition(b"\ndata: ")[2].partition(b"\n")[0]
    return str(json.loads(data)["words"])


def test_the_day_of_a_film_is_written_as_in_the_language_of_the_room(tmp_path: Path) -> None:
    folder = write_store(tmp_path / "out", [Drawn("a.png", 0.9)])
    with served(folder, language="es") as browser:
        page = browser.get("/").text
    assert "<small><bdi>02/01/2026</bdi></small>" in page
