"""A picture of the first batch as the network will see it: what the eye finds here no figure tells."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxr_train.data.split import Rows
from cxr_train.loop.batches import BatchMaker
from cxr_train.recipe.recipe import Augmentation

BATCH_FILE = "batch.png"  # in a run folder
MOST_SHOWN = 16  # films
IN_A_ROW = 8
INSIDE = 0.2  # share of a cell that lies in a box, from which on it is outlined
WORDS = {0.0: "normal", 1.0: "abnormal", None: "no label"}  # by label


def draw_batch(maker: BatchMaker, rows: Rows, variation: Augmentation, seed: Sequence[int]) -> bytes:
    """PNG: films as they are, and below each the same film as the first step sees it; boxes are outlined.

    Args:
        maker: of the film table.
        rows: films of the first step; the first MOST_SHOWN are drawn.
        variation: the recipe's augmentation.
        seed: of that step, so that the varied films are the very ones.
    """
    shown = rows[:MOST_SHOWN]
    across, lines = min(IN_A_ROW, len(shown)), -(-len(shown) // IN_A_ROW)
    figure = Figure(figsize=(1.6 * max(across, 3), 3.7 * lines), layout="constrained")
    grid = figure.subplots(2 * lines, across, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for kind, batch in enumerate((maker.make(shown), maker.make(shown, variation, seed))):
        pictures = _grey(batch.images.numpy(), maker)
        for place, row in enumerate(shown):
            axes = grid[2 * (place // IN_A_ROW) + kind, place % IN_A_ROW]
            _draw(axes, pictures[place], batch.targets.heat[place].numpy(), maker)
            label = maker.films[row].label
            axes.set_title("varied" if kind else WORDS.get(label, f"{label}"), fontsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    return picture.getvalue()


def _grey(images: NDArray[np.float32], maker: BatchMaker) -> NDArray[np.float32]:
    """(B, 3, H, W) normalised -> (B, H, W) 0..1, what the first channel says."""
    return images[:, 0] * np.float32(maker.how.std[0]) + np.float32(maker.how.mean[0])


def _draw(axes: Axes, picture: NDArray[np.float32], heat: NDArray[np.float32], maker: BatchMaker) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
    inside = np.nan_to_num(heat)
    if inside.max() >= INSIDE:  # whole cells, as the network is taught
        near = [
            np.clip(np.rint((np.arange(side) - maker.cells.origin) / maker.cells.stride), 0, count - 1)
            for side, count in zip(picture.shape, inside.shape, strict=True)
        ]
        taught = inside[np.ix_(near[0].astype(int), near[1].astype(int))]
        axes.contour(taught, levels=[INSIDE], colors="yellow", linewidths=1)
