"""What a worker does with one film: read it, pass it through the gate, and prepare the network's input."""

import time
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from cxr_runtime.errors import FilmError, RejectedFilmError
from cxr_runtime.film import Film, FilmFacts, GreyPixels
from cxr_runtime.placement import Placement
from cxr_runtime.preprocessing import InputPixels, Preprocessing, place, prepare
from cxr_runtime.preview import encode_jpeg, shrink
from cxr_runtime.reading import read_film
from cxr_runtime.sources import FilmSource


@dataclass(frozen=True)
class Examination:
    """A film to examine, and what is already known of it."""

    source: FilmSource
    preprocessing: Preprocessing
    finished_sha256: str | None = None  # a film of these bytes was finished before: do it no second time


@dataclass(frozen=True)
class Examined:
    """What became of a film before any score."""

    sha256: str  # of the file's bytes; "" if they could not be read
    seconds: float  # wall time spent on it
    is_finished_before: bool = False  # unchanged since an earlier run; nothing else is filled in
    error: FilmError | None = None  # why it will not be scored
    remark: tuple[str, str] = ("", "")  # code and sentence on a film that will be scored
    facts: FilmFacts | None = None  # None where the file could not be read
    preview: GreyPixels | None = field(default=None, repr=False)  # film at reading size
    preview_jpeg: bytes = field(default=b"", repr=False)
    placement: Placement | None = None
    inputs: InputPixels | None = field(default=None, repr=False)  # (H, W) uint8 for the network


def examine(task: Examination) -> Examined:
    """Examine one film; a film's own errors are part of the result.

    Runs in a worker process, where a broken file can do no harm to other films.
    """
    started = time.perf_counter()
    digest = ""
    try:
        content = task.source.read_bytes()
        digest = sha256(content).hexdigest()
        if digest == task.finished_sha256:
            return Examined(digest, time.perf_counter() - started, is_finished_before=True)
        film = read_film(content)
    except FilmError as error:
        return Examined(digest, time.perf_counter() - started, error=error)
    return _admit(task, film, digest, started)


def _admit(task: Examination, film: Film, digest: str, started: float) -> Examined:
    """Pass a readable film through the gate and prepare it."""
    preview = shrink(film.pixels)
    placement = place(film.hw, None, task.preprocessing)
    error: FilmError | None = None
    inputs: InputPixels | None = None
    try:
        inputs = prepare(film.pixels, placement, task.preprocessing)
    except RejectedFilmError as rejection:
        error = rejection
    return Examined(
        sha256=digest,
        seconds=time.perf_counter() - started,
        error=error,
        facts=film.facts,
        preview=np.ascontiguousarray(preview),
        preview_jpeg=encode_jpeg(preview),
        placement=placement,
        inputs=inputs,
    )
