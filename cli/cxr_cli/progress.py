"""How long work gets on: a bar on a terminal, plain lines in a log; both on standard error."""

import sys
import time
from contextlib import ExitStack

from cxr_runtime.names import printable
from cxr_runtime.progress import Progress

SECONDS_BETWEEN_LINES = 10.0

# A bar that began leaves its `stop` here: it hides the cursor, and is taken down before anything is said of
# why a command ended.
OPEN_BARS = ExitStack()


def terminal_or_lines() -> Progress:
    """The progress that suits standard error."""
    return BarProgress() if sys.stderr is not None and sys.stderr.isatty() else LineProgress()


class LineProgress:
    """A line at the start, one now and then, and one at the end."""

    def begin(self, work: str, pieces: int | None) -> None:
        """Note the start."""
        self._work, self._pieces, self._done = work, pieces, 0
        self._started = self._last_line = time.monotonic()
        self.say(work if pieces is None else f"{work}: {pieces}")

    def advance(self) -> None:
        """Count a piece."""
        self._done += 1
        now = time.monotonic()
        if now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            self.say(f"{self._work}: {self._done}{self._left(self._done / (now - self._started))}")

    def say(self, line: str) -> None:
        """Print the line, if there is anywhere to print it."""
        if sys.stderr is not None:  # `print` would take standard output instead
            print(printable(line), file=sys.stderr, flush=True)  # noqa: T201

    def end(self) -> None:
        """Say how fast it was."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        self.say(f"{self._work}: {self._done} in {seconds:.1f} s ({self._done / seconds:.1f} a second)")

    def _left(self, rate: float) -> str:
        if self._pieces is None:
            return f", {rate:.1f} a second"
        return f" of {self._pieces}, {rate:.1f} a second, {(self._pieces - self._done) / rate:.0f} s left"


class BarProgress:
    """A bar with the rate and the time left."""

    def begin(self, work: str, pieces: int | None) -> None:
        """Draw the bar."""
        from rich.console import Console  # here, so that `--help` does not wait for it
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichBar

        self._bar = RichBar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} a second"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(work, total=pieces, rate=0.0)
        self._bar.start()
        OPEN_BARS.callback(self._bar.stop)

    def advance(self) -> None:
        """Move the bar on."""
        speed = self._bar.tasks[self._task].speed or 0.0
        self._bar.update(self._task, advance=1, rate=speed)

    def say(self, line: str) -> None:
        """Print the line above the bar."""
        self._bar.console.print(printable(line), markup=False, highlight=False)

    def end(self) -> None:
        """Leave the full bar standing."""
        self._bar.stop()
