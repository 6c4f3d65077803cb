"""What stays of a DICOM film when it is de-identified, read in the process that may read films."""

import warnings
from base64 import b64encode
from collections.abc import Container, Mapping

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cxr_runtime.deidentified import KEPT, KEPT_IN_ITEMS, PIXELS, UNDEFINED, Remains
from cxr_runtime.dicom_elements import Encoding
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.identity import FORMS
from cxr_runtime.reading.dicom.file import data_set
from cxr_runtime.reading.dicom.header import items, stated_syntax
from cxr_runtime.reading.dicom.study import study_header

_NUMBERS = frozenset(("US", "SS", "OW"))


def remains_of(content: bytes) -> Remains:
    """Take from a film what may stay in a copy.

    Args:
        content: the whole file.

    Raises:
        UnreadableFilmError: `no-pixels` or `unsupported`: there is nothing that could be kept, or no way to.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote values
        ds = data_set(content)
        if stated_syntax(ds) == DeflatedExplicitVRLittleEndian:
            raise UnreadableFilmError("unsupported", "its pixels have no place of their own in the file")
        pixels = ds.get_item(PIXELS) if PIXELS in ds else None
        if not isinstance(pixels, RawDataElement) or pixels.value is None:
            raise UnreadableFilmError("no-pixels", "there are none to keep")
        implicit, little = ds.original_encoding
        encoding = Encoding(bool(implicit), bool(little))
        kept = _kept(ds, KEPT, encoding)
        return Remains(
            stated_syntax(ds),
            encoding,
            tuple((tag, vr, b64encode(value).decode()) for tag, vr, value in kept),
            "OB" if pixels.VR == "OB" else "OW",
            pixels.value_tell,
            len(pixels.value),
            pixels.length == UNDEFINED,
            study_header(content),
        )


def _kept(
    ds: Dataset, allowed: Mapping[int, Container[str]], encoding: Encoding
) -> list[tuple[int, str, bytes]]:
    """Elements that may stay, by tag: their VR, and their value as it lies in the file."""
    found = [(tag, _element(ds, tag, vrs, encoding)) for tag, vrs in sorted(allowed.items()) if tag in ds]
    return [(tag, *element) for tag, element in found if element is not None]


def _element(ds: Dataset, tag: int, vrs: Container[str], encoding: Encoding) -> tuple[str, bytes] | None:
    """VR and value of an element; None where it is not as it should be."""
    if "SQ" in vrs:
        inner = [_kept(item, KEPT_IN_ITEMS, encoding) for item in items(ds, keyword_for_tag(tag))]
        content = [b"".join(encoding.element(*each) for each in item) for item in inner]
        return "SQ", b"".join(map(encoding.item, content))
    element = ds.get_item(tag)
    if isinstance(element, DataElement):  # pydicom has read it already, as it does those that others need
        return _read_already(element, vrs, encoding)
    if not isinstance(element, RawDataElement) or element.value is None:
        return None
    vr = element.VR or next(vr for vr in ("CS", "LO", "SH", "DS", "IS", "US", "SS", "OW") if vr in vrs)
    value = bytes(element.value)
    return (vr, value) if vr in vrs and _is_sound(vr, value) else None


def _read_already(element: DataElement, vrs: Container[str], encoding: Encoding) -> tuple[str, bytes] | None:
    value = element.value
    if element.VR == "US" and "US" in vrs and isinstance(value, int) and 0 <= value <= 0xFFFF:
        return "US", encoding.number(value, 2)
    if element.VR == "CS" and "CS" in vrs and value is not None:
        content = (value if isinstance(value, str) else "\\".join(value)).encode("ascii", "replace")
        return ("CS", content) if _is_sound("CS", content) else None
    return None


def _is_sound(vr: str, value: bytes) -> bool:
    """Whether a value is of the form that its VR has, so that nothing else hides in it."""
    if vr in _NUMBERS:
        return len(value) % 2 == 0
    form = FORMS["DS" if vr == "IS" else vr]
    return form.fullmatch(value.rstrip(b"\0 ").decode("latin-1")) is not None
