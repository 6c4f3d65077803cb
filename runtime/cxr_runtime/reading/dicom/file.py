"""DICOM files (PS3.10): radiographs and secondary captures, with or without preamble and meta information."""

import warnings
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from pydicom import Dataset, FileMetaDataset
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from cxr_runtime.dicom_elements import MANUFACTURER, PREAMBLE, PREFIX
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import LEAST_SPACING, MOST_SPACING, Film, FilmFacts, squared
from cxr_runtime.reading.dicom.age import age_years
from cxr_runtime.reading.dicom.colour import grey_of_colour
from cxr_runtime.reading.dicom.display import display_of
from cxr_runtime.reading.dicom.header import (
    is_for_processing,
    keyword,
    pixel_aspect_and_spacing,
    stated_syntax,
    text,
    view_of,
)
from cxr_runtime.reading.dicom.image_pixel import GREY
from cxr_runtime.reading.dicom.pixels import Picture, first_picture
from cxr_runtime.reading.dicom.syntaxes import native_syntax
from cxr_runtime.reading.failure import check_rest, damaged, truncated, unsupported
from cxr_runtime.reading.torn import check_rows

PIXEL_DATA = 0x7FE00010
FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
META_GROUP, PIXEL_GROUP = 0x0002, 0x7FE0
UNDEFINED_LENGTH = 0xFFFFFFFF
MAX_BYTES = 1 << 30  # of an inflated data set, as of any file
CHUNK = 1 << 24  # bytes inflated at a time


def read_dicom(content: bytes) -> Film:
    """Decode the first frame as a reader would see it, dense tissue bright and pixels square.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels`, `unsupported` or `too-large`.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            ds = data_set(content)
            _check(ds, caught)
            return _film(ds)
        except UnreadableFilmError:
            raise
        except Exception as error:  # pydicom answers broken headers with errors of every kind
            raise damaged("its DICOM header or pixels contradict themselves") from error


def data_set(content: bytes) -> Dataset:
    """Read the data set up to its pixel data; what lies behind them tells nothing of the film."""
    file = BytesIO(content)
    start = content[: PREAMBLE + len(PREFIX)]
    file.seek(start.rfind(PREFIX) + len(PREFIX) if PREFIX in (start[:4], start[PREAMBLE:]) else 0)
    meta = read_dataset(file, False, True, stop_when=lambda tag, *_: tag.group != META_GROUP)
    if text(meta, "TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        file = BytesIO(inflated(content[file.tell() :]))
    ds = read_dataset(file, *_encoding(file, meta), stop_when=_stop_behind_pixels())
    ds.file_meta = FileMetaDataset(meta)
    rest = file.read()
    if rest and int.from_bytes(rest[:2], "little") <= PIXEL_GROUP:  # no element that may follow
        check_rest(rest)
    return ds


def _encoding(file: BytesIO, meta: Dataset) -> tuple[bool, bool]:
    """Whether a data set has implicit VRs, and is little endian: by its first element, else as is stated."""
    start = file.read(6)
    file.seek(-len(start), 1)
    if len(start) == 6 and (start[0] == 0) != (start[1] == 0):
        return not (start[4:].isalpha() and start[4:].isupper()), start[1] == 0
    stated = text(meta, "TransferSyntaxUID")
    return stated == ImplicitVRLittleEndian, stated != ExplicitVRBigEndian


def _stop_behind_pixels() -> Callable[[BaseTag, str | None, int], bool]:
    is_behind = False

    def stop(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        nonlocal is_behind
        was_behind, is_behind = is_behind, is_behind or tag == PIXEL_DATA
        return was_behind

    return stop


def inflated(deflated: bytes) -> bytes:
    """Inflate a data set (PS3.5 annex A.5) that is whole and not out of all proportion.

    Raises:
        UnreadableFilmError: `truncated`, `damaged` or `too-large`.
    """
    inflater, parts, size = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    while not inflater.eof and size <= MAX_BYTES:
        try:
            parts.append(inflater.decompress(deflated, CHUNK))
        except zlib.error as error:
            raise damaged("its deflated data set cannot be inflated") from error
        if not parts[-1]:
            raise truncated("its deflated data set is not whole")
        size, deflated = size + len(parts[-1]), inflater.unconsumed_tail
    if size > MAX_BYTES:
        raise UnreadableFilmError(
            "too-large", f"it inflates to more than {MAX_BYTES >> 20} MiB; export the film uncompressed"
        )
    check_rest(inflater.unused_data)
    return b"".join(parts)


def _check(ds: Dataset, caught: list[warnings.WarningMessage]) -> None:
    """Refuse a data set whose file ended within an element (pydicom reads on with what there is), or that
    holds no picture to show.
    """
    if any("End of file" in str(warning.message) for warning in caught):
        raise truncated("inside its DICOM data set")
    elements: list[object] = [ds.get_item(tag) for tag in ds.keys()]  # noqa: SIM118 - iterating converts elements
    unread = [element for element in elements if isinstance(element, RawDataElement)]
    if any(len(one.value or b"") < one.length != UNDEFINED_LENGTH for one in unread):
        raise truncated("inside a DICOM element")
    if PIXEL_DATA in ds:
        return
    if any(tag in ds for tag in FLOAT_PIXELS):
        raise unsupported("a DICOM picture of floating-point values")
    if "Rows" in ds:
        raise truncated("its DICOM pixel data are missing")
    raise UnreadableFilmError(
        "no-pixels", f"the DICOM file holds no picture ({_object_name(ds)}); expected a radiograph"
    )


def _film(ds: Dataset) -> Film:
    picture = first_picture(ds)
    if picture.module.photometric in GREY:
        grey = display_of(ds, picture).show(picture.values)
        check_rows(grey)
    else:
        grey = grey_of_colour(ds, picture)
    aspect, spacing = pixel_aspect_and_spacing(ds)
    pixels = squared(grey, aspect)
    facts = _facts(ds, picture)
    as_read = spacing * grey.shape[0] / pixels.shape[0]
    is_likely = LEAST_SPACING <= as_read <= MOST_SPACING
    return Film(pixels, replace(facts, spacing_mm=as_read if is_likely else None))


def _facts(ds: Dataset, picture: Picture) -> FilmFacts:
    """What the header says; what is missing or malformed stays empty."""
    implicit, little = ds.original_encoding
    return FilmFacts(
        file_format="dicom",
        frames=picture.module.frames,
        view=view_of(ds),
        modality=keyword(ds, "Modality"),
        body_part=keyword(ds, "BodyPartExamined"),
        transfer_syntax=stated_syntax(ds) or str(native_syntax(implicit=bool(implicit), little=bool(little))),
        photometric=picture.module.photometric,
        age_years=age_years(ds),
        is_own_result=keyword(ds, "Manufacturer") == MANUFACTURER.upper(),
        is_for_processing=is_for_processing(ds),
        stored_hw=picture.values.shape[:2],
    )


def _object_name(ds: Dataset) -> str:
    """What a DICOM object without a picture is, e.g. Basic Text SR Storage."""
    uid = ds.get("SOPClassUID") or ds.file_meta.get("MediaStorageSOPClassUID")
    return str(uid.name) if uid else "of unknown class"
