"""DICOM pictures in colour: photographs, screen captures, and grey films saved as RGB."""

import numpy as np
from pydicom import FileDataset
from pydicom.pixels.processing import apply_color_lut

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.codestream import Stored
from cxr_runtime.reading.dicom_values import integer, keyword
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.grey import grey_of_bgr


def grey_of_colour(ds: FileDataset, stored: Stored) -> tuple[GreyPixels, bool]:
    """Luminance of a picture in colour.

    Args:
        ds: the data set.
        stored: (rows, columns, 3) RGB, or (rows, columns) indices into a palette.

    Returns:
        (rows, columns) uint8, and whether the picture was visibly coloured.
    """
    if keyword(ds, "PhotometricInterpretation") == "PALETTE COLOR":
        rgb = np.asarray(apply_color_lut(stored, ds))
        bits = 8 if rgb.max() < 256 else 16
    else:
        rgb, bits = stored, integer(ds, "BitsStored") or 8
    if rgb.ndim != 3 or rgb.shape[2] < 3:
        raise damaged("it states a colour picture but holds one sample a pixel")
    shown = (rgb >> max(0, bits - 8)).astype(np.uint8)
    grey, coloured = grey_of_bgr(np.ascontiguousarray(shown[..., 2::-1]))
    return np.asarray(grey, np.uint8), coloured
