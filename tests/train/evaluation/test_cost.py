import pytest

from cxr_train.evaluation.cost import cost_of
from cxr_train.networks import build_network
from cxr_train.networks.architecture import Architecture


@pytest.mark.parametrize(
    ("network", "parameters", "multiply_adds"),
    [
        ("alexnet", 57_012_034, 710_098_944),  # torchvision's, with two classes instead of 1000
        ("squeezenet", 723_522, 262_000_000),
    ],
)
def test_a_network_costs_what_is_published(network: str, parameters: int, multiply_adds: int) -> None:
    cost = cost_of(build_network(Architecture(network)), (224, 224))
    assert cost.parameters == parameters
    assert cost.multiply_adds == pytest.approx(multiply_adds, rel=0.02)
    assert cost.megabytes == pytest.approx(parameters * 4e-6)
    assert cost.milliseconds > 0
