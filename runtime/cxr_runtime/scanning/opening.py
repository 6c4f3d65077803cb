"""Films are opened ahead of the workers, by a process that decodes nothing; so their digests are known."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.scanning.examination import Examination, Unread
from cxr_runtime.scanning.flow import KnownByBytes, Task, Wanted
from cxr_runtime.scanning.likely_film import LikelyFilm
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.store.rows import KnownFilm, Place
from cxr_runtime.workers.opened import OPENED_AT_ONCE, OpenedFile
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.tasks import Passed, Pause

_Waiting = dict[Future[OpenedFile], tuple[Place, FilmSource]]
_Make = Callable[..., Examination]


def opened(
    items: Iterable[Wanted],
    opener: Opener,
    how: Preprocessing,
    known: KnownByBytes,
    *,
    wants_header: bool = False,
) -> Iterator[Task]:
    """Open films, a few at a time, in the order in which they come.

    Args:
        items: places and films; the others are handed on.
        opener: that opens them.
        how: the model's preprocessing.
        known: the film of these bytes, if it was finished before.
        wants_header: the answers say whose films they are.
    """
    waiting: _Waiting = {}
    make = partial(Examination, preprocessing=how, wants_header=wants_header)
    try:
        for item in items:
            if isinstance(item, Pause):
                yield from _come(waiting, 0, make, known)
            if isinstance(item, Pause | Passed):
                yield item
                continue
            place, source = item
            waiting[opener.open(LikelyFilm(source))] = place, source
            yield from _come(waiting, OPENED_AT_ONCE - 1, make, known)
        yield from _come(waiting, 0, make, known)
    finally:
        for future in waiting:
            if not future.cancel() and future.exception() is None:
                future.result().close()


def _come(waiting: _Waiting, most: int, make: _Make, known: KnownByBytes) -> Iterator[Task]:
    """Films that have come; where more than `most` are waited for, some are waited for here."""
    while len(waiting) > most or any(future.done() for future in waiting):
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            task = _task(future, *waiting.pop(future), make, known)
            if task is not None:
                yield task


def _task(
    future: Future[OpenedFile],
    place: Place,
    source: FilmSource,
    make: _Make,
    known: KnownByBytes,
) -> Task | None:
    """What is to be done with a film; None: nothing."""
    try:
        file = future.result()
    except UnreadableFilmError as error:
        return Passed((place, Unread("", error, 0.0, is_lasting=False)))
    found = known(place, file.sha256)
    if found is not None:
        file.close()
        return Passed(found) if isinstance(found, KnownFilm) else None
    return make(place, source, file=file)
