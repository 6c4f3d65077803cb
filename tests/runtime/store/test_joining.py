"""Stores that become one: copies of a folder, rows of an earlier program, and who may log in."""

import csv
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE, ReportFormat
from cxr_runtime.reports.again import ReportOptions, merge, report_again, restore
from cxr_runtime.store.accounts import Account, Role
from cxr_runtime.store.audit import Act
from cxr_runtime.store.backup import back_up
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import PRINT, Drawn, ask, change, write_store

QUICK = ReportOptions(frozenset({ReportFormat.CSV}))
TRUSTING = ReportOptions(frozenset({ReportFormat.CSV}), trust=True)
STORE_OF_0_1_0 = Path(__file__).parents[2] / "made_by_0_1_0" / "store.sql"


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "this machine"))


def files(folder: Path) -> list[str]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return sorted(row["file"] for row in csv.DictReader(file))


@pytest.fixture
def copies(tmp_path: Path) -> list[Path]:
    """A folder and its copy; each went on with a scan of its own, in the same second."""
    one, two = write_store(tmp_path / "1", [Drawn("a.png")]), tmp_path / "2"
    shutil.copytree(one, two)
    write_store(one, [Drawn("b.png"), Drawn("c.png")])
    write_store(two, [Drawn("d.png")])
    return [one, two]


def test_of_a_copied_folder_nothing_is_lost_when_both_copies_went_on(
    copies: list[Path], tmp_path: Path
) -> None:
    for number, folders in enumerate((copies, copies[::-1], [copies[1]])):
        out = tmp_path / f"all-{number}"
        for _ in range(2):
            merge(folders, out, QUICK)
        merge(copies, out, QUICK)
        assert files(out) == ["a.png", "b.png", "c.png", "d.png"]
        assert ask(out, "SELECT count(*) FROM runs") == [(3,)]
        assert ask(out, "SELECT count(*) FROM places") == [(4,)]
    merge(copies, copies[0], QUICK)
    assert files(copies[0]) == ["a.png", "b.png", "c.png", "d.png"]


def test_runs_that_earlier_programs_dated_to_the_second_are_told_apart_too(
    copies: list[Path], tmp_path: Path
) -> None:
    for number, folder in enumerate(copies):
        change(
            folder,
            "UPDATE runs SET begun = '2026-01-01T00:00:00+00:00' WHERE id = 1",
            f"UPDATE runs SET begun = '2026-01-02T00:00:0{number}+00:00' WHERE id = 2",
        )
    merge(copies, tmp_path / "all", QUICK)
    assert files(tmp_path / "all") == ["a.png", "b.png", "c.png", "d.png"]


def test_runs_of_0_1_0_which_noted_no_time_are_known_by_their_films(
    copies: list[Path], tmp_path: Path
) -> None:
    for folder in copies:
        change(folder, "UPDATE runs SET begun = ''")
    for _ in range(2):
        merge(copies, tmp_path / "all", QUICK)
        assert files(tmp_path / "all") == ["a.png", "b.png", "c.png", "d.png"]
        assert ask(tmp_path / "all", "SELECT count(*) FROM places") == [(4,)]


def test_a_run_that_ended_again_states_what_it_stated_last(tmp_path: Path) -> None:
    one, out = write_store(tmp_path / "1", [Drawn("a.png", 0.4)]), tmp_path / "all"
    shutil.copytree(one, tmp_path / "before")
    merge([one], out, QUICK)
    with StoreWriter.open(one) as store:  # a service goes on, or a scan continues the one before it
        facts = store.facts(1)
        assert facts is not None
        (film,) = store.overview.judged(None)
        store.rejudge(PRINT, [film._replace(operating_point="rule-out", threshold=0.3, triage="flagged")])
        later = facts.finished + timedelta(hours=1)
        store.end_run(1, replace(facts, operating_point="rule-out", threshold=0.3, finished=later))
    for sources in ([one], [tmp_path / "before", one], [tmp_path / "before"]):
        done = merge(sources, out, QUICK)
        assert sum(taken.rows for taken in done.taken) == 0
        with Store.open(out) as store_here:
            assert [facts.operating_point for facts, _ in store_here.ended()] == ["rule-out"]


def test_films_stand_in_the_order_in_which_they_were_finished_whatever_the_order_of_the_folders(
    tmp_path: Path,
) -> None:
    def at(day: int, name: str) -> Drawn:
        return Drawn(name, finished=f"2026-01-0{day}T00:00:00+00:00")

    one = write_store(tmp_path / "1", [at(1, "a.png")], [at(4, "b.png"), at(3, "clock set back.png")])
    two = write_store(tmp_path / "2", [at(2, "c.png"), at(5, "d.png")])
    for number, folders in enumerate(([one, two], [two, one])):
        merge(folders, tmp_path / f"all-{number}", QUICK)
        query = "SELECT file FROM results JOIN places ON places.result = results.id ORDER BY results.id"
        found = [str(file) for (file,) in ask(tmp_path / f"all-{number}", query)]
        assert found == ["a.png", "c.png", "b.png", "clock set back.png", "d.png"]


def test_rows_without_a_seal_that_this_machine_made_anew_need_no_trust(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png", fingerprint="old"), Drawn("x.png", None)])
    change(out, "UPDATE results SET seal = ''", "UPDATE places SET seal = ''")
    change(out, "UPDATE runs SET facts = NULL")  # as 0.1.0 left them
    write_store(out, [Drawn("a.png"), Drawn("x.png", 0.4)])
    for _ in range(2):
        done = merge([out], tmp_path / "all", QUICK)
        assert (done.taken[0].replaced, done.taken[0].on_trust) == (2, 0)
    assert files(tmp_path / "all") == ["a.png", "x.png"]
    back_up(out, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored", QUICK)
    assert files(tmp_path / "restored") == ["a.png", "x.png"]
    assert ask(tmp_path / "restored", "SELECT count(*) FROM results") == [(2,)]


def test_rows_without_a_seal_that_nothing_replaced_are_still_refused(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png", fingerprint="old"), Drawn("gone.png")])
    change(out, "UPDATE results SET seal = ''")
    write_store(out, [Drawn("a.png")])
    with pytest.raises(StoreError, match="1 of 2 rows of"):
        merge([out], tmp_path / "all", QUICK)
    forged = write_store(tmp_path / "forged", [Drawn("a.png")], [Drawn("a.png", fingerprint="later")])
    change(forged, "UPDATE results SET seal = '' WHERE id = 2")
    with pytest.raises(StoreError, match="1 of 2 rows of"):
        merge([forged], tmp_path / "all", QUICK)


def account(folder: Path, name: str, password: str = "digest") -> None:
    with Desk.open(folder) as desk:
        act = Act.USER_CHANGED if desk.accounts.get(name) else Act.USER_ADDED
        with desk.acting("root", act, f"{name} reader") as now:
            desk.accounts.put(Account(name, Role.READER, password, now))


def removed(folder: Path, name: str) -> None:
    with Desk.open(folder) as desk, desk.acting("root", Act.USER_REMOVED, name):
        desk.accounts.remove(name)


def accounts(folder: Path) -> dict[str, str]:
    with Desk.to_read(folder) as desk:
        return {found.name: found.password for found in desk.accounts.every()}


def test_a_merge_brings_no_account_back_that_was_removed_or_changed_here(tmp_path: Path) -> None:
    one, out = write_store(tmp_path / "1", [Drawn("a.png")]), tmp_path / "all"
    for name in ("ann", "bob"):
        account(one, name)
    merge([one], out, QUICK)
    removed(out, "ann")
    account(out, "bob", "new digest")
    account(one, "eva")
    for left in (2, 2):
        done = merge([one], out, QUICK)
        assert done.taken[0].accounts_left == left
        assert accounts(out) == {"bob": "new digest", "eva": "digest"}
    query = "SELECT actor, about FROM audit ORDER BY id DESC LIMIT 1"
    assert ask(out, query) == [("merge", "eva reader")]
    with Desk.to_read(out) as desk:
        verified = desk.audit.verify()
    assert (verified.wrong, verified.elsewhere) == (None, 0)


def test_a_removal_in_a_source_is_said_where_the_audit_here_has_gone_its_own_way(tmp_path: Path) -> None:
    one, out = write_store(tmp_path / "1", [Drawn("a.png")]), tmp_path / "all"
    account(one, "ann")
    merge([one], out, QUICK)
    account(out, "chief")
    removed(one, "ann")
    done = merge([one], out, QUICK)
    assert done.taken[0].accounts_left == 1
    assert accounts(out).keys() == {"ann", "chief"}


def test_an_audit_that_only_its_source_continued_is_continued_and_accounts_with_it(tmp_path: Path) -> None:
    one, out = write_store(tmp_path / "1", [Drawn("a.png")]), tmp_path / "all"
    for name in ("ann", "bob"):
        account(one, name)
    merge([one], out, QUICK)
    removed(one, "ann")
    account(one, "bob", "new digest")
    done = merge([one], out, QUICK)
    assert (done.taken[0].accounts, done.taken[0].accounts_left, done.taken[0].audit) == (2, 0, 0)
    assert accounts(out) == {"bob": "new digest"}
    assert ask(out, "SELECT * FROM audit") == ask(one, "SELECT * FROM audit")
    done = merge([one], out, QUICK)
    assert (done.taken[0].accounts, done.taken[0].accounts_left, done.taken[0].audit) == (0, 0, 0)


def test_a_store_of_0_1_0_is_taken_on_trust_before_it_has_reports(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    with closing(sqlite3.connect(old / STORE_FILE)) as db:
        db.executescript(STORE_OF_0_1_0.read_text(encoding="utf-8"))
    back_up(old, tmp_path / "backup")
    restored = restore(tmp_path / "backup", tmp_path / "restored", TRUSTING)
    merged = merge([old], tmp_path / "all", TRUSTING)
    for done in (report_again(old, TRUSTING), restored, merged):
        assert (done.publication, done.on_trust) == (None, 3)
        with Store.open(done.out) as store:
            assert [score.is_ours for score in store.scores(None)] == [True] * 3
    with pytest.raises(StoreError, match="no scan into"):
        report_again(old, TRUSTING)
