"""How a scan gets on: a bar on a terminal, plain lines in a log; both on standard error."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cxr_cli.open_bars import OPEN_BARS
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.progress import Progress

SECONDS_BETWEEN_LINES = 10.0


def terminal_or_lines() -> Progress:
    """The progress that suits standard error."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()


class LineProgress:
    """A line now and then, and one for every film without a score."""

    def begin(self, films: int) -> None:
        """Note the start."""
        self._films, self._done = films, 0
        self._started = self._last_line = time.monotonic()
        self._say(f"scanning {counted(films)}")

    def advance(self, outcome: Outcome | None) -> None:
        """Count a film."""
        self._done += 1
        if outcome is not None and outcome.status is not Status.SCORED:
            self._say(without_score(outcome))
        if time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            rate = self._done / (self._last_line - self._started)
            left = (self._films - self._done) / rate
            self._say(f"{self._done} of {self._films} films, {rate:.1f} films/s, {left:.0f} s left")

    def end(self) -> None:
        """Say how fast it was."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        self._say(
            f"{counted(self._done)} in {seconds:.1f} s ({self._done / seconds:.1f} films/s); writing reports"
        )

    @staticmethod
    def _say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201


class BarProgress:
    """A bar with films, films a second and the time left."""

    def begin(self, films: int) -> None:
        """Draw the bar."""
        self._bar = Bar(
            TextColumn("scanning"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} films/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("scan", total=films, rate=0.0)
        self._bar.start()
        OPEN_BARS.callback(self._bar.stop)

    def advance(self, outcome: Outcome | None) -> None:
        """Move the bar on; name a film without a score above it."""
        if outcome is not None and outcome.status is not Status.SCORED:
            self._bar.console.print(without_score(outcome), markup=False, highlight=False)
        speed = self._bar.tasks[self._task].speed or 0.0
        self._bar.update(self._task, advance=1, rate=speed)

    def end(self) -> None:
        """Leave the full bar standing."""
        self._bar.stop()


def counted(films: int) -> str:
    """A number of films in words for a user: 1 film, 2 films."""
    return "1 film" if films == 1 else f"{films} films"


def without_score(outcome: Outcome) -> str:
    """One line on a film that was rejected or failed; control characters in its name are shown, not sent."""
    return printable(f"{outcome.status}: {outcome.file}: {outcome.message} [{outcome.code}]")
