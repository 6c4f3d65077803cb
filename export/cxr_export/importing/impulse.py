"""Where the cells of a foreign feature map lie in its input: measured by impulses, band after band."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import ModelError
from cxr_runtime.placement import CellGrid

BANDS_A_CELL = 4  # an impulse is a band of this part of a cell's width
LEVEL = 1 / math.e  # of the strongest impulse; weaker ones come from far away, and say nothing of the centre
PICTURES = 56  # of noise, divided by the cells of a row; in one alone many units of a network are asleep
LEAST_PICTURES = 4
LEAST_CHANNELS = 24  # times pictures: a map of few channels is looked at in more of them
SAME = 0.05  # share of a cell by which both axes may differ
HALVED = 0.15  # share of a cell by which a power of two may be missed: nearly all networks halve and halve
COUNTED = 0.35  # the same, where there are as many cells as so many halvings leave
UNEVEN = 0.5  # share of a cell by which a centre may be off the even grid

Conv5 = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (B, c, H, W) -> (B, C, h, w)


def measured_by_impulse(conv5: Conv5, films: NDArray[np.float32]) -> CellGrid:
    """Find the centre of every cell, and the even grid that they make.

    A band of a noisy picture, from edge to edge, is drawn anew. How far each row of cells moves by it,
    squared and summed over channels and columns, tells how much the cells see of the band. A cell's centre
    is that of the bands that move it most. Then the same is done across.

    Args:
        conv5: the network as it is, with its own weights.
        films: (N, c, H, W) float32, normalised; the noise has their mean and deviation.

    Raises:
        ModelError: the cells lie on no even grid, the same down and across.
    """
    rng = np.random.default_rng(0)
    middle, spread = float(films.mean()), max(float(films.std()), 1e-6)

    channels, *cells_hw = conv5(films[:1]).shape[1:]
    pictures = max(LEAST_PICTURES, round(PICTURES / max(cells_hw)), LEAST_CHANNELS // channels)

    def noise() -> NDArray[np.float32]:
        return rng.normal(middle, spread, (pictures, *films.shape[1:])).astype(np.float32)

    down, across = (_grid(_centres(conv5, noise, axis), films.shape[axis]) for axis in (2, 3))
    if abs(down.stride - across.stride) > SAME * down.stride:
        raise ModelError(
            f"cells lie {down.stride:.1f} pixels apart down and {across.stride:.1f} across; expected the "
            "same: give an input of the network's own proportions"
        )
    return CellGrid(round((down.origin + across.origin) / 2, 1), round((down.stride + across.stride) / 2, 1))


def _centres(conv5: Conv5, noise: Callable[[], NDArray[np.float32]], axis: int) -> NDArray[np.float64]:
    """Centres of the cells along one axis, in pixels; nan where a cell saw the edge, or nothing."""
    pictures = noise()
    base = conv5(pictures)
    side, cells = pictures.shape[axis], base.shape[axis]
    if cells < 2:
        raise ModelError(f"there are {cells} cells along one axis; expected 2 or more: give a larger --size")
    width = max(1, round(side / cells / BANDS_A_CELL))
    starts = range(0, side, width)
    others = tuple(other for other in range(4) if other != axis)
    moved = np.zeros((len(starts), cells))
    for place, start in enumerate(starts):
        band = [slice(None)] * 4
        band[axis] = slice(start, start + width)
        changed, anew = pictures.copy(), noise()
        changed[tuple(band)] = anew[tuple(band)]
        moved[place] = np.square(conv5(changed) - base, dtype=np.float64).sum(axis=others)
    middles = np.array([(start + min(start + width, side)) / 2 for start in starts])
    return np.array([_centre(moved[:, cell], middles) for cell in range(cells)])


def _centre(moved: NDArray[np.float64], middles: NDArray[np.float64]) -> float:
    """The middle of the bands that move one cell most; nan where it saw the edge, or was not moved."""
    seen = moved >= LEVEL * moved.max()
    if not moved.max() > 0 or ((seen[0] or seen[-1]) and seen.sum() > 1):
        return math.nan
    return float(np.average(middles[seen], weights=moved[seen]))


def _grid(centres: NDArray[np.float64], side: int) -> CellGrid:
    """The even grid through the cells of the middle half; the others see too little beyond the edge."""
    quarter = len(centres) // 4
    inner = np.arange(quarter, len(centres) - quarter)
    cells = inner[np.isfinite(centres[inner])]
    if len(cells) < 2:
        cells = np.flatnonzero(np.isfinite(centres))
    if len(cells) < 2:
        raise ModelError(
            f"{len(cells)} of {len(centres)} cells see a part of the film that is not cut off by its edge; "
            "two are needed to measure where they lie: give a larger --size"
        )
    at = centres[cells]
    stride = _stride(float(np.polyfit(cells, at, 1)[0]), side, len(centres))
    origin = float(np.mean(at - stride * cells))
    off = float(np.abs(at - origin - stride * cells).max())
    if not stride > 0 or off > UNEVEN * stride:
        raise ModelError(
            f"a cell lies {off:.1f} pixels off the even grid of {stride:.1f}: a heat map would not lie where "
            "the network looked; expected a network of convolutions"
        )
    return CellGrid(origin, stride)


def _stride(measured: float, side: int, cells: int) -> float:
    """The power of two that was measured, as far as noise tells and the cells have room; else as measured.

    Trained networks tell it less well than drawn ones: in noise few of their channels are awake. The number
    of cells then decides.
    """
    if not measured > 0:
        return measured
    halved = 2.0 ** round(math.log2(measured))
    fits = (cells - 1) * halved < side
    missed = COUNTED if abs(side / halved - cells) < 1 else HALVED
    return halved if fits and abs(halved - measured) <= missed * halved else measured
