from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.scanning.examination import Examination, Examined, Unread
from cxr_runtime.scanning.flow import batches, examined, finished
from cxr_runtime.scanning.scoring import Scored
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import FinishedFilm, KnownFilm, Place
from cxr_runtime.workers.pool import WorkerDiedError, WorkerKilledError, WorkerTimeoutError
from cxr_runtime.workers.tasks import Passed, Pause

P = TypeVar("P")

PLACE = Place(1, "film.png", "")
TASK = Examination(PLACE, FileOnDisk("film.png", Path("no-such-film.png")), Preprocessing())


class OneEnd:
    """A pool in which every film ends the same way."""

    def __init__(self, end: Exception) -> None:
        self.end = end

    def results(
        self, tasks: Iterable[Examination | Passed[P] | Pause]
    ) -> Iterator[tuple[Examination, Examined | Exception] | Passed[P] | Pause]:
        for task in tasks:
            if isinstance(task, Examination):
                yield task, self.end
            else:
                yield task


def ended(end: Exception) -> Unread:
    ((place, film),) = [item for item in examined(OneEnd(end), [TASK]) if isinstance(item, tuple)]
    assert place == PLACE
    assert isinstance(film, Unread)
    return film


@pytest.mark.parametrize(
    ("end", "code", "is_lasting"),
    [
        (WorkerDiedError("ended with status -11"), "decoder-crashed", True),
        (WorkerKilledError("was ended by signal 9"), "decoder-killed", False),
        (WorkerTimeoutError("took longer than 60 s"), "decoder-timeout", False),
        (MemoryError(), "decoder-memory", False),
        (RuntimeError("IndexError: odd"), "decoder-error", True),
    ],
)
def test_a_film_that_ends_its_worker_fails_with_a_code_and_a_sentence(
    end: Exception, code: str, is_lasting: bool
) -> None:
    film = ended(end)
    assert film.error.code == code
    assert "\n" not in film.error.sentence
    assert "Error" not in film.error.sentence
    assert film.is_lasting is is_lasting


def test_what_a_worker_could_not_read_in_time_is_not_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "film.png").write_bytes(b"on a share that never answers")
    task = replace(TASK, source=FileOnDisk("film.png", tmp_path / "film.png"))
    monkeypatch.setattr(Path, "read_bytes", None)
    pool = OneEnd(WorkerTimeoutError("took longer than 60 s"))
    ((_, film),) = [item for item in examined(pool, [task]) if isinstance(item, tuple)]
    assert isinstance(film, Unread)
    assert film.sha256 == ""


def test_a_broken_part_of_the_program_stops_the_scan() -> None:
    with pytest.raises(ModelError):
        ended(ModelError("a part is missing"))


def test_films_that_are_known_wait_for_none_that_is_being_scored() -> None:
    scored, drawn = Future[list[Scored]](), Future[FinishedFilm]()
    known = KnownFilm(PLACE, 1, Outcome("film.png", "", Status.FAILED, "truncated"))

    def items() -> Iterator[Any]:
        yield [None]  # a batch
        yield from [known] * 3
        scored.set_result([])

    stream = finished(items(), lambda _: scored, lambda _: drawn)
    assert list(stream) == [known] * 3


def test_a_pause_goes_through_every_stage() -> None:
    stream = examined(OneEnd(MemoryError()), [TASK, Pause.PAUSE, TASK])
    kinds = [type(item) for item in batches(stream, 8, lambda _place, _digest: None)]
    assert kinds == [tuple, Pause, tuple]
