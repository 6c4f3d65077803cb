"""`report`, `backup`, `restore`, `merge` and `prune`: what they say, and how they end."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer

from cxr_cli.commands import app
from cxr_cli.report_options import LATEST
from drawn_exhibits import RUN
from drawn_stores import Drawn, write_store
from typed_commands import exit_status


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "data"))


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_store(tmp_path / "night", [Drawn("a.png"), Drawn("b.png", 0.1)])


def test_a_night_is_kept_restored_joined_and_pruned(
    night: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, restored, joined = tmp_path / "night.sqlite", tmp_path / "restored", tmp_path / "all"
    assert exit_status("report", night) == 0
    assert exit_status("backup", night, file) == 0
    assert exit_status("restore", file, restored, "--format", "csv") == 0
    assert exit_status("merge", night, restored, "--out", joined, "--format", "csv,png") == 0
    assert exit_status("prune", joined, "--older-than", "1d", "--keep-under", "1GB") == 0
    said = capsys.readouterr().out
    for line in (
        f"2 films: 2 scored (1 flagged), 0 rejected, 0 failed\nreports in {night}",
        f"2 films of 1 scan in {file}",
        f"{night}/triage.sqlite: 2 films new; 2 places new, 0 of them on trust",
        f"{restored}/triage.sqlite: nothing new",
        "pictures of 2 films dropped, of 0 kept",
    ):
        assert line in said
    assert {path.name for path in restored.iterdir()} >= {"results.csv", "triage.sqlite"}
    assert not (restored / "report.pdf").exists()
    assert (joined / "results.csv").read_bytes() == (night / "results.csv").read_bytes()


def test_rows_are_counted_where_no_scan_has_ended_and_reports_are_for_the_next_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = write_store(tmp_path / "begun", [Drawn("a.png")], has_ended=False)
    assert exit_status("merge", begun, "--out", tmp_path / "all") == 1
    told = capsys.readouterr()
    assert "1 film new; 1 place new, 0 of them on trust" in told.out
    assert f"the reports are made by one scan with --out {tmp_path / 'all'}" in told.err


def test_rows_of_another_machine_need_trust_and_are_counted(
    night: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "another machine"))
    assert exit_status("report", night, "--format", "csv") == 1
    refused = capsys.readouterr().err
    assert "made on another machine, or changed since: 2 of 2 rows of " in refused
    assert refused.endswith("give --trust to take it as it is\n")
    assert exit_status("report", night, "--format", "csv", "--trust") == 0
    assert "2 rows taken on trust: made on another machine, or changed" in capsys.readouterr().out
    assert exit_status("report", night, "--format", "csv") == 0


WRONG = {
    "no limit": (["prune", "NIGHT"], 2, "needs a limit"),
    "no age": (["prune", "NIGHT", "--older-than", "soon"], 2, "is not an age; expected days, weeks or years"),
    "no size": (["prune", "NIGHT", "--keep-under", "little"], 2, "--keep-under 'little' is not a size"),
    "too small": (["prune", "NIGHT", "--keep-under", "1k"], 3, ""),
    "no store": (["report", "."], 1, "holds no triage.sqlite"),
    "no folder": (["merge", "--out", "x"], 2, "DIR"),
    "no out": (["merge", "NIGHT"], 2, "--out"),
    "no backup": (["restore", "none", "x"], 2, "there is no backup none"),
    "a format": (
        ["report", "NIGHT", "--format", "doc"],
        2,
        "--format is 'doc'; expected any of csv,html,pdf,png,npz\n",
    ),
    "itself": (["backup", "NIGHT", "NIGHT/triage.sqlite"], 2, "the store itself"),
}


@pytest.mark.parametrize(("arguments", "status", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_is_one_line_with_its_status(
    arguments: list[str],
    status: int,
    sentence: str,
    night: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_status(*(argument.replace("NIGHT", str(night)) for argument in arguments)) == status
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == (1 if sentence else 0)


def test_a_report_says_what_was_stated_last_of_abnormal_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrated = replace(RUN, calibration_films=100, calibration_abnormal=10)
    monkeypatch.setattr("drawn_stores.RUN", calibrated)
    night = write_store(tmp_path / "night", [Drawn("a.png")])

    def said() -> str:
        return (night / "worklist.html").read_text(encoding="utf-8")

    assert exit_status("report", night, "--format", "html", "--prevalence", "20%") == 0
    stated = said()
    assert exit_status("report", night, "--format", "html") == 0
    assert said() == stated
    assert "where 20 of 100 films are" in stated


@pytest.mark.parametrize("command", ["report", "restore", "merge", "serve"])
def test_help_says_that_what_is_shown_again_looks_and_speaks_as_in_the_latest_scan(command: str) -> None:
    group: Any = typer.main.get_command(app)
    shown = {option.name: option.show_default for option in group.commands[command].params}
    looks = {shown.get(name, LATEST) for name in ("language", "colours", "pdf_pages", "worklist_size")}
    assert looks == {LATEST}


def test_what_a_merge_left_where_it_was_is_said(
    night: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = write_store(tmp_path / "all", [Drawn("c.png")])
    for folder, name in ((night, "ann"), (joined, "bob"), (joined, "ann")):
        monkeypatch.setattr("sys.stdin", StringIO("long password 1\n"))
        assert exit_status("user", "add", folder, name, "--password-stdin") == 0
    assert exit_status("merge", night, "--out", joined, "--format", "csv") == 0
    said = capsys.readouterr().out
    assert "1 account stays as here, though not so there: `cxr-triage user` changes accounts" in said
    assert "1 entry of its audit stays there: keep that folder" in said
