"""The folder of received films: each is there as a whole, on the disk, or not at all.

A file is named by the digits of its sha256, never by anything that a sender says.
"""

import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cxr_runtime.access import PRIVATE, make_folder
from cxr_runtime.atomic import NEW_FILE, PART_SUFFIX, file_stamp, sync_folder
from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.names import printable
from cxr_runtime.sources.film_source import FileOnDisk

SUFFIX = ".dcm"
FILM_NAME = re.compile(rf"[0-9a-f]{{64}}{re.escape(SUFFIX)}")  # as it came
_PART = re.compile(rf"\.[0-9a-f]+{re.escape(PART_SUFFIX)}")
DISK_CHECKED_EVERY = 1 << 24  # bytes of a film


@dataclass(frozen=True)
class Limits:
    """What senders may use of this machine."""

    associations: int = 16  # at once
    pdu_bytes: int = 1 << 17  # of one PDU (PS3.8 D.1)
    request_seconds: float = 10.0  # for TLS and the request of an association
    idle_seconds: float = 60.0  # without a PDU, and for one PDU from its first byte to its last
    film_bytes: int = 1 << 29  # a film of 100 megapixels in 16 bits has 200 MB
    film_seconds: float = 1800.0  # for one film; a line of 1 Mbit/s brings 200 MB in that time
    free_bytes: int = 1 << 30  # that stay free on the disk

    @property
    def connections(self) -> int:
        """At once; those beyond the associations are rejected with a reason, further ones are closed."""
        return 2 * self.associations


class Answer(IntEnum):
    """Status of a C-STORE response (PS3.4 table B.2-1)."""

    STORED = 0x0000
    OUT_OF_RESOURCES = 0xA700
    OTHER_CLASS = 0xA900  # the data set does not match the SOP class
    NOT_UNDERSTOOD = 0xC000


@dataclass(frozen=True)
class Received:
    """What became of a film that was sent."""

    answer: Answer
    reason: str = ""  # of a refusal, a word for the journal
    size: int = 0  # bytes of its data set
    sha256: str = ""  # of the file; "" where none was kept
    seconds: float = 0.0  # from its last byte until it was on the disk


class Incoming:
    """A film while it is received. A refusal does not interrupt the sender: it is the answer at the end."""

    def __init__(self, inbox: "Inbox", start: bytes) -> None:
        """Begin to write.

        Args:
            inbox: where the film will lie.
            start: bytes before the data set: preamble and file meta information.
        """
        self._became = Received(Answer.STORED)
        self._size = 0  # bytes of the data set so far
        self._inbox, self._began = inbox, time.monotonic()
        self._last = self._began  # when the latest bytes came
        self._hash, self._checked = sha256(), 0
        self._path = inbox.folder / f".{secrets.token_hex(16)}{PART_SUFFIX}"
        self._file: BinaryIO | None = None
        if not inbox.has_room():
            self.refuse(Answer.OUT_OF_RESOURCES, "disk-full")
            return
        try:
            self._file = os.fdopen(os.open(self._path, NEW_FILE, PRIVATE.file_mode), "wb", buffering=1 << 20)
            self._put(start)
        except OSError:
            self.refuse(Answer.OUT_OF_RESOURCES, "disk-failed")

    def write(self, content: bytes) -> None:
        """Take the next bytes of the data set.

        Raises:
            TimeoutError: the film takes longer than any line is slow.
        """
        limits, self._last = self._inbox.limits, time.monotonic()
        if self._last - self._began > limits.film_seconds:
            raise TimeoutError("a film without an end")
        self._size += len(content)
        if self._file is None:
            return
        if self._size > limits.film_bytes:
            self.refuse(Answer.OUT_OF_RESOURCES, "too-large")
        elif self._is_disk_full():
            self.refuse(Answer.OUT_OF_RESOURCES, "disk-full")
        else:
            try:
                self._put(content)
            except OSError:
                self.refuse(Answer.OUT_OF_RESOURCES, "disk-failed")

    def finish(self) -> Received:
        """Have the film on the disk under its name."""
        if self._file is not None and not self._size:
            self.refuse(Answer.NOT_UNDERSTOOD, "empty")
        if self._file is None:
            return self._became
        digest = self._hash.hexdigest()
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._inbox.keep(self._path, digest)
        except OSError:
            self.refuse(Answer.OUT_OF_RESOURCES, "disk-failed")
            return self._became
        self._file = None
        return Received(Answer.STORED, "", self._size, digest, time.monotonic() - self._last)

    def refuse(self, answer: Answer, reason: str) -> None:
        """Keep nothing of the film; the rest of it is read and thrown away."""
        self._became = Received(answer, reason)
        self.drop()

    def drop(self) -> None:
        """Forget what was written; nothing if the film is finished."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:  # what was buffered has no room
                pass
            finally:
                self._path.unlink(missing_ok=True)

    def _is_disk_full(self) -> bool:
        if self._size - self._checked <= DISK_CHECKED_EVERY:
            return False
        self._checked = self._size
        return not self._inbox.has_room()

    def _put(self, content: bytes) -> None:
        assert self._file is not None
        self._hash.update(content)
        self._file.write(content)


class Inbox:
    """Received films on the disk."""

    def __init__(self, out: Path, limits: Limits, arrived: Callable[[str], None]) -> None:
        """Begin.

        Args:
            out: output folder of the service.
            limits: of films and disk.
            arrived: is called with the name of each new film.
        """
        self.folder, self.limits = out / RECEIVED_FOLDER, limits
        self._arrived, self._lock = arrived, threading.Lock()

    def open(self) -> list[str]:
        """Make the folder, and remove what a service that was killed had half received.

        Returns:
            Names of the films that are there, by arrival; which of them are finished, the store knows.

        Raises:
            OSError: the folder cannot be made or read.
        """
        make_folder(self.folder, PRIVATE)
        films: list[tuple[int, str]] = []
        for path in self.folder.iterdir():
            if _PART.fullmatch(path.name):
                path.unlink(missing_ok=True)
            elif FILM_NAME.fullmatch(path.name):
                with suppress(FileNotFoundError):  # it is dropped just now
                    films.append((path.stat().st_mtime_ns, path.name))
        return [name for _, name in sorted(films)]

    def film(self, name: str) -> FileOnDisk:
        """A received film, to be scored."""
        path = self.folder / name
        return FileOnDisk(printable(str(path)), path, file_stamp(path))

    def begin(self, start: bytes) -> Incoming:
        """Receive a film; `start` as of `Incoming`."""
        return Incoming(self, start)

    def has_room(self) -> bool:
        """Whether the disk may be filled further."""
        try:
            return shutil.disk_usage(self.folder).free > self.limits.free_bytes
        except OSError:
            return False

    def keep(self, part: Path, digest: str) -> None:
        """Give a film that is on the disk its name; one whose bytes are there already is the same film.

        Raises:
            OSError: the folder cannot be written.
        """
        path = self.folder / f"{digest}{SUFFIX}"
        with self._lock:
            is_new = not path.is_file() or path.stat().st_size != part.stat().st_size
            if is_new:
                part.replace(path)
            else:
                part.unlink()
            try:
                sync_folder(self.folder)
            except OSError:
                if is_new:
                    path.unlink()
                raise
        if is_new:
            self._arrived(path.name)
