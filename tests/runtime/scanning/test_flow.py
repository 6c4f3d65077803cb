from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.scanning.examination import Examination, Examined
from cxr_runtime.scanning.flow import examine_all
from cxr_runtime.sources.find import FilmSource
from cxr_runtime.workers.pool import WorkerDiedError, WorkerPool, WorkerTimeoutError

TASK = Examination(FilmSource("film.png", Path("no-such-film.png")), Preprocessing())


class OneEnd:
    """A pool in which every film ends the same way."""

    def __init__(self, end: Exception) -> None:
        self.end = end

    def results(self, tasks: Iterable[Examination]) -> Iterator[tuple[Examination, Exception]]:
        yield from ((task, self.end) for task in tasks)


def ended(end: Exception) -> Examined:
    pool = cast("WorkerPool[Examination, Examined]", OneEnd(end))
    ((file, examined),) = examine_all(pool, [TASK])
    assert file == "film.png"
    return examined


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (WorkerDiedError("ended with status -11"), "decoder-crashed"),
        (WorkerTimeoutError("took longer than 60 s"), "decoder-timeout"),
        (MemoryError(), "decoder-memory"),
        (RuntimeError("IndexError: odd"), "decoder-error"),
    ],
)
def test_a_film_that_ends_its_worker_fails_with_a_code_and_a_sentence(end: Exception, code: str) -> None:
    error = ended(end).error
    assert error is not None
    assert error.code == code
    assert "\n" not in error.sentence


def test_a_broken_part_of_the_program_stops_the_scan() -> None:
    with pytest.raises(ModelError):
        ended(ModelError("a part is missing"))
