"""One film of the report: as it is, and with its heat, beside each other."""

from io import BytesIO

from fpdf.enums import Align

from cxr_runtime.heat.overlay import legend
from cxr_runtime.names import folder_and_name
from cxr_runtime.placement import Outline
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Exhibit, Picture
from cxr_runtime.reports.pdf.marks import REVIEW, draw_result, draw_score_bar, result_colour
from cxr_runtime.reports.pdf.sheet import INK, INNER, MARGIN, QUIET, TOP, Frame, Sheet
from cxr_runtime.store.rows import RunFacts

GAP = 5.0  # mm between the two pictures
BOX_W, BOX_H = (INNER - GAP) / 2, 126.0  # mm; a picture is as large as fits
PICTURES_TOP = TOP + 21  # mm
UNDER_PICTURES = PICTURES_TOP + BOX_H + 1.5  # mm


def add_film_page(sheet: Sheet, exhibit: Exhibit, run: RunFacts, rank: int | None) -> None:
    """Add the page of a scored film; `rank` is its place by suspicion, from 1, None where it stands alone."""
    sheet.add_page()
    _head(sheet, exhibit, rank)
    if exhibit.picture is None:
        sheet.say(MARGIN, PICTURES_TOP, "The picture of this film was not kept.", 10, colour=QUIET)
    else:
        _pictures(sheet, exhibit.picture)
    _remarks(sheet, exhibit, run)


def _head(sheet: Sheet, exhibit: Exhibit, rank: int | None) -> None:
    outcome = exhibit.outcome
    left = INNER * 0.56
    large, small = exhibit.heading or reversed(folder_and_name(outcome.file))
    sheet.quote(MARGIN, TOP - 4, large, 15, left)
    sheet.quote(MARGIN, TOP + 3.8, small, 9, left, QUIET)
    view = f"view {outcome.view}" if outcome.view else ""
    facts = [
        view,
        "" if rank is None else f"rank {rank} by suspicion",
        wording.heat_in_lungs(outcome),
        f"sha256 {outcome.sha256[:12]}",
    ]
    sheet.say(MARGIN, TOP + 9, " \u00b7 ".join(fact for fact in facts if fact), 9, colour=QUIET)
    if exhibit.owner:
        sheet.quote(MARGIN, TOP + 14, " \u00b7 ".join(exhibit.owner), 9, left)
    x, width = MARGIN + left + 6, INNER - left - 6
    draw_result(sheet, x, TOP - 3.4, outcome, 13)
    sheet.say(x, TOP - 4, f"{outcome.score:.2f}", 18, "B", result_colour(outcome), width, Align.R)
    draw_score_bar(sheet, x, TOP + 5.5, width, outcome)


def _pictures(sheet: Sheet, picture: Picture) -> None:
    """The film twice, the second time with its heat on top."""
    frames = [_frame(picture, MARGIN + place * (BOX_W + GAP)) for place in (0, 1)]
    for frame in frames:
        _image(sheet, picture.preview_jpeg, frame)
    if picture.heat_png is not None:
        _image(sheet, picture.heat_png, frames[1])
    for outline in picture.lung_outlines:
        _outline(sheet, outline, frames[1])


def _frame(picture: Picture, left: float) -> Frame:
    """Where a picture lies in its box: as large as fits, centred."""
    rows, columns = picture.film_hw
    scale = min(BOX_W / columns, BOX_H / rows)
    width, height = columns * scale, rows * scale
    return left + (BOX_W - width) / 2, PICTURES_TOP + (BOX_H - height) / 2, width, height


def _image(sheet: Sheet, content: bytes, frame: Frame) -> None:
    x, y, width, height = frame
    sheet.image(BytesIO(content), x, y, width, height)


def _outline(sheet: Sheet, outline: Outline, frame: Frame) -> None:
    x, y, width, height = frame
    sheet.set_draw_color(255, 255, 255)
    sheet.set_line_width(0.25)
    sheet.polygon([(x + across * width, y + down * height) for across, down in outline])


def _remarks(sheet: Sheet, exhibit: Exhibit, run: RunFacts) -> None:
    """Remarks on the left; on the right the legend of the heat and what it is not."""
    right = MARGIN + BOX_W + GAP
    y = UNDER_PICTURES
    for remark in wording.remarks(exhibit.outcome):
        y = sheet.paragraph(MARGIN, y, remark[:1].upper() + remark[1:], 9.5, BOX_W, REVIEW) + 0.8
    if exhibit.picture is not None and exhibit.picture.heat_png is not None:
        _legend(sheet, right, UNDER_PICTURES, run.heat_threshold)
        sheet.paragraph(right, UNDER_PICTURES + 4.6, wording.HEAT_NOTICE, 7.5, BOX_W, QUIET)


def _legend(sheet: Sheet, x: float, y: float, threshold: float) -> None:
    sheet.say(x, y, f"heat {threshold:.2f}", 8, colour=INK)
    for place, step in enumerate(legend(threshold)):
        sheet.set_fill_color(*step.rgb)
        sheet.rect(x + 16 + 6 * place, y + 0.3, 6, 3.2, style="F")
    sheet.say(x + 65.5, y, "1", 8, colour=INK)
