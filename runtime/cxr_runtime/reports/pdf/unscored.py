"""The list of films without a score, each with its reason; it runs on over further pages."""

from fpdf.enums import Align

from cxr_runtime.files import RESULTS_FILE
from cxr_runtime.language import _, later, number
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Tally
from cxr_runtime.reports.pdf.sheet import (
    BOTTOM,
    INNER,
    LINE,
    LINE_HEIGHT,
    MARGIN,
    POINT,
    QUIET,
    TOP,
    Sheet,
)

# Columns' left edges and widths in mm, sizes in points and mm.
COLUMNS = ((later("File"), MARGIN, 86.0), (later("Result"), 104.0, 24.0), (later("Reason"), 130.0, 152.0))
LIST_SIZE = 8.5
ROW_GAP = 1.4


def add_unscored(sheet: Sheet, counts: Tally, y: float) -> None:
    """Add every film without a score, beginning on this page at y."""
    reasons = ", ".join(
        f"{number(reason.films)} {reason.code or reason.status.value}" for reason in counts.reasons
    )
    sheet.bookmark(_("Films without a score"))
    sheet.say(MARGIN, y, _("Films without a score: look at them yourself"), 11, "B", kind="H2")
    y = _headings(sheet, sheet.paragraph(MARGIN, y + 6, reasons, 9, INNER, QUIET) + 1.5)
    for outcome in counts.unscored:
        if y + _height(sheet, outcome) > BOTTOM:
            sheet.add_page()
            sheet.say(MARGIN, TOP - 4, _("Films without a score, continued"), 11, "B", kind="H2")
            y = _headings(sheet, TOP + 4)
        y = _row(sheet, outcome, y)
    left_out = counts.rejected + counts.failed - len(counts.unscored)
    if left_out:
        note = _("and {count} more: see the worklist or {file}", count=number(left_out), file=RESULTS_FILE)
        sheet.say(MARGIN, min(y + 1, BOTTOM), note, 9, colour=QUIET)


def _headings(sheet: Sheet, y: float) -> float:
    for name, x, width in COLUMNS:
        sheet.say(x, y, _(name), 8, "B", QUIET, width, Align.L)
    return y + 5


def _row(sheet: Sheet, outcome: Outcome, y: float) -> float:
    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.15)
    sheet.line(MARGIN, y - 0.6, MARGIN + INNER, y - 0.6)
    (_file, file_x, file_w), (_result, result_x, result_w), (_why, reason_x, reason_w) = COLUMNS
    sheet.quote(file_x, y, outcome.file, LIST_SIZE, file_w)
    sheet.say(result_x, y, wording.result_word(outcome), LIST_SIZE, width=result_w)
    return sheet.paragraph(reason_x, y, _reason(outcome), LIST_SIZE, reason_w) + ROW_GAP


def _reason(outcome: Outcome) -> str:
    return _("; ").join(wording.remarks(outcome)) or _("no reason was stored")


def _height(sheet: Sheet, outcome: Outcome) -> float:
    """mm that a row takes."""
    lines = sheet.wrapped(_reason(outcome), LIST_SIZE, COLUMNS[2][2])
    return len(lines) * LINE_HEIGHT * LIST_SIZE * POINT + ROW_GAP
