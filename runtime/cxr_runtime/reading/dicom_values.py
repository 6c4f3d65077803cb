"""Values of DICOM elements as real files hold them: empty, padded, of the wrong type, or several for one."""

import math

from pydicom import Dataset


def keyword(ds: Dataset, name: str) -> str:
    """The first value as upper-case text without padding; "" where there is none."""
    return text(ds, name).upper()


def text(ds: Dataset, name: str) -> str:
    """The first value as text without padding; "" where there is none."""
    value = _first(ds, name)
    return "" if value is None else str(value).strip(" \0")


def number(ds: Dataset, name: str) -> float | None:
    """The first value as a finite number; None where there is none."""
    try:
        value = float(str(_first(ds, name)))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def integer(ds: Dataset, name: str) -> int | None:
    """The first value as an integer; None where there is none."""
    value = number(ds, name)
    return None if value is None else int(value)


def _first(ds: Dataset, name: str) -> object:
    try:
        value = ds.get(name)
    except Exception:  # noqa: BLE001 - pydicom converts on access, and raises what the conversion raises
        return None
    if isinstance(value, str | bytes) or not hasattr(value, "__getitem__"):
        return value
    return value[0] if len(value) else None
