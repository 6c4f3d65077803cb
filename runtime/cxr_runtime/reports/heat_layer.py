"""Heat as a picture of its own, transparent where nothing is coloured, to be laid over a film of any size."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.colour import heat_steps, step_colours, step_opacities
from cxr_runtime.png import encode_indexed_png

LAYER_LONG_SIDE = 512  # pixels; enough for smooth borders of the colours at any size a film is shown


def heat_layer(heat: NDArray[np.float32], film_hw: tuple[int, int], threshold: float) -> bytes:
    """The colours of `overlay`, with their opacity, without the film.

    Args:
        heat: (h, w) float32 in 0..1, over the whole film.
        film_hw: rows and columns of the film, for its proportions.
        threshold: heat below this is not coloured, 0 <= threshold < 1.

    Returns:
        An indexed PNG with transparency; stretched onto the film it covers all of it.
    """
    scale = LAYER_LONG_SIDE / max(film_hw)
    layer_hw = max(1, round(film_hw[0] * scale)), max(1, round(film_hw[1] * scale))
    rgba = np.column_stack([step_colours(), np.rint(255 * step_opacities())]).astype(np.uint8)
    return encode_indexed_png(heat_steps(heat, threshold, layer_hw), rgba)
