"""OpenVINO on the CPU."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import BackendError

pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
from cxr_runtime.backends.openvino_cpu import OpenVinoCpu


def test_it_computes_in_float32_not_in_bfloat16(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    expected = OnnxRuntimeCpu(draw_network(), threads=1).run(batch)
    found = OpenVinoCpu(draw_network(), 8, threads=1).run(batch)
    np.testing.assert_allclose(found.conv5, expected.conv5, atol=1e-5 * expected.conv5.max())
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-5 * np.abs(expected.logits).max())


def test_a_film_gets_the_same_bits_at_any_place_and_in_a_batch_that_is_not_full(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    engine = OpenVinoCpu(draw_network(), 8, threads=1)
    expected = engine.run(batch)
    backwards, few = engine.run(np.ascontiguousarray(batch[::-1])), engine.run(batch[:3])
    np.testing.assert_array_equal(backwards.conv5[::-1], expected.conv5)
    np.testing.assert_array_equal(backwards.logits[::-1], expected.logits)
    np.testing.assert_array_equal(few.logits, expected.logits[:3])


def test_outputs_of_an_earlier_run_stay_as_they_were(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    engine = OpenVinoCpu(draw_network(), 8, threads=1)
    first = engine.run(batch)
    kept = first.conv5.copy()
    engine.run(batch * 2)
    np.testing.assert_array_equal(first.conv5, kept)


def test_a_damaged_network_is_a_backend_error(draw_network: Callable[[], bytes]) -> None:
    with pytest.raises(BackendError, match="OpenVINO cannot load the network"):
        OpenVinoCpu(draw_network()[:300], 8)
