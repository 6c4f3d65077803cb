"""The train package's networks, made small where they can be, through the whole export."""

from collections import Counter

import numpy as np
import pytest
import torch

from cxr_export.parity import TOLERANCE, measure_parity
from cxr_export.trace import trace
from cxr_train.networks import Architecture, build_network

SIDE = 67
SMALL = {
    "evidence": Architecture("squeezenet", (SIDE, SIDE), pool="evidence"),
    "evidence-strongest": Architecture("squeezenet", (SIDE, SIDE), pool="evidence-strongest"),
    "custom": Architecture("custom", (SIDE, SIDE), filters=(8, 8, 8, 8, 8), head=(16, 16)),
    "edge": Architecture("edge", (SIDE, SIDE), filters=(4, 4, 6, 6, 8)),
    "squeezenet": Architecture("squeezenet", (SIDE, SIDE)),
    "lite": Architecture("lite", (SIDE, SIDE)),
}
OPERATORS = {
    "evidence": {
        "Conv": 26, "Relu": 17, "MaxPool": 3, "Concat": 9, "GlobalAveragePool": 2, "GlobalMaxPool": 1,
        "Gather": 1, "Unsqueeze": 1, "Exp": 1, "Log": 1, "Add": 3, "Sub": 1, "Mul": 2, "Div": 2, "Neg": 1,
        "Flatten": 2, "Gemm": 1,
    },
    "evidence-strongest": {
        "Conv": 26, "Relu": 17, "MaxPool": 3, "Concat": 9, "GlobalAveragePool": 2, "GlobalMaxPool": 2,
        "Gather": 1, "Unsqueeze": 1, "Exp": 1, "Log": 1, "Add": 4, "Sub": 1, "Mul": 3, "Div": 2, "Neg": 1,
        "Flatten": 3, "Gemm": 2,
    },
    "custom": {"Conv": 5, "Relu": 7, "LRN": 2, "MaxPool": 3, "Flatten": 1, "Gemm": 3},
    "edge": {"Conv": 5, "Relu": 5, "MaxPool": 3, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1},
    "squeezenet": {
        "Conv": 26, "Relu": 17, "MaxPool": 3, "Concat": 8, "GlobalAveragePool": 1, "Flatten": 1,
    },
    "lite": {"Conv": 30, "Clip": 20, "Add": 5, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_a_network_becomes_few_plain_operators_that_agree_with_it(name: str) -> None:
    torch.manual_seed(0)
    network = build_network(SMALL[name]).eval()
    model = trace(network, (SIDE, SIDE))
    assert Counter(node.op_type for node in model.graph.node) == OPERATORS[name]
    films = np.random.default_rng(0).normal(size=(8, 3, SIDE, SIDE)).astype(np.float32)
    parity = measure_parity(network, model.SerializeToString(), films)
    assert parity.logits_relative < TOLERANCE
    assert parity.conv5_relative < TOLERANCE
