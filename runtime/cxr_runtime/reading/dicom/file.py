"""DICOM files (PS3.10): radiographs and secondary captures, with or without the preamble."""

import warnings
from io import BytesIO

from pydicom import FileDataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.errors import InvalidDicomError

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import Film
from cxr_runtime.reading.deflated import check_inflated
from cxr_runtime.reading.dicom.display import display_of, grey_of_colour
from cxr_runtime.reading.dicom.header import facts_of, integer, keyword
from cxr_runtime.reading.dicom.pixels import stored_pixels
from cxr_runtime.reading.failure import check_size, damaged, truncated, unsupported

PIXEL_DATA = 0x7FE00010
FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT", "PALETTE COLOR")
UNDEFINED_LENGTH = 0xFFFFFFFF


def read_dicom(content: bytes) -> Film:
    """Decode the first frame of a DICOM file as a reader would see it, dense tissue bright.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels`, `unsupported` or `too-large`.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            ds = _parse(content)
            _check_whole(ds, caught)
            return _film(ds)
        except UnreadableFilmError:
            raise
        except Exception as error:  # pydicom answers broken headers with errors of every kind
            raise damaged(f"its DICOM header or pixels cannot be used ({type(error).__name__})") from error


def _parse(content: bytes) -> FileDataset:
    """Read the data set; one without the preamble, or without all of its file meta information, only then."""
    check_inflated(content)
    try:
        return dcmread(BytesIO(content))
    except InvalidDicomError:
        return dcmread(BytesIO(content), force=True)


def _check_whole(ds: FileDataset, caught: list[warnings.WarningMessage]) -> None:
    """Refuse a data set whose file ended within an element; pydicom reads on with what there is."""
    if any("End of file" in str(warning.message) for warning in caught):
        raise truncated("inside its DICOM data set")
    if any(_is_short(ds.get_item(tag)) for tag in ds.keys()):  # noqa: SIM118 - iterating converts elements
        raise truncated("inside a DICOM element")
    if PIXEL_DATA not in ds and "Rows" in ds and not any(tag in ds for tag in FLOAT_PIXELS):
        raise truncated("its DICOM pixel data are missing")


def _is_short(element: object) -> bool:
    if not isinstance(element, RawDataElement) or element.length == UNDEFINED_LENGTH:
        return False
    return len(element.value or b"") < element.length


def _film(ds: FileDataset) -> Film:
    photometric = _check_picture(ds)
    stored = stored_pixels(ds)
    if photometric in COLOUR:
        grey, coloured = grey_of_colour(ds, stored)
        return Film(grey, facts_of(ds, source_is_colour=coloured))
    if stored.ndim != 2:
        raise damaged(f"it states {photometric} but holds {stored.shape[-1]} samples a pixel")
    return Film(display_of(ds).show(stored), facts_of(ds, source_is_colour=False))


def _check_picture(ds: FileDataset) -> str:
    """Check by the header that there is a picture to show; returns its photometric interpretation."""
    if PIXEL_DATA not in ds:
        if any(tag in ds for tag in FLOAT_PIXELS):
            raise unsupported("a DICOM picture of floating-point values")
        raise UnreadableFilmError(
            "no-pixels", f"the DICOM file holds no picture ({_object_name(ds)}); expected a radiograph"
        )
    rows, columns = integer(ds, "Rows"), integer(ds, "Columns")
    if rows is None or columns is None:
        raise damaged("its DICOM header does not state rows and columns")
    check_size(rows, columns)
    photometric = keyword(ds, "PhotometricInterpretation")
    if photometric not in GREY + COLOUR:
        raise unsupported(f"the photometric interpretation {photometric or 'that is missing'}")
    return photometric


def _object_name(ds: FileDataset) -> str:
    """What a DICOM object without a picture is, e.g. Basic Text SR Storage."""
    uid = ds.get("SOPClassUID") or ds.file_meta.get("MediaStorageSOPClassUID")
    return str(uid.name) if uid else "of unknown class"
