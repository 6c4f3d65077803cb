"""Settings: what is typed wins, then the environment, then the file; what is wrong in them is one line."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from cxr_cli.commands import app
from cxr_cli.settings import as_defaults, options_of, statements
from typed_commands import exit_status

COMMANDS: Any = typer.main.get_command(app)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings, which is not there yet."""
    file = tmp_path / "settings.toml"
    monkeypatch.setenv("CXR_TRIAGE_SETTINGS", str(file))
    return file


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What `watch` is asked for; it does nothing."""
    seen: list[dict[str, object]] = []

    def options(out: Path | None, **others: object) -> object:
        seen.append({"out": out, **others})
        raise KeyboardInterrupt

    monkeypatch.setattr("cxr_runtime.scanning.options.ScanOptions.of_words", options)
    return seen


def test_an_option_wins_then_the_environment_then_the_file(
    file: Path, asked: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(
        '[watch]\nout = "from-file"\nworkers = 2\nheat = "strongest-channel"\nlung_outline = true\n'
    )
    monkeypatch.setenv("CXR_TRIAGE_WATCH_WORKERS", "3")
    monkeypatch.setenv("CXR_TRIAGE_WATCH_HEAT", "cam")
    assert exit_status("watch", "films", "--workers", "4") == 130
    (found,) = asked
    assert found["out"] == Path("from-file")
    assert (found["workers"], found["heat"], found["lung_outline"]) == (4, "cam", True)


def test_settings_prints_every_option_and_where_its_value_comes_from(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('[scan]\nworkers = 2\nmodel = "a\\"b"\n', encoding="utf-8")
    monkeypatch.setenv("CXR_TRIAGE_SCAN_QUIET", "true")
    assert exit_status("settings") == 0
    told = capsys.readouterr().out
    assert tomllib.loads(told)["scan"] == {"workers": 2, "model": 'a"b', "quiet": "true"}
    assert re.search(rf"^workers = 2  # .* From {re.escape(str(file))}$", told, re.MULTILINE)
    assert re.search(r"^quiet = \"true\"  # .* From CXR_TRIAGE_SCAN_QUIET$", told, re.MULTILINE)
    for name in options_of(COMMANDS, "scan"):
        assert re.search(rf"^(# )?{name} = ", told, re.MULTILINE), name


def test_what_settings_prints_can_be_saved_and_read_again(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_status("settings")
    printed = capsys.readouterr().out
    file.write_text(re.sub(r"^# (\S+ = )(?!\"\")", r"\1", printed, flags=re.MULTILINE), encoding="utf-8")
    defaults = as_defaults(COMMANDS, statements(COMMANDS))
    assert defaults["scan"]["batch_size"] == 8
    assert defaults["scan"]["formats"] == "csv,html,pdf,png"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[scan]\nworker = 2\n", "scan.worker is unknown; expected one of out, model, "),
        ("[scans]\nworkers = 2\n", "[scans] names no command; expected tables of scan, watch, "),
        ("[scan]\nquiet = 1\n", "scan.quiet is 1; expected true or false"),
        ("[benchmark]\nmodel = 'a'\n", 'benchmark.model is \'a\'; expected a list as ["a", "b"]'),
        ("[scan]\nworkers = true\n", "scan.workers is True; expected a text in quotes, or a number"),
        ("[scan\n", "is not TOML: "),
        ("[scan]\nworkers = 0\n", "--workers is 0, as `cxr-triage settings` states; expected 1 or more"),
    ],
)
def test_a_wrong_setting_is_one_line(
    content: str, told: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(content)
    assert exit_status("scan", "films") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_a_variable_that_names_no_option_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_SCAN_WORKER", "2")
    assert exit_status("doctor") == 2
    assert "the variable CXR_TRIAGE_SCAN_WORKER names no option" in capsys.readouterr().err


def test_a_file_that_is_named_and_not_there_is_one_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("scan", "films") == 2
    assert f"the settings {file} cannot be read (No such file or directory)" in capsys.readouterr().err
    assert exit_status("--help") == 0  # help stays


def test_several_values_in_a_variable_stand_between_semicolons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_BENCHMARK_MODEL", "one;two")
    assert statements(COMMANDS)["benchmark"]["model"].value == ["one", "two"]
