"""Output folders with DICOM results that wait to be sent, made without a scan; and an archive for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cxr_runtime.access import PRIVATE
from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.reports.dicom.results import ResultFiles
from cxr_runtime.sending.destination import Answer, Line, Outgoing, PeerError
from cxr_runtime.store.deliveries import State
from cxr_runtime.store.rows import FinishedFilm, Place, RunFacts, StoredScore
from cxr_runtime.store.writer import StoreWriter
from dicom_results import HW, MADE, film, settings
from drawn_exhibits import RUN
from study_films import study_film

NAME = "PACS@archive:104"


def folder_with_results(folder: Path, films: int = 1, *, facts: RunFacts = RUN, first: int = 0) -> Path:
    """A folder as a scan leaves it whose films have results, three each; the folder."""
    (folder / DICOM_FOLDER).mkdir(parents=True, exist_ok=True)
    results = ResultFiles(folder, settings(facts), PRIVATE)
    with StoreWriter.open(folder) as store:
        run = store.begin_run()
        for number in range(first, first + films):
            uid, digest = f"2.25.4711.{100 + number}", sha256(f"{number}".encode()).hexdigest()
            made = film(study_film(number, hw=HW, SOPInstanceUID=uid), file=f"{number}.dcm", sha256=digest)
            noted = results.write(made, lambda _: MADE + timedelta(seconds=number))  # noqa: B023
            score = StoredScore(made.source.outcome, 0.5, 0.5, 0.2, MADE.isoformat())
            place = Place(number + 1, f"{number}.dcm", f"stamp {number}")
            store.add(run, [FinishedFilm(place, score, objects=noted)], "print")
        store.end_run(run, facts)
    return folder


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = self.began = datetime(2026, 11, 29, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


class Archive:
    """An archive that answers as it is told."""

    def __init__(self) -> None:
        self.name = NAME
        self.got = list[str]()  # UIDs, as they came
        self.is_away = False
        self.answers: Callable[[Outgoing], Answer] = lambda _: Answer(State.SENT)

    @contextmanager
    def line(self) -> Iterator[Line]:
        if self.is_away:
            raise PeerError("is away")
        yield self

    def store(self, outgoing: Outgoing) -> Answer:
        answer = self.answers(outgoing)
        self.got.append(outgoing.uid)
        return answer


class Looks:
    """Folders that a sender looks for so many times, a minute apart."""

    def __init__(self, times: int, clock: Clock, *folders: Path) -> None:
        self.left, self._clock, self._folders = times, clock, folders
        self.end: Callable[[], None]  # of the sender

    def __call__(self) -> tuple[Path, ...]:
        self._clock.pass_minutes(1)
        self.left -= 1
        if not self.left:
            self.end()
        return self._folders
