"""How training and evaluation get on: a bar on a terminal, plain lines in a log; on standard error."""

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cxr_cli.open_bars import OPEN_BARS

if TYPE_CHECKING:
    from cxr_train.progress import Progress

SECONDS_BETWEEN_LINES = 30.0


def work_progress() -> "Progress":
    """The progress that suits standard error."""
    return WorkBar() if sys.stderr.isatty() else WorkLines()


class WorkLines:
    """A line now and then."""

    def begin(self, work: str, pieces: int) -> None:
        """Note the start."""
        self._work, self._pieces, self._done = work, pieces, 0
        self._started = self._last_line = time.monotonic()

    def advance(self) -> None:
        """Count a piece."""
        self._done += 1
        now = time.monotonic()
        if now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            left = (self._pieces - self._done) * (now - self._started) / self._done
            self.say(f"{self._work}: {self._done} of {self._pieces}, {left:.0f} s left")

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    def end(self) -> None:
        """Say how long it took."""
        self.say(f"{self._work}: {self._done} in {time.monotonic() - self._started:.1f} s")


class WorkBar:
    """A bar with the time left."""

    def begin(self, work: str, pieces: int) -> None:
        """Draw the bar."""
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(work, total=pieces)
        self._bar.start()
        OPEN_BARS.callback(self._bar.stop)

    def advance(self) -> None:
        """Move the bar on."""
        self._bar.update(self._task, advance=1)

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    def end(self) -> None:
        """Take the bar away."""
        self._bar.stop()
