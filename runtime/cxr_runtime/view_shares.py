"""What was measured of a threshold on films of one view, as far as a calibration states it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST_FILMS = 10  # abnormal, and normal, below which nothing is said of a view


@dataclass(frozen=True)
class ViewShares:
    """Of the films of one view."""

    view: str  # PA or AP
    sensitivity: float  # 0..1
    specificity: float

    def __post_init__(self) -> None:
        """Refuse what is no share.

        Raises:
            ValueError: a share is not within 0..1.
        """
        if not (0 <= self.sensitivity <= 1 and 0 <= self.specificity <= 1):
            raise ValueError(f"a share of view {self.view[:2]!r} is not within 0..1")


@dataclass(frozen=True, kw_only=True)
class StatedShare:
    """A share as calibration.json has it."""

    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class StatedSubgroup:
    """A level of a variable as calibration.json has it."""

    variable: str = ""
    level: str = ""
    films: int = 0
    abnormal: int = 0
    sensitivity: StatedShare = field(default_factory=StatedShare)
    specificity: StatedShare = field(default_factory=StatedShare)


def by_view(subgroups: Sequence[StatedSubgroup]) -> tuple[ViewShares, ...]:
    """PA before AP, if both have films enough; else nothing.

    Raises:
        ValueError: a share is not within 0..1.
    """
    found = {group.level: _shares(group) for group in subgroups if group.variable == "view"}
    both = [shares for shares in (found.get("PA"), found.get("AP")) if shares is not None]
    return tuple(both) if len(both) == 2 else ()


def _shares(group: StatedSubgroup) -> ViewShares | None:
    sensitivity, specificity = group.sensitivity.value, group.specificity.value
    few = min(group.abnormal, group.films - group.abnormal) < LEAST_FILMS
    if few or sensitivity is None or specificity is None:
        return None
    return ViewShares(group.level, sensitivity, specificity)
