"""A session: model, engine, workers and store stay warm while films come and their rows are stored."""

import os
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import ClassVar, Self

from cxr_runtime.backends.engine import Engine
from cxr_runtime.errors import UsageError
from cxr_runtime.machine_memory import share_out, usable_memory
from cxr_runtime.memory import check_memory
from cxr_runtime.model.folder import Model, open_model
from cxr_runtime.outcome import Outcome
from cxr_runtime.pseudonyms import Keeping
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.publishing import Publication, load_writers, publish
from cxr_runtime.scanning.answers import Examining
from cxr_runtime.scanning.drawing import Drawing, without_pictures
from cxr_runtime.scanning.examination import Examination, Examined
from cxr_runtime.scanning.facts import Asked, run_facts
from cxr_runtime.scanning.fingerprint import fingerprint_of
from cxr_runtime.scanning.flow import Draw, KnownFilms, batches, examined, finished, stored
from cxr_runtime.scanning.opening import Task, opened
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scoring import LateEngine, Scorer, judged_anew, opened_engine
from cxr_runtime.scanning.study import check_installed, study_parts
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource
from cxr_runtime.store.films import Films
from cxr_runtime.store.folder import held
from cxr_runtime.store.rows import KnownFilm, Place, RunFacts, StoredScore
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.opened import can_pass_files
from cxr_runtime.workers.opening import Opener
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.sandbox import protection, require_sandbox
from cxr_runtime.workers.tasks import Passed, Pause, Pool

Examiners = Pool[Examination, Examined]
MAX_WORKERS = 8  # more processes than this would wait for the one that infers


class Session:
    """Scores films as they come; workers start, and the engine is loaded, when the first film needs them."""

    _known_as: ClassVar[type[KnownFilms]] = KnownFilms

    def __init__(
        self,
        options: ScanOptions,
        model: Model,
        store: StoreWriter,
        keeping: Keeping,
        pool: Examiners | None,
        opener: Opener | None,
        closing: ExitStack,
        earlier: Container[str],
    ) -> None:
        """Take over an open store; `open` is the way in."""
        self._options, self._model, self._store, self._closing = options, model, store, closing
        self._point = model.calibration.operating_point(options.operating_point)
        self._view = model.manifest.heat.view(options.heat)
        self._files: HeatmapFiles | None = None
        if (out := options.out) is not None:
            self._files = HeatmapFiles(
                out,
                self._view,
                options.formats,
                options.lung_outline,
                options.access,
                options.presentation.colours,
            )
        self._fingerprint = fingerprint_of(model.manifest, options.heat, lung_outline=options.lung_outline)
        self._threads = closing.enter_context(ThreadPoolExecutor(options.batch_size))
        self._engine = closing.enter_context(LateEngine(self._open_engine))
        workers = min(options.workers or os.cpu_count() or 1, MAX_WORKERS)
        share = share_out(workers, options.memory or usable_memory())
        self._sandbox, self._label = "" if pool else str(protection()), keeping.label
        self._study = study_parts(options, keeping, model, store, self._fingerprint)
        self.known = self._known_as(store, self._fingerprint, self._study, earlier, options.force)
        self._pool = pool or closing.enter_context(
            WorkerPool(Examining(), share.workers, megabytes=share.bytes_each >> 20)
        )
        can_open = can_pass_files() and pool is None
        self._opener = (opener or closing.enter_context(Opener())) if can_open else None
        self._run = store.begin_run()
        self._position = 0

    @classmethod
    def open(
        cls,
        options: ScanOptions,
        pool: Examiners | None = None,
        opener: Opener | None = None,
        earlier: Container[str] = (),
    ) -> Self:
        """Open the model and, if `out` is given, hold the output folder and its store.

        Args:
            options: how films are scored.
            pool: where films are examined; None: in processes of this session's own.
            opener: opens films for these processes, and is not closed; None: one of this session's own.
            earlier: stamps and digests of films whose rows are in other stores: they get none here.

        Raises:
            ModelError: the model or its calibration is refused.
            StoreError: the output folder cannot be written, or another scan holds it.
            InstallationError: this process may use less memory than a scan needs, or the sandbox that is
                required is not to be had here, or the extra `dicom` is missing.
        """
        check_memory()
        if options.require_sandbox:
            require_sandbox()
        check_installed(options)
        keeping = Keeping.of(options.identity)
        model = open_model(
            options.model, allow_uncalibrated=options.allow_uncalibrated, calibration=options.calibration
        )
        with ExitStack() as opened:
            if options.out is None:
                store = opened.enter_context(StoreWriter.in_memory())
            else:
                opened.enter_context(held(options.out, options.access))
                store = opened.enter_context(StoreWriter.open(options.out, options.access))
            return cls(options, model, store, keeping, pool, opener, opened.pop_all(), earlier)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, give back the engine, and free the folder; what was stored stays."""
        self._closing.close()

    def screen(self, films: Iterable[FilmSource | Pause]) -> Iterator[Outcome]:
        """Score films and store their rows.

        Args:
            films: what there is to score; where nothing is known for now, a pause is given instead.

        Yields:
            The row of each film once it is stored, not in the order of `films`; a film that an earlier run
            had finished has its row of then.

        Raises:
            UsageError: there is no backend of that name.
            BackendError: the asked backend is not usable, or the device failed.
            InstallationError: a part of the program is missing.
            OSError: the disk is full, or fails.
            StoreError: the disk is full.
        """
        seen = examined(self._pool, self._tasks(films))
        grouped = batches(seen, self._options.batch_size, self.known.of_bytes)
        draw = without_pictures if self._files is None else Drawing(self._files).draw
        begin: Draw = partial(self._threads.submit, draw)  # type: ignore[call-arg]  # the rest comes later
        if self._study is not None:
            begin = partial(self._study.begin, self._threads, draw)
        ready = finished(grouped, self._scorer, begin)
        return stored(ready, self._store, self._run, self._fingerprint)

    def publish(
        self, inputs: Iterable[str] = (), passed_over: int = 0, results: Iterable[str] = ()
    ) -> Publication:
        """End the run: judge its films by today's operating point, and write the reports asked for.

        Args:
            inputs: INPUTs as typed, for the reports.
            passed_over: files that cannot be films by name, likewise.
            results: folders of results that were not searched, likewise.

        Raises:
            UsageError: the session has no output folder.
            OSError: the disk is full, or fails.
            StoreError: the disk is full.
        """
        if self._files is None:
            raise UsageError("a session without an output folder publishes nothing; open it with `out`")
        scores = self._store.scores(self._run)
        self._store.rejudge(self._fingerprint, judged_anew(scores, self._model.calibration, self._point))
        asked = Asked(tuple(inputs), passed_over, tuple(results), self._options.lung_outline)
        facts = self._stated(self._store, self._run, asked)
        self._store.end_run(self._run, facts)
        return publish(self._store, self._run, facts, self._files)

    def scores(self) -> list[StoredScore]:
        """The rows so far, in the order of the films."""
        return list(self._store.scores(self._run))

    @property
    def backend(self) -> str:
        """The providers that scored the films of this run, "" before there is one."""
        return ", ".join(self._store.backends(self._run))

    @property
    def distrusted(self) -> int:
        """Rows so far that another machine made, or somebody changed: their films are done anew."""
        return len(self._store.distrusted)

    def _stated(self, store: Store, films: Films, asked: Asked) -> RunFacts:
        """What the reports state of films, read from this store."""
        of_films = (self._model, self._point, self._view, store.scores(films), asked)
        backend, sandbox = ", ".join(store.backends(films)), self._sandbox
        return run_facts(
            *of_films,
            backend=backend,
            sandbox=sandbox,
            identity=self._label,
            presentation=self._options.presentation,
        )

    @property
    def without_study(self) -> int:
        """Scored films of this run that have no study for the DICOM results that are wanted."""
        return 0 if self._study is None else self._study.without_study(self._run)

    def _tasks(self, films: Iterable[FilmSource | Pause]) -> Iterator[Task]:
        """One task a film, opened where files can be passed to the workers."""
        how, wants_header = self._model.manifest.preprocessing, self._study is not None
        if self._opener is not None:
            wanted = self._wanted(films)
            yield from opened(wanted, self._opener, how, self.known.of_bytes, wants_header=wants_header)
            return
        for item in self._wanted(films):
            yield Examination(*item, how, None, wants_header) if isinstance(item, tuple) else item

    def _wanted(
        self, films: Iterable[FilmSource | Pause]
    ) -> Iterator[tuple[Place, FilmSource] | Passed[KnownFilm] | Pause]:
        """Films in their places; one that stands where and as it was finished needs nothing more."""
        for source in films:
            if isinstance(source, Pause):
                yield source
                continue
            self._position += 1
            is_settled = not isinstance(source, FileOnDisk) or source.is_settled
            place = Place(self._position, source.file, source.stamp, is_settled)
            match self.known.at(place):
                case None:
                    self._engine.loading()
                    yield place, source
                case KnownFilm() as known:
                    yield Passed(known)

    def _open_engine(self) -> Engine:
        writers = self._threads.submit(load_writers, self._options.formats if self._files is not None else ())
        engine = opened_engine(self._model, self._options)
        writers.result()
        return engine

    def _scorer(self) -> Scorer:
        engine, options = self._engine.loading().result(), self._options
        return Scorer(self._model, engine, self._point, options.heat, options.batch_size)
