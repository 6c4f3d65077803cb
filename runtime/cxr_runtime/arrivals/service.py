"""The loop of every service: whatever arrives is scored, and the reports follow, until somebody ends it."""

import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from shutil import disk_usage

from cxr_runtime.arrivals.again import TriedAgain
from cxr_runtime.arrivals.ending import ending_on_signals
from cxr_runtime.arrivals.queue import Arrivals
from cxr_runtime.arrivals.refreshing import Reports
from cxr_runtime.journal import Journal
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports.exhibit import Tally
from cxr_runtime.scanning.days import EarlierFilms, folder_of, next_midnight
from cxr_runtime.scanning.long_session import LongSession
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.tasks import Pause

LOOK_SECONDS = 0.5  # between two looks at what is due, when nobody rings
HEALTH_SECONDS = 600.0  # between two lines of the journal that say how it goes


@dataclass(frozen=True)
class ServiceOptions:
    """How a service runs."""

    screening: ScanOptions  # `out` is given
    inputs: tuple[str, ...]  # where films come from, as typed, for the reports
    is_dated: bool = False  # each day has a folder of its own in `out`
    is_once: bool = False  # end when everything that is there is done
    hears_signals: bool = True  # else somebody else does, and calls `end`


@dataclass(frozen=True)
class Health:
    """How a service is."""

    films: int  # done since it began
    waiting: int  # there, or on their way
    to_be_tried_again: int
    last_film: datetime | None  # when the latest was done
    free_bytes: int  # of the disk with the output folder


@dataclass
class Service:
    """Scores what arrives, by one warm session a folder."""

    arrivals: Sequence[Arrivals]
    options: ServiceOptions
    journal: Journal
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone()  # its days are those of the folders
    opener: Opener | None = None  # None: each session has one of its own
    companions: Sequence[AbstractContextManager[object]] = ()  # begin once the folder is held; end last
    tally: Tally = field(default_factory=Tally)  # of the folder that was written last
    out: Path = Path()  # that folder
    has_reports: bool = True  # all of them could be written there
    _films: int = 0
    _last_film: datetime | None = None
    _given: dict[str, FilmSource] = field(default_factory=dict)  # by file, until they have a row
    _again: TriedAgain = field(default_factory=TriedAgain)
    _bell: threading.Event = field(default_factory=threading.Event)
    _is_ending: bool = False
    _day_ends: datetime | None = None  # when the folder is left

    def run(self) -> None:
        """Serve until `end` is called, or a signal asks for it; films in hand are finished, reports written.

        Raises:
            CxrTriageError: the service cannot go on: its folder, its model or its backend is at fault.
            KeyboardInterrupt: a second signal came; what was done is kept.
        """
        with ExitStack() as closing:
            if self.options.hears_signals:
                closing.enter_context(ending_on_signals(self.end, self.journal))
            with self._opened() as session:
                self._start(closing)
                self._serve(session)
            while not self._is_ending:
                with self._opened() as session:
                    self._serve(session)

    def end(self) -> None:
        """Have the service end; may be called from any thread, and from a signal."""
        self._is_ending = True
        self._bell.set()

    def health(self) -> Health:
        """How it is just now."""
        waiting = sum(arrivals.waiting() for arrivals in self.arrivals) + len(self._given)
        assert self.options.screening.out is not None
        free = disk_usage(self.options.screening.out).free
        return Health(self._films, waiting, len(self._again), self._last_film, free)

    @contextmanager
    def _opened(self) -> Iterator[LongSession]:
        screening = self.options.screening
        assert screening.out is not None
        now = self.clock()
        earlier: Container[str] = ()
        self.out, self._day_ends = screening.out, None
        if self.options.is_dated:
            self.out, self._day_ends = folder_of(screening.out, now.date()), next_midnight(now)
            earlier = EarlierFilms(screening.out, now.date())
        with LongSession.open(
            replace(screening, out=self.out), opener=self.opener, earlier=earlier
        ) as session:
            session.warm_up()
            session.take_stock(self.options.inputs)
            yield session

    def _start(self, closing: ExitStack) -> None:
        self.journal.note("started", ways=len(self.arrivals))
        for companion in self.companions:
            closing.enter_context(companion)
        for arrivals in self.arrivals:
            closing.callback(arrivals.close)
            arrivals.start(self._bell)

    def _serve(self, session: LongSession) -> None:
        with Reports(session, self.options.inputs, self.journal) as reports:
            for outcome in session.screen(self._arriving(reports)):
                self._ended(session, outcome)
                reports.changed()
            reports.finish()
            self.tally, self.has_reports = reports.tally, reports.are_whole
        self.journal.note("ended" if self._is_ending else "day-ended", films=self._films)

    def _arriving(self, reports: Reports) -> Iterator[FilmSource | Pause]:
        """All films of a folder, and pauses between them; what came before a pause has its row after it."""
        told = time.monotonic()
        while True:
            ready = self._ready()
            while not self._leaves() and (source := next(ready, None)) is not None:
                self._given[source.file] = source
                yield source
                reports.tend()
            if self._given:
                yield Pause.PAUSE
                self._given.clear()  # of those that needed no row
            if self._leaves():
                return
            reports.tend()
            if time.monotonic() - told >= HEALTH_SECONDS:
                told = time.monotonic()
                self._tell_health()
            self._bell.wait(LOOK_SECONDS)
            self._bell.clear()

    def _ready(self) -> Iterator[FilmSource]:
        yield from self._again.due(time.monotonic())
        for arrivals in self.arrivals:
            yield from arrivals.take()

    def _leaves(self) -> bool:
        """Whether this folder is done with: the service ends, or its day has."""
        is_idle = not self._given and not any(arrivals.waiting() for arrivals in self.arrivals)
        if self.options.is_once and is_idle and not self._again.is_soon(time.monotonic()):
            self._is_ending = True
        return self._is_ending or (self._day_ends is not None and self.clock() >= self._day_ends)

    def _ended(self, session: LongSession, outcome: Outcome) -> None:
        """A film has its row."""
        source = self._given.pop(outcome.file, None)
        if outcome.code == "missing" and not outcome.sha256:  # moved or deleted before it could be read
            session.withdraw(outcome.file)
            self.journal.note("film-gone")
            return
        self._films += 1
        self._last_film = self.clock()
        self.journal.film(outcome)
        if source is not None and self._again.ended(source, outcome, time.monotonic()):
            self.journal.note("tried-again-later", films=len(self._again))

    def _tell_health(self) -> None:
        health = self.health()
        self.journal.note(
            "alive",
            films=health.films,
            waiting=health.waiting,
            again=health.to_be_tried_again,
            free_mb=health.free_bytes >> 20,
        )
