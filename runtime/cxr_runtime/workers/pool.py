"""A pool of worker processes with limits: a task that crashes, hangs or eats memory ends only itself."""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.workers.answers import read_answer

T = TypeVar("T")
R = TypeVar("R")

TASKS_AHEAD = 2  # tasks given to each worker at a time, so that none waits for the parent
CHILD = "cxr_runtime.workers.child"  # the program of a worker
TRIES = 2  # a worker that died may have been killed from outside: its task gets one more


class WorkerDiedError(CxrTriageError):
    """The process ended in the middle of the task, twice."""


class WorkerTimeoutError(CxrTriageError):
    """The task took longer than its limit."""


@dataclass(eq=False)
class _Worker:
    """One child process and the tasks it was given, the current one first."""

    process: subprocess.Popen[bytes]
    given: deque[tuple[Any, int]] = field(default_factory=deque)  # (task, tries so far)
    busy_since: float = 0.0

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
    """Applies a function, named `module:function`, to tasks in child processes.

    Args:
        function: importable by the child; takes one picklable task, gives a picklable result.
        workers: number of processes.
        seconds: limit for one task; the worker is then killed and replaced.
        megabytes: limit of address space of one worker (POSIX).
    """

    def __init__(self, function: str, workers: int, *, seconds: float = 60.0, megabytes: int = 4096) -> None:
        self._command = [
            sys.executable,
            "-m",
            "cxr_runtime.workers.child",
            function,
            str(seconds),
            str(megabytes),
        ]
        self._seconds = seconds
        self._answers: queue.SimpleQueue[tuple[_Worker, tuple[bool, Any] | None]] = queue.SimpleQueue()
        self._workers = [self._start() for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()

    def results(self, tasks: Iterable[T]) -> Iterator[tuple[T, R | Exception]]:
        """Yield each task once, as it finishes, with its result or the error it ended in."""
        waiting = ((task, 0) for task in tasks)
        again: deque[tuple[T, int]] = deque()
        while True:
            self._hand_out(waiting, again)
            if not any(worker.given for worker in self._workers):
                return
            try:
                worker, answer = self._answers.get(timeout=self._next_deadline())
            except queue.Empty:
                yield from self._end_overdue(again)
                continue
            if worker not in self._workers:
                continue
            if answer is None:
                yield from self._replace_dead(worker, again)
            elif worker.given:
                task, _ = worker.given.popleft()
                worker.busy_since = time.monotonic()
                yield task, answer[1]

    def _hand_out(self, waiting: Iterator[tuple[T, int]], again: deque[tuple[T, int]]) -> None:
        for depth in range(TASKS_AHEAD):
            for worker in self._workers:
                if len(worker.given) > depth:
                    continue
                entry = again.popleft() if again else next(waiting, None)
                if entry is None:
                    return
                worker.give(*entry)

    def _next_deadline(self) -> float:
        now = time.monotonic()
        left = [worker.busy_since + self._seconds - now for worker in self._workers if worker.given]
        return max(0.0, min(left)) + 0.01

    def _end_overdue(self, again: deque[tuple[T, int]]) -> Iterator[tuple[T, Exception]]:
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.given and now - worker.busy_since >= self._seconds:
                task, _ = worker.given.popleft()
                self._replace(worker, again)
                yield task, WorkerTimeoutError(f"took longer than {self._seconds:g} s")

    def _replace_dead(self, worker: _Worker, again: deque[tuple[T, int]]) -> Iterator[tuple[T, Exception]]:
        lost = worker.given.popleft() if worker.given else None
        self._replace(worker, again)
        if lost is None:
            return
        task, tries = lost
        if tries + 1 < TRIES:
            again.append((task, tries + 1))
        else:
            yield task, WorkerDiedError(f"ended with status {worker.process.returncode}")

    def _replace(self, worker: _Worker, again: deque[tuple[T, int]]) -> None:
        """Put a fresh process in a worker's place; the tasks it had not begun are given out again."""
        again.extendleft(reversed(worker.given))
        worker.given.clear()
        worker.stop()
        self._workers[self._workers.index(worker)] = self._start()

    def _start(self) -> _Worker:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment
        )
        worker = _Worker(process)
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
