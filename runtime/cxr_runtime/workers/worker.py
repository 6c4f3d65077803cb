"""One worker process as its parent sees it: started, given tasks, heard, and ended."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.workers.answers import Content, Said, read_answer
from cxr_runtime.workers.memory_limits import Watch, end_with_us, watched
from cxr_runtime.workers.starting import WORKER, last_words, started, tell

TASKS_AHEAD = 2  # tasks given to each worker at a time, so that none waits for the parent
PIPE_BYTES = 1 << 20  # that answers' pipes hold; Linux grants no more to a user by itself
SLOW_SECONDS = 5.0  # of a task, after which is asked how long its worker has waited for a core
MOST_TIMES = 10  # its limit that a task may take in any case
MOST_HEARD = 4096  # bytes of a worker's standard error that are kept
# Signals that no decoder raises by itself: the system's for want of memory or time, or somebody's command.
FROM_OUTSIDE = frozenset(
    number
    for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGXCPU")
    if (number := getattr(signal, name, None)) is not None
)

Limits = tuple[float, int, int]  # seconds of a task, megabytes and niceness of a worker
Answers = queue.SimpleQueue[tuple["Worker", tuple[Said, Content] | None]]


class WorkerDiedError(CxrTriageError):
    """The process ended in the middle of the task, twice."""


class WorkerKilledError(WorkerDiedError):
    """The process was ended from outside, twice: by the system when memory ran out, as a rule."""


@dataclass(eq=False)
class Worker:
    """One child process and the tasks it was given, the current one first."""

    process: subprocess.Popen[bytes]
    given: deque[tuple[Any, int]] = field(default_factory=deque)  # (task, tries so far)
    done: int = 0  # tasks
    busy_since: float = 0.0
    slow: tuple[float, float] = (0.0, 0.0)  # `busy_since` of a task that takes long, and `waited` by then
    is_ready: bool = False  # it has loaded everything
    lied: bool = False  # what came from it was no answer
    line: socket.socket | None = None  # descriptors go over it
    watch: Watch | None = None  # over its memory, where the system does not limit it
    heard: bytes = b""  # the end of what it wrote to standard error, which it closes once it is ready
    _hearing: threading.Thread | None = None
    # Answers that may lie unread here: a worker that floods its parent waits instead.
    _room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(TASKS_AHEAD + 1))

    @classmethod
    def start(cls, work: Any, limits: Limits, answers: Answers) -> Self:
        """Start a process that does `work`; each answer goes to `answers`, then None once it is dead."""
        child = started(WORKER)
        process = child.process
        end_with_us(process)
        _widen(process.stdout)
        worker = cls(process, line=child.line, watch=watched(process, limits[1]))
        worker._hearing = threading.Thread(target=worker._hear, daemon=True)
        worker._hearing.start()
        threading.Thread(target=worker._listen, args=(answers,), daemon=True).start()
        tell(process, (*limits, work))
        return worker

    def give(self, task: Any, tries: int, packed: Any, descriptor: int | None) -> None:
        """Send a task that was tried so often, as it was packed."""
        if not self.given:
            self.busy_since = time.monotonic()
        self.given.append((task, tries))
        if descriptor is not None and self.line is not None:
            with contextlib.suppress(OSError):
                socket.send_fds(self.line, [b"f"], [descriptor])
        tell(self.process, (packed, descriptor is not None))

    def take(self) -> tuple[Any, int]:
        """The current task, which is done; the next one begins."""
        self.busy_since = time.monotonic()
        self.done += 1
        return self.given.popleft()

    def left(self, seconds: float) -> float:
        """Seconds after which to look again whether its task is over its limit; 0 or less: it is.

        On a machine with too much to do a sound film may have a core for a twentieth of the time. So the time
        for which the worker wants one and has none does not count, but for MOST_TIMES the limit at most.

        Args:
            seconds: the limit of the task.
        """
        took, early = time.monotonic() - self.busy_since, min(SLOW_SECONDS, seconds / 2)
        if took < early:
            return early - took
        waited = self.waited()
        if self.slow[0] != self.busy_since:
            self.slow = self.busy_since, waited
        own = took - max(0.0, waited - self.slow[1])
        return min(seconds - own, MOST_TIMES * seconds - took)

    def waited(self) -> float:
        """Seconds for which it has wanted a core and had none so far; 0 where the system does not say it."""
        try:  # the second number (Linux, Documentation/scheduler/sched-stats)
            stated = Path(f"/proc/{self.process.pid}/schedstat").read_bytes()
            return int(stated.split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    def make_room(self) -> None:
        """Let one more answer come."""
        self._room.release()

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.make_room()
        for pipe in (self.process.stdin, self.process.stdout, self.line):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def last_words(self) -> str:
        """How it ended before it was ready, and the last line it wrote."""
        status = self.process.wait()
        if self._hearing is not None:
            self._hearing.join(timeout=1.0)  # what it wrote may still be on its way
        return last_words(status, self.heard)

    @property
    def lacked_memory(self) -> bool:
        """Whether it was ended because it took more than its share."""
        return self.watch is not None and self.watch.is_over

    def death(self) -> WorkerDiedError:
        """How it ended in the middle of a task, once it is dead."""
        status = self.process.wait()
        if self.lied:
            return WorkerDiedError("gave an answer that is none")
        if -status in FROM_OUTSIDE:
            return WorkerKilledError(f"was ended by signal {-status}")
        return WorkerDiedError(f"ended with status {status}")

    def _listen(self, answers: Answers) -> None:
        assert self.process.stdout is not None
        try:
            while True:
                self._room.acquire()
                answers.put((self, read_answer(self.process.stdout)))
        except EOFError:
            pass
        except (OSError, ValueError):
            self.lied = self.process.poll() is None  # else the pipe was closed when it was ended
        answers.put((self, None))

    def _hear(self) -> None:
        """Keep the end of what it writes to standard error, so that it never waits for a reader."""
        assert self.process.stderr is not None
        with self.process.stderr as pipe:
            while chunk := os.read(pipe.fileno(), MOST_HEARD):
                self.heard = (self.heard + chunk)[-MOST_HEARD:]


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a whole answer, where the system can: else both sides wake once for each 64 KiB."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl

        with contextlib.suppress(OSError):  # the user's pipes hold all that the system grants
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
