"""What the stages of a scan were busy with, for those who want it faster: `scan --profile`."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ParamSpec, TypeVar

from cxr_runtime.backends.engine import Engine
from cxr_runtime.markdown import markdown_table
from cxr_runtime.scanning.examination import Admitted, Rejected, Unread

P = ParamSpec("P")
R = TypeVar("R")


class Stage(StrEnum):
    """A stage of the flow; what it does in other processes counts, too."""

    FIND = "find films"
    READ = "read, check, prepare"
    COMPUTE = "network"
    SCORE = "score, heat"
    DRAW = "pictures"
    STORE = "store"
    REPORT = "reports"


@dataclass
class Profile:
    """Wall time in each stage; several films may be in a stage at once."""

    seconds: dict[Stage, float] = field(
        default_factory=lambda: dict.fromkeys(Stage, 0.0)
    )  # all films added up
    at_once: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(Stage, 1))  # films that it takes
    films: int = 0  # rows stored
    first: float = 0.0  # seconds from the start to the first row
    wall: float = 0.0  # seconds of the whole scan
    processor: float = 0.0  # seconds of processor time of all its processes
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)  # of all its machines
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = 0.0

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Around a scan, until its processes have ended."""
        self._began, used = time.perf_counter(), _processor_seconds()
        yield
        self.wall = time.perf_counter() - self._began
        self.processor += _processor_seconds() - used

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Around a piece of a stage, in any thread."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - began)

    def timed(self, stage: Stage, work: Callable[P, R]) -> Callable[P, R]:
        """The same function, with its time added to a stage."""

        def work_timed(*arguments: P.args, **named: P.kwargs) -> R:
            with self.stage(stage):
                return work(*arguments, **named)

        return work_timed

    def takes(self, stage: Stage, films: int) -> None:
        """Have so many films counted as those that a stage takes at once."""
        self.at_once[stage] = films

    def watch(self, engine: Engine) -> None:
        """Have an engine's time count as that of the network."""
        engine.run = self.timed(Stage.COMPUTE, engine.run)  # type: ignore[method-assign]  # of this one alone

    def reading(self, work: Callable[P, Iterable[R]]) -> Callable[P, Iterable[R]]:
        """The same way of films from the workers; the seconds that each took there are added."""

        def work_timed(*arguments: P.args, **named: P.kwargs) -> Iterator[R]:
            for item in work(*arguments, **named):
                match item:
                    case (_, Unread(seconds=seconds) | Rejected(seconds=seconds) | Admitted(seconds=seconds)):
                        self.add(Stage.READ, seconds)
                yield item

        return work_timed

    def stored(self) -> None:
        """One more film has its row."""
        self.films += 1
        if self.films == 1:
            self.first = time.perf_counter() - self._began

    def add(self, stage: Stage, seconds: float) -> None:
        """Add to a stage."""
        with self._lock:
            self.seconds[stage] += seconds

    def taken(self) -> dict[Stage, float]:
        """What each stage was busy with since this was asked before."""
        with self._lock:
            taken, self.seconds = self.seconds, dict.fromkeys(Stage, 0.0)
        return taken

    def __str__(self) -> str:
        """A table, and what the whole scan took."""
        cores, films = self.processors, max(self.films, 1)
        own = self.seconds[Stage.SCORE] - self.seconds[Stage.COMPUTE]  # the network runs within it
        taken = {stage: own if stage is Stage.SCORE else self.seconds[stage] for stage in Stage}
        rows = [
            (stage.value, str(at_once := self.at_once[stage]), f"{seconds:.2f}",
             f"{100 * seconds / max(at_once * self.wall, 1e-9):.0f} %", f"{1000 * seconds / films:.1f}")
            for stage, seconds in taken.items()
        ]  # fmt: skip
        table = markdown_table(("stage", "at once", "busy, s", "of the scan", "ms a film"), rows, "lrrrr")
        busy = 100 * self.processor / max(cores * self.wall, 1e-9)
        return (
            f"{table}\n\nthe scan took {self.wall:.2f} s; its first row came after {self.first:.2f} s; "
            f"{self.processor:.2f} s of processor time, {busy:.0f} % of {cores} processors"
        )


class NoProfile:
    """In place of a profile where nobody asked for one: nothing is measured, and all work stays as it is."""

    def whole(self) -> AbstractContextManager[None]:
        """As of `Profile`."""
        return nullcontext()

    def stage(self, stage: Stage) -> AbstractContextManager[None]:  # noqa: ARG002
        """Likewise."""
        return nullcontext()

    def timed(self, stage: Stage, work: Callable[P, R]) -> Callable[P, R]:  # noqa: ARG002
        """The same function."""
        return work

    def takes(self, stage: Stage, films: int) -> None:
        """Nothing is noted."""

    def watch(self, engine: Engine) -> None:
        """The engine stays as it is."""

    def reading(self, work: Callable[P, Iterable[R]]) -> Callable[P, Iterable[R]]:
        """The same function."""
        return work

    def stored(self) -> None:
        """Nothing is noted."""


AnyProfile = Profile | NoProfile


def family_seconds() -> float:
    """Processor time of this process and its children; on Linux also of those that have not ended."""
    lists = Path("/proc/self/task").glob("*/children")
    alive = (int(child) for each in lists for child in each.read_text().split())
    return _processor_seconds() + sum(map(_seconds_of, alive))


def _seconds_of(process: int) -> float:
    with suppress(OSError):  # it has ended meanwhile
        return time.clock_gettime(~process << 3 | 2)  # its processor clock: Linux, clock_getcpuclockid(3)
    return 0.0


def _processor_seconds() -> float:
    """Of this process, and of those of its children that have ended."""
    return sum(os.times()[:4])
