"""`cxr-triage lab gate`, `margins`, `truth` ...: what training leaves for the laboratory."""

from pathlib import Path
from typing import Annotated

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.training_options import Cache, Data, cache_folder

Fifths = Annotated[
    list[str] | None,
    typer.Option(
        "--fifth", metavar="NAME", help="locked, threshold or training: whose films; may be repeated."
    ),
]
Learned = Annotated[
    list[Path] | None,
    typer.Option(
        "--learned",
        metavar="PATH",
        help="Data set that the model has learned wholly; its patients are left out. May be repeated.",
    ),
]
Folds = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Folder of folds, a run, or for `margins` a model folder.")
]


def make_gate_network(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder with the tables and films of docs/gate.md.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for what is made.")],
    steps: Annotated[
        int, typer.Option(min=0, help="Batches that a network learns from; 0: none is trained.")
    ] = 4000,
    network: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx", show_default="the shipped one", help="With --steps 0: a float32 network."
        ),
    ] = None,
    judges: Annotated[
        str, typer.Option(metavar="PART", help="locked, or choosing: whose pictures judge.")
    ] = "locked",
    cache: Cache = None,
) -> int:
    """Make the gate's network and weights, and judge them by pictures of patients that neither has seen.

    Writes the network as it was trained (gate-float32.onnx) and in INT8 (gate.onnx), gate.json, the table
    gate.md, and wrong.txt with the names of films that did not end as expected.
    """
    from dataclasses import replace

    import cv2
    import torch

    from cxr_cli.progress import terminal_or_lines
    from cxr_train.small.gate.locked import part_named
    from cxr_train.small.gate.making import Making, make_gate
    from cxr_train.small.gate.network import SCHEDULE

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    part = part_named(judges)
    making = Making(data, out, cache_folder(cache), replace(SCHEDULE, steps=steps), network, part)
    typer.echo(make_gate(making, terminal_or_lines()), nl=False)
    return 0


def refit_runs(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A finished run, or the folder of a cross-validation.")
    ],
    data: Data,
    cache: Cache = None,
) -> int:
    """Fit the heat of finished runs anew, on their own training films; the networks stay as they are.

    The data are those that the runs were trained on.
    """
    from cxr_train.heat.of_run import refit_heat

    refit_heat(model, data, cache_folder(cache))
    return 0


def try_heat(model: Folds, data: Data, cache: Cache = None) -> int:
    """Try how much the location prior counts in heat, and how smooth heat is, on films not seen.

    Prints two tables: a row for each value, and one for the value that the films of the other folds choose.
    """
    from cxr_train.explain.heat_choices import heat_choices_of

    typer.echo(heat_choices_of(model, data, cache_folder(cache)))
    return 0


def write_margins(
    model: Folds,
    data: Data,
    out: Annotated[Path, typer.Option(metavar="MARGINS.csv", help="The labels file to write.")],
    fifth: Fifths = None,
    learned: Learned = None,
    cache: Cache = None,
) -> int:
    """Write margins of films that a model has not seen, for a calibration.

    Of folds, each film has that of one fold that has not seen its patient; the training fifths of the
    patients are asked, if nothing else is said. Of a model folder it has the margin of the very network that
    ships; the threshold fifth is asked. The file names films and patients: keep it on this machine.
    """
    from cxr_runtime.atomic import write_bytes
    from cxr_runtime.files import MODEL_FILE
    from cxr_train.data.fifths import fifths_named
    from cxr_train.evaluation.scoring import margins_csv
    from cxr_train.truth.looking import shipped_margins_csv

    folder = cache_folder(cache)
    if (model / MODEL_FILE).is_file():
        asked = fifths_named(fifth or ("threshold",))
        write_bytes(out, shipped_margins_csv(model, data, asked, learned or (), folder))
    else:
        write_bytes(out, margins_csv(model, data, fifths_named(fifth or ("training",)), folder))
    return 0


def print_truth(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of the tables and their films.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", show_default="default", help="Model folder; may be repeated."),
    ] = None,
    fifth: Fifths = None,
    learned: Learned = None,
    cache: Cache = None,
) -> int:
    """Print what a model promises beside what is found on films that it has not seen.

    The locked fifth of the patients is looked at if nothing else is said. Look at it once a release, and
    choose nothing by it.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.model.folder import DEFAULT_MODEL, MODELS_FOLDER, open_model
    from cxr_train.data.fifths import fifths_named
    from cxr_train.truth.table import truth_table

    asked = fifths_named(fifth or ("locked",))
    folders = model or [MODELS_FOLDER / DEFAULT_MODEL]
    models = [open_model(folder, calibration=folder) for folder in folders]
    typer.echo(truth_table(models, data, asked, learned or (), cache_folder(cache), terminal_or_lines()))
    return 0


def write_opinions(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model folder, e.g. of `cxr-triage import`.")
    ],
    data: Data,
    out: Annotated[Path, typer.Option(metavar="OPINIONS.csv", help="The table to write.")],
) -> int:
    """Write what a model says of films, by which `train` can teach another network.

    A row a film: its sha256, the probability, whether the model has learned from it, heat in 16 x 16 cells.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.atomic import write_bytes
    from cxr_train.data import read_film_table
    from cxr_train.loop.opinions_file import opinions_of_model

    films = read_film_table(data)
    write_bytes(out, opinions_of_model(model, films, terminal_or_lines()))
    typer.echo(
        f"opinions on {len(films)} films in {out}; next: cxr-triage train ... --set 'teachers=[\"{out}\"]' "
        "--set terms.teacher=1"
    )
    return 0


def draw_films(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="For the films and films.csv.")],
    films: Annotated[int, typer.Option(min=1, help="How many; every second one has a shadow.")] = 72,
    seed: Annotated[
        int, typer.Option(min=0, help="The first person; another number draws other people.")
    ] = 0,
) -> int:
    """Draw a labelled data set, to try the commands on before your own films are there."""
    from cxr_train.data.drawn_films import draw_data_set

    typer.echo(f"{films} drawn films are in {draw_data_set(folder, films, seed)}")
    return 0


def check_imports(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="For the environment and the model folders.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", show_default="20 of them", help="Networks, as for `import`."),
    ] = None,
) -> int:
    """Import architectures of torchxrayvision, timm and torchvision with random weights; print a table.

    Their libraries are installed into an environment in DIR. It takes some minutes for each network.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_export.importing.check import SOURCES, as_table, import_check

    progress = terminal_or_lines()
    lines = []
    for line in import_check(folder, sources or SOURCES, progress):
        progress.say(f"{line.source}: {'; '.join(line.cells)}")
        lines.append(line)
    typer.echo(as_table(lines))
    is_refused = any(len(line.cells) == 1 for line in lines)
    return ExitStatus.AMISS if is_refused else ExitStatus.DONE


def write_known_films(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="The model folder.")],
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Its training run; then runs that this one does not name."),
    ],
) -> int:
    """Write into a model folder which films the model has learned from, as digests that name none.

    `export` does the same for the run that it exports; this is for models of before.
    """
    from cxr_export.checkpoint import note_known_films

    known = note_known_films(runs, model)
    typer.echo(
        f"{known.digests.size:,} films; another film is taken for one of them with a chance of "
        f"{known.false_alarms:.1e}"
    )
    return 0
