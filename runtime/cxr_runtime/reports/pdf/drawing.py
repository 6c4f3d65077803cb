"""Drawing on a page of a PDF: what FPDF writes, byte by byte, in a part of its time."""

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from fpdf import FPDF
from fpdf.enums import PDFResourceType

_FONT = re.compile(rb"/F(\d+) ")  # where a page sets a font (PDF 32000-1, 9.3.1)
# What of a PDF's state decides how something is written: what is set already is not set again.
_STATE = (
    "font_family", "font_style", "font_size_pt", "current_font", "current_font_is_set_on_page", "draw_color",
    "fill_color", "line_width",
)  # fmt: skip


class DrawingPdf(FPDF):
    """A PDF whose pages say much that was said on others."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._written: dict[Hashable, tuple[bytes, tuple[Any, ...]]] = {}  # as of `again`

    def again(self, name: Hashable, draw: Callable[[], None]) -> None:
        """Draw what stands on many pages; only its first time costs as much as it takes.

        Args:
            name: by which it is known, with all that it depends on.
            draw: draws it; no element of `tagged` may begin in it.
        """
        key = (name, *(getattr(self, entry) for entry in _STATE))
        contents = self.pages[self.page].contents
        if key not in self._written:
            start = len(contents)
            draw()
            self._written[key] = bytes(contents[start:]), tuple(getattr(self, entry) for entry in _STATE)
            return
        written, state = self._written[key]
        contents += written
        for font in {*_FONT.findall(written)}:
            self._resource_catalog.add(PDFResourceType.FONT, int(font), self.page)
        for entry, value in zip(_STATE, state, strict=True):
            setattr(self, entry, value)

    def polygon(self, point_list: Sequence[tuple[float, float]], *_: Any, style: str = "D", **__: Any) -> None:
        """Draw a polygon: its corners in mm; style `D` for its border, `F` to fill it."""
        scale, height = self.k, self.h
        corners = [f"{x * scale:.2f} {(height - y) * scale:.2f}" for x, y in point_list]
        lines = "".join(f"\n{corner} l" for corner in corners[1:])
        self._out(f"{corners[0]} m{lines}\n h\n {'S' if style == 'D' else 'f'}")

    def _out(self, content: str | bytes) -> None:
        """Add an operator to the page."""
        self.pages[self.page].contents += (content if isinstance(content, bytes) else content.encode("latin-1")) + b"\n"
