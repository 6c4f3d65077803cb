"""`cxr-triage user`, `audit`, `tally` and `serve` on the command line."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cxr_calibration.labels.verdict_labels import labels_of_store
from cxr_cli.commands import app
from cxr_cli.serving import _alerting
from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.server.alerts import AlertOptions, Alerts
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.steps import STEPS
from cxr_runtime.store_file import APPLICATION_ID
from drawn_stores import Drawn, change, write_store
from pdf_pages import needs_poppler, pages
from typed_commands import exit_status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_store(tmp_path / "out", [Drawn("a.png", 0.9)])


def run(*words: object, typed: str = "") -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], input=typed, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return f"{done.return_value} {done.output}"


def test_an_account_is_added_changed_listed_and_removed(folder: Path) -> None:
    add = ("user", "add", folder, "ann", "--password-stdin")
    assert "ann can log in as reader" in run(*add, typed="four plain words here\n")
    assert "the earlier password is void" in run(*add, "--role", "admin", typed="four other words here\n")
    assert "ann" in run("user", "list", folder)
    assert "admin" in run("user", "list", folder)
    assert "ann cannot log in any more" in run("user", "remove", folder, "ann")
    assert "ann" not in run("user", "list", folder)
    with Desk.open(folder) as desk:
        acts = [entry.act for entry in desk.audit.latest(9)]
    assert acts == ["user-removed", "user-changed", "user-added"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "add", "DIR", "a b", "--password-stdin"), "cannot be the name of an account"),
        (("user", "add", "DIR", "ann", "--role", "boss", "--password-stdin"), "reader, admin"),
        (("user", "add", "DIR", "ann"), "--password-stdin"),
        (("user", "remove", "DIR", "ann"), "there is no account ann"),
        (("serve", "DIR", "--host", "0.0.0.0"), "--certificate"),
        (("serve", "DIR", "--alert-command", "call"), "--alert-score"),
    ],
)
def test_what_is_typed_wrongly_is_one_line_and_status_2(
    folder: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(*(folder if word == "DIR" else word for word in words)) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


def test_an_audit_that_is_whole_and_one_that_is_not(folder: Path) -> None:
    run("user", "add", folder, "ann", "--password-stdin", typed="four plain words here\n")
    told = run("audit", "verify", folder)
    assert "1 entry, the chain is whole" in told
    head = told.split()[-1]
    assert run("audit", "verify", folder, "--head", head).startswith("0 ")
    change(folder, "UPDATE audit SET actor = 'x'")
    assert run("audit", "verify", folder).startswith("3 the audit is not whole: it breaks at entry 1")
    change(folder, "DELETE FROM audit")
    assert "the end was cut off" in run("audit", "verify", folder, "--head", head)


def test_commands_that_only_read_leave_a_store_of_an_earlier_program_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as db:
        for step in STEPS[:-1]:
            step(db)
        db.executescript(
            f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={len(STEPS) - 1};"
            "INSERT INTO runs (begun) VALUES ('2026-01-02T03:04:05+00:00');"
        )
    stood = (tmp_path / STORE_FILE).read_bytes()
    assert run("user", "list", tmp_path).startswith("0 ")
    assert "0 entries, the chain is whole" in run("audit", "verify", tmp_path)
    assert run("tally", tmp_path).startswith("0 ")
    with pytest.raises(UsageError, match="holds no verdict"):
        labels_of_store(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {STORE_FILE: stood}


def test_a_tally_is_shown_and_written(folder: Path, tmp_path: Path) -> None:
    assert "2026-01" in run("tally", folder, "--csv", tmp_path / "t.csv", "--pdf", tmp_path / "t.pdf")
    assert (tmp_path / "t.csv").read_text().splitlines()[1].startswith('"2026-01",1,1,0,0,0')
    assert (tmp_path / "t.pdf").read_bytes().startswith(b"%PDF")


@needs_poppler
@pytest.mark.parametrize(
    ("variable", "option", "title"),
    [("fr", [], "Bilan par mois"), ("fr", ["--language", "es"], "Balance por meses")],
)
def test_the_pages_of_a_tally_follow_the_variable_and_the_option(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    option: list[str],
    title: str,
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_LANGUAGE", variable)
    run("tally", folder, "--pdf", tmp_path / "t.pdf", *option)
    assert title in pages(tmp_path / "t.pdf")[0]


def test_a_folder_without_a_store_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("serve", tmp_path) == 1
    assert "holds no triage.sqlite" in capsys.readouterr().err


def test_alerts_whose_store_cannot_be_used_for_a_moment_begin_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, f"UPDATE results SET finished = '{datetime.now(UTC).isoformat()}'")
    opened, tries, called = Desk.open, list[int](), threading.Event()

    def locked_at_first(*asked: Any, **how: Any) -> Desk:
        tries.append(1)
        if len(tries) == 1:
            raise StoreError("the store is locked")
        return opened(*asked, **how)

    monkeypatch.setattr(Desk, "open", locked_at_first)
    monkeypatch.setattr(Alerts, "_run", lambda *_: called.set())
    with _alerting(folder, AlertOptions(80.0, "call"), Journal()):
        assert called.wait(60)
    assert "alerts has stopped and is begun again in 1 s: the store is locked" in capsys.readouterr().err
