"""From the bytes of a file to a film: PNG, JPEG, TIFF, BMP and DICOM, each with its own reader."""

from cxr_runtime.film import Film
from cxr_runtime.reading.kind import Kind, kind_of

__all__ = ["read_film"]


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
    """
    match kind_of(content):
        case Kind.DICOM:
            from cxr_runtime.reading.dicom import read_dicom

            return read_dicom(content)
        case Kind.PNG:
            from cxr_runtime.reading.png import read_png

            return read_png(content)
        case Kind.JPEG:
            from cxr_runtime.reading.jpeg import read_jpeg

            return read_jpeg(content)
        case Kind.TIFF:
            from cxr_runtime.reading.tiff import read_tiff

            return read_tiff(content)
        case Kind.BMP:
            from cxr_runtime.reading.bmp import read_bmp

            return read_bmp(content)
