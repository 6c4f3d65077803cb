"""Inputs tried in a process with limits of its own: a crash of native code is a finding and not the end."""

import contextlib
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Self

from cxr_runtime.benchmark.fuzzing.targets import Target, check_refusal
from cxr_runtime.folders import CACHE_VARIABLE
from cxr_runtime.memory import lacks_memory

SECONDS = 60.0  # that one input may take; as a film in a scan
MEGABYTES = 4096  # of address space; as a worker in a scan
MOST_TOLD = 300  # characters of what went wrong


@dataclass(frozen=True)
class Finding:
    """An input that did what is not documented."""

    target: str
    number: int  # with the seed, it gives the input again
    digest: str  # sha256 of the input
    where: str  # where it went wrong: findings of one place are one
    told: str  # what went wrong


@dataclass(frozen=True)
class Tried:
    """What became of one input."""

    seconds: float  # of processor time
    megabytes: int  # the process had at most so far
    refused: bool
    finding: Finding | None


def input_of(name: str, target: Target, number: int, seed: int) -> bytes:
    """The input of that number of a target of that name, made again."""
    return target.change(target.seeds(), Random(f"{seed} {name} {number}"))


def try_all(name: str, target: Target, numbers: range, seed: int) -> Iterator[Tried]:
    """Try inputs in a process, and in a fresh one after each that ended it."""
    trier: _Trier | None = None
    try:
        for number in numbers:
            trier = trier or _Trier.start(name, target, seed)
            tried = trier.tried(number)
            if tried is None:
                why, trier = trier.end(), None
                digest = sha256(input_of(name, target, number, seed)).hexdigest()
                yield Tried(0.0, 0, False, Finding(name, number, digest, f"{name}: {why}", why))
            else:
                yield tried
    finally:
        if trier is not None:
            trier.end()


@dataclass
class _Trier:
    """A process that tries inputs of one target."""

    process: BaseProcess
    line: Connection
    folder: tempfile.TemporaryDirectory[str]  # ours, as the process may be killed

    @classmethod
    def start(cls, name: str, target: Target, seed: int) -> Self:
        """Start it, and wait until it has loaded everything."""
        spawning = get_context("spawn")
        ours, theirs = spawning.Pipe()
        folder = tempfile.TemporaryDirectory()
        serving = (theirs, name, target, seed, Path(folder.name))
        process = spawning.Process(target=_serve, args=serving, daemon=True)
        process.start()
        theirs.close()
        ours.recv()
        return cls(process, ours, folder)

    def tried(self, number: int) -> Tried | None:
        """What became of an input; None if the process came to its end."""
        try:
            self.line.send(number)
            if self.line.poll(SECONDS):
                found: Tried = self.line.recv()
                return found
        except (EOFError, OSError):
            self.process.join()
        return None

    def end(self) -> str:
        """End the process; how it had ended by itself, in words."""
        overdue = self.process.is_alive()
        if overdue:
            self.process.kill()
        self.process.join()
        self.line.close()
        self.folder.cleanup()
        if overdue:
            return f"it took longer than {SECONDS:g} s"
        status = self.process.exitcode or 0
        return f"its process ended by {signal.Signals(-status).name if status < 0 else f'status {status}'}"


def _serve(line: Connection, name: str, target: Target, seed: int, folder: Path) -> None:
    """Try inputs of a target as their numbers come, until the line is closed."""
    with contextlib.suppress(EOFError):
        os.environ[CACHE_VARIABLE] = str(folder / "cache")
        scratch = folder / "scratch"
        scratch.mkdir()
        seeds = target.seeds()
        _confine()
        line.send(None)
        while True:
            number = line.recv()
            content = target.change(seeds, Random(f"{seed} {name} {number}"))
            started = time.process_time()
            refused, wrong = False, None
            try:
                target.read(content, scratch)
            except Exception as error:  # noqa: BLE001  # whatever is not documented is what is looked for
                wrong = _wrong(error, target.refusals)
                refused = wrong is None
            found = None
            if wrong is not None:
                place, told = wrong
                found = Finding(name, number, sha256(content).hexdigest(), f"{name}: {place}", told)
            line.send(Tried(time.process_time() - started, _megabytes(), refused, found))


def _wrong(error: Exception, refusals: tuple[type[Exception], ...]) -> tuple[str, str] | None:
    """Where an error came from and what it says; None where it is a refusal as it should be."""
    if isinstance(error, refusals):
        try:
            check_refusal(error)
        except AssertionError as broken:
            return f"a refusal: {broken}"[:MOST_TOLD], f"no refusal for a table: {broken}"[:MOST_TOLD]
        if not any(lacks_memory(cause) for cause in _causes(error)):
            return None
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "cxr_runtime" in frame.filename and "fuzz" not in frame.filename]
    last = (ours or list(frames))[-1]
    place = f"{Path(last.filename).name}:{last.lineno} {type(error).__name__}"
    return place, f"{place}: {' '.join(str(error).split())}"[:MOST_TOLD]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _confine() -> None:
    """Set the limits, and throw away what decoders print."""
    import resource

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _megabytes() -> int:
    """The most memory that this process has held so far; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()  # getrusage counts what the parent held, too
    except OSError:
        return 0
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM"))
