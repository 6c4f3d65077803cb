"""What every way of sending has in common: an archive, a result, and what the archive says of it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Protocol, TypeVar

from pydicom import Dataset, dcmread

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.store.deliveries import State

KINDS = ("sc", "pdf", "sr")
OUR_CERTIFICATE = "if it asks for a certificate of ours, give one that it trusts with --tls-cert"
_Result = TypeVar("_Result")


class PeerError(CxrTriageError):
    """An archive cannot be reached, or does not answer as it should; its text is of our own words."""


@dataclass(frozen=True)
class Outgoing:
    """A result as it goes out."""

    uid: str  # its SOP Instance UID
    content: bytes  # the file (PS3.10)

    @cached_property
    def dataset(self) -> Dataset:
        """The object."""
        return dcmread(BytesIO(self.content))


@dataclass(frozen=True)
class Answer:
    """What an archive said of one result."""

    state: State
    said: str = ""  # words of ours, e.g. of a warning; "" where there is nothing to say


class Line(Protocol):
    """A way to an archive; whether it does its work there, its first answer says."""

    def store(self, outgoing: Outgoing) -> Answer:
        """Hand over a result.

        Raises:
            PeerError: the archive did not answer; whether it has the result is not known.
        """
        ...


class Destination(Protocol):
    """A way to an archive."""

    @property
    def name(self) -> str:
        """By which the store knows it."""
        ...

    def line(self) -> AbstractContextManager[Line]:
        """Open a way to it.

        Raises:
            PeerError: it cannot be reached.
        """
        ...


def within(seconds: float, call: Callable[[], _Result], cut: Callable[[], None]) -> _Result:
    """Call something that may never return.

    Args:
        seconds: it may take.
        call: what is called, in a thread of its own.
        cut: ends it from outside, e.g. by closing its connection.

    Raises:
        PeerError: it took longer; the thread is left behind, and holds nobody up. Or what the archive said is
            nothing that a library foresees.
    """
    results, errors = list[_Result](), list[BaseException]()

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="archive")
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        if isinstance(errors[0], CxrTriageError) or not isinstance(errors[0], Exception):
            raise errors[0]
        raise PeerError(f"answers as no archive does ({type(errors[0]).__name__})") from errors[0]
    cut()
    raise PeerError(f"did not answer within {seconds:.0f} seconds")
