"""Which way a picture lies, as EXIF and TIFF say (TIFF 6.0, section 8; EXIF 2.32, 4.6.4)."""

import struct

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import Depth

ORIENTATION = 0x0112  # tag
UPRIGHT = 1
SHORT = 3  # field type


def upright(pixels: NDArray[Depth], orientation: int) -> NDArray[Depth]:
    """Turn a picture so that its top is the top.

    Args:
        pixels: (rows, columns) uint8 or uint16 as stored.
        orientation: 1 to 8: where row 0 and column 0 belong; any other value counts as 1.

    Returns:
        (rows, columns), same dtype, contiguous; rows and columns change places for 5 to 8.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    if orientation in (3, 4):
        pixels = pixels[::-1]
    if orientation in (2, 3):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def exif_orientation(exif: bytes) -> int:
    """The orientation that EXIF states, 1 to 8; 1 where it states none.

    Args:
        exif: from the byte order mark on, without the JPEG marker's "Exif".
    """
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return UPRIGHT
    (at,) = struct.unpack_from(f"{order}I", exif, 4)
    if at + 2 > len(exif):
        return UPRIGHT
    (count,) = struct.unpack_from(f"{order}H", exif, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
        if tag == ORIENTATION and kind == SHORT:
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
