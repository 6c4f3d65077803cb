"""What readers and laboratories say of films: the last word holds, and nothing is ever lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.store import Store
from cxr_runtime.store.verdicts import Finding, Said, Source, Verdict, standing
from drawn_stores import Drawn, ask, change, write_store

FILM = "ab" * 32
NORMAL, ABNORMAL, UNSURE = Verdict.NORMAL, Verdict.ABNORMAL, Verdict.CANNOT_TELL
WITHDRAWN = Verdict.WITHDRAWN


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(write_store(tmp_path, [Drawn("a.png"), Drawn("b.png")])) as desk:
        yield desk


def say(desk: Desk, reader: str, verdict: Verdict, source: Source = Source.READING, film: str = FILM) -> None:
    with desk.acting(reader, Act.SAID, film) as now:
        desk.verdicts.add(Said(film, reader, now, verdict, source=source))


def said(reader: str, verdict: Verdict, source: Source = Source.READING) -> Said:
    return Said(FILM, reader, "2026-01-01T00:00:00+00:00", verdict, source=source)


def test_a_verdict_comes_back_as_it_was_given(desk: Desk) -> None:
    findings = (Finding.TB, Finding.DEVICE)
    with desk.acting("ann", Act.SAID, FILM) as now:
        given = Said(FILM, "ann", now, ABNORMAL, findings, "left apex; see 2024", Source.READING, True)
        desk.verdicts.add(given)
    assert desk.verdicts.of(FILM) == [given]


def test_the_last_word_of_a_reader_holds_and_the_earlier_ones_stay(desk: Desk) -> None:
    for verdict in (NORMAL, UNSURE, ABNORMAL):
        say(desk, "ann", verdict)
    (film, holds), *others = desk.verdicts.every()
    assert (film, [one.verdict for one in holds.standing], others) == (FILM, [ABNORMAL], [])
    assert [one.verdict for one in desk.verdicts.of(FILM)] == [NORMAL, UNSURE, ABNORMAL]


def test_a_verdict_that_was_withdrawn_holds_no_more_and_stays_as_history(desk: Desk) -> None:
    for reader, verdict in (("ann", ABNORMAL), ("ben", NORMAL), ("ann", WITHDRAWN)):
        say(desk, reader, verdict)
    holds = standing(desk.verdicts.of(FILM))
    assert [(one.reader, one.verdict) for one in holds.standing] == [("ben", NORMAL)]
    assert [(one.reader, one.verdict) for one in holds.withdrawn] == [("ann", WITHDRAWN)]
    assert (holds.is_disputed, holds.is_abnormal) == (False, False)
    assert [one.verdict for one in desk.verdicts.of(FILM)] == [ABNORMAL, NORMAL, WITHDRAWN]
    say(desk, "ann", ABNORMAL)
    assert standing(desk.verdicts.of(FILM)).is_disputed


def test_a_film_of_which_all_was_withdrawn_is_one_of_which_nothing_was_said(desk: Desk) -> None:
    for verdict in (ABNORMAL, WITHDRAWN):
        say(desk, "ann", verdict)
        say(desk, "lab", verdict, Source.SPUTUM)
    assert (list(desk.verdicts.every()), desk.verdicts.first_readings()) == ([], {})


def test_the_first_reading_is_one_that_was_not_withdrawn(desk: Desk) -> None:
    hours = ((8, "ann", NORMAL), (9, "ann", WITHDRAWN), (10, "ben", NORMAL), (11, "ann", NORMAL))
    with desk.acting("ann", Act.SAID):
        for hour, reader, verdict in hours:
            desk.verdicts.add(Said(FILM, reader, f"2026-01-01T{hour:02}:00:00+00:00", verdict))
    assert desk.verdicts.first_readings() == {FILM: "2026-01-01T10:00:00+00:00"}


def test_a_result_that_an_early_store_withdrew_by_its_note_is_withdrawn(desk: Desk) -> None:
    with desk.acting("lab", Act.SAID) as now:
        desk.verdicts.add(Said(FILM, "lab", now, UNSURE, note="withdrawn", source=Source.CT))
        desk.verdicts.add(Said(FILM, "ann", now, UNSURE, note="withdrawn"))  # a reader may write so
    holds = standing(desk.verdicts.of(FILM))
    assert [(one.reader, one.verdict) for one in holds.standing] == [("ann", UNSURE)]
    assert [(one.source, one.verdict, one.is_ours) for one in holds.withdrawn] == [
        (Source.CT, WITHDRAWN, True)
    ]


def test_two_readers_who_disagree_are_seen_and_the_film_has_no_truth() -> None:
    film = standing([said("ann", NORMAL), said("ben", ABNORMAL)])
    assert film.is_disputed
    assert film.is_abnormal is None
    agreed = standing([*film.standing, said("ann", ABNORMAL)])
    assert (agreed.is_disputed, agreed.is_abnormal) == (False, True)


@pytest.mark.parametrize(
    ("tests", "truth", "confirmed"),
    [
        ([(Source.SPUTUM, ABNORMAL)], True, True),
        ([(Source.GENEXPERT, NORMAL)], False, False),  # no tuberculosis: the reader's word counts
        ([(Source.CT, NORMAL)], False, False),
        ([(Source.CT, NORMAL), (Source.SPUTUM, ABNORMAL)], True, True),
        ([(Source.SPUTUM, ABNORMAL), (Source.SPUTUM, NORMAL)], False, False),  # the last result holds
        ([(Source.CT, UNSURE)], False, None),
    ],
)
def test_a_test_stands_above_a_reader_where_it_says_what_the_film_is(
    tests: list[tuple[Source, Verdict]], truth: bool, confirmed: bool | None
) -> None:
    film = standing([said("ann", NORMAL), *(said("lab", verdict, source) for source, verdict in tests)])
    assert (film.is_abnormal, film.is_confirmed) == (truth, confirmed)


def test_a_reader_who_cannot_tell_decides_nothing() -> None:
    assert standing([said("ann", UNSURE)]).is_abnormal is None
    assert standing([said("ann", UNSURE), said("ben", NORMAL)]).is_abnormal is False


def test_a_verdict_that_somebody_changed_is_known_as_changed(desk: Desk, tmp_path: Path) -> None:
    say(desk, "ann", NORMAL)
    change(tmp_path, "UPDATE verdicts SET verdict = 'abnormal'")
    assert [one.is_ours for one in desk.verdicts.of(FILM)] == [False]


def test_a_verdict_that_is_none_is_refused_in_one_line(desk: Desk, tmp_path: Path) -> None:
    say(desk, "ann", NORMAL)
    change(tmp_path, "UPDATE verdicts SET verdict = 'maybe\n'")
    with pytest.raises(StoreError, match="damaged or was changed") as refused:
        desk.verdicts.of(FILM)
    assert "\n" not in str(refused.value)


def test_verdicts_are_written_while_a_scan_has_the_store_and_are_seen_by_who_only_reads(
    desk: Desk, tmp_path: Path
) -> None:
    with Desk.open(tmp_path, writes=False) as other:
        before = other.version()
        say(desk, "ann", ABNORMAL)
        assert other.version() != before
        assert [one.reader for one in other.verdicts.of(FILM)] == ["ann"]
        with pytest.raises(StoreError):
            say(other, "ann", NORMAL)
    with Store.open(tmp_path) as store:
        assert [row.file for row in store.outcomes(None)] == ["a.png", "b.png"]


def test_an_act_that_fails_leaves_neither_its_verdict_nor_its_line(desk: Desk, tmp_path: Path) -> None:
    def fail() -> None:
        with desk.acting("ann", Act.SAID, FILM) as now:
            desk.verdicts.add(Said(FILM, "ann", now, NORMAL))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert ask(tmp_path, "SELECT count(*) FROM verdicts UNION ALL SELECT count(*) FROM audit") == [(0,), (0,)]


def test_who_has_opened_a_film_is_kept_with_the_first_time(desk: Desk) -> None:
    for reader in ("ann", "ben", "ann"):
        desk.opened(reader, FILM)
    assert [reader for reader, _ in desk.seen_by(FILM)] == ["ann", "ben"]
    assert [entry.act for entry in desk.audit.latest(9)] == ["opened"] * 3
