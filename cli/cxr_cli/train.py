"""`cxr-triage train`: the thin face of `cxr_train.run`."""

from pathlib import Path
from typing import Annotated

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


def train_network(
    data: Data,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the run; an unfinished one is continued.")
    ],
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="custom", help="custom, alexnet, vgg16, vgg19, squeezenet, edge."
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="default, default-teacher, default-pretraining, default-long-pretraining, "
            "default-lungs-pretraining or default-all-pretraining, by which the default model was made, or a "
            "file of settings (TOML or JSON).",
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
            help="scratch, published (ImageNet's, downloaded), a .pth, .safetensors or .npz file, or a run.",
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
    device: Device = "auto",
    workers: Workers = 1,
    cache: Cache = None,
) -> int:
    """Train a network on films: one run, or the folds of a cross-validation.

    Run the same command again to continue where it stopped; the result is the same bit for bit.
    """
    from cxr_cli.progress import terminal_or_lines
    from cxr_train.recipe.composing import compose_recipe, parse_setting, recipe_settings
    from cxr_train.run import cross_validate, train

    changes = list(recipe_settings(recipe)) if recipe else []
    changes += [parse_setting(text) for text in settings or []]
    changes += [{"start": start}] if start else []
    changes += [{"preprocessing.input_hw": [size, size]}] if size else []
    chosen, plan = compose_recipe(network, *changes), split_plan(folds, fold, split_seed, validation, unread)
    train_one_or_all = cross_validate if folds and fold is None else train
    train_one_or_all(
        out, data, chosen, plan, machine(device, workers), cache_folder(cache), terminal_or_lines()
    )
    typer.echo(f"trained {chosen.architecture.network} into {out}")
    return 0
