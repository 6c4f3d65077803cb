"""The flow of films through a session, stage by stage: opened -> examined -> batches -> finished -> stored.

What goes from stage to stage is named here: Wanted -> Task -> Examined -> Batch -> Done -> the row.

Films are given to the workers in the order they come, and go on as they are done. At most one batch waits to
be scored and one to be drawn, so memory does not grow with the number of films; a stream of films may have no
end. At a pause every stage finishes what it has in hand before it hands the pause on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import chain, islice
from typing import Any

from cxr_runtime.errors import ModelError
from cxr_runtime.outcome import Outcome
from cxr_runtime.scanning.examination import Admitted, Examination, Examined, Rejected, Unread
from cxr_runtime.scanning.lost import lost
from cxr_runtime.scanning.scoring import Scored, Unscored, unscored
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.store.rows import FinishedFilm, KnownFilm, Place, SeenFilm
from cxr_runtime.workers.tasks import Passed, Pause, Pool

MOST_WAITING = 1  # batches that wait to be scored, or to be drawn: few, for nothing runs beside the last ones
KNOWN_AT_ONCE = 2000  # films that were finished before and are noted in one transaction

Wanted = tuple[Place, FilmSource] | Passed[KnownFilm] | Pause  # a film to be done; the others are handed on
KnownByBytes = Callable[[Place, str], KnownFilm | SeenFilm | None]  # the film of these bytes, if it is done
Task = Examination | Passed[KnownFilm | tuple[Place, Unread]] | Pause
Batch = list[tuple[Place, Admitted]]
Unready = tuple[Place, Unread | Rejected]
Done = list[FinishedFilm] | KnownFilm | Pause
Score = Callable[[Batch], Future[list[Scored]]]
_Scored = deque[Future[list[Scored]]]
_Drawn = deque[list[Future[FinishedFilm]]]
Draw = Callable[[Scored | Unscored], Future[FinishedFilm]]


def examined(
    pool: Pool[Examination, Examined], tasks: Iterable[Task]
) -> Iterator[tuple[Place, Examined] | KnownFilm | Pause]:
    """Examine every film; one whose worker died, hung or ran out of memory has that as its error.

    Raises:
        ModelError: a network of the gate or the lung field is missing or damaged.
    """
    for item in pool.results(tasks):
        match item:
            case Pause():
                yield item
            case Passed():
                yield item.value
            case (task, ModelError() as error):
                raise error
            case (task, end):
                task.close()
                yield task.place, lost(task, end) if isinstance(end, Exception) else end


def batches(
    films: Iterable[tuple[Place, Examined] | KnownFilm | Pause],
    size: int,
    known: KnownByBytes,
) -> Iterator[Batch | Unready | KnownFilm | Pause]:
    """Gather the films to be scored into batches; the others go on at once.

    A film whose batch is not full gives an empty one: time to see what has been scored and drawn.

    Args:
        films: as they were examined.
        size: films of a full batch; before a pause and at the end there may be fewer.
        known: the film of these bytes, if it was finished before, by now.

    Raises:
        StoreError: somebody else changes the store.
    """
    batch, full = Batch(), 1  # the first film's row comes by itself, and soon
    for item in films:
        match _unless_known(item, known):
            case (place, Admitted() as film):
                batch.append((place, film))
                yield batch if len(batch) == full else []
                if len(batch) == full:
                    batch, full = [], size
            case Pause() as pause:
                yield batch
                batch = []
                yield pause
            case KnownFilm() | (_, Unread() | Rejected()) as ready:
                yield ready
            case SeenFilm():  # it has its row elsewhere
                pass
    yield batch


def _unless_known(
    item: tuple[Place, Examined] | KnownFilm | Pause,
    known: KnownByBytes,
) -> tuple[Place, Examined] | KnownFilm | SeenFilm | Pause:
    """The row of a film that was finished before, or a moment ago, in place of its examination."""
    match item:
        case (place, film) if film.sha256 and (found := known(place, film.sha256)):
            return found
        case _:
            return item


def finished(
    items: Iterable[Batch | Unready | KnownFilm | Pause], score: Score, draw: Draw
) -> Iterator[Done]:
    """Score the batches in a thread, and draw every film's pictures in others; workers go on meanwhile.

    Args:
        items: as `batches` gives them.
        score: begins to give a batch its rows.
        draw: begins to write a film's pictures.
    """
    scored, drawn = _Scored(), _Drawn()
    for item in chain(items, [None]):
        match item:
            case KnownFilm():
                yield item
            case list():
                if item:
                    scored.append(score(item))
            case (place, film):
                drawn.append([draw(unscored(place, film))])
        is_last = item is None or isinstance(item, Pause)  # nothing may be left behind it
        yield from _come(scored, drawn, draw, 0 if is_last else MOST_WAITING)
        if isinstance(item, Pause):
            yield item


def _come(scored: _Scored, drawn: _Drawn, draw: Draw, most: int) -> Iterator[list[FinishedFilm]]:
    """Begin to draw what is scored, and take what is drawn; wait here while more than `most` batches wait.

    Args:
        scored: batches that are to be scored.
        drawn: batches.
        draw: as of `finished`.
        most: of either.
    """
    while True:
        while scored and scored[0].done():
            drawn.append([draw(film) for film in scored.popleft().result()])
        while drawn and all(film.done() for film in drawn[0]):
            yield [film.result() for film in drawn.popleft()]
        if max(len(scored), len(drawn)) <= most:
            return
        first: chain[Future[Any]] = chain(islice(scored, 1), *islice(drawn, 1))
        wait([one for one in first if not one.done()], return_when=FIRST_COMPLETED)


def stored(
    groups: Iterable[Done],
    add: Callable[[int, Sequence[FinishedFilm | KnownFilm], str], None],
    run: int,
    fingerprint: str,
) -> Iterator[Outcome]:
    """Bring every film into the store, a batch a transaction.

    Args:
        groups: films that are done.
        add: of the store, adds them to it.
        run: that they belong to.
        fingerprint: of what decides their rows.

    Yields:
        The row of each film once it is stored.
    """
    known: list[KnownFilm] = []
    for item in groups:
        if isinstance(item, KnownFilm):
            known.append(item)
            if len(known) < KNOWN_AT_ONCE:
                continue
        fresh = item if isinstance(item, list) else []
        add(run, [*known, *fresh], fingerprint)
        yield from (film.outcome for film in known)
        yield from (film.score.outcome for film in fresh)
        known = []
    add(run, known, fingerprint)
    yield from (film.outcome for film in known)
