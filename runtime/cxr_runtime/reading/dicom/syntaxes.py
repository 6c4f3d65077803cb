"""The DICOM transfer syntaxes that are read, and what decodes each (DICOM PS3.5 section 10, annex A)."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import FileDataset


@dataclass(frozen=True)
class Syntax:
    """One transfer syntax."""

    uid: str
    name: str
    decoder: str  # `pydicom`; else imagecodecs decodes `rle`, `jpeg`, `jpeg_ls` or `jpeg_2000`


@dataclass(frozen=True)
class SyntaxSupport:
    """Whether this installation reads a transfer syntax; for `doctor`."""

    uid: str
    name: str
    decoder: str  # the library that decodes it, or "" for none
    available: bool


_JPEG, _LS, _2000 = "jpeg", "jpeg_ls", "jpeg_2000"

SYNTAXES: dict[str, Syntax] = {
    uid: Syntax(uid, name, decoder)
    for uid, name, decoder in (
        ("1.2.840.10008.1.2", "Implicit VR Little Endian", "pydicom"),
        ("1.2.840.10008.1.2.1", "Explicit VR Little Endian", "pydicom"),
        ("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", "pydicom"),
        ("1.2.840.10008.1.2.2", "Explicit VR Big Endian", "pydicom"),
        ("1.2.840.10008.1.2.5", "RLE Lossless", "rle"),
        ("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", _JPEG),
        ("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4), 8 and 12 bits", _JPEG),
        ("1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", _JPEG),
        ("1.2.840.10008.1.2.4.70", "JPEG Lossless (Process 14, Selection Value 1)", _JPEG),
        ("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", _LS),
        ("1.2.840.10008.1.2.4.81", "JPEG-LS Near-lossless", _LS),
        ("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", _2000),
        ("1.2.840.10008.1.2.4.91", "JPEG 2000", _2000),
        ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Lossless", _2000),
        ("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 Lossless, RPCL", _2000),
        ("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", _2000),
    )
}
NOT_READ: dict[str, str] = {
    "1.2.840.10008.1.2.4.92": "JPEG 2000 Part 2 Lossless",
    "1.2.840.10008.1.2.4.93": "JPEG 2000 Part 2",
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL, JPEG recompressed",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.4.100": "MPEG2 video",
    "1.2.840.10008.1.2.4.102": "MPEG-4 video",
}


def syntax_support() -> tuple[SyntaxSupport, ...]:
    """Every transfer syntax that is known by name, with its decoder and whether that is installed."""
    read = (
        SyntaxSupport(syntax.uid, syntax.name, library, available=find_spec(library) is not None)
        for syntax in SYNTAXES.values()
        for library in ("pydicom" if syntax.decoder == "pydicom" else "imagecodecs",)
    )
    unread = (SyntaxSupport(uid, name, "", available=False) for uid, name in NOT_READ.items())
    return (*read, *unread)


def transfer_syntax(ds: "FileDataset") -> str:
    """The transfer syntax UID of a data set; where the file states none, the one it was readable with."""
    stated = ds.file_meta.get("TransferSyntaxUID")
    if stated:
        return str(stated)
    implicit, little = ds.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"
