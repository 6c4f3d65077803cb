"""The ways to find the lungs of a film, by name."""

from typing import Protocol

from cxr_runtime.errors import UsageError
from cxr_runtime.film import GreyPixels
from cxr_runtime.lungs.atlas import AtlasLungField
from cxr_runtime.lungs.mask import LungMask
from cxr_runtime.lungs.unet import UnetLungField

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
