"""Figure 2 of the paper: what each filter looks for, by activation maximisation."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.explain.channels import answer_of
from cxr_train.networks import Network

START = 0.1  # strength of the noise that the picture grows from, in rates of a few steps
LOGITS = "logits"  # in place of a layer: the two classes

RgbPicture = NDArray[np.uint8]  # (H, W, 3)


@dataclass(frozen=True)
class Maximisation:
    """How an input is grown that a filter answers to, and kept legible."""

    steps: int = 128
    rate: float = 0.05  # of Adam
    jitter: float = 0.06  # each step moves the input by up to this share of its side
    blur_every: int = 12  # steps between blurs
    total_variation: float = 0.02  # weight of the differences between neighbouring pixels
    spread: float = 0.3  # contrast that the picture starts with and is held near
    seed: int = 0


def maximise(
    network: Network, layer: str, filters: list[int], how: Preprocessing, options: Maximisation | None = None
) -> list[RgbPicture]:
    """Grow an input for each of some filters of a layer.

    The picture is held in the frequency domain with its fine detail scaled down, moved about, blurred and
    kept smooth: without that, what maximises a filter is noise (Olah 2017).

    Args:
        network: in evaluation mode.
        layer: name of a module, e.g. `features.conv3`; or LOGITS for the two classes.
        filters: channels of that layer.
        how: the network's preprocessing.
        options: how the pictures are grown.
    """
    options = options or Maximisation()
    height, width = how.input_hw
    generator = torch.Generator().manual_seed(options.seed)
    spectrum = START * torch.randn(len(filters), 3, height, width // 2 + 1, 2, generator=generator)
    frequencies = _frequencies(height, width)
    spectrum.requires_grad_(True)
    optimiser = torch.optim.Adam([spectrum], options.rate)
    scale, shift = _normalisation(how)
    for step in range(options.steps):
        picture = _picture(spectrum, frequencies, (height, width), options.spread)
        moved = _jitter(picture, options.jitter, generator)
        answer = _answer(network, layer, moved * scale - shift, filters)
        roughness = _total_variation(picture)
        optimiser.zero_grad()
        (options.total_variation * roughness - answer).backward()  # type: ignore[no-untyped-call]  # torch states no type
        optimiser.step()
        if (step + 1) % options.blur_every == 0 and step + 1 < options.steps:
            with torch.no_grad():
                spectrum *= torch.exp(-0.5 * (frequencies[..., None] / 0.35) ** 2)
    grown = _picture(spectrum.detach(), frequencies, (height, width), options.spread)
    return [np.asarray(torch.round(255 * one).byte().permute(1, 2, 0).numpy()) for one in grown]


def _frequencies(height: int, width: int) -> Tensor:
    """(H, W // 2 + 1) cycles a pixel, the lowest that of one wave across the input."""
    y, x = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    return torch.sqrt(x * x + y * y).clamp(min=1 / max(height, width))


def _picture(spectrum: Tensor, frequencies: Tensor, hw: tuple[int, int], spread: float) -> Tensor:
    """(N, 3, H, W) 0..1 with every scale of detail equally strong at the start."""
    waves = torch.view_as_complex(spectrum.contiguous()) / frequencies
    picture = torch.fft.irfft2(waves, s=hw)
    return torch.sigmoid(picture / picture.std(dim=(1, 2, 3), keepdim=True) * 4 * spread)


def _jitter(picture: Tensor, share: float, generator: torch.Generator) -> Tensor:
    most = max(1, math.floor(share * picture.shape[2]))
    dy, dx = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
    return torch.roll(picture, (dy, dx), (2, 3))


def _normalisation(how: Preprocessing) -> tuple[Tensor, Tensor]:
    """What turns 0..1 into the network's input."""
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (how.mean, how.std))
    return 1 / std, mean / std


def _answer(network: Network, layer: str, image: Tensor, filters: list[int]) -> Tensor:
    """Mean activation of the wanted filter of each picture, in units of the layer's own spread."""
    answers = (
        network(image).logits[:, :, None] if layer == LOGITS else answer_of(network, layer, image).flatten(2)
    )
    wanted = torch.stack([answers[picture, channel] for picture, channel in enumerate(filters)])
    return (wanted.mean(dim=1) / answers.detach().std().clamp(min=1e-6)).sum()


def _total_variation(picture: Tensor) -> Tensor:
    down = (picture[:, :, 1:] - picture[:, :, :-1]).abs().mean()
    across = (picture[:, :, :, 1:] - picture[:, :, :, :-1]).abs().mean()
    return (down + across) * len(picture) * 100
