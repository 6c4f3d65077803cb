"""How a film ended, as a shape, a colour and a word: told apart without colour, too."""

from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.reports.pages.sheet import INK, Rgb, Sheet
from cxr_runtime.reports.wording import verdict

FLAGGED: Rgb = (168, 35, 27)
REVIEW: Rgb = (128, 83, 0)
NOT_FLAGGED: Rgb = (70, 83, 95)

COLOURS = {Triage.FLAGGED: FLAGGED, Triage.REVIEW: REVIEW, Triage.NOT_FLAGGED: NOT_FLAGGED}


def verdict_colour(outcome: Outcome) -> Rgb:
    """The colour of a film's mark, word and score."""
    return INK if outcome.triage is None else COLOURS[outcome.triage]


def draw_verdict(sheet: Sheet, x: float, y: float, outcome: Outcome, size: float) -> None:
    """Mark and word of a film, `size` points high, the top left corner at (x, y)."""
    side = 0.32 * size
    mark_colour = verdict_colour(outcome)
    sheet.set_fill_color(*mark_colour)
    sheet.set_draw_color(*mark_colour)
    sheet.set_line_width(0.35)
    top = y + 0.09 * size
    if outcome.triage is Triage.FLAGGED:
        sheet.polygon([(x + side / 2, top), (x + side, top + side), (x, top + side)], style="F")
    elif outcome.triage is Triage.REVIEW:
        middle = side / 2
        corners = [(x + middle, top), (x + side, top + middle), (x + middle, top + side), (x, top + middle)]
        sheet.polygon(corners, style="F")
    elif outcome.status is Status.SCORED:
        sheet.ellipse(x, top, side, side)
    else:
        sheet.line(x, top, x + side, top + side)
        sheet.line(x, top + side, x + side, top)
    sheet.say(x + side + 1.6, y, verdict(outcome), size, "B", mark_colour)
