"""Why the file system gives no file or folder, in words for a row."""

from cxr_runtime.errors import UnreadableFilmError


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
