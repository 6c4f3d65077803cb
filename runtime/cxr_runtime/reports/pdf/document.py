"""report.pdf: a summary, a page for each film that a reader is asked to look at, and what is technical."""

from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.atomic import replacing
from cxr_runtime.language import _, number
from cxr_runtime.reports import meaning, wording
from cxr_runtime.reports.exhibit import Tally
from cxr_runtime.reports.pdf.film_page import add_film_page
from cxr_runtime.reports.pdf.marks import FLAGGED, NOT_FLAGGED, REVIEW, draw_histogram
from cxr_runtime.reports.pdf.sheet import BOTTOM, INK, INNER, MARGIN, PALE, QUIET, TOP, Rgb, Sheet
from cxr_runtime.reports.pdf.unscored import add_unscored
from cxr_runtime.reports.shown_films import Ranked
from cxr_runtime.store.rows import RunFacts

LEFT_W = 126.0  # mm, counts and explanation
TILE_W, TILE_H = 40.0, 17.0  # mm
HISTOGRAM = (MARGIN + LEFT_W + 22, TOP + 16, INNER - LEFT_W - 24, 62.0)  # mm
FACT_W = 44.0  # mm, names of technical facts


def add_summary(sheet: Sheet, run: RunFacts, counts: Tally) -> None:
    """Add the summary page, and the pages that list the films without a score if there are any."""
    sheet.add_page()
    sheet.bookmark(_("Summary"))
    sheet.say(MARGIN, TOP - 4, _("Chest films, ranked by suspicion"), 18, "B", kind="H1")
    _tiles(sheet, counts)
    lowest = _explanation(sheet, run, counts)
    x, y, width, height = HISTOGRAM
    sheet.say(x, TOP + 5, _("Scores of this run"), 11, "B", kind="H2")
    with sheet.tagged("Figure", _("How many films have which score.")):
        draw_histogram(sheet, (sheet.across(x, width), y, width, height), run, counts)
    if counts.unscored:
        add_unscored(sheet, counts, max(lowest, y + height + 12) + 2)


def _tiles(sheet: Sheet, counts: Tally) -> None:
    tiles: list[tuple[str, int, Rgb]] = [
        (_("films"), counts.films, INK),
        (_("flagged"), counts.flagged, FLAGGED),
        (_("to review"), counts.review, REVIEW),
        (_("not flagged"), counts.not_flagged, NOT_FLAGGED),
        (_("rejected"), counts.rejected, INK),
        (_("failed"), counts.failed, INK),
    ]
    for place, (word, films, colour) in enumerate(tiles):
        x = MARGIN + (place % 3) * (TILE_W + 3)
        y = TOP + 7 + (place // 3) * (TILE_H + 3)
        sheet.set_fill_color(*PALE)
        sheet.rect(sheet.across(x, TILE_W), y, TILE_W, TILE_H, style="F")
        with sheet.tagged("P"):
            sheet.say(x + 3, y + 1.6, number(films), 17, "B", colour)
            sheet.say(x + 3, y + 10.6, word, 9, "", QUIET)


def _explanation(sheet: Sheet, run: RunFacts, counts: Tally) -> float:
    """What the numbers mean, and which films have a page; returns y of the lower end."""
    y = TOP + 7 + 2 * (TILE_H + 3) + 1
    y = sheet.paragraph(MARGIN, y, meaning.finds(run), 11, LEFT_W) + 1.6
    likeness = wording.likeness(run)
    alike = _("These films: {likeness}.", likeness=likeness) if likeness else ""
    for text in (*meaning.explanation(run), alike, _films_with_a_page(run, counts)):
        if text:
            y = sheet.paragraph(MARGIN, y, text, 9, LEFT_W, QUIET) + 1.2
    return y


def _films_with_a_page(run: RunFacts, counts: Tally) -> str:
    """That not every film that a reader is asked to look at has a page; "" where each has."""
    most, films = run.presentation.pdf_pages, counts.flagged + counts.review
    if most is None or films <= most:
        return ""
    return _(
        "The {shown} most suspicious of {films} flagged films and films to review have a page here; see the "
        "worklist for the others.",
        shown=number(most),
        films=number(films),
    )


def add_technical(sheet: Sheet, run: RunFacts, counts: Tally) -> None:
    """Add the last page: what a reader does not need."""
    sheet.add_page()
    sheet.bookmark(_("Technical"))
    sheet.say(MARGIN, TOP - 4, _("Technical"), 14, "B", kind="H1")
    y = TOP + 6
    facts = [*wording.technical(run, counts)]
    if sheet.is_spelt_out:
        missing = _(
            "Some names have characters that no font on this machine has: they stand here as codes. Install "
            "a font for their script, such as Noto Sans CJK, and make the report again."
        )
        facts.append((_("Fonts"), missing))
    for name, value in facts:
        if y > BOTTOM - 8:
            sheet.add_page()
            y = TOP - 2
        sheet.say(MARGIN, y, name, 9, colour=QUIET)
        y = sheet.paragraph(MARGIN + FACT_W, y, value, 9, INNER - FACT_W) + 1.4


def write_report(
    path: Path, run: RunFacts, counts: Tally, films: Iterable[Ranked], access: Access = PRIVATE
) -> None:
    """Write the report, in the language of this moment.

    Args:
        path: replaced when the report is whole; until then it is as it was.
        run: what the report says of the run.
        counts: of the same films.
        films: flagged or to review, most suspicious first; read once, as far as they have a page.
        access: who may read it.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    film_pages = counts.flagged + counts.review
    if run.presentation.pdf_pages is not None:
        film_pages = min(film_pages, run.presentation.pdf_pages)
    with closing(Sheet(run, 3 + film_pages + len(counts.unscored))) as sheet:
        add_summary(sheet, run, counts)
        for number_of_page, (rank, exhibit) in enumerate(islice(films, film_pages)):
            if not number_of_page:
                sheet.bookmark(_("Films"))
            add_film_page(sheet, exhibit, run, rank)
        add_technical(sheet, run, counts)
        with replacing(path, access) as file:
            sheet.output(file)
