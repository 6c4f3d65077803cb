"""How a film looks, in a few numbers without a network: place of the lungs, greys, contrast, detail.

They change with the machine, its processing, the way films are taken and the people on them; far less with
disease. So they tell whether films come from where a threshold was set (`model/likeness.py`).
"""

import cv2
import numpy as np

from cxr_runtime.film import GreyPixels
from cxr_runtime.lungs.mask import LungMask
from cxr_runtime.model.preprocessing import InputPixels

_GREYS = 256
GREYS = np.arange(_GREYS) / (_GREYS - 1)  # 0 black .. 1 white
TENTHS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])  # shares of pixels that are darker
DETAILS = 4  # levels of a Laplacian pyramid of the network's input
LOOKS = (  # the names of the numbers, in their order
    "lungs-left", "lungs-top", "lungs-right", "lungs-bottom", "lungs-height-to-width", "lungs-area",
    "lungs-vagueness",
    *(f"grey-in-lungs-{tenth:.2f}" for tenth in TENTHS),
    *(f"grey-around-lungs-{tenth:.2f}" for tenth in TENTHS),
    "input-mean", "input-contrast", "input-skewness",
    *(f"detail-{level}" for level in range(1, DETAILS + 1)),
)  # fmt: skip
DECIMALS = 5
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
    small = np.asarray(cv2.resize(film, soft.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    inside = lungs.mask
    numbers = [x0 / columns, y0 / rows, x1 / columns, y1 / rows, float(np.log((y1 - y0) / (x1 - x0)))]
    numbers += [lungs.area, lungs.vagueness]
    for part in (inside, ~inside):
        upto = np.cumsum(cv2.calcHist([small], [0], part.view(np.uint8), [_GREYS], [0, _GREYS]))
        numbers += GREYS[np.minimum(np.searchsorted(upto, TENTHS * upto[-1]), _GREYS - 1)].tolist()
    shares = np.bincount(inputs.ravel(), minlength=_GREYS) / inputs.size
    mean = float(shares @ GREYS)
    contrast = float(shares @ (GREYS - mean) ** 2) ** 0.5
    numbers += [mean, contrast, float(shares @ (GREYS - mean) ** 3) / max(contrast, _FAINT) ** 3]
    # The finest detail is left out: it depends on how a film was saved, not on how it was taken.
    level = cv2.pyrDown(inputs.astype(np.float32))
    for _ in range(DETAILS):
        coarser = cv2.pyrDown(level)
        lost = level - cv2.pyrUp(coarser, dstsize=level.shape[::-1])
        numbers.append(float(np.log(lost.std() + _FAINT)))
        level = coarser
    return tuple(round(number, DECIMALS) for number in numbers)
