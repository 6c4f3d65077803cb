"""`cxr-triage lab scale`, `served` and `peers`: what grows with the films, and what others take."""

from pathlib import Path
from typing import Annotated

import typer

Counts = Annotated[
    list[int] | None, typer.Option("--films", min=1, metavar="FILMS", help="Scan so many; may be repeated.")
]


def measure_scale(
    films: Counts = None,
    standing: Annotated[
        int | None, typer.Option(min=1, metavar="FILMS", help="Go on where so many are finished.")
    ] = None,
    listed: Annotated[
        int | None, typer.Option(min=1, metavar="FILES", help="List a folder of so many.")
    ] = None,
) -> int:
    """Measure time, memory and disk of scans of many small drawn films. Not on Windows.

    A film that stands needs 16 kB of disk for files and store; listed files are empty.
    """
    from cxr_runtime.benchmark.scale import measure_listing, measure_scans, measure_standing

    for line in measure_scans(films or ()):
        typer.echo(line)
    for line in () if standing is None else measure_standing(standing):
        typer.echo(line)
    for line in () if listed is None else measure_listing(listed):
        typer.echo(line)
    return 0


def measure_served(
    films: Annotated[int, typer.Option(min=1, metavar="FILMS", help="Films of the store.")] = 100_000,
) -> int:
    """Measure how long the pages of `serve` take where the store holds many films."""
    from cxr_runtime.benchmark.serving import measure_serving

    for line in measure_serving(films):
        typer.echo(line)
    return 0


def print_peers(
    films: Annotated[list[Path], typer.Argument(metavar="FILM...", help="PNG films, 5 or more.")],
    python: Annotated[
        Path | None,
        typer.Option(
            metavar="PYTHON",
            show_default="no peer",
            help="Python of an environment with torchxrayvision and OpenCV.",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each program.")] = 3,
) -> int:
    """Print what a scan takes beside torchxrayvision, a script with Grad-CAM, and the arithmetic alone."""
    from cxr_export.peers import peers_table

    typer.echo(peers_table(films, python, rounds))
    return 0
