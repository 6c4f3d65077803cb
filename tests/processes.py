"""Programs that tests start: none outlives the test that started it, also where the test fails."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

Process = subprocess.Popen[str]


@contextmanager
def running(command: Sequence[str], **how: Any) -> Iterator[Process]:
    """A program in a process group of its own; whatever is left of the group in the end is killed.

    Args:
        command: the program and its arguments.
        how: as `subprocess.Popen` takes it; what is written and read is text.
    """
    with subprocess.Popen(command, text=True, start_new_session=True, **how) as process:
        try:
            yield process
        finally:
            kill(process)


def kill(process: Process) -> None:
    """End the program and its children at once, as a power cut does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
