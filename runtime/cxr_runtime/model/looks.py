"""How a film looks, in a few numbers without a network: place of the lungs, greys, contrast, detail.

They change with the machine, its processing, the way films are taken and the people on them; far less with
disease. So they tell whether films come from where a threshold was set (`model/likeness.py`).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.lungs.mask import INSIDE, LungMask
from cxr_runtime.model.preprocessing import InputPixels

TENTHS = (5, 25, 50, 75, 95)  # percentiles of grey
DETAILS = 4  # levels of detail of the network's input, each half as fine as the one before
LOOKS = (  # the names of the numbers, in their order
    "lungs-left", "lungs-top", "lungs-right", "lungs-bottom", "lungs-height-to-width", "lungs-area",
    "lungs-vagueness",
    *(f"grey-in-lungs-{tenth}" for tenth in TENTHS),
    *(f"grey-around-lungs-{tenth}" for tenth in TENTHS),
    "input-mean", "input-contrast", "input-skewness",
    *(f"detail-{level}" for level in range(1, DETAILS + 1)),
)  # fmt: skip
DECIMALS = 5
_GREYS = 256
_FAINT = 0.01  # added to contrasts before their logarithm, grey levels

Looks = tuple[float, ...]  # one number for each of LOOKS


def looks_of(film: GreyPixels, lungs: LungMask, inputs: InputPixels) -> Looks:
    """Measure a film that was admitted.

    Args:
        film: (rows, columns) uint8, the film at reading size or its own.
        lungs: its lung field.
        inputs: (H, W) uint8, what the network is shown.

    Returns:
        A finite number for each of LOOKS, with DECIMALS decimals.
    """
    (rows, columns), soft = lungs.film_hw, lungs.soft
    x0, y0, x1, y1 = lungs.box_film_xyxy or (0.0, 0.0, float(columns), float(rows))
    place = [x0 / columns, y0 / rows, x1 / columns, y1 / rows, float(np.log((y1 - y0) / (x1 - x0)))]
    small = np.asarray(cv2.resize(film, soft.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    inside = soft >= INSIDE
    greys = [*_greys(small[inside])[0], *_greys(small[~inside])[0], *_greys(inputs.ravel())[1]]
    numbers = [*place, lungs.area, lungs.vagueness, *greys, *_details(inputs)]
    return tuple(round(float(number), DECIMALS) for number in numbers)


def _greys(pixels: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Of (N,) greys, as 0..1: TENTHS; and mean, standard deviation and skewness."""
    counts, greys = np.bincount(pixels, minlength=_GREYS), np.arange(_GREYS) / (_GREYS - 1)
    wanted = np.maximum(1.0, np.array(TENTHS) / 100 * pixels.size)
    tenths = greys[np.minimum(np.searchsorted(np.cumsum(counts), wanted), _GREYS - 1)]
    shares = counts / max(pixels.size, 1)
    mean = float(shares @ greys)
    contrast = float(shares @ (greys - mean) ** 2) ** 0.5
    skewness = float(shares @ (greys - mean) ** 3) / max(contrast, _FAINT) ** 3
    return tenths.tolist(), [mean, contrast, skewness]


def _details(inputs: InputPixels) -> list[float]:
    """Logarithm of the contrast at each level of a Laplacian pyramid but the finest, which is the file's.

    The finest detail depends on the size and coding in which a film was saved, not on how it was taken.
    """
    level, contrasts = cv2.pyrDown(inputs.astype(np.float32)), []
    for _ in range(DETAILS):
        coarser = cv2.pyrDown(level)
        lost = level - cv2.pyrUp(coarser, dstsize=level.shape[::-1])
        contrasts.append(float(np.log(lost.std() + _FAINT)))
        level = coarser
    return contrasts
