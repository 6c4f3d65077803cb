"""A file that was opened by another process, and what that process says of it."""

import json
import os
import re
import sys
from dataclasses import dataclass

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.names import printable

MAX_SENTENCE = 1000  # characters
READY = -1  # number of the answer that the process works

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


def can_pass_files() -> bool:
    """Whether this system passes descriptors of files in memory from one process to another."""
    return sys.platform == "linux" and hasattr(os, "memfd_create")


def opened_file(content: bytes, descriptors: list[int]) -> tuple[int, OpenedFile | Exception | None]:
    """What an answer says of which file; None: that it still comes.

    Raises:
        ValueError: it is no answer; the process has ended, as a rule.
    """
    match json.loads(content):
        case {"number": int(number), "sha256": str(digest), "size": int(size)}:
            if not (_SHA256.fullmatch(digest) and size >= 0):
                raise ValueError("no digest")
            if not descriptors:  # this process has no room for more
                return number, not_opened("too many files are open")
            return number, OpenedFile(digest, size, descriptors[0])
        case {"number": int(number), "code": str(code), "sentence": str(sentence)}:
            if not (_CODE.fullmatch(code) and sentence.isprintable() and len(sentence) <= MAX_SENTENCE):
                raise ValueError("no failure")
            return number, UnreadableFilmError(code, sentence)
        case {"number": int(number), "failure": str(failure)}:
            return number, not_opened(printable(failure)[:MAX_SENTENCE])
        case {"number": int(number)} if len(json.loads(content)) == 1:
            return number, None
        case _:
            raise ValueError("no answer")


def not_opened(why: str) -> UnreadableFilmError:
    """The error where the machine is to blame."""
    return UnreadableFilmError("read-error", f"the file cannot be read ({why}); scan again")
