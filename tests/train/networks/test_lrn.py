import pytest
import torch
from torch import nn

from cxr_train.networks.lrn import LocalResponseNorm


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("alpha", [1e-4, 0.5])
def test_it_is_torch_s_own(size: int, alpha: float) -> None:
    x = 20 * torch.randn(2, 7, 5, 4, generator=torch.Generator().manual_seed(0))
    ours, theirs = LocalResponseNorm(size, alpha, 0.75, 2.0), nn.LocalResponseNorm(size, alpha, 0.75, 2.0)
    torch.testing.assert_close(ours(x), theirs(x))


def test_energy_beyond_half_precision_does_not_overflow() -> None:
    x = torch.full((1, 5, 1, 1), 1000.0, dtype=torch.float16)
    assert torch.isfinite(LocalResponseNorm()(x)).all()
