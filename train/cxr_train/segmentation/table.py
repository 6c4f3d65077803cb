"""The table that says how good the lung fields are."""

import numpy as np

from cxr_train.segmentation.crossvalidation import Measured

HEADER = (
    "| lung field | films | Dice | Jaccard | boundary, pixels | worst Dice | films below 0.95 | ms a film |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
POOR = 0.95  # Dice


def markdown(measured: dict[str, list[Measured]]) -> str:
    """One row a lung field: means over films, the worst film, the median time on one core.

    Args:
        measured: by the name of the lung field.
    """
    return HEADER + "".join(_row(name, films) for name, films in measured.items())


def _row(name: str, films: list[Measured]) -> str:
    dice, jaccard, boundary = (
        np.array(values)
        for values in zip(
            *((f.agreement.dice, f.agreement.jaccard, f.agreement.boundary_pixels) for f in films),
            strict=True,
        )
    )
    milliseconds = 1000 * float(np.median([film.seconds for film in films]))
    return (
        f"| {name} | {len(films)} | {dice.mean():.4f} | {jaccard.mean():.4f} | {boundary.mean():.2f} "
        f"| {dice.min():.3f} | {int((dice < POOR).sum())} | {milliseconds:.1f} |\n"
    )
