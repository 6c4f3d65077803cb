"""A pool of worker processes with limits: a task that crashes, hangs or eats memory ends only itself."""

import queue
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from cxr_runtime.errors import CxrTriageError, InstallationError, ModelError
from cxr_runtime.names import printable
from cxr_runtime.workers.answers import AnswerError, Content, Said, told
from cxr_runtime.workers.starting import WORKER, end_untaken, not_started
from cxr_runtime.workers.tasks import Passed, Pause, TaskFlow, Work
from cxr_runtime.workers.worker import (
    MOST_TIMES,
    TASKS_AHEAD,
    Answers,
    Worker,
    WorkerDiedError,
    WorkerKilledError,
)

__all__ = ["WorkerDiedError", "WorkerKilledError", "WorkerPool", "WorkerTimeoutError"]

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")

MOST_TASKS = 1000  # of one process: what has taken it over, and keeps quiet, stays no longer
TRIES = 2  # a worker that died may have been killed from outside: its task gets one more


class WorkerTimeoutError(CxrTriageError):
    """The task took longer than its limit."""


class WorkerPool(Generic[T, R]):
    """Does tasks in child processes, which start at the first task.

    Args:
        work: what they do; it and the tasks can be pickled.
        workers: number of processes.
        seconds: limit for one task, without those in which it waits for a core; the worker is then killed and
            replaced.
        megabytes: limit of memory of one worker, as `memory_limits` says.
        niceness: of a worker, above that of this process; not on Windows.
    """

    def __init__(
        self,
        work: Work[T, R],
        workers: int,
        *,
        seconds: float = 60.0,
        megabytes: int = 4096,
        niceness: int = 0,
    ) -> None:
        self.sandbox = ""  # how the system confines the workers; "" before the first is ready
        self._work, self._count = work, workers
        self._seconds, self._limits = seconds, (MOST_TIMES * seconds, megabytes, niceness)
        self._answers: Answers = queue.SimpleQueue()
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the processes now, that the first task need not wait for them."""
        if not self._workers:
            self._workers = [self._start() for _ in range(self._count)]
            end_untaken(WORKER)

    def close(self) -> None:
        """End every process, whatever it does."""
        workers, self._workers = self._workers, []  # tasks that come meanwhile have others
        for worker in workers:
            worker.process.kill()  # all at once: each takes its time to end
        for worker in workers:
            worker.stop()

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
            worker.make_room()
            if worker in self._workers:
                yield from self._take(worker, answer, flow)

    def _take(
        self, worker: Worker, answer: tuple[Said, Content] | None, flow: TaskFlow[T, Any]
    ) -> Iterator[tuple[T, R | Exception]]:
        """What an answer of a living worker comes to; None is its death, and a wrong answer its end."""
        match answer:
            case (Said.READY, content) if not worker.is_ready:
                self.sandbox = told(content).get("sandbox", "")
                worker.is_ready = True
                worker.busy_since = time.monotonic()
            case (Said.CANNOT_START, content) if not worker.is_ready:
                raise _why_not(content)
            case (Said.DONE | Said.FAILED as said, content) if worker.is_ready and worker.given:
                try:
                    result = self._result(said, content, worker.given[0][0])
                except ValueError:
                    worker.lied = True
                    yield from self._replace_dead(worker, flow)
                else:
                    task, _ = worker.take()
                    if worker.done >= MOST_TASKS or self._work.is_suspicious(result):
                        self._replace(worker, flow)
                    yield task, result
            case _:
                worker.lied |= answer is not None
                yield from self._replace_dead(worker, flow)

    def _result(self, said: Said, content: Content, task: T) -> R | Exception:
        if said is Said.DONE:
            return self._work.decode(content, task)
        return _failure(content, self._work.needs)

    def _hand_out(self, flow: TaskFlow[T, Any]) -> None:
        for depth in range(TASKS_AHEAD):
            for number in range(self._count):
                if number < len(self._workers) and len(self._workers[number].given) > depth:
                    continue
                entry = flow.next_task()
                if entry is None:
                    return
                self.start()
                task, tries = entry
                self._workers[number].give(task, tries, *self._work.pack(task))

    def _next_deadline(self) -> float:
        left = min(worker.left(self._seconds) for worker in self._workers if worker.given)
        return max(0.0, left) + 0.01

    def _end_overdue(self, flow: TaskFlow[T, Any]) -> Iterator[tuple[T, Exception]]:
        for worker in list(self._workers):
            if worker.given and worker.left(self._seconds) <= 0:
                if not worker.is_ready:
                    raise not_started(f"it was not ready after {self._seconds:g} s")
                task, _ = worker.take()
                self._replace(worker, flow)
                yield task, WorkerTimeoutError(f"took longer than {self._seconds:g} s")

    def _replace_dead(self, worker: Worker, flow: TaskFlow[T, Any]) -> Iterator[tuple[T, Exception]]:
        if not worker.is_ready:
            raise not_started(worker.last_words())
        lost = worker.given.popleft() if worker.given else None
        self._replace(worker, flow)
        if lost is None:
            return
        task, tries = lost
        if worker.lacked_memory:
            yield task, MemoryError()
        elif tries + 1 < TRIES:
            flow.again.append((task, tries + 1))
        else:
            yield task, worker.death()

    def _replace(self, worker: Worker, flow: TaskFlow[T, Any]) -> None:
        """Put a fresh process in a worker's place; the tasks it had not begun are given out again."""
        flow.again.extendleft(reversed(worker.given))
        worker.given.clear()
        worker.stop()
        self._workers[self._workers.index(worker)] = self._start()

    def _start(self) -> Worker:
        return Worker.start(self._work, self._limits, self._answers)


def _why_not(content: Content) -> CxrTriageError:
    """Why a worker could not begin; no film had been read by then, so it is believed."""
    text = told(content)
    kind = ModelError if text.get("error") == ModelError.__name__ else InstallationError
    return kind(text.get("told", ""))


def _failure(content: Content, needs: Collection[str]) -> Exception:
    """How a task failed.

    Args:
        content: what the worker said.
        needs: as of `Work`; a film can say anything, so it is tried whether they load.

    Raises:
        InstallationError: a library is missing or does not load.
        ValueError: it is no failure.
    """
    match told(content):
        case {"failure": "memory"}:
            return MemoryError()
        case {"failure": "missing"} if reason := _why_needs_fail(needs):
            raise InstallationError(
                f"a library is missing or does not load ({reason}); install cxr-triage anew"
            )
        case {"failure": str(), "told": text}:
            return RuntimeError(text)
        case _:
            raise AnswerError("no failure")


def _why_needs_fail(needs: Collection[str]) -> str:
    """What does not load in a process that has seen no film, in its own words; "" where everything does."""
    program = "import sys; from cxr_runtime.workers.tasks import load; [load(need) for need in sys.argv[1:]]"
    command = [sys.executable, "-P", "-c", program, *needs]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    lines = run.stderr.decode("utf-8", "replace").strip().splitlines() or ["it cannot be tried"]
    return printable(lines[-1]) if run.returncode else ""
