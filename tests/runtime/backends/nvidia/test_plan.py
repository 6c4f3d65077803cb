"""What an engine really computes in."""

import json
from collections.abc import Callable

import pytest

from cxr_runtime.backends.nvidia.plan import EngineLayer, plan_layers, refuse_wrong_precision
from cxr_runtime.errors import BackendError
from fake_tensorrt import FakeTensorRt, fake_plan

UseTensorRt = Callable[[str], FakeTensorRt]


@pytest.mark.parametrize(
    ("weights", "formats", "precision"),
    [
        ("Half", "N/A due to dynamic shapes", "fp16"),
        ("Float", "Row major linear FP32", "fp32"),
        ("Int8", "Thirty-two wide channel vectorized row major Int8 format", "int8"),
        ("Unknown", "Channel major FP16 format where channel % 8 == 0", "fp16"),
        ("Unknown", "BFloat16", "bf16"),
        ("Unknown", "N/A due to dynamic shapes", ""),
    ],
)
def test_precision_is_that_of_the_weights_or_else_of_the_input(
    use_tensorrt: UseTensorRt, weights: str, formats: str, precision: str
) -> None:
    use_tensorrt("10.16.1")
    layers = plan_layers(fake_plan(weights, formats), 8)
    assert [(layer.name, layer.precision, layer.is_convolution) for layer in layers] == [
        ("conv1", precision, True)
    ]


@pytest.mark.parametrize("key", ["Format/Datatype", "DataType", "Datatype"])
def test_a_tensors_type_is_found_under_the_name_of_any_version(use_tensorrt: UseTensorRt, key: str) -> None:
    use_tensorrt("11.4.0")
    (layer,) = plan_layers(fake_plan("Unknown", "Half", type_key=key), 8)
    assert layer.precision == "fp16"


def test_an_engine_without_a_named_convolution_is_judged_by_most_of_its_layers() -> None:
    refuse_wrong_precision(_layers("fp16", "fp16", "fp32", is_convolution=False), "fp16", 0)
    with pytest.raises(BackendError, match="built 1 of 3 layers so"):
        refuse_wrong_precision(_layers("fp16", "fp32", "fp32", is_convolution=False), "fp16", 0)


def test_an_engine_that_tells_only_names_is_refused(use_tensorrt: UseTensorRt) -> None:
    use_tensorrt("10.16.1")
    plan = json.dumps({"Layers": ["conv1 + relu1"], "largest_batch": 32, "brings_code": False}).encode()
    with pytest.raises(BackendError, match="does not tell its layers' precisions"):
        plan_layers(plan, 8)


def _layers(*precisions: str, is_convolution: bool = True) -> list[EngineLayer]:
    return [EngineLayer(f"layer{i}", "Cask", name, is_convolution) for i, name in enumerate(precisions)]


def test_an_engine_that_silently_came_out_in_float32_is_refused() -> None:
    with pytest.raises(BackendError, match=r"was to be fp16, but TensorRT built 0 of 2 .*found: fp32"):
        refuse_wrong_precision(_layers("fp32", "fp32"), "fp16", 0)


def test_one_convolution_in_float32_is_refused_unless_the_file_says_so() -> None:
    mixed = _layers("fp16", "fp32", "fp16")
    with pytest.raises(BackendError, match=r"built 2 of 3 layers so .*e\.g\. 'layer1'"):
        refuse_wrong_precision(mixed, "fp16", 0)
    refuse_wrong_precision(mixed, "fp16", 1)


def test_an_engine_whose_precisions_cannot_be_read_is_refused() -> None:
    with pytest.raises(BackendError, match="found: unknown"):
        refuse_wrong_precision(_layers("", ""), "fp16", 0)
    with pytest.raises(BackendError, match="found: no layers"):
        refuse_wrong_precision([], "fp16", 0)


def test_a_float32_engine_may_hold_nothing_else() -> None:
    refuse_wrong_precision(_layers("fp32", "fp32"), "fp32", 2)
    with pytest.raises(BackendError, match="was to be fp32"):
        refuse_wrong_precision(_layers("fp32", "fp16"), "fp32", 2)


def test_an_int8_engine_may_keep_layers_that_the_file_leaves_out() -> None:
    refuse_wrong_precision(_layers("int8", "fp32"), "int8", 1)
    with pytest.raises(BackendError, match="was to be int8"):
        refuse_wrong_precision(_layers("fp16", "fp32"), "int8", 1)


def test_where_no_layer_is_named_a_convolution_all_are_judged() -> None:
    fused = _layers("fp16", is_convolution=False)
    refuse_wrong_precision(fused, "fp16", 0)
    with pytest.raises(BackendError, match="found: fp32"):
        refuse_wrong_precision(_layers("fp32", is_convolution=False), "fp16", 0)
