"""From the store to the reports: every one of them is made from the store alone."""

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cxr_runtime.atomic import file_stamp
from cxr_runtime.files import REPORT_FILE, RESULTS_FILE, WORKLIST_FILE, ReportFormat, beside
from cxr_runtime.language import language_or_english, speaking
from cxr_runtime.names import safe_name
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports.exhibit import Tally, tally
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.reports.results_csv import write_results
from cxr_runtime.reports.shown_films import ShownFilms
from cxr_runtime.store.deliveries import Deliveries
from cxr_runtime.store.films import Films
from cxr_runtime.store.picture_notes import PictureNotes
from cxr_runtime.store.rows import RunFacts
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.typed_json import to_json


@dataclass(frozen=True)
class Counted:
    """What reports say of all their films, in short."""

    tally: Tally
    rows: str  # digest of all that is said of each film


@dataclass(frozen=True)
class Publication:
    """What the reports came to."""

    tally: Tally
    # Files of the output folder that could not be written or removed, with the system's reason; they are as
    # an earlier run left them, and are due in the next one.
    refused: Mapping[str, str]
    foreign: str = ""  # what is said where the films are unlike those of the calibration


@dataclass(frozen=True)
class Written:
    """Reports that were written, or stood as they would be written."""

    tally: Tally
    content: str  # a digest of what they say
    stamps: Mapping[str, str]  # of the files that were written, by name
    refused: Mapping[str, str]  # as of `Publication`

    def note(self, store: StoreWriter) -> None:
        """Note them, so that they are not written again before they say something else."""
        for name, stamp in self.stamps.items():
            store.note_written(name, self.content, stamp)


def publish(
    store: StoreWriter, films: Films, facts: RunFacts, files: HeatmapFiles, counted: Counted | None = None
) -> Publication:
    """Write the reports that were asked for; one that stands as it would be written is left alone.

    A report that cannot be written keeps no other from it.

    Args:
        store: of the output folder.
        films: a run's, or None: every film of the store, by arrival.
        facts: what the reports state of them.
        files: the folder of pictures; its formats say which reports are wanted.
        counted: the films, as of `count`; None: they are counted here.

    Raises:
        OSError: the disk is full, or fails, while pictures are written.
        StoreError: the disk is full.
    """
    complete_pictures(store, films, files)
    written = write_reports(store, films, facts, files, counted=counted)
    written.note(store)
    return Publication(written.tally, {**written.refused, **files.refused}, facts.foreign)


def write_reports(
    store: Store,
    films: Films,
    facts: RunFacts,
    files: HeatmapFiles,
    kinds: Container[ReportFormat] = frozenset(ReportFormat),
    counted: Counted | None = None,
) -> Written:
    """Write reports without a word to the store, which may be open for reading alone.

    Args:
        store: as of `publish`, as `films`, `facts` and `files` are.
        films: whose.
        facts: what the reports state of them.
        files: the folder of pictures.
        kinds: which of the wanted reports, if not all.
        counted: as of `publish`.
    """
    refused, counted = Deliveries(store).refused(), counted or count(store, films)
    counts, content = counted.tally, _content(facts, files.formats, refused, counted.rows)

    shown = ShownFilms(store, films, facts, counts.films if ReportFormat.PDF in files.formats else None)

    def write_page(path: Path) -> None:
        from cxr_runtime.reports.worklist import write_worklist

        write_worklist(path, facts, counts, shown.every(), files.access, refused)

    def write_pages(path: Path) -> None:
        from cxr_runtime.reports.pdf import write_report

        write_report(path, facts, counts, shown.with_a_page(), files.access)

    writers: dict[ReportFormat, tuple[str, Callable[[Path], None]]] = {
        ReportFormat.CSV: (
            RESULTS_FILE,
            lambda path: write_results(path, store.outcomes(films), files.access, facts.foreign),
        ),
        ReportFormat.HTML: (WORKLIST_FILE, write_page),
        ReportFormat.PDF: (REPORT_FILE, write_pages),
    }
    stamps, unwritten = dict[str, str](), dict[str, str]()
    for kind, (name, write) in writers.items():
        path = files.out / name
        is_wanted = kind in files.formats and kind in kinds
        if is_wanted and store.written(name) != (content, file_stamp(path)):
            with speaking(language_or_english(facts.presentation.language)):
                try:
                    write(path)
                except OSError as error:  # on Windows, a spreadsheet that has results.csv open
                    unwritten[name] = _written_beside(path, write, error.strerror or str(error))
                    continue
            stamps[name] = file_stamp(path)
            with suppress(OSError):
                beside(path).unlink(missing_ok=True)
    return Written(counts, content, stamps, unwritten)


def _written_beside(path: Path, write: Callable[[Path], None], reason: str) -> str:
    """Write a report under a name beside its own; the reason, with that name if it is there."""
    try:
        write(beside(path))
    except OSError:  # the folder, or the disk
        return reason
    return f"{reason}; what it would say now is in {beside(path).name}"


def count(store: Store, films: Films) -> Counted:
    """Count films.

    Raises:
        StoreError: a row is not what a scan stores.
    """
    digest = sha256()

    def digested() -> Iterator[Outcome]:
        for outcome, text in store.overview.digested(films):
            digest.update(text.encode())
            yield outcome

    return Counted(tally(digested()), digest.hexdigest())


def _content(facts: RunFacts, formats: Collection[ReportFormat], refused: int, rows: str) -> str:
    """A digest of all that the reports say, but for when it ended; they link to pictures."""
    linked = sorted({ReportFormat.PNG, ReportFormat.NPZ}.intersection(formats))
    said = to_json((replace(facts, finished=datetime.min), linked, refused, rows))
    return sha256(said.encode()).hexdigest()


def complete_pictures(store: StoreWriter, films: Films, files: HeatmapFiles) -> None:
    """Draw the pictures that an earlier run left out, and remove those that belong to none of the films."""
    names = {  # of all films that have pictures; a film may have several
        safe_name(file, digest): digest for file, digest in store.overview.scored_files(films)
    }
    has_pictures = {ReportFormat.PNG, ReportFormat.NPZ} & files.formats
    notes, drawn = PictureNotes(store), list[tuple[str, str]]()
    written = notes.stamps()
    whole = files.complete({*notes.owed(), *files.refused}, written) if has_pictures else names.keys()
    missing = names.keys() - whole
    if missing:  # of films whose pictures were pruned there is nothing to draw
        missing &= {safe_name(file, digest) for file, digest in store.overview.files_with_pictures(films)}
        same = {names[name]: name for name in sorted(whole & names.keys())}
        for name in sorted(name for name in missing if names[name] in same):
            drawn += files.copy(name, same[names[name]])
            missing.remove(name)
    if missing:
        for outcome, picture in store.pictured(films):
            name = safe_name(outcome.file, outcome.sha256)
            if picture is not None and name in missing:
                drawn += files.write_again(name, picture)
    files.remove_others(names)
    standing = files.present()
    notes.note(drawn, (shown for shown in written if shown not in standing), files.refused)
