"""Who may read what a scan writes: its owner alone, or a group of readers, too."""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.errors import StoreError, UsageError


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

    def give(self, opened: int, mode: int) -> None:
        """Let the group at a file or folder that the owner alone could read until now.

        Args:
            opened: its descriptor.
            mode: `file_mode` or `folder_mode`.

        Raises:
            StoreError: this user may not give files to the group.
        """
        if self.group is None or sys.platform == "win32":
            return
        try:
            os.fchown(opened, -1, self.group)
            os.fchmod(opened, mode)
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
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=PRIVATE.folder_mode)
    except FileExistsError:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise
    share(folder.resolve(), access)


def share(path: Path, access: Access) -> None:
    """Let the group at a file or folder that is there already; never at what a link leads to.

    Raises:
        OSError: it cannot be opened.
        StoreError: this user may not share it with the group.
    """
    if access.group is None or sys.platform == "win32":
        return
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        access.give(opened, access.folder_mode if is_folder else access.file_mode)
    finally:
        os.close(opened)
