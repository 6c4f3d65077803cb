"""The reference backend."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.choose import open_engine
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model


def test_it_names_its_provider_and_gives_both_outputs(model: Model, batch: NDArray[np.float32]) -> None:
    engine = open_engine(model, "onnxruntime", batch_size=8, threads=1)
    outputs = engine.run(batch)
    assert engine.backend == "onnxruntime-cpu"
    assert outputs.logits.shape == (8, 2)
    assert outputs.conv5.shape == (8, 12, 12, 12)
    assert outputs.logits.dtype == outputs.conv5.dtype == np.float32
    assert outputs.conv5.min() == 0
    engine.close()


def test_a_film_gets_the_same_bits_at_any_place_and_in_any_company(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    engine = OnnxRuntimeCpu(draw_network(), threads=1)
    film, expected = batch[0], engine.run(batch)
    for place in range(8):
        company = np.random.default_rng(place).normal(size=batch.shape, scale=5).astype(np.float32)
        company[place] = film
        outputs = engine.run(company)
        np.testing.assert_array_equal(outputs.logits[place], expected.logits[0])
        np.testing.assert_array_equal(outputs.conv5[place], expected.conv5[0])


def test_a_film_gets_the_same_bits_from_any_number_of_threads(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    one, two = (OnnxRuntimeCpu(draw_network(), threads=threads).run(batch) for threads in (1, 2))
    np.testing.assert_array_equal(one.logits, two.logits)
    np.testing.assert_array_equal(one.conv5, two.conv5)


def test_an_input_of_the_wrong_size_is_a_backend_error(draw_network: Callable[[], bytes]) -> None:
    engine = OnnxRuntimeCpu(draw_network(), threads=1)
    with pytest.raises(BackendError, match="inference failed"):
        engine.run(np.zeros((1, 3, 5, 5), np.float32))


def test_a_damaged_network_is_a_backend_error_in_one_line(draw_network: Callable[[], bytes]) -> None:
    with pytest.raises(BackendError, match="cannot load the network") as caught:
        OnnxRuntimeCpu(draw_network()[:200])
    assert "\n" not in str(caught.value)
