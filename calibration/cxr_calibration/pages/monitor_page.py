"""monitor.html: whether anything has drifted, the nights as a chart, and every check."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

import numpy as np

from cxr_calibration.monitoring.checks import FLAGGED_SHARE, Check, Threshold, share_limits
from cxr_calibration.monitoring.drift_report import DriftReport
from cxr_calibration.monitoring.nights import ALL_NIGHTS, Night, NightReport
from cxr_calibration.monitoring.reference import Reference
from cxr_calibration.pages.chart import TICKS, Chart
from cxr_calibration.pages.page import Figure, Table, filled
from cxr_runtime.language import _, later, number, plural, written
from cxr_runtime.reports import wording
from cxr_runtime.reports.stored_sentences import translated

# Parts of the names of checks, which the figures keep in English.
NAMES = (
    later("flagged share"), later("{0} (KS)"), later("{0} (PSI)"), later("scores"), later("brightness"),
    later("contrast"), later("looks"), later("view {0}"), later("code {0}"), later("films without a score"),
    later("sensitivity by readers"), later("specificity by readers"), later("1 scan"), later("{0} scans"),
)  # fmt: skip
SCORE_BINS = 20  # bars of the chart of scores, 5 points each


def monitor_page(
    found: DriftReport, nights: Sequence[Night], reference: Reference, threshold: Threshold
) -> str:
    """The page as HTML."""
    return filled(
        "monitor.html",
        found=found,
        charts=(_shares(found.reports), _scores(nights, reference, threshold)),
        nights=[(report, _checks(report)) for report in reversed(found.reports)],
        name_of=_name,
        finished=_finished,
    )


def _name(report: NightReport) -> str:
    """The folder's own name, whatever it is called; only that of all nights is a sentence."""
    return _(ALL_NIGHTS) if report.name == ALL_NIGHTS else report.name


def _finished(report: NightReport) -> str:
    return wording.moment(datetime.fromisoformat(report.finished)) if report.finished else ""


def _shares(reports: Sequence[NightReport]) -> Figure:
    """A control chart: each night's flagged share within its limits."""
    nights = [report for report in reports if report.name != ALL_NIGHTS]
    shown = [(n, report, _flagged(report)) for n, report in enumerate(nights, 1) if report.scored]
    chart = Chart(
        _("Flagged share"),
        _("scan"),
        _("flagged share"),
        x_range=(0, len(nights) + 1.0),
        x_ticks=range(1, len(nights) + 1, ceil(len(nights) / TICKS)),
    )
    limits = [(n, *share_limits(check, report.level)) for n, report, check in shown]
    chart.band(
        [(n + side, low, high) for n, low, high in limits for side in (-0.5, 0.5)], "plain", _("limits")
    )
    chart.line([(n + side, check.expected) for n, _report, check in shown for side in (-0.5, 0.5)], "plain")
    for alarm, style, name in ((False, "first", _("in order")), (True, "second", _("alarm"))):
        dots = [(n, check.value) for n, report, check in shown if check.alarms(report.level) is alarm]
        chart.points(dots, style, name)
    return Figure(chart, _("Flagged share of each scan; the limits are wider for smaller scans."))


def _flagged(report: NightReport) -> Check:
    return next(check for check in report.checks if check.name == FLAGGED_SHARE)


def _scores(nights: Sequence[Night], reference: Reference, threshold: Threshold) -> Figure:
    known = (score.margin for night in nights for score in night.scores if score.margin is not None)
    margins = np.fromiter(known, np.float64)
    said = threshold.probability_map.probability
    edges = np.arange(SCORE_BINS + 1) / SCORE_BINS
    then = np.histogram(said(reference.margins.quantiles), edges)[0]
    now = np.histogram(said(margins), edges)[0]
    shares = [counts / max(1, counts.sum()) for counts in (then, now)]
    top = 0.05 * np.ceil(max(float(share.max()) for share in shares) / 0.05 + 1e-9)
    chart = Chart(_("Scores"), _("score"), _("share of films"), x_range=(0, 100), y_range=(0, top))
    for share, style, name in zip(
        shares, ("plain", "first"), (_("reference"), _("these scans")), strict=True
    ):
        left = 100 * edges[:-1]
        bars = list(zip(left, left + 100 / SCORE_BINS, share, strict=True))
        chart.bars(bars, style, name)
    chart.upright(100 * min(threshold.value, 1.0), _("flagged from here"))
    return Figure(chart, _("Scores of the films that the calibration was made on, and of these scans."))


def _checks(report: NightReport) -> Table:
    rows = [
        [
            translated(check.name),
            number(check.value, 3),
            number(check.expected, 3) if check.expected else "-",
            number(check.films),
            written(f"{check.p_value:.2g}"),
            _("ALARM") if check.alarms(report.level) else _("in order"),
        ]
        for check in report.checks
    ]
    caption = plural(
        "{scored} of {count} film scored",
        "{scored} of {count} films scored",
        report.films,
        scored=number(report.scored),
    )
    header = [_("check"), _("value"), _("expected"), _("films"), "p", _("result")]
    return Table(header, rows, caption)
