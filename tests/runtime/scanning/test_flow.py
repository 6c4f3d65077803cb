from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.scanning.examination import Admitted, Examination, Examined, Unread
from cxr_runtime.scanning.flow import batches, examined, finished
from cxr_runtime.scanning.scoring import Scored, unscored
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import FinishedFilm, KnownFilm, Place
from cxr_runtime.workers.pool import WorkerDiedError, WorkerKilledError, WorkerTimeoutError
from cxr_runtime.workers.tasks import Passed, Pause

P = TypeVar("P")
T = TypeVar("T")

PLACE = Place(1, "film.png", "")
TASK = Examination(PLACE, FileOnDisk("film.png", Path("no-such-film.png")), Preprocessing())


ANY: Any = None
ADMITTED = Admitted("", ("", ""), ANY, ANY, ANY, ANY, ANY, 1, 0.1)


def of_nobody(_place: Place, _digest: str) -> None:
    """No film of these bytes was finished before."""


def done(value: T) -> Future[T]:
    future = Future[T]()
    future.set_result(value)
    return future


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
    scored, row = Future[list[Scored]](), FinishedFilm(PLACE, unscored(PLACE, ended(MemoryError())).score)
    known = KnownFilm(PLACE, 1, Outcome("film.png", "", Status.FAILED, "truncated"))

    def items() -> Iterator[Any]:
        yield [None]  # a batch
        yield from [known] * 3
        scored.set_result([ANY])

    stream = finished(items(), lambda _: scored, lambda _: done(row))
    assert list(stream) == [known, known, known, [row]]


def test_the_first_films_row_waits_for_no_other_film() -> None:
    films = iter([(PLACE, ADMITTED)] * 3)
    row = FinishedFilm(PLACE, unscored(PLACE, ended(MemoryError())).score)
    first = next(finished(batches(films, 8, of_nobody), lambda _: done([ANY]), lambda _: done(row)))
    assert first == [row]
    assert len([*films]) == 2


def test_the_first_film_is_a_batch_by_itself_and_each_further_one_lets_what_is_done_through() -> None:
    films = [(replace(PLACE, position=number), ADMITTED) for number in range(1, 7)]
    gathered: list[Any] = [*batches(films, 4, of_nobody)]
    positions = [[place.position for place, _ in batch] for batch in gathered]
    assert positions == [[1], [], [], [], [2, 3, 4, 5], [], [6]]


def test_a_pause_goes_through_every_stage() -> None:
    stream = examined(OneEnd(MemoryError()), [TASK, Pause.PAUSE, TASK])
    kinds = [type(item) for item in batches(stream, 8, of_nobody) if item != []]
    assert kinds == [tuple, Pause, tuple]
