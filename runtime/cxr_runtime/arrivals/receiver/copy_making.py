"""A received film becomes a de-identified copy: read in a process that may read films, written here."""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cxr_runtime.access import PRIVATE, make_folder
from cxr_runtime.arrivals.receiver.inbox import SUFFIX
from cxr_runtime.atomic import NEW_FILE, PART_SUFFIX, file_stamp, sync_folder
from cxr_runtime.deidentified import Remains, elements_of_copy
from cxr_runtime.dicom_elements import file_start
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.files import WHOLE_FOLDER
from cxr_runtime.pseudonyms import Stranger
from cxr_runtime.reading.dicom.syntaxes import SYNTAXES
from cxr_runtime.sources.film_source import CHUNK
from cxr_runtime.typed_json import from_json
from cxr_runtime.workers.answers import Content

COPY_SUFFIX = f"-deidentified{SUFFIX}"  # behind the digits of the film


@dataclass
class FilmToCopy:
    """A received film that has its row."""

    path: Path
    stamp: str  # of its file when its row was looked for: it may be sent again meanwhile
    descriptor: int | None  # None: the process opens it itself

    @property
    def sha256(self) -> str:
        """Of the film's file."""
        return self.path.stem

    def close(self) -> None:
        """Give back what is held of it."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


@dataclass(frozen=True)
class Deidentifying:
    """Taking from films what may stay, as the work of a pool (`workers.tasks.Work`)."""

    needs: tuple[str, ...] = ("cxr_runtime.reading.dicom.remains",)

    def prepare(self) -> None:
        """Load what every film needs."""
        import cxr_runtime.reading.dicom.remains  # noqa: F401

    def pack(self, task: FilmToCopy) -> tuple[Path | None, int | None]:
        """A film's name, if the process has to open it itself, or the descriptor of its bytes."""
        return (task.path if task.descriptor is None else None), task.descriptor

    def do(self, packed: Path | None, descriptor: int | None) -> Remains | None:
        """Read one film; None where its kind leaves nothing that could be kept."""
        from cxr_runtime.reading.dicom.remains import remains_of

        if packed is not None:
            content = packed.read_bytes()
        else:
            assert descriptor is not None
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                file.seek(0)
                content = file.read()
        try:
            return remains_of(content)
        except UnreadableFilmError:
            return None

    def encode(self, result: Remains | None) -> Content:
        """As JSON."""
        return Content(json.dumps(None if result is None else asdict(result)).encode())

    def is_suspicious(self, result: Remains | Exception | None) -> bool:
        """Where the film could not be read."""
        return not isinstance(result, Remains)

    def decode(self, content: Content, task: FilmToCopy) -> Remains | None:  # noqa: ARG002 - as of all work
        """What stays of a film, as it came.

        Raises:
            ValueError: it is none that `encode` sends.
        """
        remains = None if content.text == self.encode(None).text else from_json(content.text, Remains)
        is_odd = remains is not None and remains.syntax not in SYNTAXES
        if content.arrays or is_odd or self.encode(remains).text != content.text:
            raise ValueError("not what stays of a film")
        return remains


def write_copy(film: FilmToCopy, remains: Remains, stranger: Stranger) -> None:
    """Put a film's copy in its place: the copy is on the disk before the film goes.

    Raises:
        OSError: the disk is full, or fails; the film is as it was.
        ValueError: what stays of it is none.
    """
    uid, before, after = elements_of_copy(remains, film.sha256, stranger)
    start = file_start(remains.header.value("SOPClassUID"), uid, remains.syntax)
    part = film.path.with_name(f".{secrets.token_hex(16)}{PART_SUFFIX}")
    try:
        with (
            os.fdopen(os.open(part, NEW_FILE, PRIVATE.file_mode), "wb") as copy,
            film.path.open("rb") as whole,
        ):
            copy.write(start + before)
            whole.seek(remains.pixels_at)
            left = remains.pixels_length
            while left > 0 and (chunk := whole.read(min(CHUNK, left))):
                copy.write(chunk)
                left -= len(chunk)
            copy.write(after)
            copy.flush()
            os.fsync(copy.fileno())
        part.replace(film.path.with_name(f"{film.sha256}{COPY_SUFFIX}"))
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    sync_folder(film.path.parent)
    drop_film(film)


def set_aside(film: FilmToCopy) -> None:
    """Keep a film as it came in a folder of its own.

    Raises:
        OSError: the disk fails.
    """
    folder = film.path.parent / WHOLE_FOLDER
    make_folder(folder, PRIVATE)
    film.path.replace(folder / film.path.name)
    sync_folder(folder)
    sync_folder(film.path.parent)


def drop_film(film: FilmToCopy) -> None:
    """Delete a film as it came; one that was sent again meanwhile stays for the scoring.

    Raises:
        OSError: the disk fails.
    """
    if file_stamp(film.path) == film.stamp:
        film.path.unlink(missing_ok=True)
    sync_folder(film.path.parent)
