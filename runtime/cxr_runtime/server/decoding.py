"""A film's file at full depth: opened by one process, decoded by another, and shown to a reader."""

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import isfinite
from typing import Any, Self

import cv2
import numpy as np

from cxr_runtime.errors import CxrTriageError, InstallationError
from cxr_runtime.film import DeepFilm
from cxr_runtime.reading.deep import read_deep, set_right, within
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.answers import MAX_ARRAY_BYTES, MAX_SIDE, Content
from cxr_runtime.workers.opened import OpenedFile, can_pass_files
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.pool import WorkerPool

MOST_PIXELS = MAX_ARRAY_BYTES // 2 - MAX_SIDE  # of 16 bits; a film with more is shrunk
MOST_KEPT = 160 << 20  # bytes of films that were decoded last
SECONDS = 30.0  # for one film


@dataclass(frozen=True)
class Shown:
    """A film on its way to a browser."""

    pixels: bytes = field(repr=False)  # row after row, 16 bits little-endian or 8
    rows: int
    columns: int
    bits: int  # 8 or 16
    window: tuple[float, float]  # centre, width
    spacing_mm: float | None


@dataclass(frozen=True)
class Wanted:
    """A film to decode."""

    sha256: str  # that its file must have
    source: FilmSource
    preview_jpeg: bytes | None = field(repr=False)  # how it stood when it was scored; None: that was dropped
    file: OpenedFile | None = None  # None: the worker opens it itself


class Decoding:
    """What the worker does; see `workers.tasks.Work`."""

    needs = ("cxr_runtime.reading.deep", "cxr_runtime.reading.dicom.deep")

    def prepare(self) -> None:
        """Nothing more than this module imports."""

    def pack(self, task: Wanted) -> tuple[Any, int | None]:
        """Without its name, where a descriptor goes with it."""
        if task.file is None:
            return (task.source, task.sha256, task.preview_jpeg), None
        return (None, task.sha256, task.preview_jpeg), task.file.descriptor

    def do(self, packed: Any, descriptor: int | None) -> Shown | None:
        """Decode it; None where it is not the film that it should be."""
        source, digest, preview_jpeg = packed
        if source is None:
            assert descriptor is not None
            content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        else:
            content = source.read_bytes()
            if sha256(content).hexdigest() != digest:
                return None
        film = within(read_deep(content), MOST_PIXELS)
        found = film if preview_jpeg is None else _as_it_stood(film, preview_jpeg)
        if found is None:
            return None
        values = found.values
        pixels = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        rows, columns = values.shape
        return Shown(pixels, rows, columns, 8 * values.itemsize, found.window, found.spacing_mm)

    def encode(self, result: Shown | None) -> Content:
        """Values as rows of `MAX_SIDE` bytes, for a film may be wider than an answer's arrays."""
        if result is None:
            return Content(b"null")
        told = {name: value for name, value in vars(result).items() if name != "pixels"}
        flat = np.frombuffer(result.pixels, np.uint8)
        padded = np.pad(flat, (0, -flat.size % MAX_SIDE)).reshape(-1, MAX_SIDE)
        parts = tuple(padded[at : at + MAX_SIDE] for at in range(0, len(padded), MAX_SIDE))
        return Content(json.dumps(told).encode(), parts)

    def is_suspicious(self, result: Shown | Exception | None) -> bool:
        """A worker whose decoder complained is replaced."""
        return not isinstance(result, Shown)

    def decode(self, content: Content, task: Wanted) -> Shown | None:  # noqa: ARG002 - as of all work
        """What came, checked.

        Raises:
            ValueError: it is no film.
        """
        told = json.loads(content.text)
        if told is None:
            return None
        try:
            rows, columns, bits = int(told["rows"]), int(told["columns"]), int(told["bits"])
            centre, width = (float(number) for number in told["window"])
            spacing = None if told["spacing_mm"] is None else float(told["spacing_mm"])
        except (KeyError, TypeError) as error:
            raise ValueError("no film") from error
        size = rows * columns * bits // 8
        pixels = b"".join(array.tobytes() for array in content.arrays)
        is_sound = (
            bits in (8, 16) and rows > 0 and columns > 0 and len(pixels) - MAX_SIDE < size <= len(pixels)
        )
        is_sound &= all(map(isfinite, (centre, width, spacing or 1.0)))
        if not is_sound or width <= 0 or (spacing or 1.0) <= 0:
            raise ValueError("no film")
        return Shown(pixels[:size], rows, columns, bits, (centre, width), spacing)


def _as_it_stood(film: DeepFilm, preview_jpeg: bytes) -> DeepFilm | None:
    preview = cv2.imdecode(np.frombuffer(preview_jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if preview is None else set_right(film, np.asarray(preview, np.uint8))


class Decoder:
    """Gives films at full depth, one after the other; the last ones are kept."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._pool = WorkerPool[Wanted, Shown | None](Decoding(), 1, seconds=SECONDS)
        self._lock = threading.Lock()
        self._kept = OrderedDict[str, Shown]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._pool.close()

    def film(self, digest: str, places: Iterator[FilmSource], preview_jpeg: bytes | None) -> Shown | None:
        """A film whose file is still somewhere, as it was.

        Args:
            digest: sha256 of the film's bytes.
            places: where it may lie, the likeliest first.
            preview_jpeg: how it stood when it was scored; None: it is shown as it lies in its file.

        Returns:
            The film, or None where it is nowhere, has changed, or cannot be decoded.
        """
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest]
            for source in places:
                shown = self._tried(Wanted(digest, source, preview_jpeg))
                if shown is not None:
                    return self._keep(digest, shown)
        return None

    def _tried(self, wanted: Wanted) -> Shown | None:
        if not can_pass_files():
            return self._decoded(wanted)
        try:
            file = self._opener.open(wanted.source).result()
        except CxrTriageError:
            return None
        try:
            if file.sha256 != wanted.sha256:
                return None
            return self._decoded(Wanted(wanted.sha256, wanted.source, wanted.preview_jpeg, file))
        finally:
            file.close()

    def _decoded(self, wanted: Wanted) -> Shown | None:
        done: Iterator[Any] = self._pool.results([wanted])
        try:
            return next((shown for _, shown in done if isinstance(shown, Shown)), None)
        except (
            InstallationError
        ):  # a machine with too much to do may not start one in time: the next film tries
            self._pool.close()
            return None

    def _keep(self, digest: str, shown: Shown) -> Shown:
        self._kept[digest] = shown
        while len(self._kept) > 1 and sum(len(each.pixels) for each in self._kept.values()) > MOST_KEPT:
            self._kept.popitem(last=False)
        return shown
