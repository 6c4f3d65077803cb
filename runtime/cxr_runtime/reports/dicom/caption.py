"""The picture of the Secondary Capture: the film with its heat, between two bands of text."""

from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cxr_runtime.heat.colours import LINE_RGB, ColourStep, legend
from cxr_runtime.heat.overlay import RgbPixels
from cxr_runtime.outcome import Outcome, Triage
from cxr_runtime.reports import wording
from cxr_runtime.store.rows import RunFacts

LEAST_WIDTH = 640  # pixels, so that the bands hold their lines
TOP_BAND, BOTTOM_BAND = 0.085, 0.075  # of the width
GAP = 0.014  # of the width, around text
WHITE, QUIET = (255, 255, 255), (176, 186, 198)
ALARM = (255, 214, 102)
TRIAGE_RGB = {
    Triage.FLAGGED: (255, 133, 122),
    Triage.REVIEW: (240, 189, 85),
    Triage.NOT_FLAGGED: (176, 190, 204),
    None: WHITE,
}
LEGEND_WIDTH = 0.2  # of the width


def captioned(overlay: RgbPixels, outcome: Outcome, facts: RunFacts) -> RgbPixels:
    """Set the bands above and below a film.

    Args:
        overlay: (H, W, 3) uint8, the film with its heat; it stands in the result pixel for pixel, in the
            middle below a band of TOP_BAND of the width.
        outcome: the film's row.
        facts: what the bands state of model and operating point.

    Returns:
        (rows, columns, 3) uint8, at least LEAST_WIDTH columns.
    """
    height, width = overlay.shape[:2]
    across = max(width, LEAST_WIDTH)
    top, bottom = round(TOP_BAND * across), round(BOTTOM_BAND * across)
    pixels = np.zeros((top + height + bottom, across, 3), np.uint8)
    left = (across - width) // 2
    pixels[:top] = _top(across, top, outcome, facts)
    pixels[top : top + height, left : left + width] = overlay
    pixels[top + height :] = _bottom(across, bottom, facts)
    return pixels


def _top(width: int, height: int, outcome: Outcome, facts: RunFacts) -> RgbPixels:
    band = Image.new("RGB", (width, height))
    draw, gap = ImageDraw.Draw(band), round(GAP * width)
    large, small = _font(0.030 * width, bold=True), _font(0.0175 * width)
    draw.text((gap, 0.36 * height), wording.NOT_FOR_DIAGNOSIS, ALARM, large, anchor="lm")
    score = "" if outcome.score is None else f"{outcome.score:.2f}"
    draw.text((width - gap, 0.36 * height), score, TRIAGE_RGB[outcome.triage], large, anchor="rm")
    taken = draw.textlength(score, large)
    word = wording.result_word(outcome)
    draw.text((width - 2 * gap - taken, 0.36 * height), word, TRIAGE_RGB[outcome.triage], large, anchor="rm")
    meaning = f"score 0 to 100, flagged from {100 * facts.threshold:.2f} on ({facts.operating_point})"
    draw.text((width - gap, 0.77 * height), meaning, QUIET, small, anchor="rm")
    draw.text((gap, 0.77 * height), "Computer-made; it never clears a film.", QUIET, small, anchor="lm")
    return np.asarray(band, np.uint8)


def _bottom(width: int, height: int, facts: RunFacts) -> RgbPixels:
    band = Image.new("RGB", (width, height))
    draw, gap = ImageDraw.Draw(band), round(GAP * width)
    small = _font(0.0165 * width)
    made_by = f"{facts.product} · model {facts.model} {facts.model_sha256[:12]}"
    draw.text((gap, 0.3 * height), made_by, QUIET, small, anchor="lm")
    if facts.is_calibrated:
        second, colour = "Colour does not outline a finding; disease can lie where there is none.", QUIET
    else:
        second, colour = "NOT CALIBRATED: scores rank films, but they are not probabilities.", ALARM
    draw.text((gap, 0.72 * height), second, colour, small, anchor="lm")
    _legend(
        draw,
        width - gap,
        round(0.3 * height),
        width,
        legend(facts.heat_threshold, facts.presentation.colours),
    )
    return np.asarray(band, np.uint8)


def _legend(
    draw: ImageDraw.ImageDraw, right: int, middle: int, width: int, steps: tuple[ColourStep, ...]
) -> None:
    """The colours from the threshold to 1, at the right end of the band."""
    small, gap = _font(0.0165 * width), round(GAP * width / 2)
    draw.text((right, middle), "1", WHITE, small, anchor="rm")
    right -= round(draw.textlength("1", small)) + gap
    each, half = round(LEGEND_WIDTH * width / len(steps)), round(0.009 * width)
    left = right - each * len(steps)
    for place, step in enumerate(steps):
        box = (left + place * each, middle - half, left + (place + 1) * each - 1, middle + half)
        draw.rectangle(box, fill=step.rgb)
        if step.line:
            draw.rectangle((box[0], box[1], box[0] + step.line - 1, box[3]), fill=LINE_RGB)
    draw.text((left - gap, middle), f"heat {steps[0].low:.2f}", WHITE, small, anchor="rm")


def _font(size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(BytesIO(_font_file(bold=bold)), max(9, round(size)))


@cache
def _font_file(*, bold: bool) -> bytes:
    name = f"DejaVuSansCondensed{'-Bold' if bold else ''}.ttf"
    return files("cxr_runtime.reports.pdf.fonts").joinpath(name).read_bytes()
