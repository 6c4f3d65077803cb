"""Who wants to know how a scan gets on implements this; the command line draws a bar with it."""

from typing import Protocol

from cxr_runtime.outcome import Outcome


class Progress(Protocol):
    """Told of every film of a scan."""

    def begin(self, films: int) -> None:
        """The scan starts on so many films."""
        ...

    def advance(self, outcome: Outcome | None) -> None:
        """One film is in the store; None where an earlier run had finished it."""
        ...

    def end(self) -> None:
        """No more films; the reports are being written."""
        ...


class Silence:
    """A progress that tells nobody."""

    def begin(self, films: int) -> None:
        """Say nothing."""

    def advance(self, outcome: Outcome | None) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""
