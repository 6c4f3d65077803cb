"""A clock that is set back, and a file system that never answers: both by a library loaded before libc."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fault_scans import FILMS, SOME_FAILED, START, Night, result, table

YEAR = 365 * 24 * 3600  # seconds
# As START, with limits of time that a test can wait for.
IMPATIENT = """
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.pool import WorkerPool
Opener.__init__.__defaults__ = (4.0,)
WorkerPool.__init__.__kwdefaults__["seconds"] = 20.0
from cxr_cli import start
start()
"""

FORBIDDEN = "import ctypes; ctypes.c_int.in_dll(ctypes.CDLL({library!r}), 'fault_forbids').value = 1\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """faults.c, compiled."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("there is no C compiler, or no LD_PRELOAD")
    made = tmp_path_factory.mktemp("faults") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True)
    return str(made)


def shifted(library: str, seconds: int) -> dict[str, str]:
    return {"LD_PRELOAD": library, "FAULT_SHIFT": str(seconds)}


def test_the_clock_of_a_scan_is_that_of_the_library(library: str) -> None:
    program = "import datetime; print(datetime.datetime.now().year)"
    year = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **shifted(library, -30 * YEAR)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert int(year) < 2010


def test_a_clock_that_is_set_back_between_runs_changes_nothing(
    library: str, night: Night, undisturbed: object, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert night.scan(out, environment=shifted(library, YEAR)).returncode == SOME_FAILED
    (out / "results.csv").unlink()
    (out / "report.pdf").unlink()
    next((out / "heatmaps").iterdir()).unlink()
    done = night.scan(out, environment=shifted(library, -YEAR))
    assert done.returncode == SOME_FAILED, done.stderr
    assert f"{FILMS} finished before" in done.stdout
    assert result(out) == undisturbed


def test_films_of_the_future_that_become_older_are_read_and_not_scored_again(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    moved = Night(tmp_path)
    shutil.copytree(night.folder / "films", tmp_path / "films")
    (tmp_path / "model").symlink_to(night.folder / "model")
    for years in (5, -5):
        for film in (tmp_path / "films").rglob("*.*"):
            os.utime(film, times=(2e9 + years * YEAR, 2e9 + years * YEAR))
        done = moved.scan(tmp_path / "out")
        assert done.returncode == SOME_FAILED, done.stderr
    assert f"{FILMS} finished before" in done.stdout
    assert result(tmp_path / "out") == undisturbed


def scan_with(night: Night, out: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        night.command(out, program=program), cwd=night.folder, env={**night.environment, **environment},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stalls", "stalled", "films", "lost"),
    [
        ({"FAULT_STALL": "/03.png"}, "films/03.png", 1, 1),
        ({"FAULT_STALL_STAT": "/03.png"}, "films/03.png", 1, 1),
        ({"FAULT_TRICKLE": "/03.png"}, "films/03.png", 1, 1),
        ({"FAULT_STALL": "/week.zip"}, "films/week.zip", 2, 2),
        ({"FAULT_STALL_LIST": "/ward"}, "films/ward", 4, 3),  # one of four is a copy of another film
    ],
    ids=["opening", "stat", "trickle", "zip file", "folder"],
)
def test_what_never_comes_to_an_end_is_a_row_and_is_tried_again_in_the_next_run(
    stalls: dict[str, str], stalled: str, films: int, lost: int, library: str, night: Night,
    undisturbed: object, tmp_path: Path,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    done = scan_with(night, out, IMPATIENT, LD_PRELOAD=library, **stalls)
    assert done.returncode == SOME_FAILED, done.stderr
    rows = {row["file"]: row["code"] for row in table(out)}
    assert len(rows) == FILMS - films + 1
    assert {file: code for file, code in rows.items() if code} == {
        "films/cut.png": "truncated", stalled: "read-stalled",
    }  # fmt: skip
    done = night.scan(out)
    assert done.returncode == SOME_FAILED
    assert f"{FILMS - lost} finished before" in done.stdout
    assert result(out) == undisturbed


def test_an_input_that_never_answers_is_a_row(library: str, night: Night, tmp_path: Path) -> None:
    done = scan_with(night, tmp_path / "out", IMPATIENT, LD_PRELOAD=library, FAULT_STALL_STAT="films")
    assert done.returncode == SOME_FAILED, done.stderr
    assert [(row["file"], row["code"]) for row in table(tmp_path / "out")] == [("films", "read-stalled")]


def test_the_parent_touches_nothing_of_the_medium(
    library: str, night: Night, undisturbed: object, tmp_path: Path
) -> None:
    touching = FORBIDDEN.format(library=library) + "import os; os.stat('films/00.png')"
    medium = {"LD_PRELOAD": library, "FAULT_MEDIUM": str(night.folder / "films")}
    assert scan_with(night, tmp_path / "out", touching, **medium).returncode == 86
    done = scan_with(night, tmp_path / "out", FORBIDDEN.format(library=library) + START, **medium)
    assert done.returncode == SOME_FAILED, done.stderr
    assert result(tmp_path / "out") == undisturbed
