"""How processes of this program start, some of them ahead, and what they say when they cannot."""

import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from cxr_runtime.errors import InstallationError
from cxr_runtime.memory import about_limit
from cxr_runtime.names import printable
from cxr_runtime.workers.opened import can_pass_files

OPENER, WORKER = "cxr_runtime.workers.opener_child", "cxr_runtime.workers.worker_child"  # their programs
SECOND_NICENESS = 10  # of a second worker that starts ahead, above that of this process
MOST_SAID = 200  # characters of what a process wrote to standard error


@dataclass(frozen=True)
class Started:
    """A process of this program."""

    process: subprocess.Popen[bytes]
    line: socket.socket | None  # over which files are passed; None where the system cannot

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr, self.line):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


_ahead: dict[str, deque[Started]] = {OPENER: deque(), WORKER: deque()}  # that nobody has taken so far


@contextmanager
def ahead(work: str) -> Iterator[None]:
    """Start an opener and workers, for whoever needs them first; those that nobody took end afterwards.

    They load what they need while this process loads what it needs. The second worker has what this process
    and the first one leave of two processors.

    Args:
        work: what the workers get ready for, `module:name` of a `tasks.Work`.
    """
    try:
        with suppress(OSError):  # said by whoever needs them
            if can_pass_files():
                _ahead[OPENER].append(_start(OPENER))
            for niceness in (0, SECOND_NICENESS)[: os.cpu_count() or 1]:
                worker = _start(WORKER)
                _ahead[WORKER].append(worker)
                if niceness and sys.platform != "win32":
                    own = os.getpriority(os.PRIO_PROCESS, 0)
                    os.setpriority(os.PRIO_PROCESS, worker.process.pid, own + niceness)
                tell(worker.process, work)
        yield
    finally:
        end_untaken(OPENER, WORKER)


def started(program: str) -> Started:
    """A process of OPENER or WORKER: one that was started ahead, or a new one.

    Raises:
        OSError: the system starts no more.
    """
    return _ahead[program].popleft() if _ahead[program] else _start(program)


def end_untaken(*programs: str) -> None:
    """End what was started ahead, and nobody needs."""
    for program in programs:
        while _ahead[program]:
            _ahead[program].pop().end()


def tell(process: subprocess.Popen[bytes], item: object) -> None:
    """Send something to a process; one that is dead is noticed by whoever listens to it."""
    assert process.stdin is not None
    with suppress(OSError):
        pickle.dump(item, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()


def _start(program: str) -> Started:
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    how: dict[str, Any] = {"stdin": nothing, "stdout": nothing}
    if program == WORKER:
        how = {"stdin": pipe, "stdout": pipe, "env": os.environ | _ALONE}
    line, passed = None, list[int]()
    with ExitStack() as closing:
        if can_pass_files():
            line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            passed = [closing.enter_context(theirs).fileno()]
        return Started(start_process(program, passed, stderr=pipe, pass_fds=passed, **how), line)


_ALONE = {
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "PYTHONSAFEPATH": "1",  # nothing is imported from the folder that the program was started in
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # bytes; glibc keeps the memory of one film for the next:
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),  # for each fresh page the system stops the process
}


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
