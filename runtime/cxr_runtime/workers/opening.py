"""The parent's side of the opener: files are asked for, and come as descriptors with their digests."""

import contextlib
import itertools
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, Self

from cxr_runtime.errors import InstallationError, UnreadableFilmError
from cxr_runtime.memory import about_limit
from cxr_runtime.names import printable
from cxr_runtime.workers.opened import READY, OpenedFile, not_opened, opened_file

OPENER = "cxr_runtime.workers.opener"  # its program
MAX_ANSWER = 1 << 16  # bytes
MOST_SAID = 200  # characters of what a process wrote to standard error
LOOKED_EVERY = 1.0  # seconds between looks for files that do not come
PATIENCE = 0.5  # seconds in which a process that is killed ends, unless it hangs in a file system
TRIES = 2  # an opener that died may have been killed from outside


def last_words(status: int, heard: bytes) -> str:
    """How a process ended before its first film, and the last line it wrote to standard error."""
    lines = heard.decode("utf-8", "replace").strip().splitlines()
    said = f", saying: {printable(lines[-1].strip()[:MOST_SAID])}" if lines else ""
    return f"it ended with status {status} before its first film{said}"


def not_started(reason: str) -> InstallationError:
    """The error where a process of this program cannot begin."""
    return InstallationError(
        f"a process that reads films cannot start: {reason}; `cxr-triage doctor` shows what is missing, or "
        f"install cxr-triage anew{about_limit()}"
    )


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
        self._works = False  # something was heard of it, once

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
                command, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()]
            )
        self._line = ours
        ours.settimeout(LOOKED_EVERY)
        threading.Thread(target=self._listen, args=(ours,), daemon=True).start()

    def _leave(self) -> str:
        """End the process, and give its last words; one that hangs in a file system is not waited for."""
        process, line = self._process, self._line
        self._process = self._line = None
        if process is None or line is None or process.stderr is None:
            return ""
        process.kill()
        line.close()
        with process.stderr, contextlib.suppress(subprocess.TimeoutExpired):
            return last_words(process.wait(PATIENCE), process.stderr.read())
        return ""

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
            number, end = opened_file(content, descriptors)
            if number == READY:
                self._works = True
                return
            asked = self._asked[number]
        except (ValueError, KeyError):
            _close(descriptors)
            self._bury()
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
            self._leave()
            self._ask_again({id(one): UnreadableFilmError("read-stalled", sentence) for one in late})

    def _bury(self) -> None:
        """Go on after the process has ended, or has lied."""
        worked, self._works = self._works, False
        said = self._leave()
        if not worked:
            self._ask_again({id(one): not_started(said) for one in self._asked.values()})
            return
        for one in self._asked.values():
            one.tries += 1
        tired = [one for one in self._asked.values() if one.tries > TRIES]
        why = "the program that opens it ended, twice"
        self._ask_again({id(one): not_opened(why) for one in tired})

    def _ask_again(self, ends: dict[int, Exception]) -> None:
        """Ask a fresh process for all that is wanted, but what has come to an end."""
        wanted, self._asked = list(self._asked.values()), {}
        for one in wanted:
            if id(one) not in ends:
                self._ask(one)
                continue
            with contextlib.suppress(InvalidStateError):
                one.came.set_exception(ends[id(one)])


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
