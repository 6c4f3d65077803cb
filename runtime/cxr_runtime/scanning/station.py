"""A station examines, scores and draws films; engine, workers and threads stay warm between them."""

import gc
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

from cxr_runtime.backends.engine import Engine
from cxr_runtime.backends.timed import LateEngine
from cxr_runtime.files import ReportFormat
from cxr_runtime.heat.overlay import heat_layer, thumbnail_jpeg
from cxr_runtime.machine_memory import share_out, usable_memory
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import Model
from cxr_runtime.names import safe_name
from cxr_runtime.pictures import kept_jpeg
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.loading import find_writers, load_writers
from cxr_runtime.scanning.answers import Examining
from cxr_runtime.scanning.examination import Examination, Examined, Rejected, Unread
from cxr_runtime.scanning.flow import (
    Batch,
    Done,
    Draw,
    KnownByBytes,
    Task,
    Wanted,
    batches,
    examined,
    finished,
)
from cxr_runtime.scanning.opening import opened
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.profile import AnyProfile, NoProfile, Stage
from cxr_runtime.scanning.scoring import Scored, Scorer, Unscored, opened_engine
from cxr_runtime.scanning.study import StudyParts
from cxr_runtime.store.rows import FinishedFilm, StoredPicture
from cxr_runtime.workers.opened import can_pass_files
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.tasks import Pool

Examiners = Pool[Examination, Examined]
MAX_WORKERS = 8  # more processes than this would wait for the one that infers
WORKERS_NICENESS = 10  # they give way to what is done here: what is begun is finished before more is begun
ENGINE_SHARE = 2  # one processor in so many computes the network, for the others read and draw films


class Finishing(Protocol):
    """Does films: one station of this machine, or many of a cluster."""

    def finished(self, films: Iterable[Wanted], known: KnownByBytes) -> Iterator[Done]:
        """Do films as they come, which may be for ever.

        Args:
            films: in their places; a pause is handed on once everything before it is done.
            known: the film of these bytes, if it was finished before, by now.

        Raises:
            UsageError: there is no backend of that name.
            BackendError: the asked backend is not usable, or the device failed.
            InstallationError: a part of the program is missing.
            OSError: the disk is full, or fails.
        """
        ...

    def begin(self) -> object:
        """Load the engine in the background; a film is to be done soon."""
        ...

    def warm_up(self) -> None:
        """Load all that the first film needs now, that it need not wait."""
        ...

    def rest(self) -> None:
        """Begin to end what no film needs; the next one would start it again."""
        ...


class Station:
    """One machine's engine and workers; they start at the first film.

    Args:
        options: how films are scored.
        model: that scores them.
        point: by which they are judged.
        files: where a film's pictures go; None: nobody looks at them, and none are made.
        pool: where films are examined; None: in processes of its own.
        opener: opens films for these processes, and is not closed; None: one of its own.
        study: what else is kept of a film.
        threads: processor threads of one run of the engine; None: one for ENGINE_SHARE processors.
        profile: is told what its stages are busy with; None: nothing is measured.
    """

    def __init__(
        self,
        options: ScanOptions,
        model: Model,
        point: OperatingPoint,
        files: HeatmapFiles | None,
        *,
        pool: Examiners | None = None,
        opener: Opener | None = None,
        study: StudyParts | None = None,
        threads: int | None = None,
        profile: AnyProfile | None = None,
    ) -> None:
        self._options, self._model, self._point, self._study = options, model, point, study
        self._profile = profile or NoProfile()
        self._run_threads = threads or max(1, (os.cpu_count() or 1) // ENGINE_SHARE)
        # Reports whose writers are not loaded yet, for the first rows must not wait for them.
        self._reports = frozenset[ReportFormat]() if files is None else options.formats
        self._files, self._closing = files, ExitStack()
        # More threads than processors would only wait for each other: they need Python's one lock.
        drawers = min(os.cpu_count() or 1, options.batch_size)
        self._threads, self._scoring = ThreadPoolExecutor(drawers), ThreadPoolExecutor(1)
        for executor in (self._threads, self._scoring):  # what they have not begun is not waited for
            self._closing.callback(executor.shutdown, cancel_futures=True)
        # It is closed before they end: else a batch without end would be waited for.
        self._engine = self._closing.enter_context(LateEngine(self._open_engine))
        self._loading = self._closing.enter_context(ThreadPoolExecutor(1))
        self.begin = self._engine.loading
        draw = without_pictures if files is None else Drawing(files, options.preview_quality).draw
        draw = self._profile.timed(Stage.DRAW, draw)
        self._profile.takes(Stage.DRAW, drawers)
        self._draw: Draw = partial(self._threads.submit, draw)  # type: ignore[call-arg]  # the rest comes later
        if study is not None:
            self._draw = partial(study.begin, self._threads, draw)
        workers = min(options.workers or os.cpu_count() or 1, MAX_WORKERS)
        share = share_out(workers, options.memory or usable_memory())
        self._pool = pool or self._closing.enter_context(
            WorkerPool(
                Examining(), share.workers, megabytes=share.bytes_each >> 20, niceness=WORKERS_NICENESS
            )
        )
        self._profile.takes(Stage.READ, share.workers)
        self._examined = self._profile.reading(examined)
        self._scored = self._profile.timed(Stage.SCORE, Scorer.score)
        can_open = can_pass_files() and pool is None
        self._opener = (opener or self._closing.enter_context(Opener())) if can_open else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, and give back the engine."""
        self._closing.close()

    def finished(self, films: Iterable[Wanted], known: KnownByBytes) -> Iterator[Done]:
        """Do films as they come; see `Finishing`."""
        how, wants_header = self._model.manifest.preprocessing, self._study is not None
        tasks: Iterable[Task] = (
            Examination(*item, how, None, wants_header) if isinstance(item, tuple) else item for item in films
        )
        if self._opener is not None:
            tasks = opened(films, self._opener, how, known, wants_header=wants_header)
        seen = self._examined(self._pool, tasks)
        for done in finished(batches(seen, self._options.batch_size, known), self._score, self._draw):
            yield done
            if self._reports and isinstance(done, list):
                self._loading.submit(_loaded, self._reports)
                self._reports = frozenset()

    def warm_up(self) -> None:
        """Load the engine and start the workers now."""
        self._engine.loading()
        if isinstance(self._pool, WorkerPool):
            self._pool.start()

    def rest(self) -> None:
        """End the workers, in a thread."""
        if isinstance(self._pool, WorkerPool):
            self._loading.submit(self._pool.close)

    def backend(self) -> str:
        """The provider that scores films; it is waited for."""
        return self._engine.loading().result().backend

    def _open_engine(self) -> Engine:
        find_writers(self._reports)
        engine = opened_engine(self._model, self._options, self._run_threads)
        self._profile.watch(engine)
        return engine

    def _score(self, batch: Batch) -> Future[list[Scored]]:
        engine, options = self._engine.loading().result(), self._options
        scorer = Scorer(self._model, engine, self._point, options.heat, options.batch_size)
        return self._scoring.submit(self._scored, scorer, batch)


def _loaded(reports: frozenset[ReportFormat]) -> None:
    """Load what writes reports. It stays, so nobody need look through it for garbage, now or later."""
    gc.disable()
    try:
        load_writers(reports)
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True)
class Drawing:
    """Draws films for one output folder; heat is laid over a film once, and everything is made of that."""

    files: HeatmapFiles
    quality: int  # of the film's JPEG

    def draw(self, item: Scored | Unscored) -> FinishedFilm:
        """Write the film's files, and gather what the store keeps.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
        """
        threshold, colours = self.files.view.threshold, self.files.colours
        match item:
            case Scored(place, film, score, cells, heat, features):
                outlines, film_hw = film.lungs.outlines, film.placement.film_hw
                name = safe_name(place.file, film.sha256)
                written = self.files.write(name, film.preview, heat, film_hw, outlines)
                picture = StoredPicture(
                    kept_jpeg(film.preview, self.quality),
                    film.placement,
                    cells,
                    outlines,
                    thumbnail_jpeg(film.preview, heat, threshold, colours),
                    heat_layer(heat, film_hw, threshold),
                    film.facts.spacing_mm,
                )
                return FinishedFilm(place, score, picture, film.size, files=written, features=features)
            case Unscored(film=Rejected() as film):
                thumbnail = thumbnail_jpeg(film.preview, None, threshold)
                preview, spacing = kept_jpeg(film.preview, self.quality), film.facts.spacing_mm
                picture = StoredPicture(preview, film.whole, None, (), thumbnail, spacing_mm=spacing)
                return FinishedFilm(item.place, item.score, picture, film.size)
            case Unscored():
                return without_pictures(item)


def without_pictures(item: Scored | Unscored) -> FinishedFilm:
    """A film as it goes into a store that nobody looks at."""
    match item.film:
        case Unread(is_lasting=is_lasting):
            return FinishedFilm(item.place, item.score, is_lasting=is_lasting and item.place.is_settled)
        case film:
            return FinishedFilm(item.place, item.score, size=film.size)
