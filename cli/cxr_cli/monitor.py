"""`cxr-triage monitor`: the thin face of `cxr_calibration.monitor`."""

from pathlib import Path
from typing import Annotated

import typer

EXIT_ALARM = 3


def monitor(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", show_default=False, help="Output folders of scans, e.g. of a week."),
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="Model whose calibration the scans are compared with.")
    ] = "default",
    operating_point: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="the calibration's own",
            help="Threshold from which films count as flagged.",
        ),
    ] = None,
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            show_default="the calibration's films",
            help="Compare with this scan instead, which was in order; may be given several times.",
        ),
    ] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="Readers' verdicts: columns file (or sha256) and label, 1 for abnormal."
        ),
    ] = None,
    false_alarms: Annotated[
        float, typer.Option(min=1e-4, max=0.5, help="Chance of an alarm where nothing has changed.")
    ] = 0.01,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="the latest scan's folder",
            help="Folder of monitor.html and monitor.json.",
        ),
    ] = None,
) -> int:
    """Compare scans with the films that the model was calibrated on, and alarm where they have changed.

    Compared are the share of flagged films, the scores, brightness, contrast, views, films without a score by
    code, and readers' verdicts. Exit status: 0 in order, 3 alarm, 1 could not compare, 2 wrong usage.
    """
    from cxr_calibration.monitor import MonitorOptions, compare_scans

    options = MonitorOptions(model, operating_point, tuple(baseline or ()), verdicts, false_alarms, out)
    found, written = compare_scans(folders, options)
    remarks = [found.remark] if found.remark else []
    typer.echo("\n".join([found.sentence, *found.alarms, *remarks, f"page and figures in {written}"]))
    return EXIT_ALARM if found.alarms else 0
