"""A pool of worker processes with limits: a task that crashes, hangs or eats memory ends only itself."""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

from cxr_runtime.errors import CxrTriageError, InstallationError
from cxr_runtime.memory import about_limit
from cxr_runtime.names import printable
from cxr_runtime.workers.answers import read_answer
from cxr_runtime.workers.tasks import Passed, Pause, TaskFlow

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")

CHILD = "cxr_runtime.workers.child"  # the program of a worker
TASKS_AHEAD = 2  # tasks given to each worker at a time, so that none waits for the parent
MOST_HEARD = 4096  # bytes of a worker's standard error that are kept
MOST_SAID = 200  # characters of it in a sentence
# Signals that no decoder raises by itself: the system's for want of memory or time, or somebody's command.
FROM_OUTSIDE = frozenset(
    number
    for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGXCPU")
    if (number := getattr(signal, name, None)) is not None
)
TRIES = 2  # a worker that died may have been killed from outside: its task gets one more


class WorkerDiedError(CxrTriageError):
    """The process ended in the middle of the task, twice."""


class WorkerKilledError(WorkerDiedError):
    """The process was ended from outside, twice: by the system when memory ran out, as a rule."""


class WorkerTimeoutError(CxrTriageError):
    """The task took longer than its limit."""


@dataclass(eq=False)
class _Worker:
    """One child process and the tasks it was given, the current one first."""

    process: subprocess.Popen[bytes]
    given: deque[tuple[Any, int]] = field(default_factory=deque)  # (task, tries so far)
    busy_since: float = 0.0
    is_ready: bool = False  # it has loaded its function
    heard: bytes = b""  # the end of what it wrote to standard error, which it closes once it is ready
    hearing: threading.Thread | None = None

    def give(self, task: Any, tries: int) -> None:
        if not self.given:
            self.busy_since = time.monotonic()
        self.given.append((task, tries))
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # a dead worker is noticed by the thread that reads its answers
            pickle.dump(task, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class WorkerPool(Generic[T, R]):
    """Applies a function, named `module:function`, to tasks in child processes; they start at the first task.

    Args:
        function: importable by the child; takes one picklable task, gives a picklable result.
        workers: number of processes.
        seconds: limit for one task; the worker is then killed and replaced.
        megabytes: limit of address space of one worker (Linux).
    """

    def __init__(self, function: str, workers: int, *, seconds: float = 60.0, megabytes: int = 4096) -> None:
        self._command = [sys.executable, "-P", "-m", CHILD, function, str(seconds), str(megabytes)]
        self._count, self._seconds = workers, seconds
        self._answers: queue.SimpleQueue[tuple[_Worker, tuple[bool, Any] | None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process, whatever it does."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def results(
        self, tasks: Iterable[T | Passed[P] | Pause]
    ) -> Iterator[tuple[T, R | Exception] | Passed[P] | Pause]:
        """Yield each task once, as it finishes, with its result or the error it ended in.

        Args:
            tasks: may have no end; a pause is handed on once everything before it is done.

        Raises:
            InstallationError: a worker cannot start, or lacks a library.
        """
        flow = TaskFlow[T, P](iter(tasks))
        while True:
            self._hand_out(flow)
            while flow.passed:
                yield flow.passed.popleft()
            if not any(worker.given for worker in self._workers):
                if flow.is_cut:
                    continue
                if not flow.is_paused:
                    return
                flow.is_paused = False
                yield Pause.PAUSE
                continue
            try:
                worker, answer = self._answers.get(timeout=0 if flow.is_cut else self._next_deadline())
            except queue.Empty:
                yield from self._end_overdue(flow)
                continue
            if worker in self._workers:
                yield from self._take(worker, answer, flow)

    def _take(
        self, worker: _Worker, answer: tuple[bool, Any] | None, flow: TaskFlow[T, Any]
    ) -> Iterator[tuple[T, R | Exception]]:
        """What an answer of a living worker comes to; None is its death."""
        if answer is None:
            yield from self._replace_dead(worker, flow)
        elif isinstance(answer[1], InstallationError):
            raise answer[1]
        elif not worker.is_ready:
            worker.is_ready = True  # its first answer says only that it has loaded everything
            worker.busy_since = time.monotonic()
        elif worker.given:
            task, _ = worker.given.popleft()
            worker.busy_since = time.monotonic()
            yield task, answer[1]

    def _hand_out(self, flow: TaskFlow[T, Any]) -> None:
        for depth in range(TASKS_AHEAD):
            for number in range(self._count):
                if number < len(self._workers) and len(self._workers[number].given) > depth:
                    continue
                entry = flow.next_task()
                if entry is None:
                    return
                if not self._workers:
                    self._workers = [self._start() for _ in range(self._count)]
                self._workers[number].give(*entry)

    def _next_deadline(self) -> float:
        now = time.monotonic()
        left = [worker.busy_since + self._seconds - now for worker in self._workers if worker.given]
        return max(0.0, min(left)) + 0.01

    def _end_overdue(self, flow: TaskFlow[T, Any]) -> Iterator[tuple[T, Exception]]:
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.given and now - worker.busy_since >= self._seconds:
                if not worker.is_ready:
                    raise _not_started(f"it was not ready after {self._seconds:g} s")
                task, _ = worker.given.popleft()
                self._replace(worker, flow)
                yield task, WorkerTimeoutError(f"took longer than {self._seconds:g} s")

    def _replace_dead(self, worker: _Worker, flow: TaskFlow[T, Any]) -> Iterator[tuple[T, Exception]]:
        if not worker.is_ready:
            raise _not_started(_last_words(worker))
        lost = worker.given.popleft() if worker.given else None
        self._replace(worker, flow)
        if lost is None:
            return
        task, tries = lost
        if tries + 1 < TRIES:
            flow.again.append((task, tries + 1))
        else:
            yield task, _death(worker.process.returncode)

    def _replace(self, worker: _Worker, flow: TaskFlow[T, Any]) -> None:
        """Put a fresh process in a worker's place; the tasks it had not begun are given out again."""
        flow.again.extendleft(reversed(worker.given))
        worker.given.clear()
        worker.stop()
        self._workers[self._workers.index(worker)] = self._start()

    def _start(self) -> _Worker:
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENCV_FOR_THREADS_NUM": "1",
            "PYTHONSAFEPATH": "1",  # nothing is imported from the folder that the program was started in
        }
        pipe = subprocess.PIPE
        process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        worker = _Worker(process)
        worker.hearing = threading.Thread(target=_hear, args=(worker,), daemon=True)
        worker.hearing.start()
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Pass on every answer of one worker, then None once it is dead."""
        assert worker.process.stdout is not None
        try:
            while True:
                self._answers.put((worker, read_answer(worker.process.stdout)))
        except (EOFError, OSError, ValueError, AttributeError, ImportError, pickle.UnpicklingError):
            self._answers.put((worker, None))


def _hear(worker: _Worker) -> None:
    """Keep the end of what a worker writes to standard error, so that it never waits for a reader."""
    assert worker.process.stderr is not None
    with worker.process.stderr as pipe:
        while chunk := os.read(pipe.fileno(), MOST_HEARD):
            worker.heard = (worker.heard + chunk)[-MOST_HEARD:]


def _last_words(worker: _Worker) -> str:
    """How a worker ended that was not ready, and the last line it wrote."""
    status = worker.process.wait()
    if worker.hearing is not None:
        worker.hearing.join(timeout=1.0)  # what it wrote may still be on its way
    lines = worker.heard.decode("utf-8", "replace").strip().splitlines()
    said = f", saying: {printable(lines[-1].strip()[:MOST_SAID])}" if lines else ""
    return f"it ended with status {status} before its first film{said}"


def _death(status: int) -> WorkerDiedError:
    if -status in FROM_OUTSIDE:
        return WorkerKilledError(f"was ended by signal {-status}")
    return WorkerDiedError(f"ended with status {status}")


def _not_started(reason: str) -> InstallationError:
    return InstallationError(
        f"a process that reads films cannot start: {reason}; `cxr-triage doctor` shows what is missing, or "
        f"install cxr-triage anew{about_limit()}"
    )
