"""Output folders with DICOM results that wait to be sent, made without a scan."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cxr_runtime.files import DICOM_FOLDER, PRIVATE
from cxr_runtime.reports.dicom.results import ResultFiles
from cxr_runtime.store.rows import FinishedFilm, Place, RunFacts, StoredScore
from cxr_runtime.store.writer import StoreWriter
from dicom_results import HW, MADE, film, settings
from drawn_exhibits import RUN
from study_films import study_film


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
