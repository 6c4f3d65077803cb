"""Who wants to know how long work gets on implements this; the command line draws a bar with it."""

from typing import Protocol


class Progress(Protocol):
    """Hears of every piece of a long work."""

    def begin(self, work: str, pieces: int | None) -> None:
        """A stretch of work starts, e.g. `epoch 3 of 60` in 250 pieces; None where nobody knows how many."""
        ...

    def advance(self) -> None:
        """One piece is done."""
        ...

    def say(self, line: str) -> None:
        """Something worth a line came out, e.g. an epoch's loss, or a film without a score."""
        ...

    def end(self) -> None:
        """The stretch is over."""
        ...


class Silence:
    """A progress that tells nobody."""

    def begin(self, work: str, pieces: int | None) -> None:
        """Say nothing."""

    def advance(self) -> None:
        """Say nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""
