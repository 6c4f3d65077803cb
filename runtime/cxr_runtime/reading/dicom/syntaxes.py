"""The DICOM transfer syntaxes that are read, and what decodes each (DICOM PS3.5 section 10, annex A)."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

from pydicom import uid
from pydicom.uid import UID


class Codec(StrEnum):
    """How a frame is coded."""

    NATIVE = "native"
    RLE = "rle"
    JPEG = "jpeg"
    JPEG_LS = "jpeg_ls"
    JPEG_2000 = "jpeg_2000"


@dataclass(frozen=True)
class Syntax:
    """One transfer syntax."""

    uid: str
    name: str  # of the standard
    codec: Codec

    @property
    def decoder(self) -> str:
        """The library that decodes it."""
        if self.uid == uid.JPEGBaseline8Bit:
            return "simplejpeg"
        return "pydicom" if self.codec is Codec.NATIVE else "imagecodecs"


@dataclass(frozen=True)
class SyntaxSupport:
    """Whether this installation reads a transfer syntax; for `doctor`."""

    uid: str
    name: str
    decoder: str  # the library that decodes it, or "" for none
    available: bool


READ = {
    Codec.NATIVE: (
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
    ),
    Codec.RLE: (uid.RLELossless,),
    Codec.JPEG: (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1),
    Codec.JPEG_LS: (uid.JPEGLSLossless, uid.JPEGLSNearLossless),
    Codec.JPEG_2000: (
        uid.JPEG2000Lossless,
        uid.JPEG2000,
        uid.HTJ2KLossless,
        uid.HTJ2KLosslessRPCL,
        uid.HTJ2K,
    ),
}
SYNTAXES: dict[str, Syntax] = {
    str(read): Syntax(str(read), read.name, codec) for codec, uids in READ.items() for read in uids
}
NOT_READ: dict[str, str] = {
    str(uid.JPEG2000MCLossless): "JPEG 2000 Part 2 Lossless",
    str(uid.JPEG2000MC): "JPEG 2000 Part 2",
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL, JPEG recompressed",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    str(uid.MPEG2MPML): "MPEG2 video",
    str(uid.MPEG4HP41): "MPEG-4 video",
}


def syntax_support() -> tuple[SyntaxSupport, ...]:
    """Every transfer syntax that is known by name, with its decoder and whether that is installed."""
    read = (
        SyntaxSupport(
            syntax.uid, syntax.name, syntax.decoder, available=find_spec(syntax.decoder) is not None
        )
        for syntax in SYNTAXES.values()
    )
    unread = (SyntaxSupport(number, name, "", available=False) for number, name in NOT_READ.items())
    return (*read, *unread)


def native_syntax(*, implicit: bool, little: bool) -> UID:
    """The uncompressed transfer syntax of a data set that is written so."""
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
