import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.store.store import read_scores
from model_folders import write_model_folder
from typed_commands import exit_status


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.png"
    cv2.imwrite(str(path), draw_phantom(1, hw=(256, 256)))
    return path


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cxr-triage: ")]
    assert len(lines) == 1
    return lines[0]


def test_a_scan_of_good_films_exits_0_and_says_where_the_reports_are(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model_folder(tmp_path / "m")
    assert exit_status("scan", film, "--model", model, "--backend", "onnxruntime") == 0
    told = capsys.readouterr().out
    assert "1 film: 1 scored" in told
    assert f"reports in {tmp_path}/film.png-cxr-triage" in told


def test_films_that_can_have_no_dicom_results_are_counted_with_the_reason(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("highdicom", reason="highdicom, of the dicom extra, is not installed")
    model = write_model_folder(tmp_path / "m")
    assert exit_status("scan", film, "--model", model, "--format", "dicom") == 0
    said = "no DICOM results for 1 film without a study that they could stand in: only DICOM has one, by its"
    assert said in capsys.readouterr().out


def test_a_scan_with_a_bad_film_exits_3(film: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"")
    model = write_model_folder(tmp_path / "m")
    out = tmp_path / "out"
    assert exit_status("scan", film, tmp_path / "bad.png", "--model", model, "--out", out) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan",),
        ("scan", "no-such-file.png"),
        ("scan", ".", "--format", "docx"),
        ("scan", ".", "--backend", "abacus"),
        ("scan", ".", "--workers", "0"),
        ("scan", ".", "--no-such-option"),
        ("no-such-command",),
    ],
)
def test_wrong_usage_exits_2_with_one_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert exit_status(*arguments) == 2
    assert error_line(capsys)


@pytest.mark.parametrize("broken", ["model.onnx", "model.json", "calibration.json"])
def test_a_refused_model_exits_1_with_one_line(
    broken: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model_folder(tmp_path / "m")
    (model / broken).write_bytes(b"{}")
    assert exit_status("scan", film, "--model", model) == 1
    assert error_line(capsys)


def test_debug_shows_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_status("scan", "no-such-file.png", "--debug") == 2
    assert "Traceback" in capsys.readouterr().err


def test_help_is_wrapped_by_the_terminal_and_not_by_the_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    assert exit_status("scan", "--help") == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(
        line.startswith("Exit status: 0 every") and line.endswith("130 interrupted.") for line in lines
    )


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status() == 0
    assert "scan" in capsys.readouterr().out


def test_the_program_runs_as_a_module_would() -> None:
    program = "from cxr_cli.main import main; main(['--version'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cxr-triage ")


@pytest.mark.parametrize("library", ["typer", "filelock", "numpy"])
def test_a_missing_library_is_told_in_one_line_and_never_blamed_on_a_film(film: Path, library: str) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"sys.argv[1:] = ['scan', {str(film)!r}, '--out', {str(film.parent / 'out')!r}]\n"
        "from cxr_cli import start\nstart()"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("cxr-triage: a library that it needs does not load (")
    assert library in line
    assert line.endswith("); install cxr-triage anew")


PNG = encode_png(draw_phantom(1, hw=(256, 256)))


@pytest.mark.parametrize(
    ("library", "content"),
    [
        ("cv2", PNG),
        ("onnxruntime", PNG),
        ("pydicom", bytes(128) + b"DICM"),
        ("tifffile", b"II*\0" + bytes(99)),
    ],
)
def test_a_library_that_workers_lack_is_told_in_one_line_and_never_blamed_on_a_film(
    library: str, content: bytes, film: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    film.write_bytes(content)
    is_ours = "any(module in sys.orig_argv for module in ('cxr_runtime.workers.worker_child', '-c'))"
    lacking = f"import sys\nif {is_ours}:\n    sys.modules[{library!r}] = None\n"
    (film.parent / "sitecustomize.py").write_text(lacking)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(film.parent), os.environ.get("PYTHONPATH", "")]))
    model, out = write_model_folder(film.parent / "m"), film.parent / "out"
    assert exit_status("scan", film, "--model", model, "--backend", "onnxruntime", "--out", out) == 1
    line = error_line(capsys)
    assert library in line
    assert "install cxr-triage anew" in line
    assert read_scores(out) == []
