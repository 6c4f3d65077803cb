"""The parent's side of the opener: files are asked for, and come as descriptors with their digests."""

import contextlib
import itertools
import os
import pickle
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from typing import Any, Self

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.workers.opened import (
    READY,
    Asked,
    OpenedFile,
    Progress,
    can_pass_files,
    not_opened,
    opened_file,
)
from cxr_runtime.workers.starting import OPENER, last_words, not_started, started

MAX_ANSWER = 1 << 16  # bytes
SOONEST = 5.0  # seconds in which something is heard of a file, unless its disk or share has gone
LOOKED_EVERY = 1.0  # seconds between looks for files that do not come
PATIENCE = 0.5  # seconds in which a process that is killed ends, unless it hangs in a file system
TRIES = 2  # an opener that died may have been killed from outside
READ_AT_ONCE = 1 << 20  # bytes


class Opener:
    """Opens files in a process of its own, which starts at the first, and is replaced when it hangs.

    Args:
        seconds: a file of which nothing is heard for so long has stalled, and after it each one of a tenth of
            that, until something comes; all of a file may take so long, and the time in which its bytes would
            come at `opened.SLOWEST`.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._asked: dict[int, Asked] = {}
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False  # this one
        self._works = False  # one was ready, and has not ended by itself
        self._has_stalled = False  # and nothing has come since

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._leave()
            for asked in self._asked.values():
                asked.came.cancel()
            self._asked.clear()

    def open(self, source: Any, *, spans: int = 1) -> "Future[OpenedFile]":
        """Ask for a file, an `opener_child.Openable` that can be pickled.

        Args:
            source: what is read, in the other process.
            spans: it may take so many times `seconds`, however short it is.

        Returns:
            What will hold the file, or an UnreadableFilmError: `read-stalled` where the file system does not
            answer, or too slowly, or what hinders to read it.
        """
        asked = Asked(source, Future(), spans * self._seconds)
        with self._lock:
            self._ask(asked)
        return asked.came

    def chunks(self, source: Any, *, spans: int = 1) -> Iterator[bytes]:
        """Read a short file by way of the other process, or here where files cannot be passed.

        Args:
            source: as of `open`.
            spans: as of `open`.

        Raises:
            UnreadableFilmError: as of `open`.
            InstallationError: the process cannot start.
        """
        if not can_pass_files():
            yield from source.chunks()
            return
        file, at = self.open(source, spans=spans).result(), 0
        try:
            while chunk := os.pread(file.descriptor, READ_AT_ONCE, at):
                at += len(chunk)
                yield chunk
        finally:
            file.close()

    def _ask(self, asked: Asked) -> None:
        if self._line is None:
            self._start()
        assert self._line is not None
        asked.begin()
        number = next(self._numbers)
        self._asked[number] = asked
        with contextlib.suppress(OSError):  # a dead opener is noticed by the thread that listens
            self._line.send(pickle.dumps((number, asked.source)))

    def _start(self) -> None:
        opener = started(OPENER)
        assert opener.line is not None
        self._process, self._line, self._is_ready = opener.process, opener.line, False
        opener.line.settimeout(LOOKED_EVERY)
        threading.Thread(target=self._listen, args=(opener.line,), daemon=True).start()

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
        looked = time.monotonic()
        while line is self._line:
            came = self._receive(line)
            with self._lock:
                if line is not self._line:
                    _close(came[1] if came else [])
                    return
                if came:
                    self._hear(*came)
                if time.monotonic() - looked >= LOOKED_EVERY and line is self._line:
                    self._look()
                    looked = time.monotonic()

    @staticmethod
    def _receive(line: socket.socket) -> tuple[bytes, list[int]] | None:
        """An answer, an empty one where the process has ended; None: nothing was heard for a while."""
        try:
            content, descriptors, _, _ = socket.recv_fds(line, MAX_ANSWER, 1)
        except TimeoutError:
            return None
        except OSError:  # the line was closed here
            return b"", []
        return content, descriptors

    def _hear(self, content: bytes, descriptors: list[int]) -> None:
        try:
            number, end = opened_file(content, descriptors)
            if number == READY and not self._is_ready:
                self._works = self._is_ready = True
                for one in self._asked.values():
                    one.begin()  # how long the process takes to start is not held against them
                return
            asked = self._asked[number]
        except (ValueError, KeyError):
            _close(descriptors)
            self._bury()
            return
        asked.heard = time.monotonic()
        if isinstance(end, Progress):
            asked.size = end.size
            return
        del self._asked[number]
        self._has_stalled = False
        with contextlib.suppress(InvalidStateError):  # nobody waits for it any more
            if isinstance(end, OpenedFile):
                asked.came.set_result(end)
                return
            asked.came.set_exception(end)
        _close(descriptors)

    def _look(self) -> None:
        """Give up files that have stalled; the others are asked for again, of a fresh process."""
        seconds = self._seconds
        silence = min(seconds, max(seconds / 10, SOONEST)) if self._has_stalled else seconds
        delays = {id(one): one.delay(silence) for one in self._asked.values()}
        ends = {one: UnreadableFilmError("read-stalled", delay) for one, delay in delays.items() if delay}
        if ends:
            self._has_stalled = True
            self._leave()
            self._ask_again(ends)

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

    def _ask_again(self, ends: dict[int, Any]) -> None:
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
