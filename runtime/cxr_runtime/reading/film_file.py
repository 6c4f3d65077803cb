"""From the bytes of a file to a film: what it is, by its first bytes, and the reader for that."""

import struct
from enum import StrEnum
from os import PathLike

from cxr_runtime.dicom_elements import PREAMBLE, PREFIX
from cxr_runtime.errors import UnreadableFilmError, UsageError
from cxr_runtime.film import Film


class FileFormat(StrEnum):
    """The kinds of file that are read."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    BMP = "bmp"
    DICOM = "dicom"


_RASTERS = (
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"II*\x00", FileFormat.TIFF),
    (b"MM\x00*", FileFormat.TIFF),
    (b"II+\x00", FileFormat.TIFF),  # BigTIFF
    (b"MM\x00+", FileFormat.TIFF),
)
_STRANGERS = (  # offset, bytes, what it is
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"GIF8", "a GIF picture"),
    (8, b"WEBP", "a WebP picture"),
    (8, b"AVI ", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (0, b"\x00\x00\x01\xba", "a video"),
    (4, b"ftypheic", "a HEIC picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "a video"),
    (4, b"jP  ", "a JPEG 2000 picture outside DICOM"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture outside DICOM"),
    (0, b"SQLite format 3", "a database"),
    (0, b"MZ", "a program"),
    (0, b"\x7fELF", "a program"),
)


def read_film(content: bytes) -> Film:
    """Decode one film, dense tissue bright.

    Args:
        content: the whole file, of any kind and name.

    Returns:
        The film: (rows, columns) uint8 pixels and what the file says about itself. The first picture is read
        where there are several.

    Raises:
        UnreadableFilmError: the file is not a film of these kinds, is damaged, or ends early; `code` is one
            of those listed in docs/formats.md.
        UsageError: it is the path of a film.
    """
    if isinstance(content, str | PathLike):
        raise UsageError(f"read_film takes the bytes of a file; give Path({str(content)!r}).read_bytes()")
    match format_of(content):
        case FileFormat.DICOM:
            from cxr_runtime.reading.dicom.file import read_dicom

            return read_dicom(content)
        case FileFormat.PNG:
            from cxr_runtime.reading.png import read_png

            return read_png(content)
        case FileFormat.JPEG:
            from cxr_runtime.reading.jpeg import read_jpeg

            return read_jpeg(content)
        case FileFormat.TIFF:
            from cxr_runtime.reading.tiff import read_tiff

            return read_tiff(content)
        case FileFormat.BMP:
            from cxr_runtime.reading.bmp import read_bmp

            return read_bmp(content)


def format_of(content: bytes) -> FileFormat:
    """Tell the kind of a file from its first bytes.

    Raises:
        UnreadableFilmError: the file is empty, or of a kind that is not read.
    """
    if not content:
        raise UnreadableFilmError("empty", "the file is empty; copy or export the film again")
    if content.startswith(PREFIX) or content[PREAMBLE : PREAMBLE + len(PREFIX)] == PREFIX:
        return FileFormat.DICOM
    for magic, kind in _RASTERS:
        if content.startswith(magic):
            return kind
    if _is_bmp(content):
        return FileFormat.BMP
    if lacks_preamble(content):
        return FileFormat.DICOM
    found = _describe(content)
    next_step = (
        "unpack it and scan the folder" if found.endswith(" archive") else "export the film as one of them"
    )
    raise UnreadableFilmError(
        "not-an-image", f"the file is {found}; expected a film as PNG, JPEG, TIFF, BMP or DICOM: {next_step}"
    )


def lacks_preamble(content: bytes) -> bool:
    """Whether the bytes look like a DICOM data set that begins at once, with group 0002 or 0008."""
    if len(content) < 12:
        return False
    for order in "<>":
        group, element, length = struct.unpack_from(f"{order}HHI", content)
        if group not in (0x0002, 0x0008) or element > 0x0100:
            continue
        if content[4:6].isalpha() and content[4:6].isupper():
            return True
        if order == "<" and length <= min(len(content), 128):  # implicit VR: a short first value
            return True
    return False


def _is_bmp(content: bytes) -> bool:
    header_sizes = (12, 40, 52, 56, 64, 108, 124)
    return content[:2] == b"BM" and int.from_bytes(content[14:18], "little") in header_sizes


def _describe(content: bytes) -> str:
    """Name what was found, for the sentence."""
    for offset, magic, name in _STRANGERS:
        if content[offset : offset + len(magic)] == magic:
            return name
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if not any(content[:512]):
        return "filled with zero bytes"
    return "text" if _is_text(content[:512]) else "of an unknown kind"


def _is_text(start: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n\x0c\x1b" for byte in start)
