"""How processes of this program start, and what they say when they cannot."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

from cxr_runtime.errors import InstallationError
from cxr_runtime.memory import about_limit
from cxr_runtime.names import printable

MOST_SAID = 200  # characters of what a process wrote to standard error


def start_process(program: str, arguments: Sequence[object], **how: Any) -> subprocess.Popen[bytes]:
    """Start a module of this program in a process of its own.

    Args:
        program: its name.
        arguments: of its command line.
        how: of `subprocess.Popen`.

    Raises:
        OSError: the system starts no more.
    """
    command = [sys.executable, "-P", "-m", program, *map(str, arguments)]
    if sys.platform == "win32":  # no window appears, and Ctrl-C reaches the parent alone
        how["creationflags"] = subprocess.CREATE_NO_WINDOW
    starting: Future[subprocess.Popen[bytes]]
    starting = _starter(os.getpid()).submit(lambda: subprocess.Popen(command, **how))
    return starting.result()


@cache
def _starter(_process: int) -> ThreadPoolExecutor:
    """The one thread that starts processes: they end with it, by `sandbox.end_with_parent`."""
    return ThreadPoolExecutor(1)


def last_words(status: int, heard: bytes) -> str:
    """How a process ended before its first film, and the last line it wrote to standard error."""
    lines = heard.decode("utf-8", "replace").strip().splitlines()
    said = f", saying: {printable(lines[-1].strip()[:MOST_SAID])}" if lines else ""
    return f"it ended with status {status} before its first film{said}"


def not_started(reason: str) -> InstallationError:
    """The error where a process of this program cannot begin."""
    return InstallationError(
        f"a process that reads films cannot start: {reason}; `cxr-triage doctor` shows what is missing, or "
        f"install cxr-triage anew{about_limit()}"
    )
