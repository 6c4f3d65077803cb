"""The way of one film through the house: which files and functions it runs through, counted."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import TypeVar

from cxr_runtime.files import ReportFormat
from cxr_runtime.scanning.examination import Examination, Examined, Order, examine
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.session import Session
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.workers.tasks import Passed, Pause

P = TypeVar("P")

ROOT = Path(__file__).parents[1]
IS_FUNCTION = 0x1  # CO_OPTIMIZED: a function's code has it, a class body and a module have not


@dataclass(frozen=True)
class Way:
    """What a film runs through, from its source to its stored row and pictures, once everything is warm."""

    functions: tuple[tuple[str, str], ...]  # file within the runtime, qualified name

    @property
    def files(self) -> tuple[str, ...]:
        """The files, sorted."""
        return tuple(sorted({file for file, _ in self.functions}))


class InThisProcess:
    """A pool that examines films where it stands, so that a profiler sees them."""

    def results(
        self, tasks: Iterable[Examination | Passed[P] | Pause]
    ) -> Iterator[tuple[Examination, Examined | Exception] | Passed[P] | Pause]:
        """Each task with its result."""
        for task in tasks:
            if isinstance(task, Examination):
                yield task, examine(Order(task.preprocessing, task.source))
            else:
                yield task


def way_of(film: Path) -> Way:
    """Score one film twice in a session, and note what the second time calls in the runtime.

    Raises:
        CxrTriageError: no session can be opened.
    """
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    with TemporaryDirectory() as out, _profiled(note):
        pictures = frozenset({ReportFormat.PNG})  # what writes the other reports would be loaded meanwhile
        options = ScanOptions(
            out=Path(out), backend="onnxruntime", allow_uncalibrated=True, force=True, formats=pictures
        )
        with Session.open(options, InThisProcess()) as session:
            source = FileOnDisk(film.name, film)
            list(session.screen([source]))
            seen.clear()
            list(session.screen([source]))
            way = tuple(sorted(_named(code) for code in frozenset(seen) if _is_ours(code)))
    return Way(way)


@contextmanager
def _profiled(note: Callable[[FrameType, str, object], None]) -> Iterator[None]:
    """Note the calls of this thread, and of all threads that are started meanwhile."""
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _is_ours(code: CodeType) -> bool:
    path = code.co_filename
    in_house = path.startswith(str(ROOT)) and path.endswith(".py") and path != __file__
    return in_house and bool(code.co_flags & IS_FUNCTION) and not code.co_name.startswith("<")


def _named(code: CodeType) -> tuple[str, str]:
    return Path(code.co_filename).relative_to(ROOT).as_posix(), code.co_qualname
