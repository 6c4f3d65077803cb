"""A PDF becomes a file: what fpdf2's own producer writes, byte by byte, in a part of its time."""

from functools import cache
from typing import Any

from fpdf import FPDF
from fpdf.output import OutputProducer, PDFPage, PDFResources, PDFXObject
from fpdf.syntax import Name, PDFContentStream, PDFObject, camel_case

OF_PAGES = frozenset([PDFPage, PDFResources, PDFContentStream, PDFXObject])  # kinds of which a page has some
_Entries = tuple[tuple[str, str], ...]  # as they are named in the file, and the attributes that hold them


class ProducedPdf(FPDF):
    """A PDF that becomes a file by `Producer`."""

    def output(self, name: Any = "", **how: Any) -> Any:
        """Write it, as FPDF does."""
        return super().output(name, **{"output_producer_class": Producer, **how})


class Producer(OutputProducer):
    """Looks once for what objects of a kind hold, and does not copy their streams."""

    def __init__(self, fpdf: Any) -> None:
        super().__init__(fpdf)
        self._entries: dict[type[PDFObject], _Entries] = {}

    def _add_pdf_obj(self, pdf_obj: PDFObject, trace_label: str | None = None) -> int:
        del trace_label  # nobody asks how large the parts are
        number, kind = super()._add_pdf_obj(pdf_obj), type(pdf_obj)
        if kind in OF_PAGES:
            if kind not in self._entries:
                self._entries[kind] = _entries(pdf_obj)
            self.pdf_objs[-1] = _OfPage(pdf_obj, self._entries[kind])
        return number


class _OfPage(PDFObject):
    """An object as it is written."""

    def __init__(self, of: PDFObject, entries: _Entries) -> None:
        super().__init__()
        self.id = of.id
        self._of, self._entries = of, entries

    def serialize(self, *_: Any, **__: Any) -> Any:
        """Its bytes (PDF 32000-1, 7.3.10)."""
        values = ((key, getattr(self._of, name)) for key, name in self._entries)
        said = "\n".join(f"{key} {_shown(value)}" for key, value in values if value is not None)
        head, stream = f"{self.id} 0 obj\n<<\n{said}\n>>\n".encode("latin-1"), self._of.content_stream()
        parts = () if stream is None else (b"stream\n", stream, b"\nendstream\n")
        return b"".join([head, *parts, b"endobj"])


def _entries(of: PDFObject) -> _Entries:
    names = [name for name in dir(of) if not name.startswith("_") and name not in ("id", "ref")]
    return tuple((f"/{camel_case(name)}", name) for name in names if not callable(getattr(of, name)))


def _shown(value: Any) -> str:
    if isinstance(value, PDFObject):
        return value.ref
    if isinstance(value, Name):
        return _name(value)
    return str(value.serialize() if hasattr(value, "serialize") else value)


@cache
def _name(value: Name) -> str:
    return value.serialize()
