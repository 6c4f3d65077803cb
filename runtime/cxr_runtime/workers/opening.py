"""The parent's side of the opener: files are asked for, and come as descriptors with their digests."""

import contextlib
import itertools
import json
import os
import pickle
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, Self

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.names import printable

OPENER = "cxr_runtime.workers.opener"  # its program
MAX_ANSWER = 1 << 16  # bytes
MAX_SENTENCE = 1000  # characters
LOOKED_EVERY = 1.0  # seconds between looks for files that do not come
PATIENCE = 0.5  # seconds in which a process that is killed ends, unless it hangs in a file system
TRIES = 2  # an opener that died may have been killed from outside

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


@dataclass(eq=False)
class _Asked:
    """A file that was asked for."""

    source: Any
    came: "Future[OpenedFile]"
    heard: float  # when it was asked for, or last heard of
    tries: int = 1


class Opener:
    """Opens files in a process of its own, which starts at the first, and is replaced when it hangs.

    Args:
        seconds: a file of which nothing is heard for so long has stalled.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._asked: dict[int, _Asked] = {}
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._leave()
            for asked in self._asked.values():
                asked.came.cancel()
            self._asked.clear()

    def open(self, source: Any) -> "Future[OpenedFile]":
        """Ask for a file, an `opener.Openable` that can be pickled.

        Returns:
            What will hold the file, or an UnreadableFilmError: `read-stalled` where the file system does not
            answer, or what hinders to read it.
        """
        came: Future[OpenedFile] = Future()
        with self._lock:
            self._ask(_Asked(source, came, time.monotonic()))
        return came

    def _ask(self, asked: _Asked) -> None:
        if self._line is None:
            self._start()
        assert self._line is not None
        asked.heard = time.monotonic()
        number = next(self._numbers)
        self._asked[number] = asked
        with contextlib.suppress(OSError):  # a dead opener is noticed by the thread that listens
            self._line.send(pickle.dumps((number, asked.source)))

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-P", "-m", OPENER, str(theirs.fileno())]
            nothing = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, stdin=nothing, stdout=nothing, stderr=nothing, pass_fds=[theirs.fileno()]
            )
        self._line = ours
        ours.settimeout(LOOKED_EVERY)
        threading.Thread(target=self._listen, args=(ours,), daemon=True).start()

    def _leave(self) -> None:
        """End the process; one that hangs in a file system ends when that answers, and is not waited for."""
        if self._process is not None and self._line is not None:
            self._process.kill()
            self._line.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        self._process = self._line = None

    def _listen(self, line: socket.socket) -> None:
        while line is self._line:
            try:
                content, descriptors, _, _ = socket.recv_fds(line, MAX_ANSWER, 1)
            except TimeoutError:
                with self._lock:
                    if line is self._line:
                        self._look()
                continue
            except OSError:  # the process has ended, or the line was closed here
                content, descriptors = b"", []
            with self._lock:
                if line is self._line:
                    self._hear(content, descriptors)
                else:
                    _close(descriptors)

    def _hear(self, content: bytes, descriptors: list[int]) -> None:
        try:
            number, end = _end(content, descriptors)
            asked = self._asked[number]
        except (ValueError, KeyError):
            _close(descriptors)
            self._replace()
            return
        asked.heard = time.monotonic()
        if end is None:
            return
        del self._asked[number]
        try:
            if isinstance(end, OpenedFile):
                asked.came.set_result(end)
            else:
                asked.came.set_exception(end)
        except InvalidStateError:  # nobody waits for it any more
            _close(descriptors)

    def _look(self) -> None:
        """Give up files that have stalled; the others are asked for again, of a fresh process."""
        late = [one for one in self._asked.values() if time.monotonic() - one.heard > self._seconds]
        if late:
            sentence = (
                f"nothing was heard of the file for {self._seconds:g} s: its disk or share does not answer; "
                "check it and scan again"
            )
            self._replace({id(one): UnreadableFilmError("read-stalled", sentence) for one in late})

    def _replace(self, ends: dict[int, Exception] | None = None) -> None:
        """Leave the process behind and ask a fresh one for all that is wanted, but what has an end."""
        self._leave()
        wanted, self._asked = list(self._asked.values()), {}
        for asked in wanted:
            end = (ends or {}).get(id(asked))
            if end is None and ends is None:
                asked.tries += 1
                if asked.tries > TRIES:
                    end = _not_opened("the program that opens it ended, twice")
            if end is None:
                self._ask(asked)
            else:
                with contextlib.suppress(InvalidStateError):
                    asked.came.set_exception(end)


def _end(content: bytes, descriptors: list[int]) -> tuple[int, OpenedFile | Exception | None]:
    """What an answer says of which file; None: that it still comes.

    Raises:
        ValueError: it is no answer; the process has ended, as a rule.
    """
    match json.loads(content):
        case {"number": int(number), "sha256": str(digest), "size": int(size)}:
            if not (_SHA256.fullmatch(digest) and size >= 0):
                raise ValueError("no digest")
            if not descriptors:  # this process has no room for more
                return number, _not_opened("too many files are open")
            return number, OpenedFile(digest, size, descriptors[0])
        case {"number": int(number), "code": str(code), "sentence": str(sentence)}:
            if not (_CODE.fullmatch(code) and sentence.isprintable() and len(sentence) <= MAX_SENTENCE):
                raise ValueError("no failure")
            return number, UnreadableFilmError(code, sentence)
        case {"number": int(number), "failure": str(failure)}:
            return number, _not_opened(printable(failure)[:MAX_SENTENCE])
        case {"number": int(number), **rest} if not rest:
            return number, None
        case _:
            raise ValueError("no answer")


def _not_opened(why: str) -> UnreadableFilmError:
    return UnreadableFilmError("read-error", f"the file cannot be read ({why}); scan again")


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
