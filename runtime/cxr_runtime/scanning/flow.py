"""The flow of films through a scan: examined in processes, scored in batches, drawn in threads, then stored.

Films are given to the workers in input order and come back as they are done. At most two batches wait to be
drawn at a time, so memory does not grow with the number of films.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256

from cxr_runtime.errors import FilmError, ModelError, UnreadableFilmError
from cxr_runtime.outcome import Outcome
from cxr_runtime.scanning.examination import Examination, Examined
from cxr_runtime.scanning.scoring import Finished, Scorer, unscored
from cxr_runtime.sources.find import FilmSource
from cxr_runtime.store.store import Store
from cxr_runtime.workers.pool import WorkerDiedError, WorkerPool, WorkerTimeoutError

BATCHES_BEING_DRAWN = 2


def examine_all(
    pool: WorkerPool[Examination, Examined], tasks: Iterable[Examination]
) -> Iterator[tuple[str, Examined]]:
    """Examine every film; one whose worker died, hung or ran out of memory has that as its error.

    Raises:
        ModelError: a network of the gate or the lung field is missing or damaged.
    """
    for task, result in pool.results(tasks):
        if isinstance(result, Examined):
            yield task.source.file, result
        elif isinstance(result, ModelError):
            raise result
        else:
            yield task.source.file, Examined(_digest(task.source), 0.0, error=_decoder_error(result))


def finish_all(
    examined_films: Iterable[tuple[str, Examined]],
    scorer: Scorer,
    draw: Callable[[Finished], Finished],
    store: Store,
    settings: str,
) -> Iterator[Outcome | None]:
    """Bring every examined film into the store.

    Args:
        examined_films: pairs of a film's `file` and its examination.
        scorer: gives the rows.
        draw: writes the film's pictures; called in threads.
        store: each batch is added to it in one transaction.
        settings: digest of all that decides a row.

    Yields:
        The row of each film once it is stored; None for a film that an earlier run had finished.
    """
    batch: list[tuple[str, Examined]] = []
    with ThreadPoolExecutor(scorer.batch_size) as threads:
        waiting: deque[list[Future[Finished]]] = deque()
        for file, examined in examined_films:
            if examined.is_finished_before:
                yield None
            elif examined.inputs is None:
                waiting.append([threads.submit(draw, unscored(file, examined))])
            else:
                batch.append((file, examined))
            if len(batch) == scorer.batch_size:
                waiting.append([threads.submit(draw, finished) for finished in scorer.score(batch)])
                batch = []
            while waiting and (len(waiting) > BATCHES_BEING_DRAWN or _is_drawn(waiting[0])):
                yield from _store(waiting.popleft(), store, settings)
        if batch:
            waiting.append([threads.submit(draw, finished) for finished in scorer.score(batch)])
        for group in waiting:
            yield from _store(group, store, settings)


def _is_drawn(group: list[Future[Finished]]) -> bool:
    return all(future.done() for future in group)


def _store(group: list[Future[Finished]], store: Store, settings: str) -> Iterator[Outcome]:
    films = [future.result() for future in group]
    store.add([(film.score, film.picture) for film in films], settings)
    yield from (film.score.outcome for film in films)


def _digest(source: FilmSource) -> str:
    try:
        return sha256(source.read_bytes()).hexdigest()
    except UnreadableFilmError:
        return ""


def _decoder_error(error: Exception) -> FilmError:
    if isinstance(error, WorkerTimeoutError):
        sentence = f"reading it {error}; export it anew, or as an uncompressed DICOM or a PNG file"
        return UnreadableFilmError("decoder-timeout", sentence)
    if isinstance(error, WorkerDiedError):
        sentence = f"the program that reads it {error}, twice; the file is damaged or hostile: export it anew"
        return UnreadableFilmError("decoder-crashed", sentence)
    if isinstance(error, MemoryError):
        sentence = "reading it took more memory than is allowed for one film; export it smaller"
        return UnreadableFilmError("decoder-memory", sentence)
    return UnreadableFilmError("decoder-error", f"reading it failed ({error}); export it anew")
