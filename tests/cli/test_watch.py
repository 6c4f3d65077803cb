import csv
import json
import re
from pathlib import Path

import cv2
import pytest

from cxr_runtime.phantom import draw_phantom
from drawn_stores import Drawn, write_store
from model_folders import write_model_folder
from typed_commands import exit_status


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One sound film, and one that is none."""
    folder = tmp_path / "Mustermann"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), draw_phantom(1, hw=(256, 256)))
    cv2.imwrite(str(folder / "2.png"), draw_phantom(1, hw=(256, 256)) // 64 * 64)
    return folder


def statuses(out: Path) -> list[str]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [row["status"] for row in csv.DictReader(file)]


def test_watch_once_scores_what_is_there_and_ends_well_whatever_was_rejected(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    fixed = ("--model", model, "--backend", "onnxruntime", "--workers", 1, "--format", "csv", "--once")
    assert exit_status("watch", folder, "--out", out, *fixed, "--log-file", log, "--log-format", "json") == 0
    assert statuses(out) == ["scored", "rejected"]
    said = capsys.readouterr()
    assert said.out.startswith("1 scored")
    assert "Mustermann" not in said.err + log.read_text()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events[0] == "started"
    assert events.count("film") == 2
    assert events[-1] == "ended"
    assert exit_status("watch", folder, "--out", out, *fixed, "--quiet") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert statuses(out) == ["scored", "rejected"]


def test_a_report_that_could_not_be_written_is_said_and_is_no_good_end(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (out / "results.csv").mkdir(parents=True)  # nothing can take its place
    fixed = ("--model", model, "--backend", "onnxruntime", "--workers", 1, "--format", "csv", "--once")
    assert exit_status("watch", folder, "--out", out, *fixed, "--quiet") == 1
    said = capsys.readouterr().err
    assert f"reports of {out} could not be written" in said
    assert said.count("\n") == 1
    (out / "results.csv").rmdir()
    assert exit_status("watch", folder, "--out", out, *fixed, "--quiet") == 0


def test_a_folder_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("watch", tmp_path / "nowhere", "--out", tmp_path / "out") == 2
    assert "share is mounted" in capsys.readouterr().err


@pytest.mark.parametrize("watched", ["out", "out/heatmaps"])
def test_the_output_folder_is_not_watched_nor_a_folder_in_it(
    watched: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "heatmaps").mkdir(parents=True)
    assert exit_status("watch", tmp_path / watched, "--out", tmp_path / "out", "--once") == 2
    said = capsys.readouterr().err
    assert f"{watched} is the output folder {tmp_path}/out, or lies in it" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("inside", ["", "heatmaps", "dicom"])
def test_the_output_folder_of_another_scan_is_not_watched(
    inside: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_store(tmp_path / "second", [Drawn("a.png")]) / inside).mkdir(exist_ok=True)
    assert exit_status("watch", tmp_path / "second" / inside, "--out", tmp_path / "out", "--once") == 2
    assert "second holds triage.sqlite: it is an output folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_scan_says_that_a_folder_is_an_output_folder_itself(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("scan", folder, "--out", folder) == 1
    assert "Mustermann is the output folder, and what lies in it is not scanned" in capsys.readouterr().err
    write_store(folder, [Drawn("a.png")])
    for out in (folder, tmp_path / "out"):
        assert exit_status("scan", folder, "--out", out) == 1
        assert "Mustermann holds triage.sqlite, so it is an output folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_pattern_that_no_shell_expands_gets_an_output_folder_beside_its_own(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    fixed = ("--model", model, "--backend", "onnxruntime", "--workers", 1, "--format", "csv", "--exit-zero")
    assert exit_status("scan", folder / "*.png", *fixed) == 0
    assert statuses(tmp_path / "Mustermann-cxr-triage") == ["scored", "rejected"]
    assert sorted(path.name for path in folder.iterdir()) == ["1.png", "2.png"]


@pytest.mark.parametrize("command", ["watch", "scan"])
def test_a_name_of_nothing_is_not_the_working_folder(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(command, "", "--out", tmp_path / "out") == 2
    assert "cxr-triage: '' " in capsys.readouterr().err


def test_scan_dated_puts_the_films_of_a_day_into_its_folder_and_says_what_is_left_out(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    fixed = ("--model", model, "--backend", "onnxruntime", "--workers", 1, "--format", "csv", "--dated")
    assert exit_status("scan", folder / "1.png", "--out", out, *fixed) == 0
    (today,) = out.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", today.name)
    today.rename(out / "2000-01-01")
    capsys.readouterr()
    assert exit_status("scan", folder, "--out", out, *fixed) == 3
    assert "1 film of earlier days left out" in capsys.readouterr().out
    assert statuses(out / "2000-01-01") == ["scored"]
    (today,) = [path for path in out.iterdir() if path.name != "2000-01-01"]
    assert statuses(today) == ["rejected"]


def test_scan_can_end_well_and_say_nothing_though_a_film_was_rejected(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    fixed = ("--model", model, "--backend", "onnxruntime", "--workers", 1, "--format", "csv")
    assert exit_status("scan", folder, "--out", out, *fixed, "--exit-zero", "--quiet", "--log-file", log) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert statuses(out) == ["scored", "rejected"]
    assert "Mustermann" not in log.read_text()
    assert " ended scored=1 rejected=1 failed=0" in log.read_text()
