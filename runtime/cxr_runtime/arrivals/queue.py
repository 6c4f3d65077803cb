"""What every way of arriving is to the service: a queue of films that are complete."""

from collections.abc import Iterator
from threading import Event
from typing import Protocol

from cxr_runtime.sources.film_source import FilmSource


class Arrivals(Protocol):
    """Films from somewhere, each given once; a folder is one way, a receiver is another."""

    def start(self, bell: Event) -> None:
        """Begin, and ring the bell whenever there may be something to take."""
        ...

    def take(self) -> Iterator[FilmSource]:
        """Films that are complete and were not given yet; nothing is waited for.

        Raises:
            CxrTriageError: films can arrive here no more.
        """
        ...

    def waiting(self) -> int:
        """Films that are there or on their way and were not taken yet, as far as is known."""
        ...

    def close(self) -> None:
        """Give nothing more."""
        ...
