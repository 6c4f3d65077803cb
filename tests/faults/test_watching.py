"""A watched folder while its service is killed, or asked to end, and while films are still written."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import cv2
import pytest

from cxr_runtime.phantom import draw_phantom
from fault_scans import START, Night, Scans, table
from processes import PATIENCE, running, wait_until
from service_rows import by_bytes, rows_of

KILLS = int(os.environ.get("CXR_TRIAGE_KILLS", "30")) // 4  # CONTRIBUTING.md
KILLED = -9
PIECES = 5


def arguments(folder: Path, out: Path, *more: str) -> list[str]:
    fixed = ("--model", "model", "--backend", "onnxruntime", "--workers", "1")
    return ["watch", str(folder), "--out", str(out), *fixed, *more]


def test_a_watch_that_is_killed_again_and_again_has_each_film_once(night: Night, tmp_path: Path) -> None:
    random, folder, out = Random(0), tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    films = [path for path in sorted((night.folder / "films").rglob("*")) if path.is_file()]
    with Scans.start(night) as scans:
        started = time.monotonic()
        scans.run(night.arguments(tmp_path / "scan"))
        whole = time.monotonic() - started
        for kill in range(KILLS):
            for number in range(kill, len(films), KILLS):
                shutil.copy(films[number], folder / f"{number}{films[number].suffix}")
            scans.run(arguments(folder, out), kill_after=random.uniform(0.0, whole + 2.0))
        status, log = scans.run(arguments(folder, out, "--once"))
    assert status == 0, log
    assert by_bytes(table(out)) == {
        row["sha256"]: {name: text for name, text in row.items() if name != "file"}
        for row in table(tmp_path / "scan")
    }


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_watch_that_is_asked_to_end_finishes_what_it_began_and_ends_well(
    night: Night, tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    command = [sys.executable, "-c", START, *arguments(folder, out, "--format", "csv")]
    with running(command, cwd=night.folder, env=night.environment, stderr=subprocess.PIPE) as process:
        for seed in range(20):
            cv2.imwrite(str(folder / f"{seed}.png"), draw_phantom(seed, hw=(256, 256)))
        wait_until(lambda: rows_of(out) > 0)
        os.killpg(process.pid, signal.SIGTERM)  # of its workers, too, as systemd does
        _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, log
    assert "Traceback" not in log
    rows = table(out)
    assert len(by_bytes(rows)) == rows_of(out)
    assert {row["status"] for row in rows} == {"scored"}


def test_a_film_that_is_written_in_pieces_is_scored_once_and_whole(night: Night, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    content = cv2.imencode(".png", draw_phantom(1, hw=(256, 256)))[1].tobytes()
    command = [sys.executable, "-c", START, *arguments(folder, out, "--once", "--format", "csv")]
    (folder / "slow.png").write_bytes(content[: len(content) // PIECES])
    with running(command, cwd=night.folder, env=night.environment) as process:
        with (folder / "slow.png").open("ab") as file:
            for piece in range(1, PIECES + 1):  # `--once` waits for a file that grows
                time.sleep(0.5)
                file.write(content[len(content) * piece // PIECES : len(content) * (piece + 1) // PIECES])
                file.flush()
        assert process.wait(timeout=PATIENCE) == 0
    assert [(row["file"], row["status"]) for row in table(out)] == [(f"{folder}/slow.png", "scored")]
