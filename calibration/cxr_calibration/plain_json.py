"""Measured numbers as JSON can say them: rounded, with their intervals, null where there is none."""

import json
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

import numpy as np

from cxr_calibration.intervals import Estimate

DECIMALS = 6  # of measured numbers; thresholds and maps are written in full


def plain_json(value: Any) -> str:
    """Indented JSON with a line feed at the end; a number that is not finite becomes null."""
    return json.dumps(plain(value), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """Dataclasses as objects, estimates as value and interval, arrays as rounded lists."""
    if isinstance(value, Estimate):
        return {"value": rounded(value.value), "interval": [rounded(value.low), rounded(value.high)]}
    if is_dataclass(value):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        value = value.round(DECIMALS).tolist()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def rounded(value: float) -> float | None:
    """DECIMALS places; None where the number is not finite."""
    return round(value, DECIMALS) if isfinite(value) else None
