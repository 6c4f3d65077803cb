"""A fuzzer: changed inputs for every reader, until one does what is not documented: `cxr-triage lab fuzz`.

An input follows from the target's name, a seed and its number alone. It is tried in a process with limits of
its own, so that a crash of native code is a finding and not the end.
"""

import contextlib
import os
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Self

from cxr_runtime.benchmark.fuzz_targets import TARGETS, Target, check_refusal
from cxr_runtime.errors import UsageError
from cxr_runtime.folders import CACHE_VARIABLE
from cxr_runtime.markdown import markdown_table
from cxr_runtime.memory import lacks_memory
from cxr_runtime.progress import Progress

SECONDS = 60.0  # that one input may take; as a film in a scan
MEGABYTES = 4096  # of address space; as a worker in a scan
AT_ONCE = 100  # inputs of one target before the next one's turn
MOST_TOLD = 300  # characters of what went wrong


@dataclass(frozen=True)
class FuzzOptions:
    """What to try, and how long."""

    targets: Sequence[str] = ()  # names of TARGETS; empty: all
    inputs: int | None = AT_ONCE  # of each target; None: no end but that of time
    minutes: float | None = None  # wall time of all; None: no end but that of inputs
    seed: int = 1
    save: Path | None = None  # folder for the first input of each finding


@dataclass(frozen=True)
class Finding:
    """An input that did what is not documented."""

    target: str
    number: int  # with the seed, it gives the input again
    digest: str  # sha256 of the input
    where: str  # where it went wrong: findings of one place are one
    told: str  # what went wrong


@dataclass(frozen=True)
class _Tried:
    seconds: float  # of processor time
    megabytes: int  # the process had at most so far
    refused: bool
    finding: Finding | None


@dataclass
class TargetCount:
    """What became of the inputs of one target."""

    inputs: int = 0
    refused: int = 0  # in a documented way; the others were read
    slowest: float = 0.0  # seconds of processor time
    megabytes: int = 0  # at most, the libraries included


@dataclass(frozen=True)
class Fuzzed:
    """What a fuzzer found."""

    counts: dict[str, TargetCount]  # by target
    findings: tuple[Finding, ...]  # the first of each place
    times: Counter[str]  # inputs by place


def fuzz(
    options: FuzzOptions, progress: Progress, targets: Mapping[str, Target] = MappingProxyType(TARGETS)
) -> Fuzzed:
    """Try changed inputs on every target in turn.

    Args:
        options: what to try, and how long.
        progress: told of every AT_ONCE inputs.
        targets: by name; they can be pickled.

    Raises:
        UsageError: there is no target of that name.
    """
    names = list(options.targets or targets)
    for name in names:
        if name not in targets:
            raise UsageError(f"there is no target {name!r}; choose of: {'; '.join(targets)}")
    counts, firsts, times = {name: TargetCount() for name in names}, dict[str, Finding](), Counter[str]()
    progress.begin("fuzzing", None)
    for name, numbers in _turns(names, options):
        for tried in _try_all(name, targets[name], numbers, options.seed):
            _add(counts[name], tried)
            if tried.finding is not None:
                times[tried.finding.where] += 1
                if tried.finding.where not in firsts:
                    firsts[tried.finding.where] = tried.finding
                    progress.say(_line(tried.finding))
                    _save(tried.finding, targets[name], options)
        progress.advance()
    progress.end()
    return Fuzzed(counts, tuple(firsts.values()), times)


def input_of(name: str, target: Target, number: int, seed: int) -> bytes:
    """The input of that number of a target of that name, made again."""
    return target.change(target.seeds(), Random(f"{seed} {name} {number}"))


def fuzz_table(fuzzed: Fuzzed) -> str:
    """The counts, and then the findings, as tables in markdown."""
    rows = [
        (name, f"{one.inputs}", f"{one.refused}", f"{one.slowest:.1f}", f"{one.megabytes}")
        for name, one in fuzzed.counts.items()
    ]
    total = sum(one.inputs for one in fuzzed.counts.values())
    rows.append(("**all**", f"{total}", f"{sum(one.refused for one in fuzzed.counts.values())}", "", ""))
    head = ("target", "inputs", "refused", "slowest, s", "memory, MB")
    tables = [markdown_table(head, rows, "lrrrr"), f"{len(fuzzed.findings)} findings"]
    if fuzzed.findings:
        found = [
            (one.target, f"{one.number}", one.digest[:12], f"{fuzzed.times[one.where]}", one.told)
            for one in fuzzed.findings
        ]
        tables.append(markdown_table(("target", "number", "sha256", "inputs", "what"), found, "lrlrl"))
    return "\n\n".join(tables)


def _turns(names: Sequence[str], options: FuzzOptions) -> Iterator[tuple[str, range]]:
    """Which numbers of which target come next, until the inputs or the time are used up."""
    started = time.monotonic()
    for begin in count(0, AT_ONCE):
        end = begin + AT_ONCE if options.inputs is None else min(begin + AT_ONCE, options.inputs)
        if end <= begin:
            return
        for name in names:
            if options.minutes is not None and time.monotonic() - started > 60 * options.minutes:
                return
            yield name, range(begin, end)


def _add(counted: TargetCount, tried: _Tried) -> None:
    counted.inputs += 1
    counted.refused += tried.refused
    counted.slowest = max(counted.slowest, tried.seconds)
    counted.megabytes = max(counted.megabytes, tried.megabytes)


def _line(found: Finding) -> str:
    return f"finding: {found.target}, number {found.number}, sha256 {found.digest[:12]}: {found.told}"


def _save(found: Finding, target: Target, options: FuzzOptions) -> None:
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in found.target)
        content = input_of(found.target, target, found.number, options.seed)
        (options.save / f"{name}-{found.number}-{found.digest[:12]}.bin").write_bytes(content)


def _try_all(name: str, target: Target, numbers: range, seed: int) -> Iterator[_Tried]:
    """Try inputs in a process, and in a fresh one after each that ended it."""
    trier: _Trier | None = None
    try:
        for number in numbers:
            trier = trier or _Trier.start(name, target, seed)
            tried = trier.tried(number)
            if tried is None:
                why, trier = trier.end(), None
                digest = sha256(input_of(name, target, number, seed)).hexdigest()
                yield _Tried(0.0, 0, False, Finding(name, number, digest, f"{name}: {why}", why))
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

    @classmethod
    def start(cls, name: str, target: Target, seed: int) -> Self:
        """Start it, and wait until it has loaded everything."""
        spawning = get_context("spawn")
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_serve, args=(theirs, name, target, seed), daemon=True)
        process.start()
        theirs.close()
        ours.recv()
        return cls(process, ours)

    def tried(self, number: int) -> _Tried | None:
        """What became of an input; None if the process came to its end."""
        try:
            self.line.send(number)
            if self.line.poll(SECONDS):
                found: _Tried = self.line.recv()
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
        if overdue:
            return f"it took longer than {SECONDS:g} s"
        status = self.process.exitcode or 0
        return f"its process ended by {signal.Signals(-status).name if status < 0 else f'status {status}'}"


def _serve(line: Connection, name: str, target: Target, seed: int) -> None:
    """Try inputs of a target as their numbers come, until the line is closed."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(EOFError):
        os.environ[CACHE_VARIABLE] = str(Path(folder) / "cache")
        scratch = Path(folder) / "scratch"
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
            line.send(_Tried(time.process_time() - started, _megabytes(), refused, found))


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
