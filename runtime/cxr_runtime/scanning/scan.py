"""The scan: from a folder of films to a ranked worklist with heat maps."""

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from cxr_runtime.errors import CxrTriageError, UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.language import counted
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.reports.exhibit import Tally
from cxr_runtime.scanning.days import EarlierFilms, folder_of
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.profile import AnyProfile, NoProfile, Stage
from cxr_runtime.scanning.session import Session
from cxr_runtime.sources.film_list import FilmList
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.sources.find import Found, find_films, place_of
from cxr_runtime.store.folder import default_output_folder
from cxr_runtime.store.store import Store
from cxr_runtime.store_file import is_store
from cxr_runtime.workers.opener import Opener

LISTING_SPANS = 10  # a folder may take so many times as long as a film, while something is heard of it


@dataclass(frozen=True)
class ScanSummary:
    """What a scan came to; the rows are in the store of `out`."""

    out: Path  # the output folder
    tally: Tally  # how many films ended how
    finished_before: int  # of all films, those that an earlier run had done
    passed_over: int  # files that cannot be films by name
    backend: str  # the provider that was used, "" if no film was scored
    # Files of `out` that could not be written, with the system's reason: a spreadsheet had results.csv open.
    # They are as an earlier scan left them; the same scan again writes them, and does no film twice.
    refused: Mapping[str, str]
    results: tuple[str, ...] = ()  # folders of results among the inputs, which were not searched
    foreign: str = ""  # what is said where the films are unlike those of the calibration
    seen_before: int = 0  # films whose row is in the folder of another day
    distrusted: int = 0  # films that were done anew, for their rows were not made here, or were changed
    without_study: int = 0  # scored films that have no DICOM study, and so got no DICOM results

    def outcomes(self) -> Iterator[Outcome]:
        """The rows of results.csv, in input order."""
        with Store.open(self.out) as store:
            yield from store.outcomes(store.last_run())


def scan(
    inputs: str | Path | Sequence[str | Path],
    options: ScanOptions | None = None,
    progress: Progress | None = None,
    journal: Journal | None = None,
    now: datetime | None = None,
    profile: AnyProfile | None = None,
) -> ScanSummary:
    """Score films and write the reports.

    Args:
        inputs: films, folders and zip files; or one of them.
        options: how to scan.
        progress: hears of every film.
        journal: likewise, without names.
        now: the time by which a day is chosen, if not that of the clock.
        profile: is told what each stage is busy with; None: nothing is measured.

    Returns:
        Counts; a film that could not be scored is counted and stored, never raised.

    Raises:
        UsageError: no input is given, or one does not exist.
        ModelError: the model or its calibration is refused.
        BackendError: the asked backend is not usable.
        InstallationError: a part of the program is missing.
        StoreError: the output folder cannot be written.
        CxrTriageError: no film was found.
    """
    options, progress, journal = options or ScanOptions(), progress or Silence(), journal or Journal()
    names = [os.fspath(name) for name in ([inputs] if isinstance(inputs, str | Path) else inputs)]
    if not names:
        raise UsageError("no INPUT is given; expected films, folders or zip files")
    out = options.out or default_output_folder(place_of(names[0]))
    profile = profile or NoProfile()
    with profile.whole(), ExitStack() as opened:
        opener = opened.enter_context(Opener())
        with profile.stage(Stage.FIND):
            found = _find(names, out, options, opener)
        workers = min(options.workers or os.cpu_count() or 1, len(found.sources))
        earlier: Container[str] = ()
        if options.is_dated:
            today = (now or datetime.now()).date()
            out, earlier = folder_of(out, today), EarlierFilms(out, today)
        options = replace(options, out=out, workers=workers)
        session = opened.enter_context(Session.open(options, opener=opener, earlier=earlier, profile=profile))
        journal.note("started", films=len(found.sources))
        progress.begin("scanning films", len(found.sources))
        return screened(session, out, names, found.sources, found, progress, journal)


class Listing(Protocol):
    """What was left out while films were listed."""

    @property
    def passed_over(self) -> int:
        """Files that cannot be films by name."""
        ...

    @property
    def results(self) -> Sequence[str]:
        """Folders of results, which are not searched."""
        ...


def screened(
    session: Session,
    out: Path,
    names: Sequence[str],
    films: Iterable[FilmSource],
    listing: Listing,
    progress: Progress,
    journal: Journal,
) -> ScanSummary:
    """Score films in an open session, and write its reports.

    Args:
        session: has an output folder.
        out: this folder.
        names: INPUTs as typed.
        films: of these; they may still be listed.
        listing: of these, complete once the films are.
        progress: hears of every film.
        journal: likewise, without names.
    """
    for outcome in session.screen(films):
        if outcome.status is not Status.SCORED:
            progress.say(f"{outcome.status}: {outcome.file}: {outcome.message} [{outcome.code}]")
        progress.advance()
        journal.film(outcome)
        session.profile.stored()
    progress.end()
    with session.profile.stage(Stage.REPORT):
        published = session.publish(names, listing.passed_over, listing.results)
    counts = published.tally
    journal.note("ended", scored=counts.scored, rejected=counts.rejected, failed=counts.failed)
    return ScanSummary(
        out,
        published.tally,
        session.known.finished,
        listing.passed_over,
        session.backend,
        published.refused,
        tuple(listing.results),
        published.foreign,
        session.known.seen,
        session.distrusted,
        session.without_study,
    )


def _find(names: list[str], out: Path, options: ScanOptions, opener: Opener) -> Found:
    ask = partial(opener.chunks, spans=LISTING_SPANS)
    found = find_films(names, exclude=out, follow_links=options.follow_links, ask=ask)
    if (part := options.part) is not None:
        found = replace(found, sources=FilmList(film for film in found.sources if part.has(film.file)))
    if not found.sources:
        refuse_output_folders(names, out)
        results = f", {counted(len(found.results), 'folder')} of results" if found.results else ""
        raise CxrTriageError(
            f"no film found in {', '.join(map(printable, names))} "
            f"({counted(found.passed_over, 'other file')}{results}); "
            "expected PNG, JPEG, TIFF, BMP or DICOM files, or zip files of them"
        )
    return found


def refuse_output_folders(names: Sequence[str], out: Path) -> None:
    """Where no film was found, say so if an INPUT was left out because it is an output folder.

    Raises:
        CxrTriageError: one was.
    """
    for name in names:
        if is_store(Path(name) / STORE_FILE):
            raise CxrTriageError(
                f"no film found: {printable(name)} holds {STORE_FILE}, so it is an output folder, and what "
                "lies in one is not scanned; move its films into a folder of their own, and scan that"
            )
        if out.is_dir() and Path(name).is_dir() and out.samefile(name):
            raise CxrTriageError(
                f"no film found: {printable(name)} is the output folder, and what lies in it is not scanned; "
                "name another folder with --out"
            )
