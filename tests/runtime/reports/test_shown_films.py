"""The list and the pages show the same films, and what both show is read once."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.files import ReportFormat
from cxr_runtime.presentation import Presentation
from cxr_runtime.reports.again import ReportOptions, report_again
from cxr_runtime.reports.shown_films import Ranked, ShownFilms
from cxr_runtime.store.checks import picture_of
from cxr_runtime.store.store import Store
from drawn_exhibits import RUN
from drawn_stores import Drawn, write_store

NIGHT = [
    *(Drawn(f"{name}.png", probability) for name, probability in (("a", 0.6), ("b", 0.9), ("c", 0.1))),
    Drawn("d.png", None),
    Drawn("e.png", 0.7),
]


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The films whose pictures are read."""
    read = list[str]()

    def noted(file: str, row: tuple[Any, ...]) -> object:
        if row[0] is not None:
            read.append(file)
        return picture_of(file, row)

    monkeypatch.setattr("cxr_runtime.store.store.picture_of", noted)
    return read


def names(films: ShownFilms) -> list[tuple[int, str]]:
    return [(rank, exhibit.outcome.file) for rank, exhibit in films.with_a_page()]


def test_films_with_a_page_are_read_once_for_list_and_page(tmp_path: Path, pictures: list[str]) -> None:
    with Store.open(write_store(tmp_path, NIGHT)) as store:
        films = ShownFilms(store, 1, RUN, len(NIGHT))
        listed = [film.outcome.file for film in islice(films.every(), len(NIGHT))]
        assert listed == ["b.png", "e.png", "a.png", "c.png", "d.png"]
        assert names(films) == names(films) == [(1, "b.png"), (2, "e.png"), (3, "a.png")]
    assert pictures == ["b.png", "e.png", "a.png", "c.png"]


def test_reports_of_a_store_read_each_picture_once(tmp_path: Path, pictures: list[str]) -> None:
    folder = write_store(tmp_path / "night", NIGHT)
    report_again(folder, ReportOptions(frozenset([ReportFormat.HTML, ReportFormat.PDF])))
    assert pictures == ["b.png", "e.png", "a.png", "c.png"]
    assert (folder / "report.pdf").is_file()


def test_pages_alone_read_no_picture_of_another_film(tmp_path: Path, pictures: list[str]) -> None:
    with Store.open(write_store(tmp_path, NIGHT)) as store:
        assert names(ShownFilms(store, 1, RUN)) == [(1, "b.png"), (2, "e.png"), (3, "a.png")]
    assert pictures == ["b.png", "e.png", "a.png"]


def unread(_films: ShownFilms) -> None:
    """The list is not written."""


def begun(films: ShownFilms) -> None:
    """The list has no room for all films, or could not be written to its end."""
    list(islice(films.every(), 2))


def whole(films: ShownFilms) -> None:
    list(islice(films.every(), len(NIGHT)))


@pytest.mark.parametrize("read", [unread, begun, whole])
@pytest.mark.parametrize("most", [2, None])
def test_the_pages_show_the_same_whatever_the_list_has_read(
    read: Callable[[ShownFilms], None], most: int | None, tmp_path: Path
) -> None:
    run = replace(RUN, presentation=Presentation(pdf_pages=most))
    with Store.open(write_store(tmp_path, NIGHT)) as store:
        films = ShownFilms(store, 1, run, len(NIGHT))
        read(films)
        shown: list[Ranked] = list(islice(films.with_a_page(), most))
    assert [rank for rank, _ in shown] == [1, 2, 3][:most]
    assert all(exhibit.picture is not None for _, exhibit in shown)
