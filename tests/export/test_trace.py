"""From a PyTorch network to a plain ONNX model."""

import onnx
import pytest
import torch

from cxr_export.trace import trace
from cxr_train.networks import Network
from cxr_train.networks.custom import LocalResponseNorm


def test_inputs_outputs_and_shapes_are_the_contracts(traced: onnx.ModelProto) -> None:
    def shape(value: onnx.ValueInfoProto) -> list[int | str]:
        return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]

    assert [(value.name, shape(value)) for value in traced.graph.input] == [("image", ["B", 3, 33, 33])]
    assert [(value.name, shape(value)) for value in traced.graph.output] == [
        ("logits", ["B", 2]),
        ("conv5", ["B", 12, 8, 8]),
    ]


def test_the_file_is_plain_enough_for_the_oldest_tensorrt(traced: onnx.ModelProto) -> None:
    assert traced.ir_version == 8
    assert [(opset.domain, opset.version) for opset in traced.opset_import] == [("", 17)]
    operators = [node.op_type for node in traced.graph.node]
    expected = ["Conv", "Relu", "LRN", "MaxPool", "Conv", "Relu", "MaxPool", "Flatten", "Gemm"]
    assert operators == expected


def test_lrn_keeps_its_constants(traced: onnx.ModelProto) -> None:
    lrn = next(node for node in traced.graph.node if node.op_type == "LRN")
    constants = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in lrn.attribute}
    assert constants == pytest.approx({"size": 5, "alpha": 0.1, "beta": 0.75, "bias": 2.0})


def test_the_file_names_no_path_of_the_machine_it_was_made_on(traced: onnx.ModelProto) -> None:
    assert b".py" not in traced.SerializeToString()


def test_no_weights_lie_in_another_file(traced: onnx.ModelProto) -> None:
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in traced.graph.initializer)


def test_every_tensor_has_its_shape_written_down(traced: onnx.ModelProto) -> None:
    described = {value.name for value in (*traced.graph.value_info, *traced.graph.output)}
    assert described == {name for node in traced.graph.node for name in node.output}


def test_the_network_can_still_be_trained_after_it_was_traced(network: Network) -> None:
    before = network(torch.ones(1, 3, 33, 33)).logits
    trace(network, (33, 33))
    assert isinstance(network.features[2], LocalResponseNorm)
    assert torch.equal(network(torch.ones(1, 3, 33, 33)).logits, before)


def test_an_even_lrn_window_is_refused(network: Network) -> None:
    network.features[2] = LocalResponseNorm(size=4)
    with pytest.raises(ValueError, match="even window"):
        trace(network, (33, 33))
