"""What a worker does with one film: read it, pass it through the gate, and prepare the network's input."""

import time
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from cxr_runtime.errors import FilmError, RejectedFilmError
from cxr_runtime.film import Film, FilmFacts, GreyPixels
from cxr_runtime.gate import admit
from cxr_runtime.lungs import LungMask, lung_field
from cxr_runtime.model.preprocessing import InputPixels, Preprocessing, place, prepare
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.placement import Placement
from cxr_runtime.reading import read_film
from cxr_runtime.resizing import shrink
from cxr_runtime.sources.find import FilmSource


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
    placement: Placement | None = None  # the part of the film in `inputs`; the whole film if there are none
    lungs: LungMask | None = field(default=None, repr=False)  # of a film that will be scored
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
    how = task.preprocessing
    try:
        admission = admit(film, lung_field())
    except RejectedFilmError as rejection:
        known = _known(film, digest)
        return replace(known, error=rejection, seconds=time.perf_counter() - started)
    lungs = admission.lungs
    known = _known(admission.film, digest)
    placement = place(film.hw, lungs.box_film_xyxy, how)
    remark = admission.remark
    return replace(
        known,
        remark=("", "") if remark is None else (remark.code.value, remark.sentence),
        lungs=lungs,
        placement=placement,
        inputs=prepare(admission.film.pixels, placement, how, lungs),
        seconds=time.perf_counter() - started,
    )


def _known(film: Film, digest: str) -> Examined:
    """What is known of any readable film, admitted or not."""
    preview = np.ascontiguousarray(shrink(film.pixels))
    whole = Placement(film.hw, (0.0, 0.0, float(film.hw[1]), float(film.hw[0])), film.hw)
    return Examined(
        digest, 0.0, facts=film.facts, preview=preview, preview_jpeg=encode_jpeg(preview), placement=whole
    )
