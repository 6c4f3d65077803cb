"""What a calibration promises at its default operating point, of all films or of one view."""

from dataclasses import dataclass
from pathlib import Path

from cxr_calibration.statistics.intervals import UNKNOWN, Estimate
from cxr_runtime.files import CALIBRATION_FILE
from cxr_runtime.typed_json import from_json

Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class Promise:
    """Shares of films, 0..1, with their 95 % intervals."""

    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class _Share:
    value: float | None
    interval: Interval


@dataclass(frozen=True)
class _Point:
    default: bool = False
    sensitivity: float | None = None
    sensitivity_interval: Interval = (None, None)
    specificity: float | None = None
    specificity_interval: Interval = (None, None)


@dataclass(frozen=True)
class _Subgroup:
    variable: str
    level: str
    sensitivity: _Share
    specificity: _Share


@dataclass(frozen=True)
class _Stated:
    operating_points: dict[str, _Point]
    subgroups: tuple[_Subgroup, ...] = ()


def promised(model: Path, view: str = "") -> Promise:
    """What the calibration.json of a model folder says of its default operating point; nan for nothing.

    Args:
        model: the folder.
        view: PA or AP; "" for films of all views.

    Raises:
        ValueError: the file is none of a calibration.
        OSError: it cannot be read.
    """
    stated = from_json((model / CALIBRATION_FILE).read_bytes(), _Stated)
    for group in stated.subgroups:
        if view and (group.variable, group.level) == ("view", view):
            return Promise(_estimate(group.sensitivity), _estimate(group.specificity))
    point = next((point for point in stated.operating_points.values() if point.default), _Point())
    return Promise(
        _estimate(_Share(point.sensitivity, point.sensitivity_interval)),
        _estimate(_Share(point.specificity, point.specificity_interval)),
    )


def _estimate(share: _Share) -> Estimate:
    low, high = share.interval
    if share.value is None or low is None or high is None:
        return UNKNOWN
    return Estimate(share.value, low, high)
