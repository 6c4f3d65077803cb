"""A PDF that a screen reader walks through: headings, paragraphs, pictures in words; and its bookmarks."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from fpdf.outline import OutlineSection
from fpdf.structure_tree import StructElem
from fpdf.syntax import DestinationXYZ

from cxr_runtime.names import printable
from cxr_runtime.reports.pdf.drawing import DrawingPdf

ARTIFACT = "Artifact"  # on every page, or mere decoration: screen readers pass it over (PDF 14.8.2.2)


class Element(StructElem):
    """An element of the structure tree, written without a search for what it holds: a page has twenty."""

    __slots__ = ()

    def serialize(self, *_: Any, **__: Any) -> str:
        """As it stands in the file (PDF 32000-1, 14.7.2)."""
        assert self.pg is not None
        alternative = "" if self.alt is None else f"/Alt {self.alt.serialize()}\n"
        (number_on_page,) = self.k
        place = f"/K [{number_on_page}]\n/P {self.p.ref}\n/Pg {self.pg.ref}"
        return f"{self.id} 0 obj\n<<\n{alternative}{place}\n/S {self.s}\n/Type {self.type}\n>>\nendobj"


class _Within(AbstractContextManager[None]):
    """Within an element, which ends here; one for all elements, for none begins within another."""

    def __init__(self, pdf: "TaggedPdf") -> None:
        self._pdf = pdf

    def __exit__(self, *_: object) -> None:
        self._pdf.end_tagged()


class TaggedPdf(DrawingPdf):
    """What is drawn within `tagged` is an element; elements follow each other as they are drawn."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._is_tagged = False  # what is written now belongs to an element that was begun
        self._marked = (0, 0)  # page, and elements on it so far
        self._within, self._nothing = _Within(self), nullcontext()

    def tagged(self, kind: str, alternative: str | None = None) -> AbstractContextManager[None]:
        """What is drawn within is one element for a screen reader (PDF 14.7, 14.8).

        Args:
            kind: a standard structure type, e.g. `P`, `H1`, `Figure`; or ARTIFACT.
            alternative: of a figure, in words.
        """
        if self._is_tagged:
            return self._nothing
        if kind == ARTIFACT:
            self._out(f"/{ARTIFACT} BMC")
        else:
            page, count = self._marked
            number_on_page = count if page == self.page else 0
            self._marked = (self.page, number_on_page + 1)
            self._add_element(f"/{kind}", number_on_page, alternative)
            self._out(f"/{kind} <</MCID {number_on_page}>> BDC")
        self._is_tagged = True
        return self._within

    def end_tagged(self) -> None:
        """End the element that was begun."""
        self._is_tagged = False
        self._out("EMC")

    def _add_element(self, kind: str, number_on_page: int, alternative: str | None) -> None:
        """What `_add_marked_content` does, with an element of ours."""
        tree, page = self.struct_builder, self.pages[self.page]
        page.struct_parents = tree.spid_per_page_number.setdefault(self.page, len(tree.spid_per_page_number))
        whole = tree.doc_struct_elem
        element = Element(kind, whole, [number_on_page], self.page, None, alternative)
        whole.k.append(element)
        tree.struct_tree_root.parent_tree.nums[page.struct_parents].append(element)
        self._set_min_pdf_version("1.4")  # of the first with such elements

    def bookmark(self, name: str, level: int = 0) -> None:
        """An entry of the outline, which leads to the top of this page."""
        self._outline.append(
            OutlineSection(printable(name), level, self.page, DestinationXYZ(self.page, top=self.h_pt), None)
        )
