"""`cxr-triage segment-train`: the thin face of `cxr_train.segmentation`."""

from pathlib import Path
from typing import Annotated

import typer


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
) -> int:
    """Learn to find the lungs, from films with drawn lungs.

    Writes lung-field.onnx, lung-atlases.npz and the table of the cross-validation, lung-field.md.
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
    making = Making(table, out, names, folds, replace(SCHEDULE, steps=steps, seed=seed))
    typer.echo(make_lung_fields(making, terminal_or_lines()), nl=False)
    return 0
