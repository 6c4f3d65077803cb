"""Drawing on a page of a PDF: what FPDF writes, byte by byte, in a part of its time."""

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from fpdf.enums import PDFResourceType

from cxr_runtime.reports.pdf.producing import ProducedPdf

_FONT = re.compile(rb"/F(\d+) ")  # where a page sets a font (PDF 32000-1, 9.3.1)
# What of a PDF's state decides how something is written: what is set already is not set again.
_STATE = (
    "font_family", "font_style", "font_size_pt", "current_font", "current_font_is_set_on_page", "draw_color",
    "fill_color", "line_width",
)  # fmt: skip


class DrawingPdf(ProducedPdf):
    """A PDF whose pages say much that was said on others."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._written: dict[Hashable, tuple[bytes, set[int], tuple[Any, ...]]] = {}  # by `again`

    def again(self, name: Hashable, draw: Callable[[], None]) -> None:
        """Draw what stands on many pages; only its first time costs as much as it takes.

        Args:
            name: by which it is known, with all that it depends on.
            draw: draws it; no element of `tagged` may begin in it.
        """
        key, contents = (name, *self._state()), self._contents()
        if key not in self._written:
            start = len(contents)
            draw()
            written = bytes(contents[start:])
            self._written[key] = written, {int(font) for font in _FONT.findall(written)}, self._state()
            return
        written, fonts, state = self._written[key]
        contents += written
        for font in fonts:
            self._resource_catalog.add(PDFResourceType.FONT, font, self.page)
        for entry, value in zip(_STATE, state, strict=True):
            setattr(self, entry, value)

    def shape(self, corners: Iterable[tuple[float, float]], *, is_filled: bool = False) -> None:
        """Draw a polygon, or fill it; its corners in mm. FPDF's `polygon` writes them one by one."""
        scale, height = self.k, self.h
        first, *others = [f"{x * scale:.2f} {(height - y) * scale:.2f}" for x, y in corners]
        lines = "".join(f"\n{corner} l" for corner in others)
        self._out(f"{first} m{lines}\n h\n {'f' if is_filled else 'S'}")

    def _out(self, s: str | bytes) -> None:
        """Add an operator to the page."""
        contents = self._contents()
        contents += s if isinstance(s, bytes) else s.encode("latin-1")
        contents += b"\n"

    def _contents(self) -> bytearray:
        """What the page holds so far."""
        contents = self.pages[self.page].contents
        assert isinstance(contents, bytearray)
        return contents

    def _state(self) -> tuple[Any, ...]:
        return tuple(getattr(self, entry) for entry in _STATE)
