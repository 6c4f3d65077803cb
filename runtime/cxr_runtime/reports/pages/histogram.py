"""How the scores of a run are spread, with the threshold drawn in."""

from fpdf.enums import Align

from cxr_runtime.reports.exhibit import RunFacts
from cxr_runtime.reports.pages.sheet import INK, LINE, QUIET, Rgb, Sheet
from cxr_runtime.reports.tally import SCORE_BINS, Tally

BELOW: Rgb = (150, 163, 178)
ABOVE: Rgb = (196, 84, 74)
GAP = 0.35  # mm between bars


def draw_histogram(
    sheet: Sheet, box: tuple[float, float, float, float], run: RunFacts, counts: Tally
) -> None:
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
        sheet.rect(x + number * bar + GAP / 2, y + height - tall, bar - GAP, tall, style="F")
    _draw_axes(sheet, box, tallest)
    _draw_threshold(sheet, box, run)


def _draw_axes(sheet: Sheet, box: tuple[float, float, float, float], tallest: int) -> None:
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


def _draw_threshold(sheet: Sheet, box: tuple[float, float, float, float], run: RunFacts) -> None:
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
