"""An export against the network it came from."""

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from cxr_export.parity import TOLERANCE, measure_parity
from cxr_runtime.errors import ModelError
from cxr_train.networks import Network


@pytest.fixture
def batch() -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(size=(8, 3, 33, 33)).astype(np.float32)


def test_a_faithful_export_agrees_far_below_the_tolerance(
    network: Network, traced: onnx.ModelProto, batch: NDArray[np.float32]
) -> None:
    parity = measure_parity(network, traced.SerializeToString(), batch)
    assert 0 < parity.logits_relative < TOLERANCE / 10
    assert 0 < parity.conv5_relative < TOLERANCE / 10


@pytest.mark.parametrize(("layer", "output"), [("classifier.1", "logits"), ("features.4", "logits")])
def test_a_network_that_gives_no_finite_number_is_blamed_itself(
    network: Network, traced: onnx.ModelProto, batch: NDArray[np.float32], layer: str, output: str
) -> None:
    torch.nn.init.constant_(network.get_parameter(f"{layer}.weight"), float("nan"))
    with pytest.raises(ModelError, match=f"the network itself, before any export, gives {output} that"):
        measure_parity(network, traced.SerializeToString(), batch)


@pytest.mark.parametrize(("weights", "output"), [("classifier.1.weight", "logits"), ("0.weight", "")])
@pytest.mark.parametrize("factor", [1 + 20 * TOLERANCE, float("nan")])
def test_an_export_that_differs_in_one_weight_is_refused(
    network: Network, traced: onnx.ModelProto, batch: NDArray[np.float32], weights: str, output: str,
    factor: float,
) -> None:  # fmt: skip
    changed = onnx.ModelProto()
    changed.CopyFrom(traced)
    tensor = next(one for one in changed.graph.initializer if one.name.endswith(weights))
    values = np.asarray(numpy_helper.to_array(tensor) * np.float32(factor))
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    with pytest.raises(ModelError, match=f"does not agree with its network: {output}"):
        measure_parity(network, changed.SerializeToString(), batch)
