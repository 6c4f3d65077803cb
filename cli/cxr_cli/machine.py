"""`cxr-triage doctor`, `models` and `benchmark`: what this machine has, and how fast it is."""

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from cxr_runtime.doctor.finding import Finding
from pathlib import Path

_NAME_WIDTH, _STATE_WIDTH, _LINE_WIDTH = 30, 9, 120


def doctor(
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="The model that backends are tested with.")
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Everything in detail, for machines.")] = False,
) -> int:
    """Say what works on this machine: packages, GPU, codecs, fonts, disk, models, every backend's self-test.

    Exit status: 0 when a scan on the processor works, whatever else is missing; 1 when it does not.
    """
    from cxr_runtime.doctor.checks import check_everything
    from cxr_runtime.doctor.finding import can_scan

    findings = check_everything(model)
    works = can_scan(findings)
    typer.echo(_json(findings, works) if as_json else _table(findings, works))
    return ExitStatus.DONE if works else ExitStatus.FAILED


def _table(findings: Sequence["Finding"], works: bool) -> str:
    rows = [line for finding in findings for line in _row(finding)]
    summary = "a scan on the processor works" if works else "a scan on the processor does NOT work: see above"
    return "\n".join([*rows, summary])


def _row(finding: "Finding") -> list[str]:
    head = f"{finding.name:<{_NAME_WIDTH}}{finding.state:<{_STATE_WIDTH}}"
    return textwrap.wrap(
        finding.told,
        _LINE_WIDTH,
        initial_indent=head,
        subsequent_indent=" " * (_NAME_WIDTH + _STATE_WIDTH),
        break_on_hyphens=False,
    )


def _json(findings: Sequence["Finding"], works: bool) -> str:
    rows = [
        {"name": one.name, "state": one.state, "told": one.told, "details": dict(one.details)}
        for one in findings
    ]
    return json.dumps({"cpu_scan_works": works, "findings": rows}, indent=1)


def models() -> int:
    """List the models that came with the program: sha256, precision, calibration and whose it is, licence."""
    from cxr_runtime.model.folder import bundled_models, open_model

    names = bundled_models()
    for name in names:
        model = open_model(name, allow_uncalibrated=True)
        manifest, calibration = model.manifest, model.calibration
        points = ", ".join(
            f"{point.name} (from {point.threshold:.3f})" for point in calibration.operating_points
        )
        height, width = manifest.preprocessing.input_hw
        typer.echo(
            f"{manifest.name}: {manifest.architecture}, {manifest.precision}, input {height} x {width}"
        )
        typer.echo(f"  sha256       {manifest.model_sha256}")
        typer.echo(f"  calibration  {calibration.method + ', ' + points if model.is_calibrated else 'none'}")
        if model.is_calibrated:
            typer.echo(f"  made by      {model.calibration_origin} ({model.calibration_file})")
        typer.echo(f"  licence      {manifest.licence or 'not stated'}")
        typer.echo(f"  folder       {model.folder}")
    if not names:
        typer.echo("no model came with this installation; make one with `cxr-triage export`")
    return 0


def benchmark(
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|DIR", show_default="default", help="Model to measure; may be given more than once."
        ),
    ] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default="all", help="Backend; may be given more than once."),
    ] = None,
    batch: Annotated[str, typer.Option(metavar="LIST", help="Films a batch.")] = "1,8,32",
    films: Annotated[
        int, typer.Option(min=0, help="Drawn films in a whole scan; 0: measure networks alone.")
    ] = 32,
    side: Annotated[int, typer.Option(min=128, metavar="PIXELS", help="Rows and columns of them.")] = 1024,
    seconds: Annotated[float, typer.Option(min=0.0, help="Wall time of each measurement.")] = 1.0,
    threads: Annotated[
        int | None,
        typer.Option(min=1, show_default="the backend's own", help="Processor threads of a network."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every number as JSON.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as markdown, e.g. for docs.")
    ] = None,
) -> int:
    """Measure this machine: every backend, precision and batch, every stage of a scan, and whole scans."""
    from cxr_runtime.atomic import write_bytes
    from cxr_runtime.benchmark.measure import BenchmarkOptions, as_json, as_markdown, measure

    options = BenchmarkOptions(
        models=tuple(model or ["default"]),
        backends=tuple(backend or ()),
        batch_sizes=_sizes(batch),
        films=films,
        side=side,
        seconds=seconds,
        threads=threads,
    )
    measured = measure(options)
    table = as_markdown(measured)
    typer.echo(table)
    if json_file is not None:
        write_bytes(json_file, as_json(measured).encode())
    if write is not None:
        write_bytes(write, table.encode())
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    """Batch sizes from a list with commas."""
    sizes = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if not sizes or len(sizes) != len(text.split(",")) or min(sizes) < 1:
        raise typer.BadParameter(f"{text!r} is not a list of batch sizes; expected e.g. 1,8,32")
    return tuple(sizes)
