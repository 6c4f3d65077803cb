"""A film's score against the threshold, as a bar from 0 to 100."""

from fpdf.enums import Align

from cxr_runtime.outcome import Outcome
from cxr_runtime.reports.pages.sheet import INK, PALE, QUIET, Sheet
from cxr_runtime.reports.pages.verdict_mark import verdict_colour

HEIGHT = 3.6  # mm


def draw_score_bar(sheet: Sheet, x: float, y: float, width: float, outcome: Outcome) -> None:
    """Draw the bar, its top left corner at (x, y), with the threshold as a line across it."""
    assert outcome.score is not None
    sheet.set_fill_color(*PALE)
    sheet.rect(x, y, width, HEIGHT, style="F")
    sheet.set_fill_color(*verdict_colour(outcome))
    sheet.rect(x, y, width * outcome.score / 100, HEIGHT, style="F")
    for end, align in ((0, Align.L), (100, Align.R)):
        sheet.say(x, y + HEIGHT + 0.6, str(end), 7.5, "", QUIET, width, align)
    if outcome.threshold is not None:
        at = x + width * outcome.threshold
        sheet.set_draw_color(*INK)
        sheet.set_line_width(0.5)
        sheet.line(at, y - 1, at, y + HEIGHT + 0.3)
        label = f"threshold {100 * outcome.threshold:.2f}"
        sheet.say(at - 20, y + HEIGHT + 0.8, label, 7.5, "", INK, 40, Align.C)
