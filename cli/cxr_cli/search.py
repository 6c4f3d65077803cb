"""`cxr-triage search`: the thin face of `cxr_train.search`."""

from pathlib import Path
from typing import Annotated

import typer

from cxr_cli.training_options import (
    Cache,
    Data,
    Device,
    SplitSeed,
    Workers,
    cache_folder,
    machine,
    split_plan,
)


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
    from cxr_train.search import RESULTS_FILE, read_search, run_search

    tried = read_search(space)
    tried = replace(tried, trials=trials) if trials else tried
    plan = split_plan(0, None, split_seed)
    best = run_search(
        out, data, tried, plan, network, machine(device, workers), cache_folder(cache), terminal_or_lines()
    )[0]
    typer.echo(f"best is trial {best.number} with {best.figure:.4f}; all are in {out / RESULTS_FILE}")
    return 0
