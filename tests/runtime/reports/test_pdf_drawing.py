"""What a PDF draws again is what it would have drawn, byte by byte."""

from collections.abc import Callable, Hashable
from contextlib import closing
from dataclasses import replace

import pytest
from fpdf.output import OutputProducer

from cxr_runtime.language import language, speaking
from cxr_runtime.reports.pdf.drawing import DrawingPdf
from cxr_runtime.reports.pdf.film_page import add_film_page
from cxr_runtime.reports.pdf.producing import Producer
from cxr_runtime.reports.pdf.sheet import FAMILY, INK, Sheet
from cxr_runtime.store.rows import RunFacts
from drawn_exhibits import RUN, picture, scored

REMARK = "taken lying down, " * 40  # so long that the words take room from the pictures
FILMS = (
    scored("night/a.png", 0.95),
    scored("night/b.png", 0.9, lung_heat_share=0.2),
    scored("night/c.png", 0.85, message=REMARK),
    scored("night/d.png", 0.8, has_picture=False),
    replace(scored("night/e.png", 0.7), picture=picture(is_scored=False)),  # no heat, so no legend
    scored("night/f.png", 0.44),  # to review
    scored("night/g.png", 0.43),
)


def document(run: RunFacts = RUN, producer: type[OutputProducer] = Producer) -> bytes:
    """A PDF of the films, each twice."""
    with closing(Sheet(run)) as sheet:
        for rank, film in enumerate((*FILMS, *FILMS[::-1]), start=1):
            add_film_page(sheet, film, run, rank)
        return bytes(sheet.output(output_producer_class=producer))


@pytest.mark.parametrize("name", ["en", "ar", "fr"])
@pytest.mark.parametrize("is_calibrated", [True, False])
def test_what_stands_on_many_pages_is_as_if_it_were_drawn_on_each(
    name: str, *, is_calibrated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(_pdf: DrawingPdf, _name: Hashable, draw: Callable[[], None]) -> None:
        draw()

    run = replace(RUN, is_calibrated=is_calibrated)
    with speaking(language(name)):
        ours = document(run)
        monkeypatch.setattr(DrawingPdf, "again", drawn)
        assert ours == document(run)


def test_the_file_is_the_one_that_the_library_writes() -> None:
    assert document() == document(producer=OutputProducer)


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_shape_is_the_polygon_of_the_library(*, is_filled: bool) -> None:
    corners = [(10.0, 20.123), (33.337, 44.4), (12.5, 77.0), (0.005, 0.1)]

    def page(draw: Callable[[DrawingPdf], None]) -> bytes:
        pdf = DrawingPdf()
        pdf.set_creation_date(RUN.finished)
        pdf.add_page()
        draw(pdf)
        return bytes(pdf.output())

    style = "F" if is_filled else "D"
    ours = page(lambda pdf: pdf.shape(iter(corners), is_filled=is_filled))
    assert ours == page(lambda pdf: pdf.polygon(corners, style=style))


@pytest.mark.parametrize("text", ["a film", "(a) \\b", "", "99.5 \u00b7 \u0394\u0416", "aaaa"])
@pytest.mark.parametrize("style", ["", "B"])
def test_words_and_their_widths_are_those_of_the_library(text: str, style: str) -> None:
    def page(says: Callable[[Sheet], None]) -> bytes:
        with closing(Sheet(RUN)) as sheet:
            sheet.add_page()
            sheet.set_font(FAMILY, style, 11.5)
            sheet.set_text_color(*INK)
            assert sheet.sum_of_widths(text) == sheet.get_string_width(text)
            says(sheet)
            return bytes(sheet.output())

    ours = page(lambda sheet: sheet.put(20, 30, text, INK))
    assert ours == page(lambda sheet: sheet.text(20, 30, text))
