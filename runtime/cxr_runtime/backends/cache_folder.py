"""Where this machine keeps what it can make again: engines, timings, verdicts of self-tests."""

import os
import stat
import sys
from pathlib import Path

from cxr_runtime.errors import BackendError

VARIABLE = "CXR_TRIAGE_CACHE"  # names another folder
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folder(name: str) -> Path:
    """A folder of the cache, made when it is missing, that nobody but this user can write.

    Args:
        name: e.g. `engines`.

    Raises:
        BackendError: it cannot be made, or others could put files into it.
    """
    folder = cache_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        told = folder.stat()
    except OSError as error:
        raise BackendError(
            f"the cache {folder} cannot be used ({error.strerror}); set {VARIABLE} to a folder of your own"
        ) from error
    if sys.platform != "win32" and (told.st_uid != os.getuid() or told.st_mode & _OTHERS_MAY_WRITE):
        raise BackendError(
            f"other users can write into the cache {folder}; engines are programs, so it is not used: "
            f"chmod 700 it, or set {VARIABLE} to a folder of your own"
        )
    return folder


def cache_root() -> Path:
    """The folder that holds all of it; it need not exist."""
    stated = os.environ.get(VARIABLE)
    if stated:
        return Path(stated)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base or Path.home() / "AppData" / "Local") / "cxr-triage"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cxr-triage"
