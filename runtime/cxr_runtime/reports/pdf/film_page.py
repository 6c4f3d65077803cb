"""One film of the report: as it is, and with its heat, beside each other; what is said of it; its verdict."""

from functools import partial
from io import BytesIO

from fpdf.enums import Align

from cxr_runtime.language import _, number
from cxr_runtime.names import folder_and_name
from cxr_runtime.placement import Outline
from cxr_runtime.reports import meaning, wording
from cxr_runtime.reports.exhibit import Exhibit, Picture
from cxr_runtime.reports.pdf.images import film_image, heat_image
from cxr_runtime.reports.pdf.marks import REVIEW, draw_legend, draw_result, draw_score_bar, result_colour
from cxr_runtime.reports.pdf.sheet import (
    BETWEEN_FACTS,
    INK,
    INNER,
    LINE_HEIGHT,
    MARGIN,
    POINT,
    QUIET,
    TOP,
    Frame,
    Rgb,
    Sheet,
)
from cxr_runtime.reports.pdf.verdict import draw_verdict
from cxr_runtime.store.rows import RunFacts

GAP = 5.0  # mm between the two pictures
BOX_W = (INNER - GAP) / 2  # mm; a picture is as large as fits
PICTURES_TOP = TOP + 20  # mm; lower where it takes several lines to say whose film it is
VERDICT_TOP = 183.0  # mm
UNDER = 1.5  # mm between pictures and words
LEAST_WORDS = 17.5  # mm that words beneath the pictures have; more take it from the pictures
SMALLEST = 70.0  # mm, height of the pictures' box
LEGEND_H = 5.0  # mm
PARAGRAPH_GAP = 0.6  # mm
Words = tuple[tuple[str, float, Rgb], ...]  # paragraphs: text, size in points, colour


def add_film_page(sheet: Sheet, exhibit: Exhibit, run: RunFacts, rank: int | None) -> None:
    """Add the page of a scored film; `rank` is its place by suspicion, from 1, None where it stands alone."""
    sheet.add_page()
    top = max(_head(sheet, exhibit, rank), PICTURES_TOP)
    where = wording.where_heat_lies(exhibit.picture)
    left, right = _words(exhibit, run, where), _notice(exhibit, run)
    tall = max(_height(sheet, left), _height(sheet, right) + LEGEND_H, LEAST_WORDS)
    box_h = max(VERDICT_TOP - top - UNDER - tall, SMALLEST)
    if exhibit.picture is None:
        sheet.say(MARGIN, top, _("The picture of this film was not kept."), 10, colour=QUIET)
    else:
        _pictures(sheet, exhibit.picture, _alternative(where), top, box_h)
    beneath = top + box_h + UNDER
    _say(sheet, left, MARGIN, beneath)
    if right:
        with sheet.tagged("P"):
            legend = partial(draw_legend, sheet, MARGIN + BOX_W + GAP, beneath, run)
            sheet.again(("legend", beneath), legend)
        _say(sheet, right, MARGIN + BOX_W + GAP, beneath + LEGEND_H)
    technical = f"{exhibit.outcome.sha256[:12]} \u00b7 {run.model} {run.model_sha256[:12]}"
    sheet.say(MARGIN, 195.2, technical, 6, "", QUIET, INNER, Align.R)
    with sheet.tagged("P"):
        sheet.again("verdict", partial(draw_verdict, sheet, VERDICT_TOP))


def _head(sheet: Sheet, exhibit: Exhibit, rank: int | None) -> float:
    """Print what the film is, whose, and its score.

    Returns:
        y below which there is room.
    """
    outcome = exhibit.outcome
    left = INNER * 0.56
    large, small = exhibit.heading or reversed(folder_and_name(outcome.file))
    with sheet.tagged("H1"):
        sheet.quote(MARGIN, TOP - 4, large, 15, left)
    sheet.bookmark(f"{number(outcome.score or 0, 2)}  {large}", 0 if rank is None else 1)
    sheet.quote(MARGIN, TOP + 3.8, small, 9, left, QUIET)
    facts = [
        wording.view_word(outcome),
        "" if rank is None else _("rank {rank} by suspicion", rank=number(rank)),
        wording.heat_in_lungs(outcome),
    ]
    sheet.say(MARGIN, TOP + 9, BETWEEN_FACTS.join(fact for fact in facts if fact), 9, colour=QUIET)
    beneath = sheet.quote_facts(MARGIN, TOP + 14, exhibit.owner, 9, left) + UNDER
    x, width = MARGIN + left + 6, INNER - left - 6
    draw_result(sheet, x, TOP - 3.4, outcome, 13)
    sheet.say(x, TOP - 4, number(outcome.score or 0, 2), 18, "B", result_colour(outcome), width, Align.R)
    draw_score_bar(sheet, x, TOP + 5.5, width, outcome)
    return beneath


def _alternative(where: str) -> str:
    """The second picture in words."""
    heat = _("Heat: {where}", where=where) if where else _("Heat: none is coloured")
    return _("The film with its heat. {heat}", heat=heat)


def _pictures(sheet: Sheet, picture: Picture, alternative: str, top: float, box_h: float) -> None:
    """The film twice, the second time with its heat on top."""
    frames = [_frame(sheet, picture, MARGIN + place * (BOX_W + GAP), top, box_h) for place in (0, 1)]
    film = film_image(sheet, picture.preview_jpeg)
    for frame, words in zip(frames, (_("The film."), alternative), strict=True):
        with sheet.tagged("Figure", words):
            sheet.image(film or BytesIO(picture.preview_jpeg), *frame)
            if frame is frames[1]:
                if picture.heat_png is not None:
                    sheet.image(heat_image(sheet, picture.heat_png) or BytesIO(picture.heat_png), *frame)
                for outline in picture.lung_outlines:
                    _outline(sheet, outline, frame)


def _frame(sheet: Sheet, picture: Picture, left: float, top: float, box_h: float) -> Frame:
    """Where a picture lies in its box: as large as fits, centred."""
    rows, columns = picture.film_hw
    scale = min(BOX_W / columns, box_h / rows)
    width, height = columns * scale, rows * scale
    box = sheet.across(left, BOX_W)
    return box + (BOX_W - width) / 2, top + (box_h - height) / 2, width, height


def _outline(sheet: Sheet, outline: Outline, frame: Frame) -> None:
    x, y, width, height = frame
    sheet.set_draw_color(255, 255, 255)
    sheet.set_line_width(0.25)
    sheet.shape((x + across * width, y + down * height) for across, down in outline)


def _words(exhibit: Exhibit, run: RunFacts, where: str) -> Words:
    """Where the heat lies, what the score means, and remarks."""
    said: list[tuple[str, float, Rgb]] = [
        (_("Heat: {where}", where=where) if where else "", 10.5, INK),
        (meaning.films_like_this(exhibit.outcome, run), 9.5, INK),
    ]
    for remark in wording.remarks(exhibit.outcome):
        said.append((remark[:1].upper() + remark[1:], 9, REVIEW))
    return tuple(paragraph for paragraph in said if paragraph[0])


def _notice(exhibit: Exhibit, run: RunFacts) -> Words:
    """What heat is not; nothing where there is none."""
    if exhibit.picture is None or exhibit.picture.heat_png is None:
        return ()
    return ((wording.heat_notice(run), 7.5, QUIET),)


def _height(sheet: Sheet, words: Words) -> float:
    """mm that paragraphs take."""
    return sum(
        len(sheet.wrapped(text, size, BOX_W)) * LINE_HEIGHT * size * POINT + PARAGRAPH_GAP
        for text, size, _colour in words
    )


def _say(sheet: Sheet, words: Words, x: float, y: float) -> None:
    for text, size, colour in words:
        y = sheet.paragraph(x, y, text, size, BOX_W, colour) + PARAGRAPH_GAP
