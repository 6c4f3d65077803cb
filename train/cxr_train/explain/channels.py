"""The channels of a layer on one film, as pictures (paper, III.B)."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxr_train.networks import Network

Scaled = NDArray[np.float32]  # 0..1


class Activations(NamedTuple):
    """One film in one layer."""

    before_relu: NDArray[np.float32]  # (C, h, w)
    after_relu: NDArray[np.float32]  # (C, h, w)


def answer_of(network: Network, layer: str, images: Tensor) -> Tensor:
    """What a layer of `features` answers, (B, C, h, w), before anything after it has changed it.

    Args:
        network: in evaluation mode.
        layer: name of a module, e.g. `features.conv3`.
        images: (B, 3, H, W) normalised.
    """
    answers: list[Tensor] = []
    hook = network.get_submodule(layer).register_forward_hook(lambda *call: answers.append(call[2].clone()))
    try:
        network.features(images)
    finally:
        hook.remove()
    return answers[0]


@torch.inference_mode()
def activations(network: Network, layer: str, image: Tensor) -> Activations:
    """What a convolution answers, normalised where it is, and what is left of it after ReLU.

    Args:
        network: in evaluation mode.
        layer: name of a convolution, see Network.convolutions.
        image: (1, 3, H, W) normalised.
    """
    answer = answer_of(network, _last_before_relu(network, layer), image)[0]
    return Activations(answer.cpu().numpy(), torch.relu(answer).cpu().numpy())


def _last_before_relu(network: Network, layer: str) -> str:
    """The convolution itself, or the batch normalisation that follows it."""
    names = [name for name, _ in network.named_modules()]
    after = names.index(layer) + 1
    is_normalised = after < len(names) and isinstance(network.get_submodule(names[after]), nn.BatchNorm2d)
    return names[after] if is_normalised else layer


def signed_grey(before_relu: NDArray[np.float32]) -> Scaled:
    """Scale each channel to 0..1: white positive, black negative, grey no answer (paper, III.B)."""
    strongest = np.abs(before_relu).max(axis=(1, 2), keepdims=True)
    return np.asarray(0.5 + 0.5 * before_relu / np.maximum(strongest, 1e-12), np.float32)


def unsigned_grey(after_relu: NDArray[np.float32]) -> Scaled:
    """Scale each channel to 0..1 by its strongest activation; black where it does not answer."""
    strongest = after_relu.max(axis=(1, 2), keepdims=True)
    return np.asarray(after_relu / np.maximum(strongest, 1e-12), np.float32)


def strongest(after_relu: NDArray[np.float32]) -> int:
    """The channel with the strongest activation anywhere on the film."""
    return int(after_relu.max(axis=(1, 2)).argmax())


def montage(channels: Scaled) -> Scaled:
    """Lay (C, h, w) out as one picture of about as many rows as columns, a white line between channels."""
    count, height, width = channels.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1), np.float32)
    for number, channel in enumerate(channels):
        top, left = number // columns * (height + 1), number % columns * (width + 1)
        sheet[top : top + height, left : left + width] = channel
    return sheet
