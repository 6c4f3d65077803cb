"""A part that dies is begun again, after longer and longer waits; its health says so."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.journal import Journal
from cxr_runtime.names import printable


class Part(Protocol):
    """Something that works until it is asked to end."""

    def run(self) -> None:
        """Work until `end` is called.

        Raises:
            Exception: what it dies of.
        """
        ...

    def end(self) -> None:
        """Have it end soon; may be called from any thread, and before it runs."""
        ...


@dataclass(frozen=True)
class Waits:
    """Seconds between a death and the next beginning."""

    first: float = 1.0
    growth: float = 2.0
    longest: float = 300.0
    well_after: float = 600.0  # of work, after which a death counts as the first


class PartState(StrEnum):
    """What a part does."""

    RUNS = "runs"
    WAITS = "waits"  # it died, and is begun again
    ENDED = "ended"


@dataclass(frozen=True)
class PartHealth:
    """How a part is."""

    name: str
    state: PartState
    deaths: int  # since the appliance began
    error: str  # kind of the latest one, a word; "" where there was none
    again_in: float  # seconds until it is begun again; 0 while it runs


class Standing:
    """How a part stands: what it died of, and when it is begun again.

    Args:
        name: of the part, a word.
        journal: of the appliance.
        tell: shows a sentence to whoever looks after the machine; the journal holds words only.
        waits: between deaths and beginnings.
        clock: seconds of a clock that is never set back.
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        tell: Callable[[str], None],
        waits: Waits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._journal, self._tell, self._clock = name, journal, tell, clock
        self._waits = waits or Waits()
        self._state, self._deaths, self._in_a_row, self._error = PartState.WAITS, 0, 0, ""
        self._began = self._due = clock()

    @property
    def is_due(self) -> bool:
        """Whether it may be begun now."""
        return self._clock() >= self._due

    def began(self) -> None:
        """It works."""
        self._state, self._began = PartState.RUNS, self._clock()
        if self._deaths:
            self._journal.note("part-again", part=self._name, deaths=self._deaths)

    def died(self, error: Exception) -> float:
        """It died; the seconds until it is begun again."""
        now, waits = self._clock(), self._waits
        was_well = self._state is PartState.RUNS and now - self._began >= waits.well_after
        self._in_a_row = 0 if was_well else self._in_a_row
        wait = min(waits.first * waits.growth**self._in_a_row, waits.longest)
        self._state, self._due = PartState.WAITS, now + wait
        self._deaths, self._in_a_row = self._deaths + 1, min(self._in_a_row + 1, 64)
        self._error = type(error).__name__.lower()[:40]
        self._journal.note("part-died", part=self._name, error=self._error, again_in=round(wait, 1))
        self._tell(f"{self._name} has stopped and is begun again in {wait:.0f} s: {_why(error)}")
        return wait

    def ended(self) -> None:
        """It has ended as asked."""
        self._state = PartState.ENDED

    def health(self) -> PartHealth:
        """How it is just now."""
        waits = max(0.0, self._due - self._clock()) if self._state is PartState.WAITS else 0.0
        return PartHealth(self._name, self._state, self._deaths, self._error, round(waits, 1))


class Supervised:
    """Runs a part, and a new one whenever it has died.

    Args:
        make: a new part.
        standing: of all of them.
    """

    def __init__(self, make: Callable[[], Part], standing: Standing) -> None:
        self._make, self.standing = make, standing
        self._ending = threading.Event()
        self._part: Part | None = None
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Keep a part running until `end` is called.

        Raises:
            Exception: it died while it ended.
        """
        while not self._ending.is_set():
            try:
                self._run_once()
            except Exception as error:
                wait = self.standing.died(error)
                if self._ending.is_set():
                    raise
                self._ending.wait(wait)
        self.standing.ended()

    def start(self, name: str) -> None:
        """Run in a thread."""
        self._thread = threading.Thread(target=self._run_aside, name=name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Have the part end; may be called from any thread, and from a signal."""
        self._ending.set()
        part = self._part
        if part is not None:
            part.end()

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run_once(self) -> None:
        part = self._part = self._make()
        if self._ending.is_set():  # it came before there was a part to be asked
            return
        self.standing.began()
        part.run()
        if not self._ending.is_set():
            raise CxrTriageError("it ended of its own accord")

    def _run_aside(self) -> None:
        try:
            self.run()
        except Exception:  # noqa: BLE001 - its standing has said so
            return


def _why(error: Exception) -> str:
    """What to say of it: a sentence of ours, the system's reason, or where in the program it happened."""
    if isinstance(error, CxrTriageError):
        return printable(str(error))
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}; please report it"
