"""A file that another process is asked to open, what that process says of it, and for how long it may."""

import json
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.names import printable

if TYPE_CHECKING:
    from concurrent.futures import Future

MAX_SENTENCE = 1000  # characters
READY = -1  # number of the answer that the process works
OPENED_AT_ONCE = 4
SLOWEST = 1 << 16  # bytes a second at which a file must come, on the whole
SEALS = 0xF  # nobody writes, shortens, lengthens or unseals it (linux/fcntl.h)
LONGEST = 1800.0  # seconds that are granted to a file for its length

_SHA256 = re.compile("[0-9a-f]{64}")
_CODE = re.compile("[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class OpenedFile:
    """A file's bytes as they were hashed, in memory, behind a descriptor that only reads."""

    sha256: str
    size: int  # bytes
    descriptor: int

    def close(self) -> None:
        """Give the memory back, once."""
        os.close(self.descriptor)


@dataclass(frozen=True)
class Progress:
    """A file still comes."""

    size: int  # bytes so far


@dataclass(eq=False)
class Asked:
    """A file that was asked for."""

    source: Any
    came: "Future[OpenedFile]"
    grace: float  # seconds that it may take, however short it is
    began: float = 0.0
    heard: float = 0.0  # when it was asked for, or last heard of
    size: int = 0  # bytes of it so far
    tries: int = 1

    def begin(self) -> None:
        """It is asked for, of a process that knows nothing of it."""
        self.began = self.heard = time.monotonic()
        self.size = 0

    def delay(self, silence: float) -> str:
        """In words, why it is given up by now; "" where it is not.

        Args:
            silence: seconds in which something must be heard of it.
        """
        now = time.monotonic()
        if now - self.heard > silence:
            why = f"nothing was heard of it for {silence:g} s: its disk or share does not answer"
            return f"{why}; check it and scan again"
        took = now - self.began
        if took > self.grace + min(self.size / SLOWEST, LONGEST):
            why = f"only {self.size >> 10} KiB of it came in {took:.0f} s: its disk or share is too slow"
            return f"{why}; copy it to this machine and scan again"
        return ""


def can_pass_files() -> bool:
    """Whether this system passes descriptors of files in memory from one process to another."""
    return sys.platform == "linux" and hasattr(os, "memfd_create")


def opened_file(content: bytes, descriptors: list[int]) -> tuple[int, OpenedFile | Exception | Progress]:
    """What an answer says of which file.

    Raises:
        ValueError: it is no answer; the process has ended, as a rule.
    """
    match json.loads(content):
        case {"number": int(number), "sha256": str(digest), "size": int(size)}:
            return number, _copy(digest, size, descriptors)
        case {"number": int(number), "code": str(code), "sentence": str(sentence)} if not descriptors:
            if not (_CODE.fullmatch(code) and sentence.isprintable() and len(sentence) <= MAX_SENTENCE):
                raise ValueError("no failure")
            return number, UnreadableFilmError(code, sentence)
        case {"number": int(number), "failure": str(failure)} if not descriptors:
            return number, not_opened(printable(failure)[:MAX_SENTENCE])
        case {"number": int(number), "size": int(size), **others} if not (others or descriptors):
            return number, Progress(size)
        case _:
            raise ValueError("no answer")


def _copy(digest: str, size: int, descriptors: list[int]) -> OpenedFile | UnreadableFilmError:
    if not (_SHA256.fullmatch(digest) and size >= 0):
        raise ValueError("no digest")
    if not descriptors:  # this process has no room for more
        return not_opened("too many files are open")
    if not _is_sealed(descriptors[0], size):
        raise ValueError("no copy in memory")
    return OpenedFile(digest, size, descriptors[0])


def _is_sealed(descriptor: int, size: int) -> bool:
    """Whether this is so much memory that nobody can change: no file, that may hang, and no pipe."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError:
        return False
    return seals & SEALS == SEALS and os.fstat(descriptor).st_size == size


def not_opened(why: str) -> UnreadableFilmError:
    """The error where the machine is to blame."""
    return UnreadableFilmError("read-error", f"the file cannot be read ({why}); scan again")
