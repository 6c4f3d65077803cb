"""The lung field by a small learned segmentation (`cxr-triage segment-train`)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.lungs.mask import LungMask, lung_mask
from cxr_runtime.single_core import SmallNetwork
from cxr_runtime.thumbnail import standardised

LUNG_FIELD_FILE = Path(__file__).parent / "lung-field.onnx"
INPUT_SIDE = 160  # rows and columns of the network's input, the whole film squashed


@dataclass(frozen=True)
class UnetLungField:
    """Finds the lungs with a U-Net.

    Raises (by `find`):
        OSError: the network's file is missing.
    """

    path: Path = LUNG_FIELD_FILE

    def find(self, pixels: GreyPixels) -> LungMask:
        """Find the lungs of a film; (rows, columns) uint8, dense tissue bright."""
        logits = SmallNetwork(self.path).run(network_input(pixels)[None, None])[0, 0]
        soft = np.round(255 / (1 + np.exp(-logits)))
        return lung_mask(soft.astype(np.uint8), pixels.shape)


def network_input(pixels: GreyPixels) -> NDArray[np.float32]:
    """The one preparation of a film for the network, training included.

    Args:
        pixels: (rows, columns) uint8.

    Returns:
        (INPUT_SIDE, INPUT_SIDE) float32 with mean 0 and standard deviation 1 (0 on a blank film).
    """
    return standardised(pixels, INPUT_SIDE)
