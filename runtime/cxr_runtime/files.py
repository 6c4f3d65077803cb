"""Files that the product writes: their names and formats, who may read them, and how they are never half."""

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.windows_paths import reachable


@dataclass(frozen=True)
class Access:
    """The owner may read and write; a group, if there is one, may read."""

    group: int | None = None  # id of the group

    @property
    def file_mode(self) -> int:
        """Permission bits of a file."""
        return 0o600 if self.group is None else 0o640

    @property
    def folder_mode(self) -> int:
        """Permission bits of a folder."""
        return 0o700 if self.group is None else 0o750

    def give(self, file: int | str, mode: int, *, is_path: bool = False) -> None:
        """Let the group at a file or folder that the owner alone could read until now.

        Args:
            file: its descriptor, or what leads to it.
            mode: `file_mode` or `folder_mode`.
            is_path: what leads to it is its path; a link is not followed.

        Raises:
            StoreError: this user may not give files to the group.
        """
        if self.group is None or sys.platform == "win32":
            return
        try:
            os.chown(file, -1, self.group, follow_symlinks=not is_path)
            os.chmod(file, mode, follow_symlinks=not is_path)  # noqa: PTH101 - it may be a descriptor
        except PermissionError as error:
            raise StoreError(
                f"this user may not share files with the group {self.group}; expected a group that the user "
                "is a member of: ask for membership, or scan without --share-with"
            ) from error


PRIVATE = Access()


def shared_with(group: str) -> Access:
    """The access of `--share-with GROUP`.

    Raises:
        UsageError: there is no such group here, or the system knows none.
    """
    if sys.platform == "win32":
        raise UsageError("--share-with is for Linux and macOS; share the folder by the means of Windows")
    import grp

    try:
        return Access(grp.getgrnam(group).gr_gid)
    except KeyError:
        raise UsageError(
            f"--share-with {group!r} names no group of this machine; expected one that `getent group` shows"
        ) from None


def make_folder(folder: Path, access: Access) -> None:
    """Make a folder for its owner, and the group if there is one; one that is there keeps its owner's choice.

    Raises:
        FileExistsError: a file or a link is in the way.
        OSError: it cannot be made.
        StoreError: this user may not share it with the group.
    """
    folder = reachable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=PRIVATE.folder_mode)
    except FileExistsError:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise
    share(folder.resolve(), access)


def share(path: Path, access: Access) -> None:
    """Let the group at a file or folder that is there already; never at what a link leads to.

    One that is the group's already is left alone: to give it again would change its time of last change.
    It is not opened for reading: this process may have it open as a store, and would lose its locks (POSIX).

    Raises:
        OSError: it is a link, or not there.
        StoreError: this user may not share it with the group.
    """
    if access.group is None or sys.platform == "win32":
        return
    found = path.lstat()
    mode = found.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    right = access.folder_mode if stat.S_ISDIR(mode) else access.file_mode
    if (found.st_gid, stat.S_IMODE(mode)) == (access.group, right):
        return
    if sys.platform != "linux":
        access.give(str(path), right, is_path=True)
        return
    opened = os.open(path, os.O_PATH | os.O_NOFOLLOW)  # a place in the file system; its file is not opened
    try:
        if os.fstat(opened).st_mode == mode:  # else somebody has just put something else there
            access.give(f"/proc/self/fd/{opened}", right)
    finally:
        os.close(opened)


# In the output folder of a scan.
STORE_FILE = "triage.sqlite"  # in it, a store also marks a folder of results, which is never scanned
RESULTS_FILE = "results.csv"
WORKLIST_FILE = "worklist.html"
REPORT_FILE = "report.pdf"
HEATMAPS_FOLDER = "heatmaps"
DICOM_FOLDER = "dicom"
RECEIVED_FOLDER = "received"  # of a service that receives films
WHOLE_FOLDER = "whole"  # in it: films as they came that cannot be copied without names


def beside(report: Path) -> Path:
    """Where a report goes while another program has it open: results-new.csv."""
    return report.with_name(f"{report.stem}-new{report.suffix}")


# In a model's folder.
MODEL_FILE = "model.onnx"
MANIFEST_FILE = "model.json"
CALIBRATION_FILE = "calibration.json"
CARD_FILE = "card.md"
KNOWN_FILMS_FILE = "known-films.json"

OWNER_ALONE = 0o600  # a file that nobody else may read
PART_SUFFIX = ".part"  # of files that are being written
WAITS = (0.05, 0.1, 0.2, 0.3, 0.4)  # seconds until a file that another program has open is tried again
# Never through a link, nor onto a file that is there; in bytes on Windows.
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def replacing(path: Path, access: Access | None = None, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` when the block ends without an error.

    A link at `path` is replaced, never written through. On Windows a file that another program has open
    cannot be replaced; one that a virus scanner reads can a moment later: it is tried for a second.

    Args:
        path: the file.
        access: who may read it from the moment it is made; None: whom the system lets by default.
        durable: have the file and its name on the disk before this returns, whatever befalls the machine.

    Raises:
        OSError: the folder cannot be written, or the disk is full; `path` is then as it was.
    """
    if sys.platform == "win32":
        path = reachable(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}{PART_SUFFIX}")
    part.unlink(missing_ok=True)  # left by a process of the same number that was killed
    try:
        with os.fdopen(os.open(part, NEW_FILE, 0o666 if access is None else OWNER_ALONE), "wb") as file:
            if access is not None and access.group is not None:
                access.give(file.fileno(), access.file_mode)
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if sys.platform == "win32":
            _put_when_free(part, path)
        else:
            part.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _put_when_free(part: Path, path: Path) -> None:
    for wait in WAITS:
        with suppress(PermissionError):
            part.replace(path)
            return
        time.sleep(wait)
    part.replace(path)


def write_bytes(path: Path, content: bytes, access: Access | None = None, *, durable: bool = True) -> None:
    """Write a whole file at once, or leave `path` as it was; the arguments are those of `replacing`."""
    with replacing(path, access, durable=durable) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows cannot, and some network shares refuse."""
    if os.name == "nt":
        return
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


class ReportFormat(StrEnum):
    """What `--format` may name."""

    CSV = "csv"  # results.csv
    HTML = "html"  # worklist.html
    PDF = "pdf"  # report.pdf
    PNG = "png"  # heatmaps/NAME.png
    NPZ = "npz"  # heatmaps/NAME.npz
    DICOM = "dicom"  # dicom/NAME-sc.dcm, -pdf.dcm and -sr.dcm


DEFAULT_FORMATS = frozenset(ReportFormat) - {ReportFormat.NPZ, ReportFormat.DICOM}


def parse_formats(listed: str) -> frozenset[ReportFormat]:
    """Read a list like `csv,html`.

    Raises:
        UsageError: it names something else.
    """
    names = [name.strip().lower() for name in listed.split(",") if name.strip()]
    wrong = ", ".join(name for name in names if name not in set(ReportFormat)) or ("" if names else "nothing")
    if wrong:
        raise UsageError(f"--format {listed!r} names {wrong}; choose any of {','.join(ReportFormat)}")
    return frozenset(ReportFormat(name) for name in names)
