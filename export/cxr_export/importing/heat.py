"""How much each channel of a foreign feature map speaks for abnormal: Grad-CAM's weights, by small shifts."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.utils import Extractor

from cxr_runtime.backends.engine import CONV5, LOGITS
from cxr_runtime.logits import margins
from cxr_runtime.offline import load

onnxruntime = load("onnxruntime")

SHIFT = 0.05  # of a channel, as a share of its standard deviation over films and cells
CHANNELS_AT_ONCE = 64


def channel_weights(model: onnx.ModelProto, conv5: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean slope of the margin by each channel, as Grad-CAM takes it (Selvaraju 2017).

    A channel is shifted up and down in all its cells alike. Where the network averages the map and weighs it,
    these are the weights of its class activation map.

    Args:
        model: with the outputs `logits` and `conv5`, the first of which comes from the second alone.
        conv5: (N, C, h, w) of films.

    Returns:
        (C,) float32, what a shift of a whole channel by 1 adds to the margin, on average over films.
    """
    behind = Extractor(model).extract_model([CONV5], [LOGITS])
    (image,) = model.graph.input
    if any(
        image.name in node.input for node in behind.graph.node
    ):  # its shape alone: how many films there are
        behind = Extractor(model).extract_model([CONV5, image.name], [LOGITS])
    session = onnxruntime.InferenceSession(behind.SerializeToString(), providers=["CPUExecutionProvider"])
    steps = SHIFT * np.maximum(conv5.std(axis=(0, 2, 3)), 1e-6).astype(np.float32)
    return np.asarray(np.mean([_slopes(session, film, steps) for film in conv5], axis=0), np.float32)


def _slopes(session: Any, film: NDArray[np.float32], steps: NDArray[np.float32]) -> NDArray[np.float64]:
    """(C,) of one film, (C, h, w)."""
    slopes = np.zeros(len(steps))
    others = [each for each in session.get_inputs() if each.name != CONV5]
    for first in range(0, len(steps), CHANNELS_AT_ONCE):
        channels = np.arange(first, min(first + CHANNELS_AT_ONCE, len(steps)))
        said = []
        for sign in (1, -1):
            shifted = np.repeat(film[None], len(channels), axis=0)
            shifted[np.arange(len(channels)), channels] += sign * steps[channels, None, None]
            films = {each.name: np.zeros((len(channels), *_sides(each)), np.float32) for each in others}
            said.append(margins(session.run([LOGITS], {CONV5: shifted, **films})[0]))
        slopes[channels] = (said[0] - said[1]) / (2 * steps[channels])
    return slopes


def _sides(node: Any) -> list[int]:
    """Channels, rows and columns of an input; 1 where any number may be given."""
    return [side if isinstance(side, int) else 1 for side in node.shape[1:]]
