"""The paper of the report: its size, fonts and colours, its direction, and what stands on every page."""

from collections.abc import Sequence
from importlib.resources import as_file, files

from fpdf import image_parsing
from fpdf.enums import Align
from fpdf.fonts import TTFFont

from cxr_runtime.language import _, number, spoken
from cxr_runtime.names import escaped, printable
from cxr_runtime.reports import wording
from cxr_runtime.reports.pdf.lines import broken, is_joined, packed, shortened
from cxr_runtime.reports.pdf.other_fonts import FONT_ERRORS, font_for
from cxr_runtime.reports.pdf.tagged import ARTIFACT
from cxr_runtime.reports.pdf.words import WordedPdf
from cxr_runtime.store.rows import RunFacts

Rgb = tuple[int, int, int]
Frame = tuple[float, float, float, float]  # x, y, width and height in mm

WIDTH, HEIGHT = 297.0, 210.0  # mm; A4, landscape: two films beside each other are as large as can be
MARGIN = 14.0  # mm
INNER = WIDTH - 2 * MARGIN  # mm
TOP, BOTTOM = 30.0, 194.0  # mm; a page's own content lies between
POINT = 25.4 / 72  # mm
LINE_HEIGHT = 1.35  # of a line of text, in its size
BASELINE = 0.3  # of the size, below the middle of a line: where fpdf2 sets the words of a cell

INK: Rgb = (23, 32, 43)
QUIET: Rgb = (88, 99, 114)
LINE: Rgb = (208, 214, 222)
PALE: Rgb = (240, 242, 245)
ALARM: Rgb = (168, 35, 27)

BETWEEN_FACTS = " \u00b7 "
FIGURE_SPACE = "\u2007"  # as wide as a digit
FONT_FILE = "DejaVuSansCondensed"  # of pdf/fonts
FAMILY = FONT_FILE.lower()  # as fpdf2 calls it
HEAT_DEFLATE_LEVEL = 1  # of zlib's 0..9: pictures of few colours are small at any


class Sheet(WordedPdf):
    """A PDF in the making; coordinates are mm from the top left corner, or from the right one in languages
    that are written from right to left: the whole page is then mirrored, but for what is drawn.
    """

    def __init__(self, run: RunFacts, most_pages: int = 1) -> None:
        """Begin a PDF.

        Args:
            run: what its pages say of the run.
            most_pages: that it may have; their number is known only when it is done.
        """
        super().__init__(orientation="landscape", format="A4")
        image_parsing.SETTINGS.compression_level = HEAT_DEFLATE_LEVEL
        self._run, self._alarms = run, wording.alarms(run)
        self.is_mirrored = spoken().is_right_to_left
        self.is_spelt_out = False  # a character was met that no font has
        self._readable: set[str] = set()  # characters that some loaded font has
        self._own: set[str] = set()  # of these, those that our fonts have, also in bold
        self._wrapped: dict[tuple[str, float, float], list[str]] = {}  # lines of paragraphs seen before
        self._widths: dict[tuple[str, str, float], float] = {}  # mm, of words seen before in a style and size
        self._borrowed: list[str] = []  # other fonts in use, by name
        self.set_auto_page_break(False)
        self._pages = FIGURE_SPACE * max(2, len(str(most_pages)))  # stands for their number until it is known
        self.alias_nb_pages(self._pages)
        self.set_margin(0)
        self.c_margin = 0
        for style, suffix in (("", ""), ("B", "-Bold")):
            with as_file(files("cxr_runtime.reports.pdf.fonts").joinpath(f"{FONT_FILE}{suffix}.ttf")) as path:
                self.add_font(FAMILY, style, path)
        self._state_facts()

    def close(self) -> None:
        """Close the font files, which stay open while glyphs may still be read from them."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def _state_facts(self) -> None:
        self.set_title(_("Chest film report, {when}", when=wording.finished(self._run)))
        self.set_subject(_("Chest films ranked by suspicion; research use only"))
        self.set_creator(printable(self._run.product))
        self.set_producer(printable(self._run.product))
        self.set_lang(spoken().code)
        self.set_creation_date(self._run.finished)

    def header(self) -> None:
        """Program, date and alarms; called by `add_page`."""
        with self.tagged(ARTIFACT):
            self.again("header", self._head)
        for alarm in self._alarms[:1]:
            self.set_fill_color(*ALARM)
            self.rect(MARGIN, 16, INNER, 7.5, style="F")
            self.say(MARGIN, 17.2, alarm, 9.5, "B", (255, 255, 255), INNER, Align.C)

    def footer(self) -> None:
        """The notice and the page number; called at the end of every page."""
        with self.tagged(ARTIFACT):
            self.again("footer", self._foot)
            pages = _("page {page} of {pages}", page=number(self.page_no()), pages=self._pages)
            self.say(MARGIN, 199.2, pages, 9.5, "", INK, INNER, Align.R)

    def _head(self) -> None:
        self.say(MARGIN, 9, self._run.product, 8, colour=QUIET)
        self.say(MARGIN, 9, wording.finished(self._run), 8, colour=QUIET, width=INNER, align=Align.R)
        self.rule(14.5)

    def _foot(self) -> None:
        self.rule(198.5)
        self.say(MARGIN, 199.5, _(wording.RESEARCH_NOTICE), 8, colour=QUIET)

    def rule(self, y: float) -> None:
        """A thin line across the page."""
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.line(MARGIN, y, WIDTH - MARGIN, y)

    def across(self, x: float, width: float) -> float:
        """Where a box of this width begins, counted from the left, whatever the direction of the language."""
        return WIDTH - x - width if self.is_mirrored else x

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
        kind: str = "P",
    ) -> None:
        """Print one line of our own words; its top left corner at (x, y), its size in points."""
        self.choose(FAMILY, style, size)
        shown = self.legible(text)
        if self.is_mirrored:
            width = width or WIDTH - x
            align = {Align.L: Align.R, Align.R: Align.L}.get(align, align)
        left, height = self.across(x, width) if width else x, LINE_HEIGHT * size * POINT
        width = width or WIDTH - x
        with self.tagged(kind):
            if self._own.issuperset(shown) and not is_joined(shown):  # in a small part of the time of a cell
                spare = 0.0 if align is Align.L else width - self._width_of(shown)
                baseline = y + 0.5 * height + BASELINE * self.font_size
                self.put(left + (spare / 2 if align is Align.C else spare), baseline, shown, colour)
                return
            self.set_text_color(*colour)
            self._set_direction(shown)
            self.set_xy(left, y)
            self.cell(width, height, shown, align=align)
        self.set_text_shaping(False)

    def quote(self, x: float, y: float, text: str, size: float, width: float, colour: Rgb = INK) -> None:
        """Print one line of text from outside, in any script, cut in its middle where it is too long."""
        self.choose(FAMILY, "", size)
        self.say(x, y, shortened(self.legible(text), width, self._width_of), size, "", colour, width)

    def quote_facts(self, x: float, y: float, facts: Sequence[str], size: float, width: float) -> float:
        """Print facts from outside, in as many lines as they need.

        Returns:
            y of their lower end.
        """
        self.choose(FAMILY, "", size)
        for line in packed([self.legible(fact) for fact in facts], BETWEEN_FACTS, width, self._width_of):
            self.say(x, y, line, size, "", INK, width)
            y += LINE_HEIGHT * size * POINT
        return y

    def paragraph(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        width: float,
        colour: Rgb = INK,
    ) -> float:
        """Print a wrapped paragraph, legible whatever it holds.

        Returns:
            y of its lower end.
        """
        with self.tagged("P"):
            for line in self.wrapped(text, size, width):
                self.say(x, y, line, size, "", colour, width)
                y += LINE_HEIGHT * size * POINT
        return y

    def wrapped(self, text: str, size: float, width: float) -> list[str]:
        """The lines of a paragraph."""
        key = (text, size, width)
        if key not in self._wrapped:
            self.choose(FAMILY, "", size)
            self._wrapped[key] = broken(self.legible(text), width, self._width_of)
        return self._wrapped[key]

    def legible(self, text: str) -> str:
        """The text with every character that no font on this machine has spelt out, e.g. `\\u4e00`."""
        if text.isprintable() and self._readable.issuperset(text):
            return text
        return "".join(
            character if self._can_write(character) else escaped(character) for character in printable(text)
        )

    def _set_direction(self, text: str) -> None:
        """Shape a text whose letters join, stack or turn; a name in Latin letters stays as it is."""
        if is_joined(text):
            self.set_text_shaping(True, direction="rtl" if self.is_mirrored else None)

    def _width_of(self, text: str) -> float:
        """mm that a text takes in the font that is set."""
        key = (text, self.font_style, self.font_size_pt)
        if key not in self._widths:
            if self._own.issuperset(text) and not is_joined(text) and self._pages not in text:
                self._widths[key] = self.sum_of_widths(text)
            else:
                self._set_direction(text)
                self._widths[key] = float(self.get_string_width(text))
                self.set_text_shaping(False)
        return self._widths[key]

    def _can_write(self, character: str) -> bool:
        if character not in self._readable:
            is_own = self._has(FAMILY, character)
            if not is_own and not self._borrow(character):
                self.is_spelt_out = True
                return False
            self._readable.add(character)
            if is_own and self._has(f"{FAMILY}B", character):
                self._own.add(character)
        return True

    def _has(self, font: str, character: str) -> bool:
        loaded = self.fonts[font]
        return isinstance(loaded, TTFFont) and ord(character) in loaded.cmap

    def _borrow(self, character: str) -> bool:
        """Load the font that has the character, if there is one."""
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

    def width_of(self, text: str, size: float) -> float:
        """mm that a text takes in the regular font."""
        self.choose(FAMILY, "", size)
        return self._width_of(self.legible(text))
