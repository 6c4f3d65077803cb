"""What the file system says of a file: whether it has changed, and why it cannot be read."""

import os
import re
import sys
from pathlib import Path

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.windows_paths import reachable

_STAMP = re.compile(r"\d+:\d+:(\d+):(-?\d+):-?\d+")  # of `file_stamp`: size, and ns of the last change
_UNITS = (1, 100, 1_000, 1_000_000, 1_000_000_000)  # ns, to which copies keep times; a tar file: a second


def disk_failure(error: OSError, what: str) -> UnreadableFilmError:
    """Word what the operating system answered when `what`, a file or folder, was to be read."""
    if isinstance(error, FileNotFoundError):
        return UnreadableFilmError(
            "missing", f"the {what} is not there (any more); restore it and scan again"
        )
    if isinstance(error, PermissionError):
        return UnreadableFilmError(
            "no-permission", f"the {what} may not be read; ask for permission to read it"
        )
    reason = error.strerror or type(error).__name__
    return UnreadableFilmError(
        "read-error", f"the {what} cannot be read ({reason}); check the disk or network"
    )


def file_stamp(path: str | Path) -> str:
    """A text that changes whenever a file does: device, inode, size, times; "" where it cannot be asked."""
    try:
        status = os.stat(reachable(Path(path)) if sys.platform == "win32" else path)  # noqa: PTH116 - quicker
    except OSError:
        return ""
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{times}"


def is_unchanged(path: Path, stamp: str) -> bool:
    """Whether a file's content is that of a stamp, by its size and the time of its last change.

    A folder that was copied with its times, new permissions or a share that was mounted anew change the
    other parts of a stamp, and no content.
    """
    found, noted = (_STAMP.fullmatch(text) for text in (file_stamp(path), stamp))
    if found is None or noted is None:
        return False
    changed, was_changed = int(found[2]), int(noted[2])
    unit = max(unit for unit in _UNITS if changed % unit == 0)
    return found[1] == noted[1] and changed // unit == was_changed // unit
