"""What a DICOM header says, read without trust in its types (PS3.3, PS3.5)."""

import math
from typing import NamedTuple

from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from cxr_runtime.film import View


class RawValue(NamedTuple):
    """A value as it lies in the file; empty where there is none."""

    content: bytes
    vr: str  # "" where the file states none
    is_little: bool  # the order of its bytes


def raw_value(ds: Dataset, name: str) -> RawValue:
    """The bytes of an element of the data set that has not been read in another way."""
    element = ds.get_item(name) if name in ds else None
    if not isinstance(element, RawDataElement) or element.value is None:
        return RawValue(b"", "", is_little=True)
    return RawValue(element.value, element.VR or "", element.is_little_endian)


def keyword(ds: Dataset, name: str) -> str:
    """The first value as upper-case text without padding; "" where there is none."""
    return text(ds, name).upper()


def text(ds: Dataset, name: str) -> str:
    """The first value as text without padding; "" where there is none."""
    return next((_text(value) for value in _values(ds, name)), "")


def number(ds: Dataset, name: str) -> float | None:
    """The first value as a finite number; None where there is none."""
    return next((_number(value) for value in _values(ds, name)), None)


def numbers(ds: Dataset, name: str) -> list[float]:
    """All values as finite numbers; none where one of them is no number."""
    found = [_number(value) for value in _values(ds, name)]
    return [value for value in found if value is not None] if None not in found else []


def integer(ds: Dataset, name: str) -> int | None:
    """The first value as an integer; None where there is none."""
    value = number(ds, name)
    return None if value is None else int(value)


def items(ds: Dataset, name: str) -> list[Dataset]:
    """The items of a sequence; none where it is missing, or no sequence."""
    return [item for item in _values(ds, name) if isinstance(item, Dataset)]


def _values(ds: Dataset, name: str) -> list[object]:
    try:
        value = ds.get(name)
    except Exception:  # noqa: BLE001 - pydicom converts on access, and raises what the conversion raises
        return []
    if value is None:
        return []
    if isinstance(value, str | bytes) or not hasattr(value, "__getitem__"):
        return [value]
    return list(value)


def _text(value: object) -> str:
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip(" \0\t\r\n")


def _number(value: object) -> float | None:
    try:
        found = float(_text(value).replace(",", "."))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def stated_syntax(ds: Dataset) -> str:
    """The transfer syntax UID of the file; "" where it states none."""
    return text(ds.file_meta, "TransferSyntaxUID")


POSITIONS = {  # View Position (PS3.3 C.8.11.5.1.1), and what devices write besides
    "PA": View.PA,
    "AP": View.AP,
    "LL": View.LATERAL,
    "RL": View.LATERAL,
    "LAT": View.LATERAL,
    "LATERAL": View.LATERAL,
}
VIEW_CODES = {  # View Code Sequence (PS3.16 CID 4010), SNOMED CT and the older SNOMED RT
    "272479007": View.PA,
    "R-10214": View.PA,
    "R-40888": View.PA,
    "399348003": View.AP,
    "R-10206": View.AP,
    "399067008": View.LATERAL,
    "399173006": View.LATERAL,
    "399198007": View.LATERAL,
    "R-102CD": View.LATERAL,
    "R-10236": View.LATERAL,
    "R-10232": View.LATERAL,
}


def view_of(ds: Dataset) -> View:
    """The view by View Position, else by View Code Sequence."""
    position = keyword(ds, "ViewPosition")
    if position:
        return POSITIONS.get(position, View.UNKNOWN)
    codes = (text(item, "CodeValue") for item in items(ds, "ViewCodeSequence"))
    return next((VIEW_CODES[code] for code in codes if code in VIEW_CODES), View.UNKNOWN)


FOR_PROCESSING = "FOR PROCESSING"  # Presentation Intent Type (PS3.3 C.8.11.1), and how its classes are named
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")  # between rows, columns; mm


def is_for_processing(ds: Dataset) -> bool:
    """Whether the pixels are raw ones of the detector, made for further processing and for no eye."""
    classes = (ds.get("SOPClassUID"), ds.file_meta.get("MediaStorageSOPClassUID"))
    return keyword(ds, "PresentationIntentType") == FOR_PROCESSING or any(
        FOR_PROCESSING in getattr(uid, "name", "").upper() for uid in classes
    )


def pixel_aspect_and_spacing(ds: Dataset) -> tuple[float, float]:
    """Height of a pixel over its width, 1 where it is not stated, and its height in millimetres, or 0.

    By spacings: calibrated (PS3.3 10.7.1.3), at the detector, or nominal; else the height over the width by
    Pixel Aspect Ratio (C.7.6.3.1.7).
    """
    for name in (*SPACINGS, "PixelAspectRatio"):
        sides = numbers(ds, name)
        if len(sides) == 2 and min(sides) > 0:
            return sides[0] / sides[1], sides[0] if name in SPACINGS else 0.0
    return 1.0, 0.0
