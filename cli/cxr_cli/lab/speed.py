"""`cxr-triage lab scale`, `arriving`, `served`, `peers`, `previews`, `workers`: time, memory and disk."""

from pathlib import Path
from typing import Annotated

import typer

Counts = Annotated[
    list[int] | None, typer.Option("--films", min=1, metavar="FILMS", help="Scan so many; may be repeated.")
]


def measure_scale(
    films: Counts = None,
    standing: Annotated[
        list[int] | None,
        typer.Option(min=1, metavar="FILMS", help="Go on where so many are finished; may be repeated."),
    ] = None,
    listed: Annotated[
        int | None, typer.Option(min=1, metavar="FILES", help="List a folder of so many.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default="none", help="Draw memory against films; extra `export`."),
    ] = None,
) -> int:
    """Measure time, memory and disk of scans of many small drawn films. Not on Windows.

    A film that stands needs 16 kB of disk for files and store; listed files are empty.
    """
    from cxr_runtime.benchmark.scale import Point, measure_listing, measure_scans, measure_standing

    scanned, met = list[Point](), list[Point]()
    for point in measure_scans(films or ()):
        scanned.append(point)
        typer.echo(str(point))
    for point in measure_standing(standing or ()):
        met.append(point)
        typer.echo(str(point))
    for line in () if listed is None else measure_listing(listed):
        typer.echo(line)
    if figure is not None:
        from cxr_export.scale.curve import draw_memory

        draw_memory({"films scored": scanned, "finished films met again": met}, figure)
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


def print_previews(
    films: Annotated[list[Path], typer.Argument(metavar="FILM...", help="Of 1024 pixels or more.")],
    qualities: Annotated[
        list[int] | None,
        typer.Option(
            "--quality", min=60, max=95, show_default="95, 88, 84, 75 and 66", help="May be repeated."
        ),
    ] = None,
) -> int:
    """Print what the film that a store keeps loses, and the room it takes, by the quality of its JPEG."""
    from cxr_runtime.benchmark.previews import preview_table
    from cxr_runtime.reading import read_film

    pixels = [read_film(film.read_bytes()).pixels for film in films]
    typer.echo(preview_table(pixels, qualities or (95, 88, 84, 75, 66)))
    return 0


def print_workers(
    films: Annotated[list[Path], typer.Argument(metavar="FILM...", help="260 films or more, all different.")],
    rounds: Annotated[int, typer.Option(min=1, help="Scans with each number of workers.")] = 3,
    plan: Annotated[
        list[int] | None,
        typer.Option(min=1, metavar="FILMS", help="Reckon what so many films take; may be repeated."),
    ] = None,
    cores: Annotated[int, typer.Option(min=1, help="That do them.")] = 64,
    core_hour: Annotated[float, typer.Option(min=0, metavar="PRICE", help="Of a core.")] = 0.04,
    gigabyte_month: Annotated[float, typer.Option(min=0, metavar="PRICE", help="Of disk.")] = 0.02,
) -> int:
    """Measure one worker of one core beside two, on a Ray cluster of this machine; reckon larger ones.

    Start and end of a scan do not count. It needs the extra `cluster`, Linux, and two cores for itself.
    """
    from cxr_export.scale.model import Price, scale_table
    from cxr_export.scale.workers import measure_workers, workers_table

    measured = measure_workers(films, rounds)
    typer.echo(workers_table(measured))
    if plan:
        one, price = measured[0], Price(core_hour, gigabyte_month)
        typer.echo(f"\n{scale_table(plan, cores, one.costs, one.sizes, price)}")
    return 0


def measure_arriving(
    films: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILM]...", help="Films that arrive one by one.")
    ] = None,
    soak: Annotated[
        int | None, typer.Option(min=1, metavar="FILMS", help="Have so many drawn films arrive.")
    ] = None,
    files: Annotated[int | None, typer.Option(min=1, help="Look at a folder of so many files.")] = None,
    by_dicom: Annotated[
        bool, typer.Option("--dicom", help="Have the films sent to a DICOM receiver, not put into a folder.")
    ] = False,
) -> int:
    """Measure a watched folder: seconds from a last byte to its row, memory, and what looking costs."""
    from cxr_runtime.benchmark.arriving import measure_latency, measure_looking
    from cxr_runtime.benchmark.soak import measure_memory

    if films and by_dicom:
        from cxr_runtime.benchmark.receiving import measure_receiving

        for line in measure_receiving(films):
            typer.echo(line)
    elif films:
        typer.echo(str(measure_latency(films)))
    for line in () if soak is None else measure_memory(soak, by_dicom=by_dicom):
        typer.echo(line)
    for line in () if files is None else measure_looking(files):
        typer.echo(line)
    return 0
