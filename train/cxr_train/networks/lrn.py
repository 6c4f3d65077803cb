"""Local response normalisation as one module, so that export can write it as the one ONNX operator LRN."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class LocalResponseNorm(nn.Module):
    """Divide each activation by the energy of its neighbouring channels (paper, II.B, after AlexNet).

    y = x / (k + alpha / size * sum of x^2 over `size` neighbouring channels) ** beta, with the window centred
    on the channel and cut at both ends. The paper states no constants; these are AlexNet's, alpha divided
    by the window as MATLAB (the paper's tool), torch and ONNX LRN all do it.
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, h, w) float32 over its channels; same shape out."""
        x = x.float()  # squares overflow half precision
        below, above = self.size // 2, (self.size - 1) // 2
        squares = functional.pad(x * x, (0, 0, 0, 0, below, above))
        energy = squares[:, : x.shape[1]]
        for shift in range(1, self.size):
            energy = energy + squares[:, shift : shift + x.shape[1]]
        return x * torch.pow(self.k + self.alpha / self.size * energy, -self.beta)

    def extra_repr(self) -> str:
        """Its constants, as print(network) shows them."""
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
