"""Questions to a file system that does not answer, or whose answers are none."""

import os
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.sources import looking
from cxr_runtime.sources.answer import Ask, Question, packed
from cxr_runtime.sources.film_source import FilmSource, OutOfReach
from cxr_runtime.sources.find import Search, find_films
from cxr_runtime.sources.looking import Entries, Kind, Look, Members, Stamps, here

GONE = UnreadableFilmError("read-stalled", "nothing was heard of it")


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of films, zip file, link and folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    (folder / "ward").mkdir(parents=True)
    for name in ("a.png", "b.png", "ward/c.png"):
        (folder / name).write_bytes(name.encode())
    with zipfile.ZipFile(folder / "night.zip", "w") as archive:
        archive.writestr("d.png", b"d")
    (folder / "z.png").symlink_to("a.png")
    return folder


def unless(hangs: Callable[[Any], bool], answer: Callable[[Question], Iterable[bytes]] | None = None) -> Ask:
    """Asks here, but for questions that get no answer, or a false one."""

    def ask(question: Question) -> Iterator[bytes]:
        if not hangs(question):
            yield from here(question)
        elif answer is None:
            raise GONE
        else:
            yield from answer(question)

    return ask


def noting(asked: list[Question]) -> Ask:
    """Asks here, and notes what."""

    def ask(question: Question) -> Iterable[bytes]:
        asked.append(question)
        return here(question)

    return ask


def rows(sources: Iterable[FilmSource]) -> dict[str, str]:
    """By file, the code of a source that is out of reach."""
    return {one.file: one.failure.code if isinstance(one, OutOfReach) else "" for one in sources}


def found(ask: Ask, *inputs: str) -> dict[str, str]:
    return rows(find_films(inputs or ("films",), None, ask=ask).sources)


ALL = dict.fromkeys(
    ("films/a.png", "films/b.png", "films/night.zip!d.png", "films/ward/c.png", "films/z.png"), ""
)


def without(*lost: str, row: str) -> dict[str, str]:
    return {**{file: "" for file in ALL if file not in lost}, row: "read-stalled"}


@pytest.mark.parametrize(
    ("hangs", "expected"),
    [
        (lambda question: question == Entries("films/ward"), without("films/ward/c.png", row="films/ward")),
        (lambda question: isinstance(question, Members), without(*[*ALL][2:3], row="films/night.zip")),
        (lambda question: question == Look(("films/z.png",)), without("films/z.png", row="films/z.png")),
        (lambda question: question == Entries("films"), {"films": "read-stalled"}),
        (lambda question: isinstance(question, Stamps), ALL),
    ],
    ids=["folder", "zip file", "link", "INPUT", "state of files"],
)
def test_what_does_not_answer_is_a_row_and_the_others_are_found(
    hangs: Callable[[Any], bool], expected: dict[str, str], films: Path
) -> None:
    assert found(unless(hangs)) == expected


def test_films_whose_state_is_not_known_have_no_stamp_and_the_others_have(films: Path) -> None:
    ask = unless(lambda question: isinstance(question, Stamps) and question.folder == "films/ward")
    stamps = {source.file: source.stamp for source in find_films(["films"], None, ask=ask).sources}
    assert stamps.pop("films/ward/c.png") == ""
    assert all(stamps.values())


def test_of_inputs_the_one_that_does_not_answer_is_a_row(films: Path) -> None:
    ask = unless(lambda question: isinstance(question, Look) and "films/b.png" in question.names)
    typed = [f"films/{name}" for name in ("a.png", "b.png", "ward", "b.png")]
    assert found(ask, *typed) == {
        "films/a.png": "", "films/b.png": "read-stalled", "films/ward/c.png": "",
    }  # fmt: skip


def test_a_folder_that_does_not_answer_is_one_row_however_often_it_is_named(films: Path) -> None:
    ask = unless(lambda question: isinstance(question, Entries) and question.folder.endswith("ward"))
    assert [one.file for one in find_films(["films/ward", "films"], None, ask=ask).sources] == [
        "films/ward", "films/a.png", "films/b.png", "films/night.zip!d.png", "films/z.png",
    ]  # fmt: skip


HEADER = packed(1, 2, "/films", 0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"films", packed(1, 2, "/films", 0), packed("one", 2, "/films", 0, 0), packed(-1, 2, "/f", 0, 0),
        packed("1" * 21, 2, "/films", 0, 0), packed("\u0661", 2, "/films", 0, 0),
        HEADER + packed("a.png"), HEADER + packed("../secret", "f"), HEADER + packed("/etc/passwd", "f"),
        HEADER + packed("..", "d"), HEADER + packed("", "f"), HEADER + packed("a.png", "x"),
        HEADER + packed("a.png", "f") + b"more",
    ],
)  # fmt: skip
def test_a_folder_of_which_no_answer_comes_is_a_row(answer: bytes, films: Path) -> None:
    ask = unless(lambda question: isinstance(question, Entries), lambda _: [answer])
    assert found(ask)["films"] == "read-error"


@pytest.mark.parametrize(
    ("kind", "answer", "row"),
    [
        (Members, packed("1:2:3:4:5", "d.png", "0"), "films/night.zip"),
        (Members, packed("1:2:3:4:5", "d.png", "0", "-1"), "films/night.zip"),
        (Members, packed("of today", "d.png", "0", "1"), "films/night.zip"),
        (Look, packed(0, "films", "x", "/films", "/", ""), "films"),
        (Look, packed(1, "films", "d", "/films", "/", ""), "films"),
        (Look, packed(0, "films", "d", "/films", "/", "of today"), "films"),
    ],
)
def test_an_answer_that_is_none_is_a_row(kind: type, answer: bytes, row: str, films: Path) -> None:
    assert found(unless(lambda question: isinstance(question, kind), lambda _: [answer]))[row] == "read-error"


def test_stamps_that_are_none_are_not_taken(films: Path) -> None:
    ask = unless(lambda question: isinstance(question, Stamps), lambda _: [packed("a", "b")])
    assert {one.stamp for one in find_films(["films/ward"], None, ask=ask).sources} == {""}


def test_an_answer_without_end_is_given_up(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: Question) -> Iterator[bytes]:
        while True:
            yield bytes(1 << 20)

    assert found(unless(lambda question: isinstance(question, Entries), endless)) == {"films": "read-error"}


def test_a_folder_of_too_many_files_is_a_row(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MAX_ENTRIES", 4)
    assert found(here) == {"films": "too-large"}
    assert found(here, "films/ward") == {"films/ward/c.png": ""}


def test_films_are_given_while_other_folders_are_not_yet_listed(films: Path) -> None:
    asked: list[Question] = []
    given = Search(None, ask=noting(asked)).films(["films"])
    assert next(given).file == "films/a.png"
    assert Entries("films/ward") not in asked
    assert rows(given) == {file: "" for file in ALL if file != "films/a.png"}
    assert Entries("films/ward") in asked


def test_the_state_of_many_files_is_asked_for_at_once(films: Path) -> None:
    for number in range(600):
        (films / "ward" / f"{number}.png").touch()
    asked: list[Question] = []
    find_films(["films/ward"], None, ask=noting(asked))
    assert len(asked) == 5  # the INPUT, the folder, and three times 256 files at most


def test_of_a_large_folder_hardly_more_than_the_names_is_kept(films: Path) -> None:
    files = 5_000

    def large(_: Question) -> Iterator[bytes]:
        yield HEADER
        yield from (packed(f"film-{number:06d}.png", "f") for number in range(files))

    ask = unless(lambda question: not isinstance(question, Look), large)
    tracemalloc.start()
    try:
        assert sum(1 for _ in Search(None, ask=ask).films(["films"])) == files
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 150 * files  # bytes; a source alone has more


def test_kinds_are_told_apart(films: Path) -> None:
    listing = looking.listed(here, Entries("films"))
    assert dict(listing.entries) == {
        "a.png": Kind.FILE, "b.png": Kind.FILE, "night.zip": Kind.FILE, "ward": Kind.FOLDER,
        "z.png": Kind.LINK,
    }  # fmt: skip
    assert listing.identity == (films.stat().st_dev, films.stat().st_ino)
    assert listing.real == os.path.realpath(films)
