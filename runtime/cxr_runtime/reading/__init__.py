"""From the bytes of a file to a film: PNG, JPEG, TIFF, BMP and DICOM, each with its own reader."""

from cxr_runtime.reading.film_file import read_film

__all__ = ["read_film"]
