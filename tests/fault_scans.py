"""Scans of a small drawn night under faults: started by a process that has loaded everything already."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from cxr_runtime.benchmark.damaged_films import CODINGS
from cxr_runtime.errors import StoreError
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.store.store import read_scores
from model_folders import write_model_folder
from processes import Process, running

FILMS = 13  # rows of a night, one of them of a file that cannot be read
HW = (256, 256)  # rows and columns of its films
SAME_PICTURE = 2.0  # mean difference in grey levels
SOME_FAILED = 3  # exit status of a scan of all of it
START = "from cxr_cli import start; start()"
IN_A_ROOM_OF_ITS_OWN = ("unshare", "-m")  # mounts of this process and its children are seen by nobody else

# A job is a line of JSON; the answer is a line with the exit status, negative where a signal ended it.
PROGRAM = """
import json, os, signal, sys, time
import cxr_runtime.backends.onnxruntime_cpu, cxr_runtime.benchmark.scans, cxr_runtime.reports.publishing
import fpdf, uharfbuzz, cxr_cli.scan, cxr_runtime.scanning.scan, cxr_runtime.reports.again
from cxr_cli.main import main

for line in sys.stdin:
    job = json.loads(line)
    if "shell" in job:
        print(os.waitstatus_to_exitcode(os.system(job["shell"])), flush=True)
        continue
    child = os.fork()
    if not child:
        os.setsid()
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        main(job["arguments"])
    if job["kill_after"] is not None:
        time.sleep(job["kill_after"])
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status, flush=True)
"""


@dataclass(frozen=True)
class Night:
    """A folder with `films` and `model`."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """With a cache and a key of the night's own."""
        own = {f"CXR_TRIAGE_{name.upper()}": str(self.folder / name) for name in ("cache", "data")}
        return {**os.environ, **own}

    def arguments(self, out: Path, *, model: str = "model", batch_size: int = 4) -> list[str]:
        """A scan of the films, from the night's folder."""
        fixed = ("--backend", "onnxruntime", "--workers", "1", "--batch-size", str(batch_size))
        return ["scan", "films", "--out", str(out), "--model", model, *fixed]

    def command(
        self, out: Path, *, program: str = START, model: str = "model", batch_size: int = 4
    ) -> list[str]:
        """The same as a command line."""
        return [sys.executable, "-c", program, *self.arguments(out, model=model, batch_size=batch_size)]

    def scan(
        self, out: Path, *, limit: str = ":", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Scan in a process of its own, for which the shell sets limits first."""
        command = ["sh", "-c", f'{limit}; exec "$@"', "sh", *self.command(out)]
        return subprocess.run(
            command, cwd=self.folder, env={**self.environment, **(environment or {})}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip


def draw_night(folder: Path) -> Night:
    """Films of several formats, two of them in a zip file, a copy of one, and one that is cut short."""
    films = folder / "films"
    (films / "ward").mkdir(parents=True)
    write_model_folder(folder / "model")
    pictures = [draw_phantom(seed, hw=HW) for seed in range(11)]
    for number, picture in enumerate(pictures[:6]):
        (films / f"{number:02d}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    for number, coding in ((6, "JPEG"), (7, "TIFF, LZW"), (8, "DICOM, JPEG-LS")):
        (films / "ward" / f"{number:02d}").write_bytes(CODINGS[coding].encode(pictures[number]))
    (films / "ward" / "copy.png").write_bytes((films / "00.png").read_bytes())
    (films / "cut.png").write_bytes((films / "01.png").read_bytes()[:5000])
    with zipfile.ZipFile(films / "week.zip", "w") as archive:
        for number in (9, 10):
            content = cv2.imencode(".png", pictures[number])[1].tobytes()
            archive.writestr(zipfile.ZipInfo(f"{number}.png", (2026, 1, 2, 3, 4, 6)), content)
    return Night(folder)


def table(out: Path) -> list[dict[str, str]]:
    """results.csv without how long each film took."""
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [
            {name: text for name, text in row.items() if name != "seconds"} for row in csv.DictReader(file)
        ]


@dataclass(frozen=True, eq=False)
class Picture:
    """Equal to another that shows the same: one that is made again is drawn from the preview in the store."""

    pixels: np.ndarray  # (rows, columns, 3), uint8

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Picture) or self.pixels.shape != other.pixels.shape:
            return False
        return float(cv2.absdiff(self.pixels, other.pixels).mean()) < SAME_PICTURE

    def __hash__(self) -> int:
        return hash(self.pixels.shape)


Result = tuple[list[dict[str, str]], dict[str, Picture], set[str]]


def result(out: Path) -> Result:
    """What a scan came to: its table, its pictures, and the names of all it wrote."""
    pictures = {
        path.name: Picture(np.asarray(cv2.imread(str(path)))) for path in sorted((out / "heatmaps").iterdir())
    }
    return table(out), pictures, {path.name for path in out.iterdir() if not path.name.startswith(".")}


def told(log: str) -> str:
    """The one line in which a command says why it could not run.

    Raises:
        AssertionError: there is none, or more.
    """
    assert "Traceback" not in log, log
    lines = [line for line in log.splitlines() if line.startswith("cxr-triage: ")]
    assert len(lines) == 1, log
    return lines[0]


class Scans:
    """Runs scans one after the other, each in a fork of a process that has imported everything."""

    def __init__(self, process: subprocess.Popen[str], night: Night) -> None:
        self._process, self._log = process, night.folder / f"log-{process.pid}"

    @classmethod
    def start(cls, night: Night, prefix: Sequence[str] = ()) -> Self:
        """Load everything; `prefix` is a command that runs the process."""
        command = [*prefix, sys.executable, "-c", PROGRAM]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, cwd=night.folder, env=night.environment
        )
        return cls(process, night)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(timeout=300)

    def run(self, arguments: Sequence[str], *, kill_after: float | None = None) -> tuple[int, str]:
        """Run one command.

        Args:
            arguments: of `cxr-triage`.
            kill_after: seconds until its whole process group gets SIGKILL.

        Returns:
            Its exit status, or minus a signal; and what it printed.
        """
        status = self._ask({"arguments": list(arguments), "kill_after": kill_after, "log": str(self._log)})
        return status, self._log.read_text(encoding="utf-8", errors="replace")

    def shell(self, command: str) -> None:
        """Have the process run a shell command; it must end well."""
        status = self._ask({"shell": command})
        assert status == 0, f"{command}: exit status {status}"

    def _ask(self, job: Mapping[str, object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def can_mount() -> bool:
    """Whether this user may mount a file system in a room of its own."""
    if shutil.which("unshare") is None:
        return False
    command = [*IN_A_ROOM_OF_ITS_OWN, "mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def in_the_middle(night: Night, out: Path, model: str = "model") -> Iterator[Process]:
    """A scan that was stopped after its first row, and before its last."""
    with begun(night, out, model) as process:
        os.killpg(process.pid, signal.SIGSTOP)
        assert 0 < stored_rows(out) < FILMS
        yield process


@contextmanager
def begun(night: Night, out: Path, model: str = "model") -> Iterator[Process]:
    """A scan that runs, and has stored its first row."""
    command = night.command(out, model=model, batch_size=1)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(command, cwd=night.folder, env=night.environment, **pipes) as process:
        while process.poll() is None and not stored_rows(out):
            time.sleep(0.005)
        yield process


def goes_on(process: Process) -> None:
    """Let it end, if it has not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)
    _, log = process.communicate(timeout=300)
    assert process.returncode == SOME_FAILED, log


def stored_rows(out: Path) -> int:
    """Rows of the latest run."""
    try:
        return len(read_scores(out))
    except StoreError:
        return 0
