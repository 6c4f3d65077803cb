"""Where in the lungs disease is usually found: what a heat map knows before the film is looked at."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.placement import Box, CellGrid, Placement


@dataclass(frozen=True)
class LocationPrior:
    """A map in the frame of the lungs: the box around both, larger by `margin` on each side."""

    shares: tuple[tuple[float, ...], ...]  # how often disease is there, 1 where most often; above 0
    weight: float  # power it is raised to before it multiplies heat
    margin: float  # share of the box's width and height
    usual_lungs_share_xyxy: Box  # shares of the film's sides; stands in where a film's lungs are not known

    def __post_init__(self) -> None:
        """Refuse what is no map.

        Raises:
            ValueError: the rows have different lengths, or a share, the weight or the margin is out of range.
        """
        if len({len(row) for row in self.shares}) != 1 or not self.shares[0]:
            raise ValueError("the rows of the location prior have no length, or different ones")
        if not all(0 <= share <= 1 for row in self.shares for share in row):
            raise ValueError("a share of the location prior is not within 0..1")
        if not (0 <= self.weight < np.inf and 0 <= self.margin < np.inf):
            raise ValueError("the weight or margin of the location prior is below 0")

    def on_cells(
        self, placement: Placement, cells: CellGrid, hw: tuple[int, int], lungs_film_xyxy: Box | None
    ) -> NDArray[np.float64]:
        """The prior of one film on its heat cells.

        Args:
            placement: the part of the film that the network was shown.
            cells: where the cells lie in the network's input.
            hw: rows and columns of cells.
            lungs_film_xyxy: box around both lungs in film pixels; None: taken to be where lungs usually are.

        Returns:
            (h, w) float64, 1 where disease is most often, less elsewhere; beyond the frame as at its edge.
        """
        rows, columns = placement.film_hw
        usual = self.usual_lungs_share_xyxy
        lungs = lungs_film_xyxy or (usual[0] * columns, usual[1] * rows, usual[2] * columns, usual[3] * rows)
        shares = np.array(self.shares, np.float32)
        y, x = (
            self._places(_centres(placement, cells, axis, hw[axis]), lungs, axis, shares.shape[axis])
            for axis in (0, 1)
        )
        map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        found = cv2.remap(shares, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float64) ** self.weight

    def _places(self, film: NDArray[np.float64], lungs: Box, axis: int, count: int) -> NDArray[np.float64]:
        """Film pixels along one axis, counted in places of `shares`."""
        low, high = lungs[1 - axis], lungs[3 - axis]
        side = (high - low) * (1 + 2 * self.margin)
        return (film - low + self.margin * (high - low)) / side * count - 0.5


def _centres(placement: Placement, cells: CellGrid, axis: int, count: int) -> NDArray[np.float64]:
    """Centres of the heat cells along one axis, in film pixels."""
    low, high = placement.box_film_xyxy[1 - axis], placement.box_film_xyxy[3 - axis]
    return low + (cells.origin + cells.stride * np.arange(count)) / placement.input_hw[axis] * (high - low)
