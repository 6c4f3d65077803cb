"""The ways to find the lungs of a film, by name: a small learned segmentation, and atlases."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from cxr_runtime.errors import UsageError
from cxr_runtime.film import GreyPixels, standardised
from cxr_runtime.lungs.atlas import AtlasLungField
from cxr_runtime.lungs.mask import LungMask, lung_mask
from cxr_runtime.small_network import SmallNetwork

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
        logits = SmallNetwork(self.path).run(standardised(pixels, INPUT_SIDE)[None, None])[0, 0]
        soft = np.round(255 / (1 + np.exp(-logits)))
        return lung_mask(soft.astype(np.uint8), pixels.shape)


DEFAULT_LUNG_FIELD = "unet"


class LungField(Protocol):
    """A way to find the lungs."""

    def find(self, pixels: GreyPixels) -> LungMask:
        """Find the lungs of a film.

        Args:
            pixels: (rows, columns) uint8, dense tissue bright, upright.
        """
        ...


LUNG_FIELDS: dict[str, type[UnetLungField] | type[AtlasLungField]] = {
    "unet": UnetLungField,
    "atlas": AtlasLungField,  # paper, II.A
}


def lung_field(name: str = DEFAULT_LUNG_FIELD) -> LungField:
    """The way of that name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in LUNG_FIELDS:
        raise UsageError(f"lung field {name!r} is not known; choose one of: {', '.join(LUNG_FIELDS)}")
    return LUNG_FIELDS[name]()
