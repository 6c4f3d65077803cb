"""Pages speak a language; what its catalogue lacks stays English."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.language import (
    ENGLISH,
    _,
    counted,
    day,
    language,
    language_or_english,
    languages,
    number,
    percent,
    plural,
    speaking,
    spoken,
)

BUNDLED = ("ar", "es", "fr", "pt")
WHEN = datetime(2026, 3, 4, 21, 40, tzinfo=UTC)


def own_catalogue(path: Path, entries: dict[str, str]) -> Path:
    """A catalogue as `msgfmt` makes it."""
    catalog = pytest.importorskip("babel.messages.catalog").Catalog(locale="sw")
    for english, told in entries.items():
        catalog.add(english, told)
    from babel.messages.mofile import write_mo

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return path


def test_four_languages_came_with_the_program() -> None:
    assert {"en", *BUNDLED} <= set(languages())


def test_a_sentence_is_english_unless_another_language_is_spoken() -> None:
    assert _("Worklist") == "Worklist"
    with speaking(language("fr")):
        assert _("Worklist") == "Liste de travail"
        assert spoken().code == "fr"
    assert spoken() == ENGLISH


def test_a_region_without_a_catalogue_of_its_own_has_its_languages() -> None:
    found = language("es-PE")
    with speaking(found):
        assert _("Worklist") == "Lista de trabajo"
    assert found.code == "es-PE"


@pytest.mark.parametrize(
    ("name", "written", "date"),
    [
        ("en", "1,234.50", "2026-03-04"),
        ("fr", "1\u202f234,50", "04/03/2026"),
        ("es", "1.234,50", "04/03/2026"),
        ("pt", "1.234,50", "04/03/2026"),
        ("ar", "1,234.50", "04/03/2026"),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(name: str, written: str, date: str) -> None:
    with speaking(language(name)):
        assert number(1234.5, 2) == written
        assert day(WHEN) == date


def test_per_cent_has_the_space_that_the_language_puts_there() -> None:
    assert percent(0.87) == "87%"
    with speaking(language("fr")):
        assert percent(0.87) == "87\u202f%"


def test_arabic_has_its_forms_for_one_two_and_a_few_and_is_written_from_right_to_left() -> None:
    assert language("ar").is_right_to_left
    assert not language("fr").is_right_to_left
    with speaking(language("ar")):
        forms = {plural("{count} film", "{count} films", count) for count in (1, 2, 5, 20)}
    assert len(forms) == 4


def test_what_a_catalogue_lacks_stays_english_and_so_does_what_it_says_wrongly(tmp_path: Path) -> None:
    file = own_catalogue(tmp_path / "sw.mo", {"Worklist": "Orodha", "page {page}": "ukurasa {ukurasa}"})
    with speaking(language(str(file))):
        assert _("Worklist") == "Orodha"
        assert _("Score") == "Score"
        assert _("page {page}", page=2) == "page 2"


@pytest.mark.parametrize(
    ("count", "thing", "words"),
    [(0, "film", "0 films"), (1, "film", "1 film"), (1204, "row", "1,204 rows")],
)
def test_a_log_counts_things_in_english(count: int, thing: str, words: str) -> None:
    assert counted(count, thing) == words
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(2, "entry", "entries") == "2 entries"


def test_a_catalogue_with_the_users_data_is_a_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path))
    own_catalogue(tmp_path / "languages" / "sw" / "LC_MESSAGES" / "cxr-triage.mo", {"Worklist": "Orodha"})
    assert "sw" in languages()
    with speaking(language("sw")):
        assert _("Worklist") == "Orodha"


def test_a_language_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no language xx; expected one of ar, en, es, fr, pt"):
        language("xx")
    assert language_or_english("xx") == ENGLISH


def test_a_damaged_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "xx.mo").write_bytes(b"no catalogue at all")
    with pytest.raises(UsageError, match="cannot be read"):
        language(str(tmp_path / "xx.mo"))


@pytest.mark.parametrize("name", ["../fr", "fr/../fr", ""])
def test_a_name_leads_out_of_no_folder(name: str) -> None:
    with pytest.raises(UsageError, match="there is no language"):
        language(name)
