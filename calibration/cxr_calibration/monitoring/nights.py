"""Nights: output folders of scans, in the order they were made, compared with the reference."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cxr_calibration.labels.scoring_films import scores_of_scan
from cxr_calibration.monitoring.checks import Check, Threshold, check_night
from cxr_calibration.monitoring.reference import Reference, make_reference, reference_films
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.folder import Model
from cxr_runtime.names import printable
from cxr_runtime.store.rows import StoredScore

ALL_NIGHTS = "all nights together"
FALSE_ALARMS = 0.01  # chance that a run alarms where nothing has changed, if nobody asks for another


@dataclass(frozen=True)
class Night:
    """One scan."""

    folder: Path
    finished: str  # ISO time of its last film; "" if it has none
    scores: tuple[StoredScore, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Of its folder, as people see it."""
        return printable(self.folder.resolve().name)


@dataclass(frozen=True)
class NightReport:
    """One night, or all nights together, compared with the reference."""

    name: str
    finished: str
    films: int
    scored: int
    checks: tuple[Check, ...]
    level: float  # p-value below which each check alarms

    @property
    def alarms(self) -> tuple[Check, ...]:
        """The checks that are beyond chance and large enough to matter."""
        return tuple(check for check in self.checks if check.alarms(self.level))


def read_nights(model: Model, folders: Sequence[Path]) -> list[Night]:
    """Read scans made with this model, earliest first.

    Raises:
        StoreError: a folder holds no scan.
        CalibrationError: another model made some of the scores.
    """
    nights = []
    for folder in folders:
        scores = tuple(scores_of_scan(model, folder))
        last = max((score.finished for score in scores), default="")
        nights.append(Night(folder, last, scores))
    return sorted(nights, key=lambda night: night.finished)


def baseline(model: Model, folders: Sequence[Path]) -> Reference:
    """The reference that nights which were in order make.

    Raises:
        StoreError: a folder holds no scan.
        CalibrationError: another model made some of the scores, or no film has one.
    """
    films = [film for night in read_nights(model, folders) for film in reference_films(night.scores)]
    if all(film.margin is None for film in films):
        raise CalibrationError("the baseline has no scored film; expected nights that were in order")
    return make_reference(films, patients=None, is_everyday=True)


def compare_nights(
    nights: Sequence[Night],
    reference: Reference,
    threshold: Threshold,
    false_alarms: float,
    more_checks: Sequence[Check] = (),
) -> tuple[NightReport, ...]:
    """Compare every night and, if there are several, all of them together.

    Args:
        nights: at least one.
        reference: what films looked like when all was well.
        threshold: of the operating point in use.
        false_alarms: chance that anything alarms where nothing has changed; it is shared out equally to the
            nights, all of them together, and in each of these to its checks (Bonferroni).
        more_checks: that belong to all nights together.

    Returns:
        A report a night, then one of all together if there are several nights.
    """
    units = [(night.name, night.finished, reference_films(night.scores)) for night in nights]
    if len(nights) > 1:
        units.append((ALL_NIGHTS, nights[-1].finished, [film for _, _, films in units for film in films]))
    reports = []
    for number, (name, finished, films) in enumerate(units, 1):
        checks = check_night(films, reference, threshold)
        checks += tuple(more_checks) if number == len(units) else ()
        scored = sum(film.margin is not None for film in films)
        level = check_level(checks, false_alarms / len(units))
        reports.append(NightReport(name, finished, len(films), scored, checks, level))
    return tuple(reports)


def check_level(checks: Sequence[Check], false_alarms: float) -> float:
    """P-value below which each check alarms, so that all of them together keep the rate (Bonferroni)."""
    return false_alarms / max(1, len(checks))


def is_alarm(checks: Sequence[Check], false_alarms: float) -> bool:
    """Whether any check of one night alarms at that rate of false alarms a night."""
    level = check_level(checks, false_alarms)
    return any(check.alarms(level) for check in checks)
