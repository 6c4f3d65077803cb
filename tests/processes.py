"""Programs that tests start, and waiting for them: none outlives its test, also where the test fails."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

Process = subprocess.Popen[str]
PATIENCE = 300.0  # seconds for what takes a few


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


def wait_until(is_so: Callable[[], bool], said: Callable[[], str] = str, patience: float = PATIENCE) -> None:
    """Wait for a condition; one that does not come shows what the services said."""
    looked = time.monotonic()
    end = looked + patience
    while not is_so():
        assert time.monotonic() < end, said()
        time.sleep(max(0.05, 4 * (time.monotonic() - looked)))  # looking takes nothing from who is waited for
        looked = time.monotonic()
