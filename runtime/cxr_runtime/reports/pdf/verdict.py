"""The lines at the foot of a film's page on which a reader writes: verdict, findings, name, signature."""

from cxr_runtime.language import _, later
from cxr_runtime.reports.pdf.sheet import INK, INNER, MARGIN, QUIET, Sheet

VERDICTS = (later("normal"), later("abnormal"), later("cannot tell"))
BOX = 3.4  # mm, side of a box to tick
SIZE = 9.0  # points
GAP = 3.0  # mm between what stands beside each other


def draw_verdict(sheet: Sheet, y: float) -> None:
    """Draw them, their top at y; a pencil needs 7 mm of height."""
    sheet.set_draw_color(*INK)
    sheet.set_line_width(0.25)
    x = _label(sheet, MARGIN, y, _("Verdict:"))
    for word in VERDICTS:
        sheet.rect(sheet.across(x, BOX), y + 0.5, BOX, BOX)
        x = _label(sheet, x + BOX + 1, y, _(word)) + GAP
    third = MARGIN + INNER * 0.42
    _line(sheet, _label(sheet, third, y, _("Findings:")), y, MARGIN + INNER)
    below = y + 6.6
    _line(sheet, _label(sheet, MARGIN, below, _("Name, date:")), below, third - GAP)
    _line(sheet, _label(sheet, third, below, _("Signature:")), below, MARGIN + INNER)


def _label(sheet: Sheet, x: float, y: float, text: str) -> float:
    """Print a word; returns where the next may stand."""
    sheet.say(x, y, text, SIZE, "", QUIET)
    return x + sheet.width_of(text, SIZE) + 1.5


def _line(sheet: Sheet, start: float, y: float, end: float) -> None:
    left = sheet.across(start, end - start)
    sheet.line(left, y + 4.4, left + end - start, y + 4.4)
