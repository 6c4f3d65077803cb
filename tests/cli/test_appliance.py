import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.appliance import checking
from cxr_runtime.appliance.health import ApplianceHealth, State, write_health
from cxr_runtime.appliance.restarting import PartHealth, PartState
from cxr_runtime.sending.status import Queue
from drawn_stores import Drawn, write_store
from model_folders import write_model_folder
from typed_commands import exit_status


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """Settings of a folder that is there, and of a model of the test's own."""
    (tmp_path / "in").mkdir()
    model = write_model_folder(tmp_path / "model")
    path = tmp_path / "clinic.toml"
    lines = [
        f"out = {json.dumps(str(tmp_path / 'out'))}",
        f"[watch]\nfolders = [{json.dumps(str(tmp_path / 'in'))}]",
        f"[screening]\nmodel = {json.dumps(str(model))}",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def health(state: State, age: float = 0.0, *amiss: str) -> ApplianceHealth:
    now = datetime.now(UTC) - timedelta(seconds=age)
    parts = (PartHealth("scoring", PartState.WAITS, 2, "storeerror", 1.0),)
    return ApplianceHealth(
        state, amiss, now, now, 42, 10.0, 7, 3, 1, now, 5 << 30, 6 << 30, Queue(5, 2), parts
    )


def test_settings_are_checked_and_nothing_is_done(clinic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("appliance", clinic, "--check") == 0
    assert capsys.readouterr().out == f"{clinic} is in order\n"
    assert sorted(path.name for path in clinic.parent.iterdir()) == ["clinic.toml", "in", "model"]
    (clinic.parent / "in").rmdir()
    assert exit_status("appliance", clinic, "--check") == 2
    assert "the network share is mounted" in capsys.readouterr().err


@pytest.mark.parametrize("more", [("--check",), ()], ids=["checked", "started"])
def test_an_output_folder_is_not_watched(
    more: tuple[str, ...], clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic.write_text(clinic.read_text().replace('/out"', '/in"'))
    assert exit_status("appliance", clinic, *more) == 2
    assert "is the output folder" in capsys.readouterr().err
    clinic.write_text(clinic.read_text().replace('/in"', '/out"', 1))
    write_store(clinic.parent / "in", [Drawn("a.png")])
    assert exit_status("appliance", clinic, *more) == 2
    assert "in holds triage.sqlite: it is an output folder" in capsys.readouterr().err
    assert not (clinic.parent / "out").exists()


@pytest.mark.parametrize("more", [("--check",), ()], ids=["checked", "started"])
@pytest.mark.parametrize("table", ["log", "health"])
def test_a_log_or_health_file_whose_folder_is_not_there_is_refused(
    table: str, more: tuple[str, ...], clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = clinic.parent / "nowhere" / "file"
    clinic.write_text(f'{clinic.read_text()}\n[{table}]\nfile = "{missing}"\n')
    assert exit_status("appliance", clinic, *more) == 2
    assert f"{table}.file is {missing}, which this user cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("more", [("--check",), ()], ids=["checked", "started"])
@pytest.mark.parametrize(
    ("table", "named", "lacks"),
    [
        ('[send]\nto = "http://127.0.0.1:9/dicom-web"\n', "[send]", "highdicom"),
        ('formats = "csv,dicom"\n', "[screening]", "highdicom"),  # that table is the last one
        ("[listen]\n", "[listen]", "pynetdicom"),
    ],
    ids=["send", "screening", "listen"],
)
def test_what_receiving_and_sending_need_is_asked_for_before_anything_begins(
    table: str,
    named: str,
    lacks: str,
    more: tuple[str, ...],
    clinic: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checking, "find_spec", lambda name: None if name == lacks else name)
    clinic.write_text(f'identity = "none"\n{clinic.read_text()}\n{table}')
    assert exit_status("appliance", clinic, *more) == 1
    assert f"what {named} asks for needs {lacks}, which is not installed" in capsys.readouterr().err


def test_wrong_settings_are_one_line_and_wrong_usage(
    clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic.write_text(clinic.read_text() + "\n[fax]\nport = 80\n")
    for more in ((), ("--check",), ("--health",)):
        assert exit_status("appliance", clinic, *more) == 2
        said = capsys.readouterr().err
        assert "fax is unknown" in said
        assert said.count("\n") == 1
    assert exit_status("appliance") == 2
    assert "CLINIC.toml is missing" in capsys.readouterr().err


def test_the_example_is_settings_that_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("appliance", "--example") == 0
    printed = capsys.readouterr().out
    assert "[watch]" in printed
    path = tmp_path / "clinic.toml"
    path.write_text(printed.replace("/srv/", f"{tmp_path}/"))
    (tmp_path / "films").mkdir()
    assert exit_status("appliance", path, "--check") == 0


@pytest.mark.parametrize(
    ("found", "status", "first"),
    [
        ((State.WELL,), 0, "well"),
        ((State.AMISS, 0.0, "disk-full"), 3, "amiss, disk-full"),
        ((State.ENDED, 100.0), 1, "ended"),
        ((State.WELL, 100.0), 1, "no news since 20"),
    ],
)
def test_health_is_said_in_words_and_by_the_exit_status(
    found: tuple[Any, ...], status: int, first: str, clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clinic.parent / "out").mkdir()
    write_health(clinic.parent / "out" / "health.json", health(*found))
    assert exit_status("appliance", clinic, "--health") == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(first)
    assert re.fullmatch(r"films: 7, last 20.*", lines[1])
    assert lines[2:] == [
        "waiting: 3, to be tried again: 1",
        "disk: 5.0 GB free; below 6.0 GB no film is taken",
        "results: 5 wait to be sent, 2 were refused for good",
        "scoring: waits; died 2 times, lately of storeerror",
    ]


def test_health_of_an_appliance_that_never_ran_is_one_line(
    clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("appliance", clinic, "--health") == 1
    assert "has not been started" in capsys.readouterr().err
