"""`cxr-triage doctor`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_cli import machine as command
from cxr_runtime.doctor.finding import Finding, State

Findings = list[Finding]


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[[Findings], None]:
    """Puts findings in the place of real checks."""

    def use(findings: Findings) -> None:
        monkeypatch.setattr("cxr_runtime.doctor.checks.check_everything", lambda _: findings)

    return use


def test_the_exit_status_is_0_when_a_processor_scan_works_whatever_else_is_missing(
    find: Callable[[Findings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    find([Finding("gpu", State.ABSENT, "none"), Finding("python", State.OK, "3.11")])
    assert command.doctor() == 0
    assert capsys.readouterr().out.splitlines() == [
        "gpu                           absent   none",
        "python                        ok       3.11",
        "a scan on the processor works",
    ]


def test_the_exit_status_is_1_when_it_does_not(
    find: Callable[[Findings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    find([Finding("models", State.BROKEN, "damaged")])
    assert command.doctor() == 1
    assert "does NOT work" in capsys.readouterr().out


def test_long_findings_are_wrapped_below_themselves(
    find: Callable[[Findings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    find([Finding("packages", State.OK, "word " * 60)])
    command.doctor()
    lines = capsys.readouterr().out.splitlines()[:-1]
    assert len(lines) > 1
    assert max(map(len, lines)) <= 120
    assert all(line.startswith(" " * 39 + "word") for line in lines[1:])


def test_json_holds_every_detail(
    find: Callable[[Findings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    find([Finding("codecs", State.OK, "16 read", (("1.2.840", "yes: RLE Lossless"),))])
    assert command.doctor(as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "cpu_scan_works": True,
        "findings": [
            {"name": "codecs", "state": "ok", "told": "16 read", "details": {"1.2.840": "yes: RLE Lossless"}}
        ],
    }


def test_what_is_really_found_fits_one_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path))
    command.doctor()
    assert len(capsys.readouterr().out.splitlines()) <= 50
