"""The paper of the report: its size, fonts and colours, and what stands on every page."""

from importlib.resources import as_file, files

from fpdf import FPDF, image_parsing
from fpdf.enums import Align, MethodReturnValue
from fpdf.fonts import TTFFont

from cxr_runtime.names import escaped, printable
from cxr_runtime.reports import wording
from cxr_runtime.reports.pdf.installed_fonts import FONT_ERRORS, font_for
from cxr_runtime.store.rows import RunFacts

Rgb = tuple[int, int, int]
Frame = tuple[float, float, float, float]  # x, y, width and height in mm

WIDTH, HEIGHT = 297.0, 210.0  # mm; A4, landscape: two films beside each other are as large as can be
MARGIN = 14.0  # mm
INNER = WIDTH - 2 * MARGIN  # mm
TOP, BOTTOM = 30.0, 194.0  # mm; a page's own content lies between
POINT = 25.4 / 72  # mm
LINE_HEIGHT = 1.35  # of a line of text, in its size

INK: Rgb = (23, 32, 43)
QUIET: Rgb = (88, 99, 114)
LINE: Rgb = (208, 214, 222)
PALE: Rgb = (240, 242, 245)
ALARM: Rgb = (168, 35, 27)

# Stands for the number of pages until it is known: two figure spaces, each as wide as a digit.
PAGES = "\u2007\u2007"
FAMILY = "DejaVuSansCondensed"  # as its files in pdf/fonts
HEAT_DEFLATE_LEVEL = 1  # of zlib's 0..9: pictures of few colours are small at any

FIRST_JOINED, LAST_JOINED = 0x0590, 0x18AF  # Hebrew .. Mongolian: scripts whose letters join, stack or turn


class Sheet(FPDF):
    """A PDF in the making; coordinates are mm from the top left corner."""

    def __init__(self, run: RunFacts) -> None:
        super().__init__(orientation="landscape", format="A4")
        image_parsing.SETTINGS.compression_level = HEAT_DEFLATE_LEVEL
        self._run = run
        self._readable: set[str] = set()  # characters that some loaded font has
        self._wrapped: dict[tuple[str, float, float], list[str]] = {}  # lines of paragraphs seen before
        self._borrowed: list[str] = []  # installed fonts in use, by name
        self.set_auto_page_break(False)
        self.alias_nb_pages(PAGES)
        self.set_margin(0)
        self.c_margin = 0
        for style, suffix in (("", ""), ("B", "-Bold")):
            with as_file(files("cxr_runtime.reports.pdf.fonts").joinpath(f"{FAMILY}{suffix}.ttf")) as path:
                self.add_font(FAMILY, style, path)
        self._state_facts()

    def close(self) -> None:
        """Close the font files, which stay open while glyphs may still be read from them."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def _state_facts(self) -> None:
        self.set_title(f"Chest film report, {wording.finished(self._run)}")
        self.set_subject("Chest films ranked by suspicion; research use only")
        self.set_creator(printable(self._run.product))
        self.set_producer(printable(self._run.product))
        self.set_lang("en")
        self.set_creation_date(self._run.finished)

    def header(self) -> None:
        """Product, model and date; called by `add_page`."""
        run = self._run
        self.say(MARGIN, 9, f"{run.product} · model {run.model} {run.model_sha256[:12]}", 8, colour=QUIET)
        self.say(MARGIN, 9, wording.finished(run), 8, colour=QUIET, width=INNER, align=Align.R)
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.line(MARGIN, 14.5, WIDTH - MARGIN, 14.5)
        alarm = run.foreign if run.is_calibrated else wording.UNCALIBRATED_NOTICE
        if alarm:
            self.set_fill_color(*ALARM)
            self.rect(MARGIN, 16, INNER, 7.5, style="F")
            self.say(MARGIN, 17.2, alarm, 9.5, "B", (255, 255, 255), INNER, Align.C)

    def footer(self) -> None:
        """The notice and the page number; called at the end of every page."""
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.line(MARGIN, 198.5, WIDTH - MARGIN, 198.5)
        self.say(MARGIN, 199.5, wording.RESEARCH_NOTICE, 8, colour=QUIET)
        self.say(MARGIN, 199.5, f"page {self.page_no()} of {PAGES}", 8, "", QUIET, INNER, Align.R)

    def say(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        style: str = "",
        colour: Rgb = INK,
        width: float = 0,
        align: Align = Align.L,
    ) -> None:
        """Print one line of our own words; its top left corner at (x, y), its size in points."""
        self.set_font(FAMILY, style, size)
        self.set_text_color(*colour)
        self.set_xy(x, y)
        self.cell(width or WIDTH - x, LINE_HEIGHT * size * POINT, text, align=align)

    def quote(self, x: float, y: float, text: str, size: float, width: float, colour: Rgb = INK) -> None:
        """Print one line of text from outside, in any script, cut in its middle where it is too long."""
        self.set_font(FAMILY, "", size)
        known = self.legible(text)
        if any(FIRST_JOINED <= ord(character) <= LAST_JOINED for character in known):
            self.set_text_shaping(True)
        self.say(x, y, self._cut(known, width), size, "", colour, width)
        self.set_text_shaping(False)

    def paragraph(self, x: float, y: float, text: str, size: float, width: float, colour: Rgb = INK) -> float:
        """Print a wrapped paragraph, legible whatever it holds.

        Returns:
            y of its lower end.
        """
        for line in self.wrapped(text, size, width):
            self.say(x, y, line, size, "", colour)
            y += LINE_HEIGHT * size * POINT
        return y

    def wrapped(self, text: str, size: float, width: float) -> list[str]:
        """The lines of a paragraph."""
        key = (text, size, width)
        if key not in self._wrapped:
            self.set_font(FAMILY, "", size)
            shown = self.legible(text)
            lines = self.multi_cell(
                width, text=shown, dry_run=True, output=MethodReturnValue.LINES, align=Align.L
            )
            assert isinstance(lines, list)
            self._wrapped[key] = lines
        return self._wrapped[key]

    def legible(self, text: str) -> str:
        """The text with every character that no font on this machine has spelt out, e.g. `\\u4e00`."""
        return "".join(
            character if self._can_write(character) else escaped(character) for character in printable(text)
        )

    def _can_write(self, character: str) -> bool:
        if character not in self._readable:
            if not self._has(FAMILY.lower(), character) and not self._borrow(character):
                return False
            self._readable.add(character)
        return True

    def _has(self, font: str, character: str) -> bool:
        loaded = self.fonts[font]
        return isinstance(loaded, TTFFont) and ord(character) in loaded.cmap

    def _borrow(self, character: str) -> bool:
        """Load the installed font that has the character, if there is one."""
        found = font_for(character)
        if found is None:
            return False
        name = found.path.stem.lower()
        if name not in self.fonts:
            try:
                self.add_font(name, "", found.path)
            except FONT_ERRORS:
                return False
            self._borrowed.append(name)
            self.set_fallback_fonts(self._borrowed, exact_match=False)
        return self._has(name, character)

    def _cut(self, text: str, width: float) -> str:
        if self.get_string_width(text) <= width:
            return text
        kept = len(text)
        while kept > 2 and self.get_string_width(_without_middle(text, kept)) > width:
            kept -= 1 + kept // 40
        return _without_middle(text, kept)


def _without_middle(text: str, kept: int) -> str:
    """The first and last characters of a text, `kept` of them."""
    return f"{text[: kept - kept // 2]}\u2026{text[len(text) - kept // 2 :]}"
