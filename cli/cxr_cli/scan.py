"""`cxr-triage scan`: the thin face of `cxr_runtime.scan`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from cxr_runtime.scanning.scan import ScanSummary

Calibration = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        show_default="your own, or the model's",
        help="Use the calibration in this folder, as `cxr-triage calibrate --out` wrote it.",
    ),
]
EXIT_NOT_WRITTEN, EXIT_SOME_NOT_SCORED = 1, 3
MOST_NAMED = 3  # files that could not be written, by name
_DEFAULT_FORMATS = "csv,html,pdf,png"


def scan(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...", show_default=False, help="Films, folders with all below them, zip files."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="NAME-cxr-triage beside the first INPUT",
            help="Folder for the worklist and all other results.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A model that came with the program, or a model folder.")
    ] = "default",
    calibration: Calibration = None,
    backend: Annotated[
        Literal["auto", "onnxruntime", "openvino", "cuda", "tensorrt"],
        typer.Option(
            help="What computes the scores; auto: the fastest that gives right ones on this machine."
        ),
    ] = "auto",
    operating_point: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="the calibration's own",
            help="Threshold from which films are flagged; `cxr-triage models` lists them.",
        ),
    ] = None,
    heat: Annotated[
        Literal["cam", "strongest-channel"], typer.Option(help="Which heat map the reports show.")
    ] = "cam",
    lung_outline: Annotated[
        bool,
        typer.Option(
            "--lung-outline", help="Draw the outline of the lungs on the pictures in heatmaps/, too."
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            show_default="one for each processor",
            help="Processes that read films; at most 8 run.",
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", show_default="the machine's", help="Memory for the scan and its workers, e.g. 8G."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, max=1024, help="Films computed at once.")] = 8,
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="What to write: any of csv,html,pdf,png,npz.")
    ] = _DEFAULT_FORMATS,
    allow_uncalibrated: Annotated[
        bool, typer.Option("--allow-uncalibrated", help="Scan without a calibration; every report says so.")
    ] = False,
    require_gpu: Annotated[
        bool, typer.Option("--require-gpu", help="Stop with an error if no GPU can be used.")
    ] = False,
    require_sandbox: Annotated[
        bool,
        typer.Option(
            "--require-sandbox",
            help="Stop with an error if this system cannot confine the programs that read films.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Score all films again, also those that are finished.")
    ] = False,
    share_with: Annotated[
        str | None,
        typer.Option(
            metavar="GROUP",
            show_default="nobody",
            help="A group that may read DIR (Linux, macOS).",
        ),
    ] = None,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Follow links that lead out of INPUT, too.")
    ] = False,
) -> int:
    """Rank films by how likely they are abnormal and write heat-map reports.

    Run the same command again to continue a scan that was interrupted. Films that are finished are not scored
    again.

    Exit status: 0 every film scored, 3 some rejected or failed, 2 wrong usage, 1 could not run, or could not
    write a report that another program has open, 130 interrupted.
    """
    from cxr_runtime.memory import check_memory

    check_memory()  # under a low limit, what is imported next may end the process without a word
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.files import PRIVATE, parse_formats, shared_with
    from cxr_runtime.heat.map import HeatMethod
    from cxr_runtime.machine_memory import parse_size
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.scanning.scan import scan as scan_films

    options = ScanOptions(
        out=out,
        model=model,
        calibration=calibration,
        backend=backend,
        operating_point=operating_point,
        heat=HeatMethod(heat),
        lung_outline=lung_outline,
        workers=workers,
        memory=None if memory is None else parse_size(memory),
        batch_size=batch_size,
        formats=parse_formats(formats),
        allow_uncalibrated=allow_uncalibrated,
        require_gpu=require_gpu,
        require_sandbox=require_sandbox,
        force=force,
        access=PRIVATE if share_with is None else shared_with(share_with),
        follow_links=follow_links,
    )
    summary = scan_films(inputs, options, terminal_or_lines())
    typer.echo(_told(summary))
    if summary.refused:
        typer.echo(f"cxr-triage: {about_refused(summary.refused)}", err=True)
        return EXIT_NOT_WRITTEN
    return EXIT_SOME_NOT_SCORED if summary.tally.rejected or summary.tally.failed else 0


def _told(summary: "ScanSummary") -> str:
    from cxr_cli.progress import counted
    from cxr_runtime.names import printable
    from cxr_runtime.reports.wording import folders_of_results

    counts = summary.tally
    review = f", {counts.review} to review" if counts.review else ""
    told = (
        f"{counted(counts.films)}: {counts.scored} scored ({counts.flagged} flagged{review}), "
        f"{counts.rejected} rejected, {counts.failed} failed"
    )
    before = f"; {summary.finished_before} finished before" if summary.finished_before else ""
    files = "1 other file" if summary.passed_over == 1 else f"{summary.passed_over} other files"
    others = f"; {files} passed over" if summary.passed_over else ""
    results = f"; {folders_of_results(summary.results)}" if summary.results else ""
    anew = ""
    if summary.distrusted:
        anew = f"; {counted(summary.distrusted)} done anew: their rows were made elsewhere, or changed"
    where = f"{printable(str(summary.out))} ({summary.backend})"
    last = f"\n{summary.foreign}" if summary.foreign else ""
    return f"{told}{before}{others}{results}{anew}\nreports in {where}{last}"


def about_refused(refused: Mapping[str, str]) -> str:
    """What to say of files that could not be written, given with the system's reasons."""
    named = [f"{name} ({reason})" for name, reason in list(refused.items())[:MOST_NAMED]]
    more = len(refused) - len(named)
    others = f" and {more} more" if more else ""
    return (
        f"{', '.join(named)}{others} could not be written; close the program that has it open, or mend what "
        "the system says: the same command then writes it, and does no film twice"
    )
