"""Films are opened ahead of the workers, and no more of a file is read than is worth it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.scanning import likely_film
from cxr_runtime.scanning.examination import Examination, Unread
from cxr_runtime.scanning.flow import Wanted
from cxr_runtime.scanning.likely_film import LikelyFilm
from cxr_runtime.scanning.opening import opened
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import KnownFilm, Place
from cxr_runtime.workers.opened import can_pass_files
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.tasks import Passed, Pause


@dataclass(frozen=True)
class Pieces(FileOnDisk):
    """A file of a million pieces."""

    piece: bytes = b""

    def chunks(self) -> Iterator[bytes]:
        for _ in range(1_000_000):
            yield self.piece


def read_of(piece: bytes, most: int) -> int:
    """Bytes that are read of a file before it is given up, or `most`."""
    size = 0
    try:
        for chunk in LikelyFilm(Pieces("x", Path("x"), piece=piece)).chunks():
            size += len(chunk)
            if size >= most:
                return most
    except UnreadableFilmError:
        return size
    return size


def test_what_is_no_film_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likely_film, "READ_ANYWAY", 10_000)
    assert read_of(bytes(1000), 100_000) <= 10_000
    assert read_of(b"\x89PNG\r\n\x1a\n" + bytes(1000), 100_000) == 100_000


@pytest.mark.skipif(not can_pass_files(), reason="this system passes no files in memory")
def test_films_that_are_known_and_files_that_are_gone_need_no_worker(tmp_path: Path) -> None:
    for name in ("new.png", "known.png"):
        (tmp_path / name).write_bytes(name.encode())
    wanted = list[Wanted](
        (Place(number, name, ""), FileOnDisk(name, tmp_path / name))
        for number, name in enumerate(("new.png", "gone.png", "known.png"))
    )
    wanted.append(Pause.PAUSE)

    def known(place: Place, sha256: str) -> KnownFilm | None:
        done = Outcome(place.file, sha256, Status.REJECTED)
        return KnownFilm(place, 7, done) if place.file == "known.png" else None

    with Opener() as opener:
        *items, last = opened(wanted, opener, Preprocessing(), known)
    assert last is Pause.PAUSE
    (new,) = [item for item in items if isinstance(item, Examination)]
    assert new.place.file == "new.png"
    new.close()
    passed = [item.value for item in items if isinstance(item, Passed)]
    (found,) = [value for value in passed if isinstance(value, KnownFilm)]
    assert found.result == 7
    ((place, gone),) = [value for value in passed if isinstance(value, tuple)]
    assert place.file == "gone.png"
    assert isinstance(gone, Unread)
    assert gone.error.code == "missing"
    assert not gone.is_lasting
