"""The catalogues have every sentence of the program, and say nothing that it does not."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from test_layers import ROOT

pytest.importorskip("babel", reason="Babel is not installed: no catalogue can be compared")
from babel.messages.pofile import read_po

from cxr_cli.help_language import asked_language, translate_help
from cxr_cli.lab.sentences import CALIBRATION, RUNTIME, STORED, stored_sentences
from cxr_cli.lab.words import CATALOGUES, FILE, TEMPLATE, as_mo, as_po, gathered

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

FOLDER = ROOT / CATALOGUES
NAMES = ("ar", "es", "fr", "pt")
PLACES = re.compile(r"\{\w*\}")


@cache
def program() -> "Catalog":
    return gathered(ROOT)


@cache
def catalogue(name: str) -> "Catalog":
    with (FOLDER / name / f"{FILE}.po").open("rb") as file:
        return read_po(file, locale=name)


def messages(name: str) -> "list[Message]":
    return [message for message in catalogue(name) if message.id]


def forms(message: "Message") -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [str(message.string)]


def test_the_template_is_what_the_program_says() -> None:
    written = (FOLDER / TEMPLATE).read_bytes()
    assert written == as_po(program()), "run `cxr-triage lab words`"


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_is_missing_in_a_language(name: str) -> None:
    said = {message.id for message in program() if message.id}
    assert {message.id for message in messages(name)} == said
    assert [message.id for message in messages(name) if not all(forms(message))] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_that_the_program_reads_is_that_of_the_translators(name: str) -> None:
    assert (FOLDER / name / f"{FILE}.mo").read_bytes() == as_mo(catalogue(name)), "run `cxr-triage lab words`"


@pytest.mark.parametrize("name", NAMES)
def test_a_translation_fills_in_what_the_english_sentence_does(name: str) -> None:
    wrong = []
    for message in messages(name):
        english = message.id if isinstance(message.id, str) else message.id[1]
        for told in forms(message):
            is_of_one = isinstance(message.id, tuple) and "{count}" not in told
            expected = set(PLACES.findall(english)) - ({"{count}"} if is_of_one else set())
            if set(PLACES.findall(told)) != expected:
                wrong.append((english, told))
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_names_of_options_and_commands_stay_as_they_are_typed(name: str) -> None:
    typed = re.compile(r"--[a-z][\w-]*|`[^`]+`")
    for message in messages(name):
        english = message.id if isinstance(message.id, str) else message.id[1]
        for told in forms(message):
            assert sorted(typed.findall(told)) == sorted(typed.findall(english)), told


def test_no_sentence_hides_in_an_f_string_where_babel_does_not_look() -> None:
    hidden = [
        (file.name, inner.lineno)
        for package in (RUNTIME, CALIBRATION)
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Name)
        and inner.func.id in ("_", "plural")
    ]
    assert hidden == []


def test_reasons_of_the_gate_and_of_every_reader_are_among_the_sentences() -> None:
    files = {file for _, file in stored_sentences(ROOT / RUNTIME, STORED[RUNTIME])}
    assert {"gate/reasons.py", "gate/visibility.py", "reading/png.py", "reading/dicom/pixels.py"} <= files


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (["scan", "--language", "fr", "--help"], "fr"),
        (["--language=es"], "es"),
        (["scan", "x"], None),
        (["scan", "--language"], None),
    ],
)
def test_help_is_in_the_language_that_is_asked_for(typed: list[str], name: str | None) -> None:
    assert asked_language(typed) == name


def test_the_environment_sets_the_language_of_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_LANGUAGE", "pt")
    assert asked_language(["scan", "--help"]) == "pt"


def test_a_commands_help_and_its_options_are_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    import gettext

    import typer

    from cxr_cli.commands import app

    monkeypatch.setattr(gettext, "bindtextdomain", lambda *_: None)  # Typer's own words stay as they are
    monkeypatch.setattr(gettext, "textdomain", lambda *_: None)
    monkeypatch.setenv("LANGUAGE", "")
    command: Any = typer.main.get_command(app)
    translate_help(command, "fr")
    scan = command.commands["scan"]
    assert scan.help.startswith("Classer les clichés")
    told = {parameter.name: parameter.help for parameter in scan.params}
    assert told["colours"].startswith("Couleurs de la carte de chaleur")
    assert command.commands["tally"].help.startswith("Compter par mois")
    assert command.commands["settings"].help.startswith("Afficher chaque réglage")


def test_each_language_has_a_folder_as_gettext_wants_it() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) == sorted(NAMES)
    assert all((FOLDER / name / Path(FILE).parent).is_dir() for name in NAMES)
