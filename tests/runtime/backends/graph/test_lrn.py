"""LRN from faster operators."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.graph.lrn import neighbour_kernel, rewrite_lrn
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu


def test_the_rewritten_network_has_no_lrn_and_is_a_valid_model(draw_network: Callable[[], bytes]) -> None:
    rewritten = onnx.load_from_string(rewrite_lrn(draw_network()))
    onnx.checker.check_model(rewritten, full_check=True)
    assert "LRN" not in {node.op_type for node in rewritten.graph.node}


def test_the_rewritten_network_says_the_same(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    plain = OnnxRuntimeCpu(draw_network(), threads=1, is_reference=True).run(batch)
    faster = OnnxRuntimeCpu(draw_network(), threads=1).run(batch)
    np.testing.assert_allclose(faster.conv5, plain.conv5, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(faster.logits, plain.logits, rtol=2e-5, atol=1e-5)
    assert not np.array_equal(faster.conv5, plain.conv5)


def test_another_power_is_left_as_it_is(draw_network: Callable[..., bytes]) -> None:
    network = draw_network(lrn_beta=0.5)
    assert rewrite_lrn(network) is network


@pytest.mark.parametrize(("size", "below", "above"), [(1, 0, 0), (4, 1, 2), (5, 2, 2)])
def test_the_window_reaches_as_far_as_onnx_says(size: int, below: int, above: int) -> None:
    kernel = neighbour_kernel(9, size, alpha=1.0)[:, :, 0, 0]
    assert np.flatnonzero(kernel[4]).tolist() == list(range(4 - below, 4 + above + 1))
    assert kernel[4, 4] == pytest.approx(1 / size)


@pytest.mark.parametrize("number", ["size", "alpha", "beta"])
def test_a_graph_that_contradicts_itself_is_refused(number: str, draw_network: Callable[[], bytes]) -> None:
    network = onnx.load_from_string(draw_network())
    norm = next(node for node in network.graph.node if node.op_type == "LRN")
    if number == "beta":
        del norm.input[:]
    for attribute in [one for one in norm.attribute if one.name == number != "beta"]:
        norm.attribute.remove(attribute)
    if number == "alpha":
        norm.output[0] = ""
        del norm.output[:]
    with pytest.raises(ValueError, match="not an ONNX model that could be run"):
        rewrite_lrn(network.SerializeToString())


def test_an_lrn_of_more_channels_than_any_network_has_is_left_as_it_is(
    draw_network: Callable[[], bytes],
) -> None:
    network = onnx.load_from_string(draw_network())
    for value in network.graph.value_info:
        value.type.tensor_type.shape.dim[1].dim_value = 1 << 40
    content = network.SerializeToString()
    assert rewrite_lrn(content) is content
