"""Tasks on their way to wherever they are done: in processes of this machine, or of others."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

from cxr_runtime.workers.answers import Content

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")
T_contra = TypeVar("T_contra", contravariant=True)
P_co = TypeVar("P_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)

MOST_PASSED = 64  # things without work that are looked at before those that wait are handed on


class Pause(Enum):
    """Nothing more is known for now: what is in hand is finished before anything else is asked for."""

    PAUSE = "pause"


@dataclass(frozen=True)
class Passed(Generic[P_co]):
    """Something among the tasks that needs no work; it goes past the workers."""

    value: P_co


class Pool(Protocol[T_contra, R_co]):
    """Does tasks somewhere else: in processes of this machine, or of others."""

    def results(
        self, tasks: Iterable[T_contra | Passed[P] | Pause]
    ) -> Iterator[tuple[Any, R_co | Exception] | Passed[P] | Pause]:
        """Yield each task once, as it is done, with its result or the error it ended in.

        Args:
            tasks: may have no end; a pause is handed on once everything before it is done.
        """
        ...


class Work(Protocol[T_contra, R]):
    """What the processes of a pool do; it is sent to each of them once, so it can be pickled."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Modules, or `module:name`, that are loaded at the first task that needs them."""
        ...

    def prepare(self) -> None:
        """Load everything that every task needs.

        Raises:
            CxrTriageError: a part of the program is missing.
        """
        ...

    def pack(self, task: T_contra) -> tuple[Any, int | None]:
        """What is sent of a task, in the parent: what can be pickled, and a descriptor that goes with it."""
        ...

    def do(self, packed: Any, descriptor: int | None) -> R:
        """Do one task, in the worker; the descriptor is closed afterwards."""
        ...

    def encode(self, result: R) -> Content:
        """A result as it is sent, in the worker."""
        ...

    def is_suspicious(self, result: R | Exception) -> bool:
        """Whether a worker that ended a task so is replaced before its next one, in the parent."""
        ...

    def decode(self, content: Content, task: T_contra) -> R:
        """A task's result from what came, in the parent; a worker that a film took over may send anything.

        Raises:
            ValueError: this is no result of that task.
        """
        ...


def load(named: str) -> Any:
    """A module, or what is in it by `module:name`."""
    module, _, name = named.partition(":")
    found = import_module(module)
    return getattr(found, name) if name else found


@dataclass(frozen=True)
class Plain:
    """A function named `module:function` as work; it takes one value and gives one that JSON knows."""

    function: str
    needs: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Import it."""
        load(self.function)

    def pack(self, task: Any) -> tuple[Any, None]:
        """As it is."""
        return task, None

    def do(self, packed: Any, descriptor: int | None) -> Any:  # noqa: ARG002 - as of all work
        """Call it."""
        return load(self.function)(packed)

    def encode(self, result: Any) -> Content:
        """As JSON."""
        return Content(json.dumps(result).encode())

    def is_suspicious(self, result: Any) -> bool:
        """Where it raised."""
        return isinstance(result, RuntimeError)

    def decode(self, content: Content, task: Any) -> Any:  # noqa: ARG002 - as of all work
        """From JSON."""
        return json.loads(content.text)


class TaskFlow(Generic[T, P]):
    """The tasks that are still to come, and those to be tried again."""

    def __init__(self, tasks: Iterator[T | Passed[P] | Pause]) -> None:
        self._tasks = tasks
        self.again: deque[tuple[T, int]] = deque()  # (task, tries so far)
        self.passed: deque[Passed[P]] = deque()  # to be handed on
        self.is_paused = False
        self.is_cut = False  # so much was passed that it is handed on before more is asked for

    def next_task(self) -> tuple[T, int] | None:
        """The next task and how often it was tried; None where there is none for now."""
        self.is_cut = False
        if self.again:
            return self.again.popleft()
        while not self.is_paused and len(self.passed) < MOST_PASSED:
            item = next(self._tasks, None)
            match item:
                case None:
                    return None
                case Passed():
                    self.passed.append(item)
                case Pause():
                    self.is_paused = True
                case task:
                    return task, 0
        self.is_cut = not self.is_paused
        return None
