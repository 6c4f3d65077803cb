"""What a session keeps of a film besides its row and pictures: whose film it is, and its DICOM results."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cxr_runtime.access import make_folder
from cxr_runtime.atomic import file_stamp
from cxr_runtime.errors import InstallationError, how_to_install
from cxr_runtime.files import DICOM_FOLDER, ReportFormat
from cxr_runtime.identity import Identity, IdentityKind, StudyHeader
from cxr_runtime.model.folder import Model
from cxr_runtime.outcome import Status
from cxr_runtime.pseudonyms import Keeping
from cxr_runtime.reports import wording
from cxr_runtime.reports.shown_films import shown
from cxr_runtime.scanning.examination import Unread
from cxr_runtime.scanning.facts import Asked, run_facts
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scoring import Scored, Unscored
from cxr_runtime.store.objects import NO_STUDY, MadeObject
from cxr_runtime.store.rows import FinishedFilm, KnownFilm, StoredPicture
from cxr_runtime.store.writer import StoreWriter

if TYPE_CHECKING:
    from cxr_runtime.reports.dicom.results import ResultFiles
    from cxr_runtime.reports.dicom.source import SourceFilm

NO_RESULTS = "no-dicom-results"  # code of the remark on such a film
NEEDS = ("highdicom", "PIL")  # of the extra `dicom`
Dates = Mapping[str, datetime | None]  # when objects were first made, by UID
Noted = tuple[tuple[MadeObject, str], ...]


@dataclass(frozen=True)
class StudyParts:
    """Keeps identities, and makes DICOM results, as far as they are wanted."""

    store: StoreWriter
    keeping: Keeping
    results: "ResultFiles | None"  # None: no DICOM results are wanted

    def whole(self, film: KnownFilm | None) -> KnownFilm | None:
        """A film that was finished before; None where something of it is missing that needs its header."""
        is_whole = film is not None and self._has_identity(film) and self._has_results(film)
        return film if is_whole else None

    def _has_identity(self, film: KnownFilm) -> bool:
        if self.keeping.kind is IdentityKind.NONE or film.outcome.status is Status.FAILED:
            return True
        return self.store.identities.of(film.outcome.sha256, self.keeping.label) is not None

    def _has_results(self, film: KnownFilm) -> bool:
        if self.results is None or film.outcome.status is not Status.SCORED:
            return True
        made = self.store.objects.of(film.outcome.sha256, self.results.settings.digest)
        stands = {each.kind for each in made if self._stands(each)}
        return NO_STUDY in stands or self.results.kinds <= stands

    def _stands(self, made: MadeObject) -> bool:
        if made.kind == NO_STUDY:
            return True
        assert self.results is not None
        return self.store.written(made.file) == (made.uid, file_stamp(self.results.out / made.file))

    def without_study(self, run: int) -> int:
        """Scored films of a run that have no study to put results into."""
        if self.results is None:
            return 0
        return self.store.objects.without_study(run, self.results.settings.digest)

    def begin(
        self,
        threads: Executor,
        draw: Callable[[Scored | Unscored], FinishedFilm],
        item: Scored | Unscored,
    ) -> Future[FinishedFilm]:
        """Begin to draw a film, and to add what is kept of its identity and its DICOM results.

        The future raises OSError where the disk is full, or fails. The store is asked here, before the film
        is drawn: threads that draw may not.

        Args:
            threads: that draw.
            draw: writes the film's pictures.
            item: the film.
        """
        return threads.submit(self._completed, draw, item, self._dates(item))

    def _dates(self, item: Scored | Unscored) -> Dates:
        """When the objects of a film were first made."""
        match item:
            case Scored() if self.results is not None and (film := _source(item)) is not None:
                return {uid: self.store.objects.made(uid) for uid in self.results.uids(film).values()}
            case _:
                return {}

    def _completed(
        self, draw: Callable[[Scored | Unscored], FinishedFilm], item: Scored | Unscored, dates: Dates
    ) -> FinishedFilm:
        drawn = draw(item)
        if isinstance(item.film, Unread):
            return drawn
        drawn = replace(drawn, identity=self._identity(item.film.header))
        if not isinstance(item, Scored):
            return drawn
        try:
            return replace(drawn, objects=self._objects(item, drawn.picture, dates))
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - libraries answer odd headers with errors of every kind
            return _without_results(drawn, error)

    def _identity(self, header: StudyHeader | None) -> tuple[str, Identity] | None:
        """What is kept of a film's identity, and under which label; of a film without a header nothing."""
        kept = self.keeping.keep(Identity() if header is None else header.shown)
        return None if kept is None else (self.keeping.label, kept)

    def _objects(self, item: Scored, picture: StoredPicture | None, dates: Dates) -> Noted:
        """Write a film's DICOM results, or note that it has no study for them."""
        if self.results is None or picture is None:
            return ()
        from cxr_runtime.reports.dicom.results import ScoredFilm, no_study

        source = _source(item)
        if source is None:
            return ((no_study(item.score.outcome, self.results.settings), ""),)
        kept = self._identity(source.header)
        owner = wording.owner(kept[1]) if kept else ()
        film = ScoredFilm(
            source,
            item.film.preview,
            item.heat,
            shown(picture, self.results.settings.facts),
            owner,
        )
        return self.results.write(film, dates.get)


def _without_results(drawn: FinishedFilm, error: Exception) -> FinishedFilm:
    """The film with the remark that nothing could be made for its archive; its score stands."""
    outcome = drawn.score.outcome
    told = f"its DICOM results could not be made ({type(error).__name__}); the next scan tries again"
    message = f"{outcome.message}. Also: {told}" if outcome.message else told
    noted = replace(outcome, code=outcome.code or NO_RESULTS, message=message)
    return replace(drawn, score=replace(drawn.score, outcome=noted))


def _source(item: Scored) -> "SourceFilm | None":
    """A film with a study of its own."""
    from cxr_runtime.reports.dicom.source import SourceFilm

    header = item.film.header
    if header is None or not header.has_study:
        return None
    return SourceFilm(header, item.film.facts, item.score.outcome)


def study_parts(
    options: ScanOptions,
    keeping: Keeping,
    model: Model,
    store: StoreWriter,
    fingerprint: str,
) -> StudyParts | None:
    """What a session keeps, as its options say.

    Returns:
        None where nothing but rows and pictures is wanted: no header then leaves the worker.
    """
    if options.out is None or ReportFormat.DICOM not in options.formats:
        return None if keeping.kind is IdentityKind.NONE else StudyParts(store, keeping, None)
    from cxr_runtime.reports.dicom.results import ResultFiles
    from cxr_runtime.reports.dicom.settings import Settings

    make_folder(options.out / DICOM_FOLDER, options.access)
    point = model.calibration.operating_point(options.operating_point)
    view, asked = model.manifest.heat.view(options.heat), Asked((), 0, (), options.lung_outline)
    facts = run_facts(
        model,
        point,
        view,
        (),
        asked,
        backend="",
        sandbox="",
        identity=keeping.label,
        presentation=options.presentation,
    )
    settings = Settings.of(facts, model.calibration, point, fingerprint, lung_outline=options.lung_outline)
    results = ResultFiles(options.out, settings, options.access)
    if options.result_kinds is not None:
        results = replace(results, kinds=options.result_kinds)
    return StudyParts(store, keeping, results)


def check_installed(options: ScanOptions) -> None:
    """Refuse to go on where DICOM results are wanted, and the extra `dicom` is missing.

    Raises:
        InstallationError: a library of it is not installed.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing and ReportFormat.DICOM in options.formats:
        raise InstallationError(
            f"--format dicom needs {' and '.join(missing)}, not installed: {how_to_install('dicom')}, "
            "or leave dicom out of --format"
        )
