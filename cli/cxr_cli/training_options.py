"""Options that training, search, evaluation and explanation share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from cxr_train.data.split import SplitPlan
    from cxr_train.loop.trainer import Machine

Data = Annotated[
    list[Path],
    typer.Option(
        "--data",
        metavar="PATH",
        help="A CSV (file, label, ...), or a folder of ChestX-ray14, Montgomery or Shenzhen as downloaded; "
        "may be given more than once.",
    ),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option(help="Where networks run; auto: on a GPU if there is one.")
]


class ScoredFifth(StrEnum):
    """Parts of the patients of public collections that may be scored at any time; the locked one may not."""

    TRAINING = "training"
    THRESHOLD = "threshold"


def fifth_option(default: str) -> Any:
    """The option `--fifth` of a command that scores these films if nothing is said."""
    return typer.Option(
        "--fifth",
        show_default=default,
        help="Whose films, of public collections: those trained on, or kept back. May be repeated.",
    )


Workers = Annotated[int, typer.Option(min=1, help="Threads that decode films and make batches.")]
Cache = Annotated[
    Path | None,
    typer.Option(metavar="DIR", show_default="~/.cache/cxr-triage/films", help="Folder of prepared films."),
]
Folds = Annotated[int, typer.Option(min=0, help="Cross-validate in so many folds, at least 3; 0: 70/20/10.")]
SplitSeed = Annotated[int, typer.Option(min=0, help="Another seed deals patients to other sides.")]


def machine(device: str, workers: int) -> "Machine":
    """The machine asked for.

    Raises:
        UsageError: a GPU was asked for and there is none.
    """
    import torch

    from cxr_runtime.errors import UsageError
    from cxr_train.loop.trainer import Machine

    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("torch finds no GPU here; use --device cpu, or install torch for CUDA and a driver")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Machine(device, workers)


def cache_folder(asked: Path | None) -> Path:
    """The cache asked for, or the user's own."""
    from cxr_train.data.prepared_films import CACHE

    return asked or CACHE


def split_plan(
    folds: int, fold: int | None, seed: int, validated: bool = True, unread: bool = False
) -> "SplitPlan":
    """How films are split.

    Raises:
        UsageError: one fold is asked for, and films are not split into folds.
    """
    from cxr_runtime.errors import UsageError
    from cxr_train.data.split import SplitPlan

    if fold is not None and not folds:
        raise UsageError(f"--fold {fold} names a fold, and films are not split into folds; give --folds, too")
    return SplitPlan(folds=folds, fold=fold or 0, seed=seed, validated=validated, unread=unread)
