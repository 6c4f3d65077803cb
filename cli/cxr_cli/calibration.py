"""`cxr-triage calibrate` and `monitor`: thresholds on films of one's own, and whether they still hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.few_labels import chosen_lines, expected_lines, only_one
from cxr_cli.film_options import Calibration
from cxr_cli.report_options import Language
from cxr_runtime.files import CALIBRATION_FILE

if TYPE_CHECKING:
    from cxr_calibration.calibrate import CalibrateSummary
    from cxr_calibration.fit.description import Description
    from cxr_calibration.labels.labelled_films import Gathered


NAMED_AT_MOST = 10  # films without a score that are named on the terminal; the page names all


def calibrate(
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv|DIR",
            show_default="none",
            help="Films and their truth: columns file and label (0 or normal, 1 or abnormal), optional "
            "patient, view, sex, age, site, weight; relative paths are from this file's folder. Or an "
            "output folder in which readers gave verdicts (`serve`).",
        ),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="none",
            help="Films without labels, or a scan of them: say what the threshold is expected to do there. "
            "Nothing is written.",
        ),
    ] = None,
    choose: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            show_default="none",
            help="Write which N films of --scan to label, so that few labels say most: to-read.csv.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(metavar="NAME|DIR", help="Model that is calibrated; the old calibration is kept."),
    ] = "default",
    scan: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Take the scores from this scan's output folder, by sha256."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="NAME-calibration beside FILE.csv",
            help="Folder of calibration.html and thresholds.csv; and of calibration.json, if the model came "
            "with the program: scans then use it by --calibration DIR.",
        ),
    ] = None,
    operating_point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="balanced, who-triage, rule-out, capacity:20%, fixed:0.5",
            help="Operating point to set; may be given several times.",
        ),
    ] = None,
    default: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="the first", help="Operating point that scans use if none is named."
        ),
    ] = None,
    error_rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.499,
            show_default="none",
            help="Send films to review so that no more than this share of either class is called wrongly.",
        ),
    ] = None,
    prevalence: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            show_default="as labelled",
            help="Share of abnormal films in your clinic, e.g. 5%, for the table of costs.",
        ),
    ] = None,
    price_film: Annotated[float, typer.Option(min=0, help="Price of taking and scoring a film.")] = 1.0,
    price_read: Annotated[
        float, typer.Option(min=0, help="Price of what is done for a flagged film.")
    ] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed deals films to other folds.")] = 0,
    language: Language = None,
) -> int:
    """Set a model's probabilities and thresholds on your own labelled films, and say how good they are.

    The calibration of a model folder goes into that folder. That of a model which came with the program goes
    into your own data folder, where scans find it, or into --out.

    All figures are by cross-validation; a patient is never split. Films without a score are counted, named.
    Exit status: 0 done, 1 the films do not support a calibration, 2 wrong usage.
    """
    only_one(labels, unlabelled, choose, scan)
    if unlabelled is not None:
        typer.echo(expected_lines(unlabelled, model))
        return 0
    if choose is not None and scan is not None:
        typer.echo(chosen_lines(choose, scan, model, out))
        return 0
    assert labels is not None
    from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
    from cxr_calibration.fit.description import FitOptions
    from cxr_calibration.fit.rules import DEFAULT_RULES, parse_rule
    from cxr_cli.progress import terminal_or_lines
    from cxr_cli.report_options import page_language
    from cxr_runtime.presentation import parse_prevalence

    rules = tuple(parse_rule(name) for name in operating_point) if operating_point else DEFAULT_RULES
    fit = FitOptions(rules=rules, default=default or rules[0].name, error_rate=error_rate, seed=seed)
    share = None if prevalence is None else parse_prevalence(prevalence)
    options = CalibrateOptions(model, scan, out, fit, share, price_film, price_read)
    with page_language(language):
        summary = calibrate_model(labels, options, terminal_or_lines())
    typer.echo(_summary(summary))
    return 0


def _summary(summary: "CalibrateSummary") -> str:
    described, gathered = summary.description, summary.gathered
    before, after = described.before, described.after
    kept = f", the old one kept as {summary.kept.name}" if summary.kept else ""
    return "\n".join(
        [
            f"{described.films} films of {described.patients} patients ({described.abnormal} abnormal), "
            f"AUC {described.auc}",
            f"{described.choice.chosen.method}: Brier score {before.brier:.4f} before, {after.brier:.4f} "
            f"after; ECE {before.calibration_error:.4f} before, {after.calibration_error:.4f} after",
            *_points(described),
            *(f"warning: {warning}" for warning in described.subgroups.warnings),
            *_without_score(gathered),
            *summary.remarks,
            f"{CALIBRATION_FILE} written to {summary.folder}{kept}",
            *([] if summary.is_found else [f"scans use it by `--calibration {summary.folder}`"]),
            f"page and table in {summary.out}",
        ]
    )


def _points(described: "Description") -> list[str]:
    from cxr_calibration.statistics.intervals import percent_interval

    return [
        f"{point.name:<14} score {100 * point.threshold:5.1f}  "
        f"sensitivity {percent_interval(point.sensitivity)}  "
        f"specificity {percent_interval(point.specificity)}  "
        + (f"NOT MET: {point.shortfall}" if point.shortfall else "met")
        for point in described.points
    ]


def _without_score(gathered: "Gathered") -> list[str]:
    from cxr_runtime.language import counted

    unscored, repeated = gathered.unscored, gathered.repeated
    lines = [f"{counted(repeated, 'row')} named a film a second time"] if repeated else []
    if unscored:
        lines.append(f"labelled films without a score: {len(unscored)}")
        lines += [f"  {film.file}: {film.code}" for film in unscored[:NAMED_AT_MOST]]
    if len(unscored) > NAMED_AT_MOST:
        lines.append(f"  and {len(unscored) - NAMED_AT_MOST} more")
    return lines


def monitor(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", show_default=False, help="Output folders of scans, e.g. of a week."),
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="Model whose calibration the scans are compared with.")
    ] = "default",
    calibration: Calibration = None,
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
            metavar="FILE.csv|DIR",
            help="Readers' verdicts: columns file (or sha256) and label, 1 for abnormal; or an output folder "
            "in which they gave them.",
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
    language: Language = None,
) -> int:
    """Compare scans with the films that the model was calibrated on, and alarm where they have changed.

    Compared are the share of flagged films, the scores, brightness, contrast, views, films without a score by
    code, and readers' verdicts. Exit status: 0 in order, 3 alarm, 1 could not compare, 2 wrong usage.
    """
    from cxr_calibration.monitor import MonitorOptions, compare_scans
    from cxr_cli.report_options import page_language

    options = MonitorOptions(
        model, calibration, operating_point, tuple(baseline or ()), verdicts, false_alarms, out
    )
    with page_language(language):
        found, written = compare_scans(folders, options)
    remarks = [found.remark] if found.remark else []
    typer.echo("\n".join([found.sentence, *found.alarms, *remarks, f"page and figures in {written}"]))
    return ExitStatus.AMISS if found.alarms else ExitStatus.DONE
