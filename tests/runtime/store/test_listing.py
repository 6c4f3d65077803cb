"""The list of a store's films: the same films as in its reports, searched, narrowed and sorted."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import Order, Query, Read, Show, counts, listed, one
from cxr_runtime.store.store import Store
from cxr_runtime.store.verdicts import Said, Source, Verdict
from drawn_stores import Drawn, change, write_store

FILMS = [
    Drawn("low.png", 0.1, finished="2026-01-01T08:00:00+00:00"),
    Drawn("high.png", 0.9, finished="2026-01-02T08:00:00+00:00"),
    Drawn("middle.png", 0.6, finished="2026-01-03T08:00:00+00:00"),
    Drawn("gone.png", None),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(write_store(tmp_path, FILMS)) as opened:
        yield opened


def names(desk: Desk, query: Query | None = None, reader: str = "ann") -> list[str]:
    return [film.outcome.file.partition(".")[0] for film in listed(desk, query or Query(), reader, "full")]


def say(desk: Desk, film: str, reader: str, verdict: Verdict, source: Source = Source.READING) -> None:
    (found,) = listed(desk, Query(text=film), reader, "full")
    with desk.acting(reader, Act.SAID) as now:
        desk.verdicts.add(Said(found.key, reader, now, verdict, source=source))


def test_the_most_suspicious_film_comes_first_and_what_has_no_score_last(desk: Desk) -> None:
    assert names(desk) == ["high", "middle", "low", "gone"]


def test_films_of_equal_scores_stand_as_they_were_listed_whichever_was_done_first(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn(f"{number}.png", 0.5) for number in range(3)])
    change(folder, "UPDATE places SET position = 10 - position")
    with Desk.open(folder) as desk, Store.open(folder) as store:
        in_reports = [outcome.file.partition(".")[0] for outcome, _ in store.pictured(store.reported())]
        assert names(desk) == in_reports == ["2", "1", "0"]


def test_a_page_holds_one_more_film_where_there_is_another_page(desk: Desk) -> None:
    pages = [listed(desk, Query(page=page), "ann", "full", most=2) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [3, 2, 0]


@pytest.mark.parametrize(
    ("query", "films"),
    [
        (Query(show=Show.NOT_FLAGGED), ["low"]),
        (Query(show=Show.UNSCORED), ["gone"]),
        (Query(text="HIGH"), ["high"]),
        (Query(text="%"), []),
        (Query(text="o"), ["low", "gone"]),
        (Query(order=Order.NAME), ["gone", "high", "low", "middle"]),
        (Query(order=Order.OLDEST), ["low", "high", "middle", "gone"]),
        (Query(since=date(2026, 1, 2), until=date(2026, 1, 2)), ["high", "gone"]),
    ],
)
def test_a_list_is_narrowed_and_sorted(desk: Desk, query: Query, films: list[str]) -> None:
    assert names(desk, query) == films


def test_films_of_merged_stores_are_listed_by_their_times_over_all_pages(tmp_path: Path) -> None:
    one = [Drawn(f"{day}.png", finished=f"2026-03-{day:02}T08:00:00+00:00") for day in (5, 7, 9)]
    two = [  # two hours ahead of the others: the last one came an hour before theirs
        Drawn("4.png", finished="2026-03-04T09:00:00+02:00"),
        Drawn("6.png", finished="2026-03-06T09:00:00+02:00"),
        Drawn("8.png", finished="2026-03-09T09:00:00+02:00"),
    ]
    folder = write_store(tmp_path, one, two)
    change(folder, "UPDATE runs SET origin = 'another' WHERE id = 2")
    with Desk.open(folder) as desk:
        assert names(desk, Query(order=Order.OLDEST)) == ["4", "5", "6", "7", "8", "9"]
        pages = [listed(desk, Query(order=Order.NEWEST, page=page), "", "", most=2) for page in (1, 2, 3)]
        assert [film.outcome.file for page in pages for film in page[:2]] == [
            f"{day}.png" for day in (9, 8, 7, 6, 5, 4)
        ]
        assert names(desk, Query(order=Order.OLDEST, since=date(2026, 3, 7), text="9")) == ["9"]


def test_a_patient_is_found_where_patients_are_kept(desk: Desk, tmp_path: Path) -> None:
    key = listed(desk, Query(text="middle"), "ann", "full")[0].key
    change(tmp_path, f"INSERT INTO identities (sha256, kind, name, patient, accession)"
           f" VALUES ('{key}', 'full', 'DOE^JANE', 'P7', 'A9')")  # fmt: skip
    for text in ("doe^j", "p7", "a9"):
        assert names(desk, Query(text=text)) == ["middle"]
    assert listed(desk, Query(text="doe"), "ann", "none") == []


def test_films_are_found_by_what_was_said_last_of_them(desk: Desk) -> None:
    say(desk, "high", "ann", Verdict.NORMAL)
    say(desk, "high", "ann", Verdict.ABNORMAL)
    say(desk, "low", "ben", Verdict.NORMAL)
    say(desk, "low", "ann", Verdict.ABNORMAL)
    say(desk, "middle", "lab", Verdict.ABNORMAL, Source.SPUTUM)
    found = {read: set(names(desk, Query(read=read))) for read in Read}
    assert found == {
        Read.ANY: {"high", "middle", "low", "gone"},
        Read.UNREAD: {"middle", "gone"},
        Read.MINE: {"middle", "gone"},
        Read.NORMAL: {"low"},
        Read.ABNORMAL: {"high", "low"},
        Read.CANNOT_TELL: set(),
        Read.DISPUTED: {"low"},
        Read.TESTED: {"middle"},
    }
    assert set(names(desk, Query(read=Read.MINE), "ben")) == {"high", "middle", "gone"}


def test_a_film_whose_verdict_was_withdrawn_is_not_read(desk: Desk) -> None:
    say(desk, "high", "ann", Verdict.NORMAL)
    say(desk, "high", "ben", Verdict.ABNORMAL)
    say(desk, "low", "ann", Verdict.CANNOT_TELL)
    for film, source in (("middle", Source.SPUTUM), ("gone", Source.CT)):
        say(desk, film, "lab", Verdict.ABNORMAL, source)
        say(desk, film, "lab", Verdict.NORMAL, Source.GENEXPERT)
    for film in ("high", "low"):
        say(desk, film, "ann", Verdict.WITHDRAWN)
    say(desk, "middle", "eve", Verdict.WITHDRAWN, Source.SPUTUM)
    for source in (Source.CT, Source.GENEXPERT):
        say(desk, "gone", "eve", Verdict.WITHDRAWN, source)
    found = {read: set(names(desk, Query(read=read))) for read in Read if read is not Read.ANY}
    assert found == {
        Read.UNREAD: {"low", "middle", "gone"},
        Read.MINE: {"high", "low", "middle", "gone"},
        Read.NORMAL: set(),
        Read.ABNORMAL: {"high"},
        Read.CANNOT_TELL: set(),
        Read.DISPUTED: set(),
        Read.TESTED: {"middle"},
    }
    assert set(names(desk, Query(read=Read.MINE), "ben")) == {"low", "middle", "gone"}


def test_a_film_that_came_again_is_listed_once_as_its_reports_list_it(tmp_path: Path) -> None:
    nights = (
        [Drawn("a.png", 0.8, film="x"), Drawn("b.png", None), Drawn("c.png", None)],
        [Drawn("moved/a.png", 0.8, film="x"), Drawn("b.png", 0.4), Drawn("c.png", None)],
    )
    with Desk.open(write_store(tmp_path, *nights)) as desk:
        expected = sorted(row.file for row in desk.outcomes(None))
        assert sorted(film.outcome.file for film in listed(desk, Query(), "ann", "full")) == expected
        assert expected == ["b.png", "c.png", "moved/a.png"]


def test_a_film_is_found_by_its_key_and_nothing_else_is(desk: Desk) -> None:
    for film in listed(desk, Query(), "ann", "full"):
        assert one(desk, film.key) == film
    for key in ("", "n", "n99", "nx", "n1", "x" * 64, "../../etc/passwd", "n" + "9" * 30, "' OR 1 --"):
        assert one(desk, key) is None


def test_films_are_counted_by_kind(desk: Desk) -> None:
    found = counts(desk)
    assert (found.flagged, found.not_flagged, found.unscored, found.all) == (2, 1, 1, 4)


def test_films_are_counted_again_once_another_connection_has_written(desk: Desk) -> None:
    before = counts(desk)
    assert counts(desk) == before
    change(Path(desk.name).parent, "UPDATE results SET triage = 'flagged' WHERE triage = 'not_flagged'")
    found = counts(desk)
    assert (found.flagged, found.not_flagged) == (before.flagged + 1, 0)
