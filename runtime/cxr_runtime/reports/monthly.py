"""The tally of the months: films screened, flagged, read and confirmed, and how soon they were read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from cxr_runtime.errors import StoreError
from cxr_runtime.language import _, number
from cxr_runtime.reports.pdf.sheet import INNER, MARGIN, QUIET, TOP, Sheet
from cxr_runtime.reports.results_csv import csv_text
from cxr_runtime.reports.wording import moment
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import scored_films
from cxr_runtime.store.rows import time_of
from cxr_runtime.store.verdicts import FilmVerdicts

COLUMNS = ("month", "screened", "flagged", "read", "called_abnormal", "confirmed", "hours_to_reading")
ROW_H, FIRST_ROW = 7.0, 26.0  # mm
MOST_MONTHS = 20  # on the page of the PDF, the latest


@dataclass(frozen=True)
class Month:
    """Films that were scored for the first time in one month, by that machine's clock."""

    month: str  # e.g. 2026-11
    screened: int  # films with a score
    flagged: int  # of the screened
    read: int  # of the screened: a reader has said something, whenever that was
    called_abnormal: int  # of the read: the readers agree on abnormal, or a test says so
    confirmed: int  # of the screened: a test found disease
    hours_to_reading: float | None  # median from score to first verdict; None: none was read after it

    @property
    def row(self) -> tuple[object, ...]:
        """The values of COLUMNS."""
        hours = "" if self.hours_to_reading is None else f"{self.hours_to_reading:.1f}"
        return (self.month, *self._counts, hours)

    @property
    def shown(self) -> tuple[str, ...]:
        """The same as pages show it, in the language of this moment."""
        hours = "" if self.hours_to_reading is None else number(self.hours_to_reading, 1)
        return (self.month, *map(number, self._counts), hours)

    @property
    def _counts(self) -> tuple[int, ...]:
        return (self.screened, self.flagged, self.read, self.called_abnormal, self.confirmed)


def months(desk: Desk) -> list[Month]:
    """Every month in which a film was scored first, the latest first.

    Raises:
        StoreError: the store holds a verdict that is none.
    """
    said, first = dict(desk.verdicts.every()), desk.verdicts.first_readings()
    by_month = defaultdict[str, list[tuple[str, str, bool]]](list)
    for sha256, finished, is_flagged in scored_films(desk):
        by_month[finished[:7]].append((sha256, finished, is_flagged))
    return [_month(name, films, said, first) for name, films in sorted(by_month.items(), reverse=True)]


def _month(
    name: str, films: Sequence[tuple[str, str, bool]], said: dict[str, FilmVerdicts], first: dict[str, str]
) -> Month:
    known = [said[sha256] for sha256, _, _ in films if sha256 in said]
    read = [film for film in known if film.readings]
    waits = [_hours(finished, first[sha256]) for sha256, finished, _ in films if sha256 in first]
    waits = [hours for hours in waits if hours >= 0]  # else scored anew since, or a clock was set back
    return Month(
        name,
        len(films),
        sum(is_flagged for *_, is_flagged in films),
        len(read),
        sum(bool(film.is_abnormal) for film in read),
        sum(bool(film.is_confirmed) for film in known),
        median(waits) if waits else None,
    )


def _hours(finished: str, said: str) -> float:
    """From score to verdict."""
    return (time_of(said) - time_of(finished)).total_seconds() / 3600


def tally_csv(found: Iterable[Month]) -> str:
    """The months as a CSV; hours with one decimal, empty where no film was read."""
    return csv_text([COLUMNS, *(month.row for month in found)])


def headings() -> tuple[str, ...]:
    """What the columns are called on pages, in the language of this moment."""
    return (
        _("Month"), _("Screened"), _("Flagged"), _("Read"), _("Called abnormal"), _("Confirmed by a test"),
        _("Hours until read"),
    )  # fmt: skip


def tally_pdf(desk: Desk, found: Sequence[Month]) -> bytes:
    """The months as one page.

    Raises:
        StoreError: no scan has ended yet, so that nothing is known of the model.
    """
    run = desk.latest_facts()
    if run is None:
        raise StoreError("no scan has ended yet; make the tally again when one has, or take the CSV")
    with closing(Sheet(run)) as sheet:
        sheet.add_page()
        sheet.say(MARGIN, TOP - 4, _("Tally of the months"), 18, "B", kind="H1")
        made = datetime.now().astimezone()
        sheet.say(MARGIN, TOP + 6, _("made {when}", when=moment(made)), 9, colour=QUIET)
        width = INNER / len(COLUMNS)
        for column, heading in enumerate(headings()):
            sheet.say(MARGIN + column * width, TOP + FIRST_ROW - 9, heading, 9, "B", QUIET)
        for row, month in enumerate(found[:MOST_MONTHS]):
            for column, shown in enumerate(month.shown):
                sheet.say(MARGIN + column * width, TOP + FIRST_ROW + row * ROW_H, shown, 10)
        return bytes(sheet.output())
