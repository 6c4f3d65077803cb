"""A PDF that a screen reader walks through: headings, paragraphs, pictures in words; and its bookmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fpdf import FPDF
from fpdf.outline import OutlineSection
from fpdf.syntax import DestinationXYZ

from cxr_runtime.names import printable

ARTIFACT = "Artifact"  # on every page, or mere decoration: screen readers pass it over (PDF 14.8.2.2)


class TaggedPdf(FPDF):
    """What is drawn within `tagged` is an element; elements follow each other as they are drawn."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._is_tagged = False  # what is written now belongs to an element that was begun
        self._marked = (0, 0)  # page, and elements on it so far

    @contextmanager
    def tagged(self, kind: str, alternative: str | None = None) -> Iterator[None]:
        """What is drawn within is one element for a screen reader (PDF 14.7, 14.8).

        Args:
            kind: a standard structure type, e.g. `P`, `H1`, `Figure`; or ARTIFACT.
            alternative: of a figure, in words.
        """
        if self._is_tagged:
            yield
            return
        if kind == ARTIFACT:
            self._out(f"/{ARTIFACT} BMC")
        else:
            page, count = self._marked
            number_on_page = count if page == self.page else 0
            self._marked = (self.page, number_on_page + 1)
            self._add_marked_content(struct_type=f"/{kind}", mcid=number_on_page, alt_text=alternative)
            self._out(f"/{kind} <</MCID {number_on_page}>> BDC")
        self._is_tagged = True
        yield
        self._is_tagged = False
        self._out("EMC")

    def bookmark(self, name: str, level: int = 0) -> None:
        """An entry of the outline, which leads to the top of this page."""
        self._outline.append(
            OutlineSection(printable(name), level, self.page, DestinationXYZ(self.page, top=self.h_pt), None)
        )
