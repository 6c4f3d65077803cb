"""OpenCV's decoder for rasters, strict and silent."""

import cv2
import numpy as np

from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.grey import Samples

AS_STORED = int(cv2.IMREAD_UNCHANGED)  # with transparency; orientation ignored
UPRIGHT = int(cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)  # turned as EXIF says; transparency dropped

SILENT = 0  # a bad film is reported in its row, not on the terminal

if hasattr(cv2.utils, "logging"):
    cv2.utils.logging.setLogLevel(SILENT)
else:  # OpenCV 4
    cv2.setLogLevel(SILENT)  # type: ignore[attr-defined]  # not in the type information of OpenCV 5


def decode(content: bytes, flags: int) -> Samples:
    """Decode a raster whose header has been checked.

    Returns:
        (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, uint8 or uint16.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise damaged("its pixels cannot be decoded") from error
    if pixels is None:
        raise damaged("its pixels cannot be decoded")
    if pixels.dtype == np.uint16:
        return np.asarray(pixels, np.uint16)
    return np.asarray(pixels, np.uint8)
