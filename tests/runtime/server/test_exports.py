"""What is taken out: tables that a spreadsheet and `calibrate` read, pages, and the tally of the months."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_calibration.labels.labels import read_labels
from cxr_runtime.reports.monthly import months
from cxr_runtime.store.accounts import Role
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.verdicts import Said, Source, Verdict
from drawn_stores import Drawn, ask, write_store
from served_rooms import Browser, add_account, served

FILMS = [
    Drawn("high.png", 0.9, finished="2026-01-02T08:00:00+00:00"),
    Drawn("=low.png", 0.1, finished="2026-01-03T08:00:00+00:00"),
    Drawn("middle.png", 0.6, finished="2026-02-01T08:00:00+00:00"),
    Drawn("gone.png", None),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_store(tmp_path / "out", FILMS)


@pytest.fixture
def browser(folder: Path) -> Iterator[Browser]:
    with served(folder) as found:
        yield found.load()


def say(folder: Path, film: str, verdict: Verdict, time: str, source: Source = Source.READING) -> None:
    with Desk.open(folder) as desk:
        digests = {row.file: row.sha256 for row in desk.outcomes(None)}
        with desk.acting("ann", Act.SAID):
            desk.verdicts.add(Said(digests[film], "ann", time, verdict, (), "=2+2", source))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_the_list_is_taken_out_as_it_is_narrowed(browser: Browser, folder: Path) -> None:
    answer = browser.get("/export/results.csv?show=flagged")
    assert [row["file"] for row in rows(answer.body)] == ["high.png", "middle.png"]
    assert answer.headers["content-disposition"] == 'attachment; filename="results.csv"'
    every = rows(browser.get("/export/results.csv").body)
    assert [row["file"] for row in every] == ["high.png", "middle.png", "'=low.png", "gone.png"]
    assert ask(folder, "SELECT DISTINCT act, about FROM audit WHERE act = 'exported'") == [
        ("exported", "results.csv")
    ]


def test_verdicts_are_taken_out_and_no_note_is_a_formula(browser: Browser, folder: Path) -> None:
    say(folder, "high.png", Verdict.ABNORMAL, "2026-01-02T09:00:00+00:00")
    (row,) = rows(browser.get("/export/verdicts.csv").body)
    assert (row["file"], row["verdict"], row["note"], row["made_here"]) == (
        "high.png",
        "abnormal",
        "'=2+2",
        "1",
    )


def test_labels_are_what_calibrate_reads(browser: Browser, folder: Path, tmp_path: Path) -> None:
    say(folder, "high.png", Verdict.ABNORMAL, "2026-01-02T09:00:00+00:00")
    say(folder, "=low.png", Verdict.NORMAL, "2026-01-02T09:00:00+00:00")
    say(folder, "middle.png", Verdict.CANNOT_TELL, "2026-01-02T09:00:00+00:00")
    (tmp_path / "labels.csv").write_bytes(browser.get("/export/labels.csv").body)
    assert sorted(label.abnormal for label in read_labels(tmp_path / "labels.csv")) == [False, True]


def test_pages_are_made_of_the_films_that_are_chosen(browser: Browser) -> None:
    whole, narrowed = browser.get("/export/report.pdf"), browser.get("/export/report.pdf?text=high")
    assert [answer.body.count(b"/Type /Page\n") for answer in (whole, narrowed)] == [3, 1]
    assert browser.get("/export/report.pdf?text=gone").status == 404
    assert browser.get("/export/report.pdf?film=" + "ab" * 32).status == 404


def test_the_months_are_counted(browser: Browser, folder: Path) -> None:
    say(folder, "high.png", Verdict.ABNORMAL, "2026-01-02T10:00:00+00:00")
    say(folder, "=low.png", Verdict.NORMAL, "2026-01-03T12:00:00+00:00")
    say(folder, "high.png", Verdict.ABNORMAL, "2026-01-09T10:00:00+00:00", Source.SPUTUM)
    with Desk.open(folder) as desk:
        late, early = months(desk)
    assert early.row == ("2026-01", 2, 1, 2, 1, 1, "3.0")
    assert late.row == ("2026-02", 1, 1, 0, 0, 0, "")
    assert "2026-02" in browser.get("/tally").text
    assert rows(browser.get("/export/tally.csv").body)[1]["hours_to_reading"] == "3.0"
    assert browser.get("/export/tally.pdf").body.startswith(b"%PDF")


def test_a_verdict_that_was_withdrawn_is_a_row_of_the_verdicts_and_counts_nowhere(
    browser: Browser, folder: Path
) -> None:
    say(folder, "high.png", Verdict.ABNORMAL, "2026-01-02T10:00:00+00:00")
    say(folder, "high.png", Verdict.WITHDRAWN, "2026-01-02T11:00:00+00:00")
    taken = rows(browser.get("/export/verdicts.csv").body)
    assert [(row["verdict"], row["time"][11:13]) for row in taken] == [
        ("abnormal", "10"),
        ("withdrawn", "11"),
    ]
    assert rows(browser.get("/export/labels.csv").body) == []
    assert [row["read"] for row in rows(browser.get("/export/tally.csv").body)] == ["0", "0"]
    assert [row["hours_to_reading"] for row in rows(browser.get("/export/tally.csv").body)] == ["", ""]


def test_where_everybody_reads_blinded_only_an_admin_learns_of_all_films_at_once(folder: Path) -> None:
    say(folder, "high.png", Verdict.ABNORMAL, "2026-01-02T10:00:00+00:00")
    add_account(folder, "ann")
    add_account(folder, "ada", Role.ADMIN)
    tables = ("results.csv", "verdicts.csv", "labels.csv", "report.pdf", "tally.csv", "tally.pdf")
    addresses = ("/tally", *(f"/export/{name}" for name in tables))
    with served(folder, is_blinded=True) as browser:
        for name, status in (("ann", 403), ("ada", 200)):
            browser.log_in(name)
            assert {browser.get(address).status for address in addresses} == {status}
            assert ('href="/tally"' in browser.get("/").text) == (name == "ada")
            assert ("flagged" in browser.get("/counts").json) == (name == "ada")
            assert browser.get("/counts").json["all"] == len(FILMS)
