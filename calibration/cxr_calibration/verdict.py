"""The verdict of monitoring, in words."""

from dataclasses import dataclass

from cxr_calibration.agreement import Agreement
from cxr_calibration.nights import ALL_NIGHTS, NightReport

CHOSEN_FILMS = (
    "The calibration was made on chosen films, which need not look like yours, and films without a score "
    "are not compared; name scans that were in order with --baseline."
)


@dataclass(frozen=True)
class Verdict:
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
        compared = f"{checks} checks of {films} films in {scans}"
        chance = f"(false alarms: at most {self.false_alarms:.1%} of such runs)"
        if self.alarms:
            return f"ALARM: {len(self.alarms)} of {compared} are beyond chance {chance}"
        if not checks:
            return f"nothing to compare: {films} films in {scans}"
        return f"in order: {compared} found no change {chance}"
