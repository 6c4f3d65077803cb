"""Where the network's input lies on the film, and where its heat cells lie on both.

All coordinates are continuous: pixel (row 0, column 0) covers 0..1 and has its centre at 0.5, so a crop, a
resize and a padding are one linear map whatever their sizes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARPNESS = -0.75  # free parameter of cubic convolution; -0.75 is OpenCV's

Box = tuple[float, float, float, float]  # x0, y0, x1, y1; x1 and y1 are exclusive
Outline = tuple[tuple[float, float], ...]  # closed polygon, (x, y) as shares of the film's width and height


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
        (rows, down), (columns, across) = (
            self._weights(axis, cells, heat.shape[axis], out_hw[axis]) for axis in (0, 1)
        )
        laid = np.zeros(out_hw, np.float32)
        seen = np.einsum("ay,ab->yb", down, heat)
        seen = np.einsum("yb,bx->yx", seen, across)  # no threads are woken, unlike by a matrix product
        laid[rows, columns] = np.clip(seen, heat.min(), heat.max())
        return laid

    def _weights(self, axis: int, cells: CellGrid, count: int, out: int) -> tuple[slice, NDArray[np.float32]]:
        """Which of the result's pixels along one axis were seen, and how much each takes of every cell.

        Returns:
            The pixels; and (count, pixels) float32 of cubic convolution (Keys 1981), a column adds up to 1.
        """
        low, high = self.box_film_xyxy[1 - axis], self.box_film_xyxy[3 - axis]
        film = (np.arange(out) + 0.5) * self.film_hw[axis] / out
        first, last = np.searchsorted(film, (low, high))
        centres = (film[first:last] - low) / (high - low) * self.input_hw[axis]
        at = (centres - cells.origin) / cells.stride
        whole, steps = np.floor(at), np.array([[-1], [0], [1], [2]])
        distance = np.abs(at - whole - steps)
        square, cube = distance**2, distance**3
        near = (SHARPNESS + 2) * cube - (SHARPNESS + 3) * square + 1
        far = SHARPNESS * (cube - 5 * square + 8 * distance - 4)
        weights, places = np.zeros((count, len(at)), np.float32), np.arange(len(at))
        takes = np.clip(whole + steps, 0, count - 1).astype(np.intp)
        for cell, weight in zip(takes, np.where(distance <= 1, near, far), strict=True):
            weights[cell, places] += weight
        return slice(first, last), weights
