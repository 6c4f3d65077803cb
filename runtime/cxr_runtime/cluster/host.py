"""A station on some machine of a cluster: it does the films that it is given, and keeps nothing."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.files import HEATMAPS_FOLDER
from cxr_runtime.machine_memory import usable_memory
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import Model
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.scanning.fingerprint import fingerprint_of
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.profile import AnyProfile, NoProfile, Profile, Stage, family_seconds
from cxr_runtime.scanning.station import Station
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, OutOfReach
from cxr_runtime.sources.remote import RemoteFile
from cxr_runtime.store.rows import FinishedFilm, Place
from cxr_runtime.workers.sandbox import protection

FETCHED_AT_ONCE = 8  # objects of an object store
MEMORY = Path("/dev/shm")  # files that are gone in a moment need no disk, where there is such a folder

Films = Sequence[tuple[Place, FilmSource]]


@dataclass(frozen=True)
class Parcel:
    """All that a station must know; it is sent to each once."""

    options: ScanOptions
    model: Model
    point: OperatingPoint
    threads: int  # processors of the station
    is_profiled: bool = False  # it says what its stages were busy with


@dataclass(frozen=True)
class HostFacts:
    """What must be the same on every machine, so that all give the same rows."""

    product: str  # version of cxr-triage
    fingerprint: str  # of what decides a film's row
    backend: str  # what computes the scores
    sandbox: str  # how the system confines the processes that read films


@dataclass(frozen=True)
class Brought:
    """A film that a station has done, with the content of its files."""

    film: FinishedFilm
    files: tuple[tuple[str, bytes], ...] = ()  # names below the output folder


@dataclass(frozen=True)
class Work:
    """What a station has done, and what that took; no time is measured where nobody asks for it."""

    films: list[Brought]  # in the order in which they were done
    busy: Mapping[Stage, float] = field(default_factory=dict)  # seconds in each stage
    processor: float = 0.0  # seconds of processor time


class Host:
    """Holds one station; a second call fetches its films while the first computes."""

    def __init__(self, parcel: Parcel) -> None:
        os.environ["OMP_NUM_THREADS"] = str(parcel.threads)
        with ExitStack() as opened:
            where = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
            self._folder = Path(opened.enter_context(TemporaryDirectory(prefix="cxr-triage-", dir=where)))
            (self._folder / HEATMAPS_FOLDER).mkdir()
            beside = max(1, (os.cpu_count() or 1) // parcel.threads)  # stations of this machine
            memory = parcel.options.memory or usable_memory()
            memory = None if memory is None else memory // beside
            self._profile: AnyProfile = Profile() if parcel.is_profiled else NoProfile()
            options = replace(parcel.options, out=None, workers=parcel.threads, memory=memory)
            self._files = HeatmapFiles(
                self._folder,
                parcel.model.manifest.heat.view(options.heat),
                options.formats,
                options.lung_outline,
                colours=options.presentation.colours,
            )
            self._station = opened.enter_context(
                Station(
                    options,
                    parcel.model,
                    parcel.point,
                    self._files,
                    threads=parcel.threads,
                    profile=self._profile,
                )
            )
            self._fetching = opened.enter_context(ThreadPoolExecutor(FETCHED_AT_ONCE))
            self._parcel, self._turn, self._used = parcel, Lock(), 0.0
            self._closing = opened.pop_all()

    def facts(self) -> HostFacts:
        """What this machine is; its engine and workers are ready afterwards."""
        self._station.warm_up()
        options = self._parcel.options
        fingerprint = fingerprint_of(
            self._parcel.model.manifest, options.heat, lung_outline=options.lung_outline
        )
        return HostFacts(version("cxr-triage"), fingerprint, self._station.backend(), str(protection()))

    def work(self, films: Films) -> Work:
        """Do films.

        Raises:
            CxrTriageError: as of `Station.finished`.
        """
        with TemporaryDirectory(prefix="fetched-", dir=self._folder) as folder:
            near = list(self._fetching.map(lambda each: _near(each, Path(folder)), enumerate(films)))
            with self._turn:
                groups = self._station.finished(near, lambda _place, _sha256: None)
                done = [self._brought(film) for group in groups if isinstance(group, list) for film in group]
                return self._measured(done)

    def close(self) -> None:
        """End the station, and remove what it has on the disk."""
        self._closing.close()

    def _measured(self, films: list[Brought]) -> Work:
        if isinstance(self._profile, NoProfile):
            return Work(films)
        before, self._used = self._used, family_seconds()
        return Work(films, self._profile.taken(), self._used - before)

    def _brought(self, film: FinishedFilm) -> Brought:
        return Brought(replace(film, files=()), tuple(self._taken(name for name, _ in film.files)))

    def _taken(self, names: Iterator[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            path = self._folder / name
            yield name, path.read_bytes()
            path.unlink()


def _near(numbered: tuple[int, tuple[Place, FilmSource]], folder: Path) -> tuple[Place, FilmSource]:
    """A film, fetched onto this machine if it lies in an object store."""
    number, (place, source) = numbered
    if not isinstance(source, RemoteFile):
        return place, source
    path = folder / str(number)
    try:
        with path.open("wb") as file:
            for chunk in source.chunks():
                file.write(chunk)
    except UnreadableFilmError as failure:
        return place, OutOfReach(source.file, failure)
    except OSError as error:
        path.unlink(missing_ok=True)
        sentence = f"there was no room to fetch it ({error.strerror}); scan again"
        return place, OutOfReach(source.file, UnreadableFilmError("read-error", sentence))
    return place, FileOnDisk(source.file, path)
