"""The laboratory's commands: thin faces of functions, hidden from the clinic."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.progress import Progress
from cxr_train.data.prepared_films import CACHE
from cxr_train.pages import Sources
from cxr_train.small.gate.locked import Part
from cxr_train.small.gate.making import Making
from typed_commands import exit_status

HERE = Path()
ONE, OTHER = Path("one"), Path("other")
CALLS: list[tuple[list[object], str, tuple[object, ...]]] = [
    (["heat-refit", ONE, "--data", OTHER], "cxr_train.heat.of_run.refit_heat", (ONE, [OTHER], CACHE)),
    (
        ["heat-choices", ONE, "--data", OTHER, "--cache", HERE],
        "cxr_train.explain.heat_choices.heat_choices_of",
        (ONE, [OTHER], HERE),
    ),
    (
        ["card-tables", ONE, OTHER, "a.md", "b.md"],
        "cxr_train.evaluation.page_tables.card_tables",
        (ONE, OTHER, [Path("a.md"), Path("b.md")]),
    ),
    (
        ["model-rows", ONE, "--localisation", OTHER, "--intervals", "--against", "base"],
        "cxr_train.evaluation.page_tables.model_rows",
        ([ONE], OTHER, True, "base"),
    ),
    (
        ["page", "gate", "--runs", ONE, "--docs", HERE],
        "cxr_train.pages.write_page",
        ("gate", HERE, Sources(ONE)),
    ),
    (
        ["out-of-fold", ONE, "some films", "--model", OTHER, "--error-rate", 0.1, "--beside", HERE],
        "cxr_calibration.out_of_fold.calibrate_out_of_fold",
        (ONE, "some films", OTHER, 0.1, HERE),
    ),
    (["gamma", ONE, OTHER, 1.4], "cxr_calibration.monitoring.rehearsal.write_films", ([ONE], OTHER, 1.4)),
    (
        ["rehearse", "default", ONE, "darker=other", "--films", 30, "--nights", 9],
        "cxr_calibration.monitoring.rehearsal.rehearse_scans",
        ("default", ONE, {"darker": OTHER}, 30, 9),
    ),
    (
        ["precisions", "edge", "--data", ONE, "--seconds", 0],
        "cxr_export.precision.table.precision_lines",
        (["edge"], [ONE], 0.0),
    ),
    (
        ["gpu", "edge", "--batch", 2, "--batch", 4, "--device", "cpu", "--seconds", 0, "--side", 64],
        "cxr_export.gpu.measuring.measure_gpu",
        (["edge"], [2, 4], (), "cpu", 0.0, 64),
    ),
]


@pytest.mark.parametrize(("typed", "function", "expected"), CALLS, ids=[str(call[0][0]) for call in CALLS])
def test_a_command_hands_what_was_typed_to_its_function_and_prints_the_answer(
    typed: list[object],
    function: str,
    expected: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    received: list[object] = []

    def record(*given: Any, **named: Any) -> str:
        received.extend([*given, *named.values()])
        return "42"

    module, name = function.rsplit(".", 1)
    monkeypatch.setattr(importlib.import_module(module), name, record)
    assert exit_status("lab", *typed) == 0
    assert tuple(received) == expected
    assert capsys.readouterr().out.startswith("4") != (name == "refit_heat")


def test_what_a_kept_film_loses_is_printed_for_the_qualities_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "film.png"
    film.write_bytes(encode_png(draw_phantom(1, hw=(400, 400))))
    assert exit_status("lab", "previews", film, "--quality", 95, "--quality", 90) == 0
    assert [line[:11] for line in capsys.readouterr().out.splitlines()[2:]] == ["| 95 | 400 ", "| 90 | 400 "]


def test_margins_and_the_gpu_s_page_go_into_the_file_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, page = tmp_path / "margins.csv", tmp_path / "page.md"
    monkeypatch.setattr("cxr_train.evaluation.scoring.margins_csv", lambda *_: b"file,margin\n")
    monkeypatch.setattr("cxr_export.gpu.measuring.measure_gpu", lambda *_: "# Measured\n")
    assert exit_status("lab", "margins", ONE, "--data", OTHER, "--out", table) == 0
    assert exit_status("lab", "gpu", "--write", page) == 0
    assert (table.read_bytes(), page.read_text()) == (b"file,margin\n", "# Measured\n")


def test_the_gate_is_made_with_the_steps_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Making] = []

    def record(wanted: Making, _: Progress) -> str:
        asked.append(wanted)
        return ""

    monkeypatch.setattr("cxr_train.small.gate.making.make_gate", record)
    assert exit_status("lab", "gate", ONE, "--out", tmp_path, "--steps", 7) == 0
    assert (asked[0].data, asked[0].out, asked[0].schedule.steps) == (ONE, tmp_path, 7)
    assert exit_status("lab", "gate", ONE, "--out", tmp_path, "--judges", "choosing", "--network", OTHER) == 0
    assert (asked[1].judges, asked[1].network) == (Part.CHOOSING, OTHER)
    assert exit_status("lab", "gate", ONE, "--out", tmp_path, "--judges", "nobody") == UsageError.exit_status


def test_the_fuzzer_prints_what_it_tried_and_ends_well_where_nothing_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_status("lab", "fuzz", "--target", "answers", "--inputs", 5) == 0
    printed = capsys.readouterr().out
    assert "| answers | 5 |" in printed
    assert "0 findings" in printed


def test_a_changed_scan_without_a_name_is_refused_with_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_status("lab", "rehearse", "default", "scan", "darker-scan") == UsageError.exit_status
    assert "'darker-scan' names no scan; expected NAME=DIR" in capsys.readouterr().err


def test_the_clinic_s_help_does_not_show_the_laboratory_s_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_status("--help") == 0
    assert "lab " not in capsys.readouterr().out
    assert exit_status("lab", "--help") == 0
    assert "heat-choices" in capsys.readouterr().out
