"""A session whose films are done by the stations of a cluster; the store has one writer, which is here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from cxr_runtime.cluster.crew import Crew, Lost
from cxr_runtime.cluster.host import Brought, Films, Work
from cxr_runtime.errors import InstallationError, UnreadableFilmError
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.scanning.examination import Unread
from cxr_runtime.scanning.facts import Asked
from cxr_runtime.scanning.flow import Done, KnownByBytes, Wanted
from cxr_runtime.scanning.known import Said
from cxr_runtime.scanning.profile import AnyProfile, NoProfile, Stage
from cxr_runtime.scanning.scoring import unscored
from cxr_runtime.scanning.session import Session
from cxr_runtime.scanning.station import Examiners, Finishing, without_pictures
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, ZipMember
from cxr_runtime.store.films import Films as RunFilms
from cxr_runtime.store.rows import FinishedFilm, KnownFilm, Place, RunFacts, SeenFilm
from cxr_runtime.store.store import Store
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.tasks import Passed, Pause

BATCHES_AT_ONCE = 2  # of films that a station is given together


class ClusterSession(Session):
    """A session on a cluster; it has an output folder, and keeps nothing of patients."""

    def _opened_station(self, pool: Examiners | None, opener: Opener | None) -> Finishing:  # noqa: ARG002
        options = self._options
        assert options.cluster is not None
        assert self._files is not None
        assert self._study is None  # `scan_on_cluster` has refused it
        self._crew = self._closing.enter_context(
            Crew(
                options.cluster,
                options,
                self._model,
                self._point,
                processors=options.workers,
                is_profiled=not isinstance(self.profile, NoProfile),
            )
        )
        return ClusterStations(self._crew, self._files, self._fingerprint, options.batch_size, self.profile)

    def _stated(self, store: Store, films: RunFilms, asked: Asked, said: Said | None = None) -> RunFacts:
        facts = super()._stated(store, films, asked, said)
        confined = {each.sandbox for each in self._crew.facts}
        return replace(facts, sandbox=", ".join(sorted(confined))) if confined else facts


@dataclass(frozen=True)
class ClusterStations:
    """Does films on the machines of a cluster (`scanning.station.Finishing`)."""

    crew: Crew
    files: HeatmapFiles
    fingerprint: str  # of what decides a film's row here
    batch_size: int
    profile: AnyProfile

    def begin(self) -> None:
        """Stations start by themselves."""

    def warm_up(self) -> None:
        """Likewise."""

    def rest(self) -> None:
        """They end with the crew."""

    def finished(self, films: Iterable[Wanted], known: KnownByBytes) -> Iterator[Done]:
        """Do films as they come; at most two groups a station are in hand, however many there are."""
        for item in grouped(films, BATCHES_AT_ONCE * self.batch_size):
            match item:
                case Pause():
                    yield from self._all(known)
                    yield item
                case KnownFilm():
                    yield item
                case group:
                    while not self.crew.has_room:
                        yield from self._once(known)
                    self.crew.give(group)
        yield from self._all(known)

    def _all(self, known: KnownByBytes) -> Iterator[Done]:
        while self.crew.in_hand:
            yield from self._once(known)

    def _once(self, known: KnownByBytes) -> Iterator[Done]:
        for found in self.crew.come():
            self._check_alike()
            match found:
                case Lost(films, why):
                    yield [_lost(place, why) for place, _ in films]
                case Work(brought):
                    self._note(found)
                    yield from self._stored(brought, known)

    def _stored(self, brought: Sequence[Brought], known: KnownByBytes) -> Iterator[Done]:
        """Films with their files written here; of one that was done elsewhere meanwhile nothing is new."""
        fresh = list[FinishedFilm]()
        for each in brought:
            found = known(each.film.place, each.film.score.outcome.sha256)
            match found:
                case KnownFilm():
                    yield found
                case SeenFilm():
                    pass
                case None:
                    written = [stamp for file in each.files for stamp in self._put(*file)]
                    fresh.append(replace(each.film, files=tuple(written)))
        if fresh:
            yield fresh

    def _put(self, name: str, content: bytes) -> tuple[tuple[str, str], ...]:
        with self.profile.stage(Stage.STORE):
            return self.files.put(name, content)

    def _note(self, work: Work) -> None:
        """Have the time of a station's stages in the profile that somebody wants."""
        profile, stations = self.profile, self.crew.ready
        if isinstance(profile, NoProfile):
            return
        for stage, seconds in work.busy.items():
            profile.add(stage, seconds)
        profile.processor += work.processor
        profile.processors = max(profile.processors, self.crew.processors)
        workers = self.crew.processors
        at_once = {Stage.READ: workers, Stage.COMPUTE: stations, Stage.SCORE: stations}
        profile.at_once |= {**at_once, Stage.DRAW: stations * self.batch_size}

    def _check_alike(self) -> None:
        """Refuse machines that would give other rows than this one."""
        for facts in self.crew.facts:
            if (facts.product, facts.fingerprint) != (version("cxr-triage"), self.fingerprint):
                raise InstallationError(
                    f"a machine of the cluster has cxr-triage {facts.product} or other networks of it, this "
                    f"one {version('cxr-triage')}; install the same version on every machine"
                )


def grouped(films: Iterable[Wanted], size: int) -> Iterator[Films | KnownFilm | Pause]:
    """Gather films into groups; what needs no work goes on at once."""
    group = list[tuple[Place, FilmSource]]()
    for item in films:
        match item:
            case Passed(value):
                yield value
            case Pause():
                if group:
                    yield group
                group = []
                yield item
            case (place, source):
                group.append((place, _anywhere(source)))
                if len(group) == size:
                    yield group
                    group = []
    if group:
        yield group


def _anywhere(source: FilmSource) -> FilmSource:
    """A source as a process with another working folder finds it."""
    match source:
        case FileOnDisk() | ZipMember():
            return replace(source, path=source.path.absolute())
        case _:
            return source


def _lost(place: Place, why: str) -> FinishedFilm:
    """A film whose stations have died, one after the other."""
    sentence = (
        f"the machines of the cluster that read it died ({why}); it is tried again in the next run: if that "
        "fails too, scan it alone on one machine"
    )
    lost = Unread("", UnreadableFilmError("station-died", sentence), 0.0, is_lasting=False)
    return without_pictures(unscored(place, lost))
