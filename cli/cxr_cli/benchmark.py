"""`cxr-triage benchmark`: the thin face of `cxr_runtime.benchmark`."""

from pathlib import Path
from typing import Annotated

import typer


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
    from cxr_runtime.benchmark.measure import BenchmarkOptions, as_json, as_markdown, measure
    from cxr_runtime.files import write_bytes

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
