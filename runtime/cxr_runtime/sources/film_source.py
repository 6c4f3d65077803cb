"""One file to try as a film: on the disk, in a zip file, or known beforehand to be out of reach."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.sources import archives
from cxr_runtime.sources.disk import disk_failure
from cxr_runtime.sources.remote import RemoteFile

CHUNK = 1 << 20  # bytes that are read at a time
MAX_FILE_BYTES = 1 << 30  # a film of 100 megapixels in 16 bits has 200 MB


@dataclass(frozen=True)
class FileOnDisk:
    """A file of its own; may be sent to another process, as its kin below."""

    file: str  # as in results.csv: INPUT as typed plus the path below it; printable, UTF-8, of no other film
    path: Path
    stamp: str = ""  # as `atomic.file_stamp` gave it before it was read; "" where that is not known
    is_settled: bool = True  # False: it was written a moment ago, and may not be whole yet

    def read_bytes(self) -> bytes:
        """Read the whole file; pipes, devices and sockets are never opened.

        Raises:
            UnreadableFilmError: `missing`, `no-permission`, `not-a-file`, `too-large` or `read-error`.
        """
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Read the file piece by piece; raises as `read_bytes` does."""
        try:
            _check(self.path.stat())
            with open(self.path, "rb", buffering=0, opener=_without_waiting) as file:
                _check(os.fstat(file.fileno()))
                left = MAX_FILE_BYTES
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise disk_failure(error, "file") from error


@dataclass(frozen=True)
class ZipMember:
    """A file in a zip file."""

    file: str  # e.g. `night.zip!sub/film.png`
    path: Path  # of the zip file
    member: archives.Member
    stamp: str = ""  # changes whenever the zip file does

    def read_bytes(self) -> bytes:
        """Unpack it into memory; raises as `archives.member_chunks` does."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Unpack it piece by piece; raises as `archives.member_chunks` does."""
        return archives.member_chunks(self.path, self.member)


@dataclass(frozen=True)
class OutOfReach:
    """A file, folder or zip file that cannot even be listed; it ends as a failed film."""

    file: str
    failure: UnreadableFilmError
    stamp: str = ""  # nothing is known of it

    def read_bytes(self) -> bytes:
        """Raises why it cannot be read."""
        raise self.failure

    def chunks(self) -> Iterator[bytes]:
        """Raises why it cannot be read."""
        raise self.failure


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; should it have become a pipe by now, nobody is waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFilmError("not-a-file", "it is a pipe, device, socket or folder; expected a file")
    size, on_disk = status.st_size, 512 * getattr(status, "st_blocks", 0)
    is_hollow = size > archives.FREE_BYTES and 0 < on_disk < size / archives.MAX_RATIO
    if size > MAX_FILE_BYTES or is_hollow:
        held = f", of which {on_disk >> 10} KiB are on the disk" if is_hollow else ""
        raise UnreadableFilmError(
            "too-large",
            f"the file has {size >> 20} MiB{held}; at most {MAX_FILE_BYTES >> 20} MiB are read, and no file "
            "that is empty for the most part: export the film alone",
        )


FilmSource = FileOnDisk | ZipMember | OutOfReach | RemoteFile
