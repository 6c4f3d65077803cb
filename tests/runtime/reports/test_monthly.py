"""The tally of the months: what a program reads, and what a page shows."""

from pathlib import Path

from cxr_runtime.language import language, speaking
from cxr_runtime.reports.monthly import Month, months, tally_csv
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.verdicts import Said, Verdict
from drawn_stores import Drawn, write_store

NOVEMBER = Month("2026-11", 1204, 3, 2, 1, 0, 1.5)


def test_a_page_writes_the_figures_of_a_month_as_its_language_does() -> None:
    with speaking(language("es")):
        assert NOVEMBER.shown == ("2026-11", "1.204", "3", "2", "1", "0", "1,5")


def test_the_table_for_programs_is_the_same_in_every_language() -> None:
    with speaking(language("es")):
        assert tally_csv([NOVEMBER]).splitlines()[1] == '"2026-11",1204,3,2,1,0,"1.5"'


def say(folder: Path, file: str, time: str) -> None:
    with Desk.open(folder) as desk:
        (sha256,) = {outcome.sha256 for outcome in desk.outcomes(None) if outcome.file == file}
        with desk.acting("ann", Act.SAID, sha256):
            desk.verdicts.add(Said(sha256, "ann", time, Verdict.ABNORMAL))


def test_a_film_that_is_scored_again_stays_in_its_month_with_its_wait(tmp_path: Path) -> None:
    write_store(tmp_path, [Drawn("a.png", 0.1, finished="2026-01-31T23:00:00+00:00", fingerprint="old")])
    say(tmp_path, "a.png", "2026-02-01T02:00:00+00:00")
    assert [month.row for month in months_of(tmp_path)] == [("2026-01", 1, 0, 1, 1, 0, "3.0")]
    write_store(tmp_path, [Drawn("a.png", 0.9, finished="2026-12-01T00:00:00+00:00", fingerprint="new")])
    assert [month.row for month in months_of(tmp_path)] == [("2026-01", 1, 1, 1, 1, 0, "3.0")]


def test_what_was_said_before_the_score_is_no_wait(tmp_path: Path) -> None:
    write_store(tmp_path, [Drawn(name, finished="2026-03-02T00:00:00+00:00") for name in ("a.png", "b.png")])
    say(tmp_path, "a.png", "2026-03-01T00:00:00+00:00")
    assert [month.row for month in months_of(tmp_path)] == [("2026-03", 2, 2, 1, 1, 0, "")]
    say(tmp_path, "b.png", "2026-03-02T05:00:00+00:00")
    assert [month.row for month in months_of(tmp_path)] == [("2026-03", 2, 2, 2, 2, 0, "5.0")]


def months_of(folder: Path) -> list[Month]:
    with Desk.to_read(folder) as desk:
        return months(desk)
