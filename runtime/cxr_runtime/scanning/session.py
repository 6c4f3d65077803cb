"""A session: model, engine, workers and store stay warm while films come and their rows are stored."""

from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from typing import ClassVar, Self

from cxr_runtime.errors import UsageError
from cxr_runtime.memory import check_memory
from cxr_runtime.model.folder import Model
from cxr_runtime.outcome import Outcome
from cxr_runtime.pseudonyms import Keeping
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.publishing import Publication, count, publish
from cxr_runtime.scanning.facts import Asked, run_facts
from cxr_runtime.scanning.fingerprint import fingerprint_of
from cxr_runtime.scanning.flow import Wanted, stored
from cxr_runtime.scanning.known import FinishedBefore, ListedFilms, Said, in_blocks
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.profile import AnyProfile, NoProfile, Stage
from cxr_runtime.scanning.scoring import judged_anew, opened_model
from cxr_runtime.scanning.station import Examiners, Finishing, Station
from cxr_runtime.scanning.study import check_installed, study_parts
from cxr_runtime.sources.film_list import FilmList
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource
from cxr_runtime.store.films import Films
from cxr_runtime.store.folder import held
from cxr_runtime.store.rows import KnownFilm, Place, RunFacts, SeenFilm, StoredScore
from cxr_runtime.store.standing import Standing
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.sandbox import protection, require_sandbox
from cxr_runtime.workers.tasks import Passed, Pause


class Session:
    """Scores films as they come; workers start, and the engine is loaded, when the first film needs them."""

    _known_as: ClassVar[type[FinishedBefore]] = FinishedBefore

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
        profile: AnyProfile,
    ) -> None:
        """Take over an open store; `open` is the way in."""
        self._options, self._model, self._store, self._closing = options, model, store, closing
        self.profile = profile
        self._point = model.calibration.operating_point(options.operating_point)
        self._view = model.manifest.heat.view(options.heat)
        self._files: HeatmapFiles | None = None
        if (out := options.out) is not None:
            colours = options.presentation.colours
            self._files = HeatmapFiles(
                out, self._view, options.formats, options.lung_outline, options.access, colours=colours
            )
        self._fingerprint = fingerprint_of(model.manifest, options.heat, lung_outline=options.lung_outline)
        self._sandbox, self._label = "" if pool else str(protection()), keeping.label
        self.has_forgotten = store.keep_identities(keeping.label)  # what earlier runs kept of patients
        self._study = study_parts(options, keeping, model, store, self._fingerprint)
        self.known = self._known_as(store, self._fingerprint, self._study, earlier, options.force)
        self._station = self._opened_station(pool, opener)
        self._run = store.begin_run()
        judged = repr((version("cxr-triage"), model.is_calibrated, model.calibration, self._point))
        self._listed = ListedFilms(self.known, Standing(store, self._fingerprint, judged, self._run))
        self._add = profile.timed(Stage.STORE, store.add)
        self._add_together = profile.timed(Stage.STORE, self._listed.add)
        self._position = 0

    @classmethod
    def open(
        cls,
        options: ScanOptions,
        pool: Examiners | None = None,
        opener: Opener | None = None,
        earlier: Container[str] = (),
        profile: AnyProfile | None = None,
    ) -> Self:
        """Open the model and, if `out` is given, hold the output folder and its store.

        Args:
            options: how films are scored.
            pool: where films are examined; None: in processes of this session's own.
            opener: opens films for these processes, and is not closed; None: one of this session's own.
            earlier: stamps and digests of films whose rows are in other stores: they get none here.
            profile: is told what each stage is busy with; None: nothing is measured.

        Raises:
            ModelError: the model or its calibration is refused.
            CalibrationError: the calibration has no such operating point.
            UsageError: the model has no such heat map.
            StoreError: the output folder cannot be written, or another scan holds it.
            InstallationError: this process may use less memory than a scan needs, or the sandbox that is
                required is not to be had here, or the extra `dicom` is missing.
        """
        check_memory()
        if options.require_sandbox:
            require_sandbox()
        check_installed(options)
        keeping = Keeping.of(options.identity)
        model = opened_model(options)
        with ExitStack() as opened:
            if options.out is None:
                store = opened.enter_context(StoreWriter.in_memory())
            else:
                opened.enter_context(held(options.out, options.access))
                store = opened.enter_context(StoreWriter.open(options.out, options.access))
            session = cls(
                options, model, store, keeping, pool, opener, opened, earlier, profile or NoProfile()
            )
            session._closing = opened.pop_all()  # from here on it is the session's to close
            return session

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
            UsageError: there is no backend of that name, or the session has published its reports.
            BackendError: the asked backend is not usable, or the device failed.
            InstallationError: a part of the program is missing.
            OSError: the disk is full, or fails.
            StoreError: the disk is full.
        """
        if self._listed.is_settled:
            raise UsageError("this session has published its reports; open another one for more films")
        wanted, add = self._wanted(films), self._add
        if isinstance(films, FilmList) and self._listed.has(films):
            wanted, add = self._wanted_together(films), self._add_together
        ready = self._station.finished(wanted, self.known.of_bytes)
        return stored(ready, add, self._run, self._fingerprint)

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
        self._station.rest()
        run = self._run = self._listed.settled()
        if not self._listed.are_judged:
            judged = self._store.overview.judged(run)
            self._store.rejudge(self._fingerprint, judged_anew(judged, self._model.calibration, self._point))
        self._listed.vouch()
        seen, lung_outline = self.known.seen, self._options.lung_outline
        asked = Asked(tuple(inputs), passed_over, tuple(results), lung_outline, seen)
        said = self._listed.said()
        facts = self._stated(self._store, run, asked, said)
        self._store.end_run(run, facts)
        counted = said.counted if said else count(self._store, run)
        self._listed.keep(Said(counted, facts.foreign, facts.likeness))
        return publish(self._store, run, facts, self._files, counted)

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

    def _stated(self, store: Store, films: Films, asked: Asked, said: Said | None = None) -> RunFacts:
        """What the reports state of films, read from this store, but for what is said of them already."""
        of_films = (self._model, self._point, self._view, () if said else store.overview.looks(films), asked)
        backend, sandbox = ", ".join(store.backends(films)), self._sandbox
        label, presentation = self._label, self._options.presentation
        facts = run_facts(
            *of_films, backend=backend, sandbox=sandbox, identity=label, presentation=presentation
        )
        return replace(facts, foreign=said.foreign, likeness=said.likeness) if said else facts

    @property
    def without_study(self) -> int:
        """Scored films of this run that have no study for the DICOM results that are wanted."""
        return 0 if self._study is None else self._study.without_study(self._run)

    def _opened_station(self, pool: Examiners | None, opener: Opener | None) -> Finishing:
        """Where films are done."""
        how = self._options, self._model, self._point, self._files
        station = Station(*how, pool=pool, opener=opener, study=self._study, profile=self.profile)
        return self._closing.enter_context(station)

    def _wanted_together(self, films: FilmList) -> Iterator[Wanted]:
        """Films in their places, asked for block by block."""
        for block in in_blocks(films):
            known = self._listed.known(block, self._position + 1)
            if known is None:
                yield from self._wanted(block)
            else:
                self._position += len(block)
                yield from map(Passed, known)

    def _wanted(self, films: Iterable[FilmSource | Pause]) -> Iterator[Wanted]:
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
                    self._station.begin()
                    yield place, source
                case KnownFilm() as known:
                    yield Passed(known)
                case SeenFilm():  # its row stands as it is
                    pass
