"""The small drawings of the report: a film's result and score, and how the scores of a run are spread."""

from functools import partial

from fpdf.enums import Align

from cxr_runtime.heat.colours import LINE_RGB, legend
from cxr_runtime.language import _, number
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.reports.exhibit import SCORE_BINS, Tally
from cxr_runtime.reports.pdf.sheet import INK, LINE, PALE, QUIET, Frame, Rgb, Sheet
from cxr_runtime.reports.pdf.tagged import ARTIFACT
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
    left, top = sheet.across(x, side), y + 0.09 * size
    if outcome.triage is Triage.FLAGGED:
        sheet.shape([(left + side / 2, top), (left + side, top + side), (left, top + side)], is_filled=True)
    elif outcome.triage is Triage.REVIEW:
        middle = side / 2
        sheet.shape(
            [
                (left + middle, top),
                (left + side, top + middle),
                (left + middle, top + side),
                (left, top + middle),
            ],
            is_filled=True,
        )
    elif outcome.status is Status.SCORED:
        sheet.ellipse(left, top, side, side)
    else:
        sheet.line(left, top, left + side, top + side)
        sheet.line(left, top + side, left + side, top)
    sheet.say(x + side + 1.6, y, result_word(outcome), size, "B", mark_colour)


def draw_score_bar(sheet: Sheet, x: float, y: float, width: float, outcome: Outcome) -> None:
    """Draw the bar, its top left corner at (x, y), with the threshold as a line across it."""
    assert outcome.score is not None
    box = sheet.across(x, width)  # it grows from left to right in every language, as an axis does
    sheet.set_fill_color(*PALE)
    sheet.rect(box, y, width, SCORE_BAR_H, style="F")
    sheet.set_fill_color(*result_colour(outcome))
    sheet.rect(box, y, width * outcome.score / 100, SCORE_BAR_H, style="F")
    threshold = outcome.threshold
    sheet.again(("scale", box, y, width, threshold), partial(_draw_scale, sheet, box, y, width, threshold))


def _draw_scale(sheet: Sheet, box: float, y: float, width: float, threshold: float | None) -> None:
    """The threshold across the bar, and its numbers beneath."""
    beneath, left = y + SCORE_BAR_H + 0.6, box + width
    if threshold is not None:
        at = box + width * threshold
        sheet.set_draw_color(*INK)
        sheet.set_line_width(0.5)
        sheet.line(at, y - 1, at, y + SCORE_BAR_H + 0.3)
        label = threshold_label(threshold)
        wide = max(LABEL_W, sheet.width_of(label, 7.5))
        left = min(max(at - wide / 2, box), box + width - wide)
        _number(sheet, left, beneath + 0.2, label, wide, Align.C, INK)
        if not box + width - END_W < left + wide <= box + width:
            _number(sheet, box, beneath, number(100), width, Align.R)
    if left >= box + END_W:
        _number(sheet, box, beneath, number(0), width, Align.L)


def threshold_label(threshold: float) -> str:
    """The word that stands at its line."""
    return _("threshold {score}", score=number(100 * threshold, 2))


def _number(
    sheet: Sheet,
    left: float,
    y: float,
    text: str,
    width: float,
    align: Align,
    colour: Rgb = QUIET,
    style: str = "",
) -> None:
    """A label of an axis, which is the same way round in every language."""
    if sheet.is_mirrored:
        align = {Align.L: Align.R, Align.R: Align.L}.get(align, align)
    with sheet.tagged(ARTIFACT):
        sheet.say(sheet.across(left, width), y, text, 7.5, style, colour, width, align)


def draw_legend(sheet: Sheet, x: float, y: float, run: RunFacts) -> None:
    """The colours of the heat from the threshold up to 1, with the lines that stand around them."""
    first = _("heat {threshold}", threshold=number(run.heat_threshold, 2))
    sheet.say(x, y, first, 8, colour=INK)
    x += sheet.width_of(first, 8) + 1.5
    steps = legend(run.heat_threshold, run.presentation.colours)
    left, step_w = sheet.across(x, 6 * len(steps)), 6.0
    for place, step in enumerate(reversed(steps) if sheet.is_mirrored else steps):
        sheet.set_fill_color(*step.rgb)
        sheet.rect(left + step_w * place, y + 0.3, step_w, 3.2, style="F")
        if step.line:
            sheet.set_fill_color(*LINE_RGB)
            thick = 0.28 * step.line
            at = left + step_w * (place + 1) - thick if sheet.is_mirrored else left + step_w * place
            sheet.rect(at, y + 0.3, thick, 3.2, style="F")
    x += step_w * len(steps) + 1.5
    sheet.say(x, y, number(1), 8, colour=INK)
    ring = _("ring: the strongest heat")
    sheet.set_draw_color(*INK)
    sheet.set_line_width(0.5)
    sheet.ellipse(sheet.across(x + 6, 2.6), y + 0.6, 2.6, 2.6)
    sheet.say(x + 9.6, y, ring, 8, colour=QUIET)


def draw_histogram(sheet: Sheet, box: Frame, run: RunFacts, counts: Tally) -> None:
    """Draw the histogram of scores.

    Args:
        sheet: to draw on.
        box: x, y, width and height in mm of the part with the bars; numbers stand around it.
        run: its threshold is drawn.
        counts: its histogram is drawn.
    """
    x, y, width, height = box  # as an axis, the same way round in every language
    tallest = max(*counts.histogram, 1)
    bar = width / SCORE_BINS
    for place, films in enumerate(counts.histogram):
        tall = height * films / tallest
        is_above = (place + 0.5) / SCORE_BINS >= run.threshold
        sheet.set_fill_color(*(ABOVE if is_above else BELOW))
        sheet.rect(x + place * bar + BAR_GAP / 2, y + height - tall, bar - BAR_GAP, tall, style="F")
    _draw_axes(sheet, box, tallest)
    _draw_threshold(sheet, box, run)


def _draw_axes(sheet: Sheet, box: Frame, tallest: int) -> None:
    x, y, width, height = box
    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.2)
    sheet.line(x, y, x + width, y)
    sheet.set_draw_color(*QUIET)
    sheet.line(x, y + height, x + width, y + height)
    _number(sheet, x - 16, y - 1.7, number(tallest), 15, Align.R)
    _number(sheet, x - 16, y + height - 1.9, number(0), 15, Align.R)
    for score in range(0, 101, 10):
        _number(sheet, x + width * score / 100 - 8, y + height + 0.8, number(score), 16, Align.C)
    _number(sheet, x, y + height + 4.6, _("score"), width, Align.C)


def _draw_threshold(sheet: Sheet, box: Frame, run: RunFacts) -> None:
    x, y, width, height = box
    at = x + width * run.threshold
    sheet.set_draw_color(*INK)
    sheet.set_line_width(0.4)
    sheet.line(at, y - 2.5, at, y + height)
    label = threshold_label(run.threshold)
    if run.threshold > 0.7:
        _number(sheet, at - 61, y - 4.6, label, 60, Align.R, INK, "B")
    else:
        _number(sheet, at + 1, y - 4.6, label, 60, Align.L, INK, "B")
