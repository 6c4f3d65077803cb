"""What the file system says of a file: whether it has changed, and why it cannot be read."""

import os
import sys
from pathlib import Path

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.windows_paths import reachable


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
