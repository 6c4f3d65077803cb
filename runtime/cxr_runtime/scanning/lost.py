"""A film whose worker died, hung or ran out of memory: what is said of it, and whether it is tried again."""

from hashlib import sha256

from cxr_runtime.errors import FilmError, UnreadableFilmError
from cxr_runtime.scanning.examination import Examination, Unread
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.pool import WorkerDiedError, WorkerKilledError, WorkerTimeoutError


def lost(task: Examination, error: Exception) -> Unread:
    """The end of a film whose worker did not come back.

    Args:
        task: what the worker had to do.
        error: how the worker ended.
    """
    is_the_machines = isinstance(error, WorkerTimeoutError | WorkerKilledError | MemoryError)
    # What a worker could not read in time is not read here: its share may never answer.
    if task.file is not None:
        digest = task.file.sha256
    else:
        digest = "" if isinstance(error, WorkerTimeoutError) else _digest(task.source)
    return Unread(digest, _decoder_error(error), 0.0, is_lasting=not is_the_machines)


def _digest(source: FilmSource) -> str:
    try:
        return sha256(source.read_bytes()).hexdigest()
    except UnreadableFilmError:
        return ""


def _decoder_error(error: Exception) -> FilmError:
    if isinstance(error, WorkerTimeoutError):
        sentence = f"reading it {error}; it is tried again in the next run: if that fails too, export it anew"
        return UnreadableFilmError("decoder-timeout", sentence)
    if isinstance(error, WorkerKilledError):
        sentence = (
            f"the program that reads it {error}, twice, as happens when memory runs out; it is tried again "
            "in the next run: give the machine more memory, or scan with fewer --workers"
        )
        return UnreadableFilmError("decoder-killed", sentence)
    if isinstance(error, WorkerDiedError):
        sentence = f"the program that reads it {error}, twice; the file is damaged or hostile: export it anew"
        return UnreadableFilmError("decoder-crashed", sentence)
    if isinstance(error, MemoryError):
        sentence = (
            "reading it took more memory than is allowed for one film; it is tried again in the next run: "
            "allow more, or export it smaller"
        )
        return UnreadableFilmError("decoder-memory", sentence)
    sentence = (
        "the program that reads it met something it does not know; export it as uncompressed DICOM or PNG"
    )
    return UnreadableFilmError("decoder-error", sentence)
