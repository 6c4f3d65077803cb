"""Options of a scan that are wrong end it before anything is made."""

import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest

from cxr_cli.listening import listen
from cxr_cli.scan import scan
from cxr_cli.watching import watch
from cxr_runtime import ScanOptions
from cxr_runtime.presentation import Presentation
from typed_commands import exit_status


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--memory", "much", "--memory 'much' is not a size; expected one like 8G or 1500M"),
        ("--memory", "1G", "--memory '1G' is less than a scan with one worker needs; expected 2G or more"),
        pytest.param(
            "--share-with",
            "no such group",
            "--share-with 'no such group' names no group of this machine",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has other groups"),
        ),
        pytest.param(
            "--share-with",
            "doctors",
            "--share-with is for Linux and macOS",
            marks=pytest.mark.skipif(sys.platform != "win32", reason="Windows has other groups"),
        ),
    ],
)
def test_a_wrong_option_is_one_line_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    assert exit_status("scan", tmp_path / "a.png", "--out", tmp_path / "out", option, value) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [scan, watch, listen])
def test_what_a_command_is_not_asked_for_is_as_scan_options_say(command: Callable[..., int]) -> None:
    shared = signature(ScanOptions.of_words).parameters.keys() - {"out", "presentation"}
    asked = {name: signature(command).parameters[name].default for name in shared}
    assert ScanOptions.of_words(None, **asked, presentation=Presentation()) == ScanOptions()
