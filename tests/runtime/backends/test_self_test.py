"""A backend's self-test."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.self_test import (
    TOLERANCES,
    phantom_batch,
    self_test,
    tolerance,
)
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model
from cxr_runtime.model.preprocessing import Preprocessing


class Altered:
    """The reference, with its answers changed on the way out."""

    backend = "altered"
    batch_step = None

    def __init__(self, model: Model, logits: float = 0.0, conv5: float = 0.0) -> None:
        self._engine = OnnxRuntimeCpu(model.onnx, threads=1)
        self._logits, self._conv5 = logits, conv5

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        outputs = self._engine.run(batch)
        return replace(
            outputs,
            logits=outputs.logits + np.float32(self._logits * np.abs(outputs.logits).max()),
            conv5=outputs.conv5 + np.float32(self._conv5 * outputs.conv5.max()),
        )

    def close(self) -> None:
        self._engine.close()


def test_a_backend_that_agrees_is_passed_with_its_differences_and_time(model: Model) -> None:
    result = self_test(Altered(model), model, 3, 1)
    assert result.agrees
    assert result.reason == ""
    assert result.logits_difference is not None
    assert result.logits_difference < 1e-5
    assert result.conv5_difference is not None
    assert result.conv5_difference < 1e-5
    assert result.milliseconds is not None
    assert result.milliseconds > 0


@pytest.mark.parametrize("output", ["logits", "conv5"])
def test_a_backend_that_is_wrong_in_either_output_is_refused(model: Model, output: str) -> None:
    result = self_test(Altered(model, **{output: 2 * TOLERANCES["fp32"]}), model, 8, 1)
    assert not result.agrees
    assert f"{output} differs by" in result.reason


@pytest.mark.parametrize("output", ["logits", "conv5"])
def test_a_backend_that_gives_no_number_is_refused(model: Model, output: str) -> None:
    result = self_test(Altered(model, **{output: float("nan")}), model, 8, 1)
    assert (result.agrees, result.reason) == (False, "it gave numbers that are not finite")


def test_a_backend_whose_probability_moved_is_refused_even_in_int8(model: Model) -> None:
    class Flipped(Altered):
        """Logits within the share that INT8 may differ by, yet another probability."""

        backend = "altered-int8"

        def run(self, batch: NDArray[np.float32]) -> Outputs:
            outputs = self._engine.run(batch)
            step = np.float32(0.049 * np.abs(outputs.logits).max())
            return replace(outputs, logits=outputs.logits + np.array([step, -step], np.float32))

    largest = float(np.abs(Altered(model).run(phantom_batch(model.manifest.preprocessing)).logits).max())
    unsure = replace(model, calibration=replace(model.calibration, temperature=largest))
    result = self_test(Flipped(unsure), unsure, 8, 1)
    assert result.reason.startswith("probability differs by")


def test_a_backend_that_breaks_down_is_refused_with_its_own_words(model: Model) -> None:
    class Broken(Altered):
        def run(self, batch: NDArray[np.float32]) -> Outputs:
            raise BackendError(f"the fan stopped at {len(batch)} films")

    result = self_test(Broken(model), model, 8, 1)
    assert (result.agrees, result.reason) == (False, "the fan stopped at 8 films")


@pytest.mark.parametrize(
    ("backend", "precision", "expected"),
    [("tensorrt-fp16", "fp32", "fp16"), ("tensorrt-fp32", "fp32", "fp32"), ("openvino-cpu", "int8", "int8")],
)
def test_the_tolerance_is_that_of_the_precision_in_use(backend: str, precision: str, expected: str) -> None:
    assert tolerance(backend, precision) == TOLERANCES[expected]


def test_phantom_batches_are_eight_different_films_and_always_the_same() -> None:
    batch = phantom_batch(Preprocessing(input_hw=(64, 64)))
    assert batch.shape == (8, 3, 64, 64)
    assert batch.dtype == np.float32
    assert len({film.tobytes() for film in batch}) == 8
    np.testing.assert_array_equal(batch, phantom_batch(Preprocessing(input_hw=(64, 64))))
