"""The least time that a network can take."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from cxr_export.gpu.floor import Rates, Work, least_seconds, measure_rates, work_of


def test_the_work_of_a_network_is_that_of_its_products(traced: onnx.ModelProto) -> None:
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in traced.graph.initializer}
    sizes = sorted(array.size for array in weights.values() if array.ndim > 1)
    first, last, second = 3 * 8 * 9, 12 * 16 * 2, 8 * 12 * 9
    assert sizes == sorted([first, second, last])
    conv5 = next(one for one in traced.graph.output if one.name == "conv5").type.tensor_type.shape.dim
    cells = conv5[2].dim_value * conv5[3].dim_value
    found = work_of(traced.SerializeToString())
    assert found.flops == 2 * (first * 16 * 16 + second * cells + last)
    assert found.bus_bytes == 4 * (3 * 33 * 33 + 2 + 12 * cells)
    assert found.weight_bytes == 2 * sum(array.size for array in weights.values())


@pytest.mark.parametrize(
    ("work", "expected"), [(Work(8.0, 0, 0), 8.0), (Work(0.0, 6, 0), 2.0), (Work(0.0, 0, 10), 8.0)]
)
def test_the_slowest_of_computing_weights_and_copying_is_the_floor(work: Work, expected: float) -> None:
    assert least_seconds(work, Rates(flops=4.0, memory_bytes=3.0, bus_bytes=5.0), 4) == expected


def test_a_device_is_measured() -> None:
    rates = measure_rates("cpu", side=64)
    assert np.isfinite([rates.flops, rates.memory_bytes, rates.bus_bytes]).all()
    assert min(rates.flops, rates.memory_bytes, rates.bus_bytes) > 0
