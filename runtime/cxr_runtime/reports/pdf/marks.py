"""The small drawings of the report: a film's result and score, and how the scores of a run are spread."""

from fpdf.enums import Align

from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.reports.exhibit import SCORE_BINS, Tally
from cxr_runtime.reports.pdf.sheet import INK, LINE, PALE, QUIET, Frame, Rgb, Sheet
from cxr_runtime.reports.wording import result_word
from cxr_runtime.store.rows import RunFacts

FLAGGED: Rgb = (168, 35, 27)
REVIEW: Rgb = (128, 83, 0)
NOT_FLAGGED: Rgb = (70, 83, 95)
COLOURS = {Triage.FLAGGED: FLAGGED, Triage.REVIEW: REVIEW, Triage.NOT_FLAGGED: NOT_FLAGGED}

SCORE_BAR_H = 3.6  # mm
LABEL_W = 28.0  # mm, room for the threshold's words beneath the bar
END_W = 7.0  # mm, for 0 and 100 at its ends, which give way to them

BELOW: Rgb = (150, 163, 178)  # bars of the histogram below the threshold, ...
ABOVE: Rgb = (196, 84, 74)  # ... and from it on
BAR_GAP = 0.35  # mm between them


def result_colour(outcome: Outcome) -> Rgb:
    """The colour of a film's mark, word and score."""
    return INK if outcome.triage is None else COLOURS[outcome.triage]


def draw_result(sheet: Sheet, x: float, y: float, outcome: Outcome, size: float) -> None:
    """How a film ended, `size` points high, the top left corner at (x, y).

    It is a shape and a word beside its colour, so that a reader who sees no colours can tell.
    """
    side = 0.32 * size
    mark_colour = result_colour(outcome)
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
    sheet.say(x + side + 1.6, y, result_word(outcome), size, "B", mark_colour)


def draw_score_bar(sheet: Sheet, x: float, y: float, width: float, outcome: Outcome) -> None:
    """Draw the bar, its top left corner at (x, y), with the threshold as a line across it."""
    assert outcome.score is not None
    sheet.set_fill_color(*PALE)
    sheet.rect(x, y, width, SCORE_BAR_H, style="F")
    sheet.set_fill_color(*result_colour(outcome))
    sheet.rect(x, y, width * outcome.score / 100, SCORE_BAR_H, style="F")
    beneath, left = y + SCORE_BAR_H + 0.6, x + width
    if outcome.threshold is not None:
        at = x + width * outcome.threshold
        sheet.set_draw_color(*INK)
        sheet.set_line_width(0.5)
        sheet.line(at, y - 1, at, y + SCORE_BAR_H + 0.3)
        left = min(max(at - LABEL_W / 2, x), x + width - LABEL_W)
        label = f"threshold {100 * outcome.threshold:.2f}"
        sheet.say(left, beneath + 0.2, label, 7.5, "", INK, LABEL_W, Align.C)
    if left >= x + END_W:
        sheet.say(x, beneath, "0", 7.5, "", QUIET, width, Align.L)
    if not x + width - END_W < left + LABEL_W <= x + width:
        sheet.say(x, beneath, "100", 7.5, "", QUIET, width, Align.R)


def draw_histogram(sheet: Sheet, box: Frame, run: RunFacts, counts: Tally) -> None:
    """Draw the histogram of scores.

    Args:
        sheet: to draw on.
        box: x, y, width and height in mm of the part with the bars; numbers stand around it.
        run: its threshold is drawn.
        counts: its histogram is drawn.
    """
    x, y, width, height = box
    tallest = max(*counts.histogram, 1)
    bar = width / SCORE_BINS
    for number, films in enumerate(counts.histogram):
        tall = height * films / tallest
        is_above = (number + 0.5) / SCORE_BINS >= run.threshold
        sheet.set_fill_color(*(ABOVE if is_above else BELOW))
        sheet.rect(x + number * bar + BAR_GAP / 2, y + height - tall, bar - BAR_GAP, tall, style="F")
    _draw_axes(sheet, box, tallest)
    _draw_threshold(sheet, box, run)


def _draw_axes(sheet: Sheet, box: Frame, tallest: int) -> None:
    x, y, width, height = box
    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.2)
    sheet.line(x, y, x + width, y)
    sheet.set_draw_color(*QUIET)
    sheet.line(x, y + height, x + width, y + height)
    sheet.say(x - 16, y - 1.7, f"{tallest:,}", 7.5, "", QUIET, 15, Align.R)
    sheet.say(x - 16, y + height - 1.9, "0", 7.5, "", QUIET, 15, Align.R)
    for score in range(0, 101, 10):
        sheet.say(x + width * score / 100 - 8, y + height + 0.8, str(score), 7.5, "", QUIET, 16, Align.C)
    sheet.say(x, y + height + 4.6, "score", 8, "", QUIET, width, Align.C)


def _draw_threshold(sheet: Sheet, box: Frame, run: RunFacts) -> None:
    x, y, width, height = box
    at = x + width * run.threshold
    sheet.set_draw_color(*INK)
    sheet.set_line_width(0.4)
    sheet.line(at, y - 2.5, at, y + height)
    label = f"threshold {100 * run.threshold:.2f}"
    if run.threshold > 0.7:
        sheet.say(at - 41, y - 4.6, label, 8, "B", INK, 40, Align.R)
    else:
        sheet.say(at + 1, y - 4.6, label, 8, "B", INK, 40, Align.L)
