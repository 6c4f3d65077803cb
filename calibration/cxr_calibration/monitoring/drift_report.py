"""What monitoring found: nights against the reference, readers' labels against the operating point."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxr_calibration.labels.labelled_films import UnscoredFilm, gather
from cxr_calibration.labels.labels import Label
from cxr_calibration.monitoring.checks import Check, Threshold, share_check
from cxr_calibration.monitoring.nights import ALL_NIGHTS, NightReport
from cxr_calibration.statistics.confusion import Confusion, count
from cxr_calibration.statistics.intervals import Estimate, films_worth
from cxr_runtime.store.rows import StoredScore


@dataclass(frozen=True)
class Promised:
    """What the calibration states of an operating point, with intervals."""

    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class Agreement:
    """Readers' verdicts on films that were scored."""

    counts: Confusion  # of films
    weighted: Confusion  # the same, each as many times as it stands for films
    unscored: tuple[UnscoredFilm, ...]  # films with a verdict and without a score
    checks: tuple[Check, ...]

    @property
    def kappa(self) -> float:
        """Cohen's kappa of flags and verdicts, -1..1; 0 is chance."""
        counts, films = self.weighted, self.weighted.films
        flagged = counts.true_positives + counts.false_positives
        abnormal = counts.true_positives + counts.false_negatives
        by_chance = (flagged * abnormal + (films - flagged) * (films - abnormal)) / films**2
        return (counts.accuracy - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def measure_agreement(
    labels: Sequence[Label],
    digests: Sequence[str],
    scores: Sequence[StoredScore],
    threshold: Threshold,
    promised: Promised,
) -> Agreement:
    """Compare flags with readers' verdicts.

    Both sides count as many films as their intervals are worth: films of one patient, and films that stand
    for others, tell less than as many independent ones.

    Args:
        labels: the verdicts, 1 abnormal.
        digests: sha256 of each verdict's film, "" where it is not known.
        scores: of all nights.
        threshold: of the operating point in use.
        promised: what the calibration states of that operating point.

    Raises:
        UsageError: a film has two different verdicts.
        CalibrationError: no film with a verdict has a score.
    """
    found = gather(labels, digests, scores)
    films = found.films
    flagged, first = threshold.flags(films.margins), films.first_rows
    checks = [
        share_check(name, *now, *then, one_sided=True)
        for name, now, then in (
            (
                "sensitivity by readers",
                _counted(films.share(flagged, films.truth)),
                _counted(promised.sensitivity),
            ),
            (
                "specificity by readers",
                _counted(films.share(~flagged, ~films.truth)),
                _counted(promised.specificity),
            ),
        )
        if now[1] and then[1]
    ]
    return Agreement(
        count(flagged[first], films.truth[first]), count(flagged, films.truth), found.unscored, tuple(checks)
    )


def _counted(share: Estimate) -> tuple[int, int]:
    """Independent films on the right side, and all of them, that have this share and interval."""
    films = round(films_worth(share))
    return round(share.value * films) if films else 0, films


CHOSEN_FILMS = (
    "The calibration was made on chosen films, which need not look like yours, and films without a score "
    "are not compared; name scans that were in order with --baseline."
)


def _compared(checks: int, films: int, scans: str) -> str:
    """What was compared; each form is a sentence of the catalogues."""
    match checks, films:
        case 1, 1:
            return f"1 check of 1 film in {scans}"
        case 1, _:
            return f"1 check of {films} films in {scans}"
        case _, 1:
            return f"{checks} checks of 1 film in {scans}"
        case _:
            return f"{checks} checks of {films} films in {scans}"


@dataclass(frozen=True)
class DriftReport:
    """What monitoring came to."""

    reports: tuple[NightReport, ...]  # a night each, then all together if there are several
    agreement: Agreement | None  # None without readers' verdicts
    false_alarms: float  # chance of any alarm where nothing has changed
    remark: str = ""  # on what the nights were compared with

    @property
    def alarms(self) -> tuple[str, ...]:
        """One sentence for each alarm; none where all is well."""
        return tuple(f"{report.name}: {check.sentence}" for report in self.reports for check in report.alarms)

    @property
    def sentence(self) -> str:
        """One sentence for a log."""
        nights = [report for report in self.reports if report.name != ALL_NIGHTS]
        films = sum(report.films for report in nights)
        checks = sum(len(report.checks) for report in self.reports)
        scans = "1 scan" if len(nights) == 1 else f"{len(nights)} scans"
        compared = _compared(checks, films, scans)
        chance = f"(false alarms: at most {self.false_alarms:.1%} of such runs)"
        if len(self.alarms) == 1:
            return f"ALARM: 1 of {compared} is beyond chance {chance}"
        if self.alarms:
            return f"ALARM: {len(self.alarms)} of {compared} are beyond chance {chance}"
        if not checks:
            if films == 1:
                return f"nothing to compare: 1 film in {scans}"
            return f"nothing to compare: {films} films in {scans}"
        return f"in order: {compared} found no change {chance}"
