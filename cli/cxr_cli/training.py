"""`cxr-triage train`, `search` and `segment-train`: the thin faces of `cxr_train`."""

from math import isnan
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.training_options import (
    Cache,
    Data,
    Device,
    Folds,
    SplitSeed,
    Workers,
    cache_folder,
    machine,
    split_plan,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxr_train.loop.journal import Entry


def train_network(
    data: Data,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the run; an unfinished one is continued.")
    ],
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="custom",
            help="custom, alexnet, vgg16, vgg19, squeezenet, edge, lite.",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="default-lite-pretraining, default-lite-teacher or default-lite, by which the default model "
            "was made; default-sites-pretraining, default-sites-teacher or default-sites, by which a teacher "
            "of it was made; default-pretraining, default-long-pretraining, default-lungs-pretraining, "
            "default-all-pretraining, default-teacher or default, by which that of 0.1.0 was made; or a file "
            "of settings (TOML or JSON).",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="One setting, e.g. epochs=5; may be repeated."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            show_default="the network's own",
            help="scratch, published (ImageNet's, downloaded), a .pth, .safetensors, .npz or exported .onnx "
            "file, or a run.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=1, show_default="the network's own", help="Side of the input."),
    ] = None,
    folds: Folds = 0,
    fold: Annotated[
        int | None, typer.Option(min=0, show_default="all", help="Train this fold alone, the first being 0.")
    ] = None,
    split_seed: SplitSeed = 0,
    validation: Annotated[
        bool,
        typer.Option(
            help="Keep films back to choose an epoch by; without, the recipe must select by `last`, and "
            "without folds every film is trained on."
        ),
    ] = True,
    unread: Annotated[
        bool,
        typer.Option(help="Take only patients of whom nobody has read a film; for pretraining on reports."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            help="Check films, split and weights, print every setting, draw the first batch; train nothing."
        ),
    ] = False,
    device: Device = "auto",
    workers: Workers = 1,
    cache: Cache = None,
) -> int:
    """Train a network on films: one run, or the folds of a cross-validation.

    Before the first epoch it says what it was given, and draws the first batch into the run's folder as
    batch.png. Run the same command again to continue where it stopped; the result is the same bit for bit.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.typed_json import to_json
    from cxr_train.recipe.composing import compose_recipe, parse_setting, recipe_settings
    from cxr_train.run import cross_validate, rehearse, train

    changes = list(recipe_settings(recipe)) if recipe else []
    changes += [parse_setting(text) for text in settings or []]
    changes += [{"start": start}] if start else []
    changes += [{"preprocessing.input_hw": [size, size]}] if size else []
    chosen, plan = compose_recipe(network, *changes), split_plan(folds, fold, split_seed, validation, unread)
    given = (out, data, chosen, plan, machine(device, workers), cache_folder(cache), terminal_or_lines())
    if dry_run:
        typer.echo(to_json(rehearse(*given)))
        typer.echo(
            f"nothing was trained; look at {out / 'batch.png'}, then give the same command without --dry-run"
        )
        return 0
    best = cross_validate(*given) if folds and fold is None else [train(*given)]
    typer.echo(f"trained {chosen.architecture.network} into {out}; {_came_to(best, chosen.epochs)}")
    tables = " ".join(f"--data {quote(str(path))}" for path in data)
    typer.echo(f"next: cxr-triage evaluate {quote(str(out))} {tables} --out {quote(str(out))}-evaluation")
    return 0


def _came_to(best: "Sequence[Entry]", epochs: int) -> str:
    """The epochs that were kept, and what validation said of them."""
    areas = [entry["auc"] for entry in best]
    if len(best) > 1:
        mean = f"{sum(areas) / len(areas):.3f} on average, {min(areas):.3f} to {max(areas):.3f}"
        return f"{len(best)} folds, validation AUC {mean}"
    kept = f"best epoch {best[0]['epoch']:g} of {epochs}"
    return kept if isnan(areas[0]) else f"{kept}, validation AUC {areas[0]:.3f}"


def search_recipes(
    data: Data,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the trials; an unfinished one is continued.")
    ],
    space: Annotated[
        Path,
        typer.Option("--space", metavar="FILE", help="What is tried (TOML or JSON): ranges and choices."),
    ],
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="as the file says, or custom", help="Network to search with."
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, show_default="as the file says", help="Number of trials.")
    ] = None,
    split_seed: SplitSeed = 0,
    device: Device = "auto",
    workers: Workers = 1,
    cache: Cache = None,
) -> int:
    """Search hyper-parameters and architecture at random, and sort what was tried.

    Trials are compared on the validation side. Run the same command again to continue where it stopped.
    """
    from dataclasses import replace

    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.language import counted
    from cxr_train.search import RESULTS_FILE, read_search, run_search

    tried = read_search(space)
    tried = replace(tried, trials=trials) if trials else tried
    plan = split_plan(0, None, split_seed)
    done = run_search(
        out, data, tried, plan, network, machine(device, workers), cache_folder(cache), terminal_or_lines()
    )
    best, run = done[0], out / f"trial-{done[0].number:03d}"
    typer.echo(
        f"best is trial {best.number}: {best.said} on {best.films} films of validation, after "
        f"{counted(best.epochs, 'epoch')}; all {len(done)} are in {out / RESULTS_FILE}"
    )
    typer.echo("the best of several looks better than it is; what it is worth, films say that none has seen:")
    tables = " ".join(f"--data {quote(str(path))}" for path in data)
    typer.echo(f"next: cxr-triage evaluate {quote(str(run))} {tables} --out {quote(str(run))}-evaluation")
    return 0


def train_lung_fields(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="CSV with the columns file and lung_mask, relative to its folder."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for what is made.")],
    fields: Annotated[
        str, typer.Option("--fields", metavar="LIST", help="Any of unet,atlas.")
    ] = "unet,atlas",
    folds: Annotated[
        int, typer.Option(min=0, max=50, help="Folds of the cross-validation; 0 measures nothing.")
    ] = 5,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 16 films that the U-Net learns from.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same files.")] = 1,
    network: Annotated[
        Path | None,
        typer.Option(
            metavar="ONNX",
            exists=True,
            dir_okay=False,
            show_default="one is trained on all films",
            help="A U-Net of float32 that was trained before, to be made INT8.",
        ),
    ] = None,
) -> int:
    """Learn to find the lungs, from films with drawn lungs.

    Writes lung-field.onnx in INT8, the U-Net as it was trained (lung-field-float32.onnx), lung-atlases.npz,
    and the table of the cross-validation, lung-field.md.
    """
    from dataclasses import replace

    import cv2
    import torch

    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.errors import UsageError
    from cxr_train.small.lungs.making import MAKERS, Making, make_lung_fields
    from cxr_train.small.lungs.network import SCHEDULE

    names = tuple(name.strip() for name in fields.split(",") if name.strip())
    if not names or not set(names) <= set(MAKERS) or folds == 1:
        raise UsageError(
            f"--fields {fields} --folds {folds} cannot be done; fields are unet, atlas; folds 0, 2 or more"
        )
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    making = Making(table, out, names, folds, replace(SCHEDULE, steps=steps, seed=seed), network)
    typer.echo(make_lung_fields(making, terminal_or_lines()), nl=False)
    return 0
