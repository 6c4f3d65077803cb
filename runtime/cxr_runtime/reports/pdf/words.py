"""Words of a PDF whose glyphs and colours are found once: a report says most of its words on every page."""

from functools import cache
from typing import Any

from fpdf.drawing_primitives import DeviceGray, DeviceRGB, convert_to_device_color
from fpdf.fonts import CoreFont, TTFFont

from cxr_runtime.reports.pdf.tagged import TaggedPdf


class WordedPdf(TaggedPdf):
    """Writes what `FPDF.text` writes, byte by byte, in a third of its time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._letters: dict[str, _Letters] = {}  # of each font

    def put(self, x: float, y: float, text: str, colour: tuple[int, int, int]) -> None:
        """Print words in the font that is chosen (PDF 32000-1, 9.4).

        Args:
            x: left end of their baseline, mm.
            y: of their baseline, mm.
            text: whose characters the font has, and which do not join.
            colour: of the words.
        """
        font, ink = self.current_font, _ink(colour)
        assert font is not None
        if not self.current_font_is_set_on_page:
            self._out(self._set_font_for_page(font, self.font_size_pt))
        if font.fontkey not in self._letters:
            self._letters[font.fontkey] = _Letters(font)
        said = "".join(map(self._letters[font.fontkey].__getitem__, text))
        words = f"BT {x * self.k:.2f} {(self.h - y) * self.k:.2f} Td ({said}) Tj ET"
        self._out(words if self.fill_color == ink else f"q {_operator(colour)} {words} Q")

    def sum_of_widths(self, text: str) -> float:
        """What `get_string_width` gives for such words, mm."""
        font: Any = self.current_font
        units = sum(map(font.cw.__getitem__, map(ord, text)))
        return float(units * self.font_size_pt * 0.001) / self.k

    def choose(self, family: str, style: str, size: float) -> None:
        """Set a font of `add_font`, where it is not set already: family in lower case, size in points."""
        if (family, style, size) != (self.font_family, self.font_style, self.font_size_pt):
            self.font_family, self.font_style, self.font_size_pt = family, style, size
            self.current_font, self.current_font_is_set_on_page = self.fonts[f"{family}{style}"], False


class _Letters(dict[str, str]):
    """Characters as a text in a font holds them (PDF 32000-1, 9.4.3), each found once."""

    def __init__(self, font: CoreFont | TTFFont) -> None:
        super().__init__()
        self._font = font

    def __missing__(self, character: str) -> str:
        self[character] = code = self._font.encode_text(character).removeprefix("(").removesuffix(") Tj")
        return code


@cache
def _ink(colour: tuple[int, int, int]) -> DeviceGray | DeviceRGB:
    """A colour as fpdf2 compares it."""
    ink = convert_to_device_color(*colour)
    assert isinstance(ink, DeviceGray | DeviceRGB)
    return ink


@cache
def _operator(colour: tuple[int, int, int]) -> str:
    """What sets a colour in a page."""
    return _ink(colour).serialize().lower()
