"""Where the network's input lies on the film, and where its heat cells lie on both.

All coordinates are continuous: pixel (row 0, column 0) covers 0..1 and has its centre at 0.5, so a crop, a
resize and a padding are one linear map whatever their sizes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]  # x0, y0, x1, y1; x1 and y1 are exclusive


@dataclass(frozen=True)
class CellGrid:
    """Centres of the heat cells in the network's input: `origin + stride * index`, in input pixels."""

    origin: float  # centre of cell 0, along both axes
    stride: float  # distance of neighbouring centres, along both axes


@dataclass(frozen=True)
class Placement:
    """The part of the film that was stretched onto the network's input."""

    film_hw: tuple[int, int]  # rows and columns of the film
    box_film_xyxy: Box  # in film pixels; may reach beyond the film, where the input was padded
    input_hw: tuple[int, int]  # rows and columns of the network's input

    def heat_on_film(
        self, heat: NDArray[np.float32], cells: CellGrid, out_hw: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Lay a grid of heat cells over the whole film.

        Args:
            heat: (h, w) float32, one value a cell.
            cells: where the cells' centres lie in the network's input.
            out_hw: rows and columns of the result, which always covers the whole film.

        Returns:
            (out_h, out_w) float32 within the range of `heat`; between cell centres bicubic, so that contours
            are round, beyond the outermost centres the nearest cell, and 0 where the film was not shown.
        """
        axes = [self._axis(axis, out_hw[axis]) for axis in (0, 1)]
        cell_y, cell_x = ((centre - cells.origin) / cells.stride for centre, _ in axes)
        map_x, map_y = np.meshgrid(cell_x.astype(np.float32), cell_y.astype(np.float32))
        smooth = cv2.remap(heat, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        laid = np.clip(smooth, heat.min(), heat.max())
        seen = axes[0][1][:, None] & axes[1][1][None, :]
        return np.where(seen, laid, np.float32(0)).astype(np.float32)

    def _axis(self, axis: int, out: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Input coordinates of the result's pixel centres along one axis, and which of them were seen."""
        low, high = self.box_film_xyxy[1 - axis], self.box_film_xyxy[3 - axis]
        film = (np.arange(out) + 0.5) * self.film_hw[axis] / out
        return (film - low) / (high - low) * self.input_hw[axis], (film >= low) & (film < high)
