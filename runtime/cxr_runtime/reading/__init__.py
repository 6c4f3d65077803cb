"""From the bytes of a file to a film: PNG, JPEG, TIFF, BMP and DICOM, each with its own reader."""

from cxr_runtime.film import Film
from cxr_runtime.reading.file_format import FileFormat, format_of

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
