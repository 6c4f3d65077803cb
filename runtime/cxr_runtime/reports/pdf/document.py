"""report.pdf: a summary, then one page for every film that a reader is asked to look at."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from fpdf.enums import Align

from cxr_runtime.files import PRIVATE, RESULTS_FILE, Access, replacing
from cxr_runtime.outcome import Outcome, Triage
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Exhibit, Tally
from cxr_runtime.reports.pdf.film_page import add_film_page
from cxr_runtime.reports.pdf.marks import FLAGGED, NOT_FLAGGED, REVIEW, draw_histogram
from cxr_runtime.reports.pdf.sheet import (
    BOTTOM,
    INK,
    INNER,
    LINE,
    LINE_HEIGHT,
    MARGIN,
    PALE,
    POINT,
    QUIET,
    TOP,
    Rgb,
    Sheet,
)
from cxr_runtime.store.rows import RunFacts

LEFT_W = 126.0  # mm, counts and facts
TILE_W, TILE_H = 40.0, 17.0  # mm
HISTOGRAM = (MARGIN + LEFT_W + 22, TOP + 16, INNER - LEFT_W - 24, 62.0)  # mm
FACT_W = 30.0  # mm, names of the facts

# The list of films without a score: columns' left edges and widths in mm, sizes in points and mm.
COLUMNS = (("File", MARGIN, 88.0), ("Result", 104.0, 18.0), ("Reason", 124.0, 158.0))
LIST_SIZE = 8.5
ROW_GAP = 1.4


def add_summary(sheet: Sheet, run: RunFacts, counts: Tally) -> None:
    """Add the summary page, and the pages that list the films without a score if there are any."""
    sheet.add_page()
    sheet.say(MARGIN, TOP - 4, "Chest films, ranked by suspicion", 18, "B")
    _tiles(sheet, counts)
    lowest = _facts(sheet, run, counts)
    sheet.say(HISTOGRAM[0], TOP + 5, "Scores of this run", 11, "B")
    draw_histogram(sheet, HISTOGRAM, run, counts)
    if counts.unscored:
        _unscored(sheet, counts, max(lowest, HISTOGRAM[1] + HISTOGRAM[3] + 12) + 2)


def _tiles(sheet: Sheet, counts: Tally) -> None:
    tiles: list[tuple[str, int, Rgb]] = [
        ("films", counts.films, INK),
        ("flagged", counts.flagged, FLAGGED),
        ("to review", counts.review, REVIEW),
        ("not flagged", counts.not_flagged, NOT_FLAGGED),
        ("rejected", counts.rejected, INK),
        ("failed", counts.failed, INK),
    ]
    for place, (word, films, colour) in enumerate(tiles):
        x = MARGIN + (place % 3) * (TILE_W + 3)
        y = TOP + 7 + (place // 3) * (TILE_H + 3)
        sheet.set_fill_color(*PALE)
        sheet.rect(x, y, TILE_W, TILE_H, style="F")
        sheet.say(x + 3, y + 1.6, f"{films:,}", 17, "B", colour)
        sheet.say(x + 3, y + 10.6, word, 9, "", QUIET)


def _facts(sheet: Sheet, run: RunFacts, counts: Tally) -> float:
    """Name and value of what the run was done with; returns y of the lower end."""
    outside = f"{wording.OUTSIDE_LUNGS} on {counts.outside_lungs:,} of the {counts.flagged:,} flagged"
    facts = [
        ("Operating point", wording.operating_point(run)),
        ("Calibration", run.calibration),
        ("Films", wording.likeness(run)),
        ("Inputs", ", ".join(run.inputs)),
        ("Model", wording.model(run)),
        ("Model sha256", f"{run.model_sha256[:32]} {run.model_sha256[32:]}"),
        ("Weights", run.licence),
        ("Backend", run.backend),
        ("Sandbox", run.sandbox),
        ("Heat map", f"{run.heat_method}, coloured from {run.heat_threshold:.2f}"),
        ("Other files", wording.passed_over(run)),
        ("Note", outside if counts.outside_lungs else ""),
    ]
    y = TOP + 7 + 2 * (TILE_H + 3) + 3
    for name, value in facts:
        if value:
            sheet.say(MARGIN, y, name, 9, colour=QUIET)
            y = sheet.paragraph(MARGIN + FACT_W, y, value, 9, LEFT_W - FACT_W) + 1.2
    return y


def _unscored(sheet: Sheet, counts: Tally, y: float) -> None:
    """Every film without a score with its reason; the list runs on over further pages."""
    reasons = ", ".join(f"{reason.films:,} {reason.code or reason.status.value}" for reason in counts.reasons)
    sheet.say(MARGIN, y, "Films without a score: look at them yourself", 11, "B")
    y = _headings(sheet, sheet.paragraph(MARGIN, y + 6, reasons, 9, INNER, QUIET) + 1.5)
    for outcome in counts.unscored:
        if y + _height(sheet, outcome) > BOTTOM:
            sheet.add_page()
            sheet.say(MARGIN, TOP - 4, "Films without a score, continued", 11, "B")
            y = _headings(sheet, TOP + 4)
        y = _row(sheet, outcome, y)
    left_out = counts.rejected + counts.failed - len(counts.unscored)
    if left_out:
        note = f"and {left_out:,} more: see the worklist or {RESULTS_FILE}"
        sheet.say(MARGIN, min(y + 1, BOTTOM), note, 9, colour=QUIET)


def _headings(sheet: Sheet, y: float) -> float:
    for name, x, width in COLUMNS:
        sheet.say(x, y, name, 8, "B", QUIET, width, Align.L)
    return y + 5


def _row(sheet: Sheet, outcome: Outcome, y: float) -> float:
    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.15)
    sheet.line(MARGIN, y - 0.6, MARGIN + INNER, y - 0.6)
    (_, file_x, file_w), (_, result_x, _), (_, reason_x, reason_w) = COLUMNS
    sheet.quote(file_x, y, outcome.file, LIST_SIZE, file_w)
    sheet.say(result_x, y, wording.result_word(outcome), LIST_SIZE)
    return sheet.paragraph(reason_x, y, _reason(outcome), LIST_SIZE, reason_w) + ROW_GAP


def _reason(outcome: Outcome) -> str:
    return "; ".join(wording.remarks(outcome)) or "no reason was stored"


def _height(sheet: Sheet, outcome: Outcome) -> float:
    """mm that a row takes."""
    lines = sheet.wrapped(_reason(outcome), LIST_SIZE, COLUMNS[2][2])
    return len(lines) * LINE_HEIGHT * LIST_SIZE * POINT + ROW_GAP


WITH_A_PAGE = (Triage.FLAGGED, Triage.REVIEW)


def write_report(
    path: Path, run: RunFacts, counts: Tally, exhibits: Iterable[Exhibit], access: Access = PRIVATE
) -> None:
    """Write the report.

    Args:
        path: replaced when the report is whole; until then it is as it was.
        run: what the report says of the run.
        counts: of the same films.
        exhibits: films, most suspicious first, read once; only those flagged or to review get a page.
        access: who may read it.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    with closing(Sheet(run)) as sheet:
        add_summary(sheet, run, counts)
        for rank, exhibit in enumerate(exhibits, start=1):
            if exhibit.outcome.triage in WITH_A_PAGE:
                add_film_page(sheet, exhibit, run, rank)
        with replacing(path, access) as file:
            sheet.output(file)
