"""Who may read the files and folders that the product makes."""

import errno
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.windows_paths import reachable

OWNER_ALONE = 0o600  # a file that nobody else may read


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
