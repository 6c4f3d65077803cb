"""What a worker does with one film: read it, pass it through the gate, and prepare the network's input."""

import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cxr_runtime.errors import FilmError, RejectedFilmError
from cxr_runtime.film import Film, FilmFacts, GreyPixels, at_reading_size
from cxr_runtime.gate import Gate
from cxr_runtime.identity import StudyHeader
from cxr_runtime.lungs import LungMask, lung_field
from cxr_runtime.memory import lacks_memory
from cxr_runtime.model.preprocessing import InputPixels, Preprocessing, place, prepare
from cxr_runtime.placement import Placement
from cxr_runtime.reading import read_film
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.opened import OpenedFile

if TYPE_CHECKING:  # workers need neither the store nor what it stands on
    from cxr_runtime.store.rows import Place


@dataclass(frozen=True)
class Examination:
    """A film to examine."""

    place: "Place"
    source: FilmSource
    preprocessing: Preprocessing
    file: OpenedFile | None = None  # None: the worker opens the source itself
    wants_header: bool = False  # the answer says whose film it is

    def close(self) -> None:
        """Give back what is held of the film."""
        if self.file is not None:
            self.file.close()


@dataclass(frozen=True)
class Order:
    """What a worker is told of a film: neither its name nor its place, where it need not open it itself."""

    preprocessing: Preprocessing
    source: FilmSource | None  # None: a descriptor comes with the order
    sha256: str = ""  # of what is behind the descriptor
    wants_header: bool = False  # the answer says whose film it is


@dataclass(frozen=True)
class Unread:
    """The file could not be read."""

    sha256: str  # of the file's bytes; "" if they could not be read
    error: FilmError
    seconds: float  # wall time spent on it
    is_lasting: bool = True  # False: the machine is to blame, and the next run tries again


@dataclass(frozen=True)
class Rejected:
    """A readable film that must not be scored."""

    sha256: str
    error: RejectedFilmError
    facts: FilmFacts
    preview: GreyPixels = field(repr=False)  # the film at reading size
    film_hw: tuple[int, int]  # rows and columns of the film
    size: int  # bytes of the file
    seconds: float
    header: StudyHeader | None = None  # of a DICOM film, where it is wanted

    @property
    def whole(self) -> Placement:
        """The whole film, shown at its own size."""
        return Placement(
            self.film_hw, (0.0, 0.0, float(self.film_hw[1]), float(self.film_hw[0])), self.film_hw
        )


@dataclass(frozen=True)
class Admitted:
    """A film that will be scored."""

    sha256: str
    remark: tuple[str, str]  # code and sentence, "" where there is nothing to say
    facts: FilmFacts
    preview: GreyPixels = field(repr=False)  # the film at reading size
    placement: Placement  # the part of the film in `inputs`
    lungs: LungMask = field(repr=False)
    inputs: InputPixels = field(repr=False)  # (H, W) uint8 for the network
    size: int  # bytes of the file
    seconds: float
    header: StudyHeader | None = None  # of a DICOM film, where it is wanted


Examined = Unread | Rejected | Admitted  # what became of a film before any score


def examine(order: Order, descriptor: int | None = None) -> Examined:
    """Examine one film; a film's own errors are part of the result.

    Runs in a worker process, where a broken file can do no harm to other films.

    Raises:
        ImportError: a library is missing or does not load.
        MemoryError: memory ran out.
    """
    started, digest = time.perf_counter(), ""
    try:
        if order.source is None:
            content, digest = _whole(descriptor), order.sha256
        else:
            content = order.source.read_bytes()
            digest = sha256(content).hexdigest()
        film = read_film(content)
        header = _header(content, film) if order.wants_header else None
    except FilmError as error:
        _raise_if_machines(error)
        return Unread(digest, error, time.perf_counter() - started)
    try:
        admission = Gate(lung_field()).admit(film)
    except RejectedFilmError as error:
        preview, seconds = at_reading_size(film.pixels), time.perf_counter() - started
        return Rejected(digest, error, film.facts, preview, film.hw, len(content), seconds, header)
    film, lungs, remark, how = admission.film, admission.lungs, admission.remark, order.preprocessing
    placement = place(film.hw, lungs.box_film_xyxy, how)
    return Admitted(
        sha256=digest,
        remark=("", "") if remark is None else (remark.code.value, remark.sentence),
        facts=film.facts,
        preview=at_reading_size(film.pixels),
        placement=placement,
        lungs=lungs,
        inputs=prepare(film.pixels, placement, how, lungs),
        size=len(content),
        seconds=time.perf_counter() - started,
        header=header,
    )


def _header(content: bytes, film: Film) -> StudyHeader | None:
    if film.facts.file_format != "dicom":
        return None
    from cxr_runtime.reading.dicom.study import study_header

    return study_header(content)


def _whole(descriptor: int | None) -> bytes:
    assert descriptor is not None
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        file.seek(0)
        return file.read()


def _raise_if_machines(error: FilmError) -> None:
    """Raise what a reader took for a fault of the film where the machine failed: a library, or memory."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ImportError):
            raise cause
        if lacks_memory(cause):
            raise MemoryError
        cause = cause.__cause__ or cause.__context__
