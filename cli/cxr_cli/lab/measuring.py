"""`cxr-triage lab out-of-fold`, `damage`, `fuzz`, `gamma`, `rehearse`, `precisions`, `gpu` and others."""

from pathlib import Path
from typing import Annotated

import typer

from cxr_cli.exit_status import ExitStatus

OptionalData = Annotated[
    list[Path] | None, typer.Option("--data", metavar="PATH", help="Films, as for training.")
]


def print_whole_choice(
    margins: Annotated[
        list[Path],
        typer.Argument(metavar="MARGINS.csv...", help="What `lab margins` wrote of each candidate."),
    ],
) -> int:
    """Print what a choice of network, map and threshold is worth on films that had no part in it."""
    from cxr_calibration.fit.whole_choice import whole_choice_table
    from cxr_calibration.out_of_fold import read_margins

    typer.echo(whole_choice_table({path.stem: read_margins(path)[0] for path in margins}))
    return 0


def print_promise_trials(
    margins: Annotated[
        Path, typer.Argument(metavar="MARGINS.csv", help="What `lab margins` wrote of the model.")
    ],
    beside: Annotated[Path, typer.Argument(metavar="BESIDE.csv", help="As of `lab out-of-fold`.")],
    draws: Annotated[int, typer.Option(min=1, help="Draws for each measure.")] = 2000,
) -> int:
    """Print how far promises are off that are founded on films that set a threshold, and on more films."""
    from cxr_calibration.fit.promise_trials import promise_table
    from cxr_calibration.out_of_fold import read_beside, read_margins

    typer.echo(promise_table(read_margins(margins)[0], read_beside(beside, margins), draws=draws))
    return 0


def calibrate_from_margins(
    margins: Annotated[
        Path, typer.Argument(metavar="MARGINS.csv", help="What `cxr-triage lab margins` wrote.")
    ],
    films: Annotated[
        str, typer.Argument(metavar="FILMS", help="Where the films come from, in a few words, for the card.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Model folder whose calibration.json and card.md are written."),
    ] = None,
    error_rate: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=0.5, show_default="no film goes to review", help="Of the review band, 0 to 0.5."
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="BESIDE.csv",
            show_default="none",
            help="The same of another network, of these films and of more: says how hard these films are.",
        ),
    ] = None,
) -> int:
    """Fit a calibration on margins of films that the model has not seen.

    Prints the sections of the model's card on probabilities, operating points and subgroups.
    """
    from cxr_calibration.out_of_fold import calibrate_out_of_fold

    typer.echo(calibrate_out_of_fold(margins, films, model, error_rate, beside))
    return 0


def damage_films(
    films: Annotated[
        Path | None,
        typer.Argument(metavar="[FILMS]", help="Folder of sound films.", show_default="drawn ones"),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Damaged films.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another one gives other damages.")] = 1,
) -> int:
    """Damage films of every coding at random places; count those that are scored, and scored wrongly."""
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.benchmark.damage import DamageOptions, damage_table, measure_damage

    counts = measure_damage(DamageOptions(films, count, seed), terminal_or_lines())
    typer.echo(damage_table(counts))
    return 0


def fuzz_readers(
    minutes: Annotated[
        float | None, typer.Option(min=0.0, show_default="no limit", help="Wall time of all.")
    ] = None,
    inputs: Annotated[
        int | None,
        typer.Option(min=1, show_default="100, or no limit with --minutes", help="Inputs of each target."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default="all", help="What reads them; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one gives other inputs.")] = 1,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the first input of each finding.")
    ] = None,
) -> int:
    """Throw changed films, zip files, answers, models and stores at whatever reads them.

    Exit status: 0 nothing was found, 1 an input did what is not documented.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.benchmark.fuzzing.fuzz import USUAL_INPUTS, FuzzOptions, fuzz, fuzz_table

    if minutes is None and inputs is None:
        inputs = USUAL_INPUTS
    found = fuzz(FuzzOptions(target or (), inputs, minutes, seed, save), terminal_or_lines())
    typer.echo(fuzz_table(found))
    return ExitStatus.FAILED if found.findings else ExitStatus.DONE


def darken_films(
    films: Annotated[Path, typer.Argument(metavar="FILMS", help="Folder of films.")],
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the changed films, as PNG.")],
    gamma: Annotated[
        float, typer.Argument(metavar="GAMMA", help="Above 1 darkens, between 0 and 1 brightens.")
    ],
) -> int:
    """Write films as another screen would give them: their grey levels raised to a power."""
    from cxr_calibration.monitoring.rehearsal import write_films

    typer.echo(f"{write_films([films], out, gamma)} films written to {out}")
    return 0


def rehearse_monitoring(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a model, or a model folder.")],
    usual: Annotated[
        Path, typer.Argument(metavar="USUAL", help="Output folder of a scan that was in order.")
    ],
    drifted: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=DIR]...", help="Scans of films that have changed, each by a name."),
    ] = None,
    films: Annotated[int, typer.Option(min=1, help="Films a night.")] = 60,
    nights: Annotated[int, typer.Option(min=1, help="Nights of each kind.")] = 300,
) -> int:
    """Print how often monitoring alarms on nights drawn from scans, changed ones and others."""
    from cxr_calibration.monitoring.rehearsal import rehearse_scans
    from cxr_runtime.errors import UsageError

    folders = {}
    for text in drifted or ():
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise UsageError(f"{text!r} names no scan; expected NAME=DIR, e.g. gamma=darker-scan")
        folders[name] = Path(folder)
    typer.echo(rehearse_scans(model, usual, folders, films=films, nights=nights))
    return 0


def print_precisions(
    networks: Annotated[
        list[str],
        typer.Argument(metavar="NETWORK...", help="Runs, folders of folds, or names for fresh weights."),
    ],
    data: OptionalData = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="Wall time of each timing.")] = 2.0,
) -> int:
    """Print the table of precisions: what each costs on films, and how fast it is."""
    from cxr_export.precision.table import precision_lines

    for line in precision_lines(networks, data or (), seconds):
        typer.echo(line)
    return 0


def print_gpu_page(
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NETWORK]...",
            help="Names of networks.",
            show_default="custom, alexnet, vgg16, vgg19, squeezenet",
        ),
    ] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(
            min=1, metavar="FILMS", show_default="1, 8, 64, 256", help="Films a batch; may be repeated."
        ),
    ] = None,
    data: OptionalData = None,
    device: Annotated[str, typer.Option(help="As PyTorch names it.")] = "cuda",
    seconds: Annotated[float, typer.Option(min=0.0, help="Wall time of each measurement.")] = 1.0,
    side: Annotated[
        int, typer.Option(min=1, help="Side of the product that measures how fast the device computes.")
    ] = 8192,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the page to this file.")
    ] = None,
) -> int:
    """Measure a GPU: networks by PyTorch, ONNX Runtime and TensorRT, and the default model on films."""
    from cxr_export.gpu.measuring import BATCHES, NETWORKS, measure_gpu
    from cxr_runtime.atomic import write_bytes

    page = measure_gpu(networks or NETWORKS, batch or BATCHES, data or (), device, seconds, side)
    typer.echo(page)
    if write is not None:
        write_bytes(write, page.encode())
    return 0


def print_way_of_a_film(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="A film that is read and scored.")],
) -> int:
    """Count the files and functions of the runtime that one film runs through, and name the files."""
    from cxr_runtime.benchmark.way_of_a_film import way_of

    way = way_of(film)
    typer.echo("\n".join(way.files))
    typer.echo(f"{len(way.files)} files, {len(way.functions)} functions")
    return 0
