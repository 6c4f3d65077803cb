"""INT8 as an explicitly typed graph."""

from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cxr_export.films import ExportFilms, film_scores, run_films
from cxr_export.precision import int8
from cxr_export.precision.int8 import choose_int8, quantise
from cxr_runtime.backends.graph.int8 import symmetric_int8
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.model.folder import Manifest


@pytest.fixture(scope="module")
def film_batch() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(8, 3, 33, 33)).astype(np.float32)


@pytest.fixture(scope="module")
def quantised(traced: onnx.ModelProto, film_batch: NDArray[np.float32]) -> bytes:
    return quantise(traced.SerializeToString(), film_batch, 99.999)


def _operators(model: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(model).graph.node)


def test_convolutions_are_quantised_and_the_last_product_is_not(quantised: bytes) -> None:
    model = onnx.load_from_string(quantised)
    onnx.checker.check_model(model, full_check=True)
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert TensorProto.INT8 in stored.values()
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    assert {made_by[name] for node in convolutions for name in node.input[:2]} == {"DequantizeLinear"}
    assert "LRN" in _operators(quantised)
    gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
    assert stored[gemm.input[1]] == TensorProto.FLOAT


def test_weights_have_a_scale_for_every_channel(quantised: bytes) -> None:
    model = onnx.load_from_string(quantised)
    shapes = [
        numpy_helper.to_array(tensor).shape
        for tensor in model.graph.initializer
        if tensor.name.endswith("weight_scale")
    ]
    assert sorted(shapes) == [(8,), (12,)]


def test_weights_have_7_bits_so_that_sums_never_overflow_on_an_old_processor(quantised: bytes) -> None:
    stored = [numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(quantised).graph.initializer]
    weights = [array for array in stored if array.dtype == np.int8 and array.ndim == 4]
    assert len(weights) == 2
    assert max(np.abs(each.astype(int)).max() for each in weights) <= 64


def test_the_heat_maps_channels_survive(
    traced: onnx.ModelProto, quantised: bytes, film_batch: NDArray[np.float32]
) -> None:
    whole = OnnxRuntimeCpu(traced.SerializeToString(), threads=1).run(film_batch)
    rounded = OnnxRuntimeCpu(quantised, threads=1).run(film_batch)
    correlation = np.corrcoef(whole.conv5.ravel(), rounded.conv5.ravel())[0, 1]
    assert correlation > 0.999
    assert rounded.conv5.dtype == rounded.logits.dtype == np.float32
    assert not np.array_equal(whole.conv5, rounded.conv5)


def test_what_an_activation_cuts_off_takes_no_room_in_a_scale() -> None:
    rng = np.random.default_rng(0)
    films = rng.normal(size=(8, 3, 16, 16)).astype(np.float32)
    tensors = {
        "filters": 0.3 * rng.normal(size=(6, 3, 3, 3)).astype(np.float32),
        "beyond": np.array([0, 0, 0, 0, 0, 500], np.float32),  # the last channel is always cut off at 6
        "low": np.float32(0),
        "high": np.float32(6),
        "product": np.eye(2, 6, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "filters", "beyond"], ["c"], "conv"),
        helper.make_node("Clip", ["c", "low", "high"], ["conv5"], "clip"),
        helper.make_node("GlobalAveragePool", ["conv5"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "product"], ["logits"], "last", transB=1),
    ]
    floats, sides = TensorProto.FLOAT, {"image": (3, 16, 16), "logits": (2,), "conv5": (6, 14, 14)}
    image, *made = (helper.make_tensor_value_info(name, floats, ["B", *s]) for name, s in sides.items())
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()]
    graph = helper.make_graph(nodes, "clipped", [image], made, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    whole = model.SerializeToString()
    expected = OnnxRuntimeCpu(whole, threads=1).run(films).conv5
    found = OnnxRuntimeCpu(quantise(whole, films, 100.0), threads=1).run(films).conv5
    assert np.abs(found - expected).max() < 0.1


def test_for_tensorrt_everything_is_signed_around_zero_and_biases_are_float32(quantised: bytes) -> None:
    model = onnx.load_from_string(symmetric_int8(quantised))
    onnx.checker.check_model(model, full_check=True)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    zeros = [
        tensors[node.input[2]] for node in model.graph.node if node.op_type.endswith("quantizeLinear")
    ] + [tensors[node.input[2]] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert {zero.data_type for zero in zeros} == {TensorProto.INT8}
    assert not any(numpy_helper.to_array(zero).any() for zero in zeros)
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in tensors:
            assert tensors[node.input[0]].data_type == TensorProto.INT8


def test_for_tensorrt_the_network_says_the_same_to_a_coarser_grain(
    quantised: bytes, film_batch: NDArray[np.float32]
) -> None:
    unsigned = OnnxRuntimeCpu(quantised, threads=1).run(film_batch)
    signed = OnnxRuntimeCpu(symmetric_int8(quantised), threads=1).run(film_batch)
    assert signed.conv5.min() == 0
    assert np.abs(signed.conv5 - unsigned.conv5).max() < 0.05 * unsigned.conv5.max()
    assert np.corrcoef(signed.conv5.ravel(), unsigned.conv5.ravel())[0, 1] > 0.998


def test_the_rule_that_changes_scores_least_is_kept(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "PERCENTILES", (50.0, 100.0))  # half of all activations cut off, or none
    whole, how = traced.SerializeToString(), manifest.preprocessing
    best = choose_int8(whole, films, how)
    assert best.percentile == 100.0
    assert best.score_changes[100.0] < best.score_changes[50.0]
    expected, found = (
        film_scores(run_films(OnnxRuntimeCpu(model), films.choosing, how)) for model in (whole, best.onnx)
    )
    assert best.score_changes[100.0] == np.abs(found - expected).mean()


def test_the_films_that_judge_are_not_looked_at(
    traced: onnx.ModelProto, films: ExportFilms, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "PERCENTILES", (99.9, 100.0))
    whole = traced.SerializeToString()
    blind = replace(films, judged=np.zeros_like(films.judged), labels=None)
    assert choose_int8(whole, films, manifest.preprocessing) == choose_int8(
        whole, blind, manifest.preprocessing
    )
