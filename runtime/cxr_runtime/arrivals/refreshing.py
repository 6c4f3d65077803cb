"""Reports of a store that grows: written beside the scoring, as often as costs little.

results.csv and the worklist follow within REFRESH_SECONDS. The PDF is for reading later: it is written when
nothing has arrived for a while, else once an hour, and at the end of the day or of the service.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Self

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import ReportFormat
from cxr_runtime.journal import Journal
from cxr_runtime.machine_memory import give_back_unused
from cxr_runtime.reports.exhibit import Tally
from cxr_runtime.reports.publishing import Written, write_reports
from cxr_runtime.scanning.long_session import LongSession
from cxr_runtime.store.beside import StoreBeside
from cxr_runtime.store.rows import RunFacts

REFRESH_SECONDS = 15.0  # at least, between two rounds
# After a round follows a rest of so many times its length: 5 % of the time goes into reports.
RESTS_FOR_ONE = 19
QUIET_SECONDS = 60.0  # without a film, until the PDF is written
LONGEST_WITHOUT_PDF = 3600.0  # seconds from the first film that it lacks
LISTS = frozenset((ReportFormat.CSV, ReportFormat.HTML))


class _Round(NamedTuple):
    """Reports that were written, and what they state."""

    facts: RunFacts
    written: Written
    took: float  # seconds


class Reports:
    """Keeps the reports of a session's folder up to date; a thread writes them, one round at a time."""

    def __init__(
        self,
        session: LongSession,
        inputs: Iterable[str],
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally()  # of the films that the latest reports hold
        self.are_whole = True  # all of them were written the last time
        self._session, self._inputs, self._journal, self._clock = session, tuple(inputs), journal, clock
        self._thread = ThreadPoolExecutor(1, "reports")
        self._running: Future[_Round] | None = None
        self._rests_until = clock()
        self._last_film = clock()
        self._lists_lack: float | None = None  # since when there is a film that the lists do not hold
        self._pdf_lacks: float | None = None
        if session.has_forgotten:  # the reports that are there name patients still
            self.changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def changed(self) -> None:
        """A film has its row."""
        self._last_film = now = self._clock()
        self._lists_lack = now if self._lists_lack is None else self._lists_lack
        self._pdf_lacks = now if self._pdf_lacks is None else self._pdf_lacks

    def tend(self) -> None:
        """Note what was written, and have written what is due; nothing is waited for.

        Raises:
            StoreError: the disk is full.
        """
        if self._running is not None and self._running.done():
            self._end_round()
        now = self._clock()
        if self._running is not None or now < self._rests_until:
            return
        kinds = (LISTS if self._lists_lack is not None else frozenset()) | self._pdf_due(now)
        if kinds:
            self._begin_round(kinds)

    def wait(self) -> None:
        """Wait until what is being written is there."""
        if self._running is not None:
            wait([self._running])

    def finish(self) -> None:
        """Write everything that changed, and wait for it; the last act of a folder.

        Raises:
            StoreError: the disk is full.
        """
        if self._running is not None:
            self._end_round()
        self._begin_round(frozenset(ReportFormat))
        self._end_round()

    def _pdf_due(self, now: float) -> frozenset[ReportFormat]:
        lacks = self._pdf_lacks
        is_quiet = now - self._last_film >= QUIET_SECONDS
        is_due = lacks is not None and (is_quiet or now - lacks >= LONGEST_WITHOUT_PDF)
        return frozenset([ReportFormat.PDF]) if is_due else frozenset()

    def _begin_round(self, kinds: frozenset[ReportFormat]) -> None:
        self._lists_lack = None if kinds >= LISTS else self._lists_lack
        self._pdf_lacks = None if ReportFormat.PDF in kinds else self._pdf_lacks
        self._running = self._thread.submit(self._write, kinds)

    def _write(self, kinds: frozenset[ReportFormat]) -> _Round:
        started = time.perf_counter()
        files = self._session.files
        with StoreBeside.open(files.out) as store, store.one_moment():
            facts = self._session.facts(store, self._inputs)
            written = write_reports(store, None, facts, files, kinds)
        give_back_unused()
        return _Round(facts, written, time.perf_counter() - started)

    def _end_round(self) -> None:
        assert self._running is not None
        running, self._running = self._running, None
        try:
            ended = running.result()
        except (CxrTriageError, OSError) as error:  # a report never keeps a film from being scored
            self._journal.note("reports-failed", error=type(error).__name__.lower())
            self.are_whole = False
            self._rests_until = self._clock() + REFRESH_SECONDS
            self.changed()
            return
        self._session.note_reports(ended.facts, ended.written)
        self.tally = ended.written.tally
        self._rests_until = self._clock() + max(REFRESH_SECONDS, RESTS_FOR_ONE * ended.took)
        written, refused = len(ended.written.stamps), len(ended.written.refused)
        self._journal.note("reports", written=written, refused=refused, seconds=round(ended.took, 2))
        self.are_whole = not refused
        if refused:  # on Windows, a spreadsheet that has results.csv open
            self._lists_lack = self._pdf_lacks = self._clock()
