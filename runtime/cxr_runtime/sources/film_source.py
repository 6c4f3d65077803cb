"""One file to try as a film: on the disk, in a zip file, or known beforehand to be out of reach."""

import stat
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.sources import archives
from cxr_runtime.sources.disk import disk_failure, file_stamp

MAX_FILE_BYTES = 1 << 30  # a film of 100 megapixels in 16 bits has 200 MB


@dataclass(frozen=True)
class FileOnDisk:
    """A file of its own; may be sent to another process, as its kin below."""

    file: str  # as in results.csv: INPUT as typed plus the path below it; printable, UTF-8, of no other film
    path: Path

    def read_bytes(self) -> bytes:
        """Read the whole file; pipes, devices and sockets are never opened.

        Raises:
            UnreadableFilmError: `missing`, `no-permission`, `not-a-file`, `too-large` or `read-error`.
        """
        try:
            status = self.path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFilmError(
                    "not-a-file", "it is a pipe, device, socket or folder; expected a file"
                )
            if status.st_size > MAX_FILE_BYTES:
                raise UnreadableFilmError(
                    "too-large",
                    f"the file has {status.st_size >> 20} MiB; at most {MAX_FILE_BYTES >> 20} MiB are read: "
                    "export the film alone",
                )
            return self.path.read_bytes()
        except OSError as error:
            raise disk_failure(error, "file") from error

    def stamp(self) -> str:
        """A text that changes whenever the file does; "" where the system does not say."""
        return file_stamp(self.path)

    def size(self) -> int | None:
        """Bytes of the file; None where the system does not say."""
        try:
            return self.path.stat().st_size
        except OSError:
            return None


@dataclass(frozen=True)
class ZipMember:
    """A file in a zip file."""

    file: str  # e.g. `night.zip!sub/film.png`
    path: Path  # of the zip file
    member: archives.Member

    def read_bytes(self) -> bytes:
        """Unpack it into memory; raises as `archives.read_member` does."""
        return archives.read_member(self.path, self.member)

    def stamp(self) -> str:
        """A text that changes whenever the zip file does."""
        of_archive = file_stamp(self.path)
        return f"{of_archive}!{self.member.offset}!{self.member.name}" if of_archive else ""

    def size(self) -> int | None:
        """Bytes of it, unpacked."""
        return self.member.size


@dataclass(frozen=True)
class OutOfReach:
    """A file, folder or zip file that cannot even be listed; it ends as a failed film."""

    file: str
    failure: UnreadableFilmError

    def read_bytes(self) -> bytes:
        """Raises why it cannot be read."""
        raise self.failure

    def stamp(self) -> str:
        """Nothing is known of it."""
        return ""

    def size(self) -> int | None:
        """Nothing is known of it."""
        return None


FilmSource = FileOnDisk | ZipMember | OutOfReach
