import pytest

from cxr_export.importing.feature_map import Step, last_feature_map, named_feature_map
from cxr_runtime.errors import ModelError

INPUT_HW = (64, 64)


def step(name: str, *takes: str, shape: tuple[int, ...] | None = None, **kind: bool) -> Step:
    return Step(name, takes, shape, pools=kind.get("pools", False), attends=kind.get("attends", False))


TAIL = (
    step("pool", "relu", shape=(0, 8, 4, 4), pools=True),
    step("average", "pool", shape=(0, 8, 1, 1), pools=True),
    step("linear", "average", shape=(0, 2)),
)


def test_it_is_what_the_activation_gives_not_the_last_convolution() -> None:
    steps = [
        step("conv", "image", shape=(0, 8, 8, 8)),
        step("norm", "conv", shape=(0, 8, 8, 8)),
        step("relu", "norm", shape=(0, 8, 8, 8)),
        *TAIL,
    ]
    found = last_feature_map(steps, "image", "linear", INPUT_HW)
    assert (found.name, found.channels, found.cells_hw, found.channels_last) == ("relu", 8, (8, 8), False)


def test_a_branch_is_passed_over_for_what_joins_all() -> None:
    steps = [
        step("stem", "image", shape=(0, 8, 8, 8)),
        step("left", "stem", shape=(0, 8, 8, 8)),
        step("right", "stem", shape=(0, 8, 8, 8)),
        step("relu", "left", "right", shape=(0, 8, 8, 8)),
        *TAIL,
    ]
    assert last_feature_map(steps, "image", "linear", INPUT_HW).name == "relu"
    apart = [
        *steps[:3],
        step("average", "left", pools=True, shape=(0, 8)),
        step("linear", "average", "right"),
    ]
    assert last_feature_map(apart, "image", "linear", INPUT_HW).name == "stem"


def test_a_map_with_its_channels_last_is_known_by_its_proportions() -> None:
    steps = [step("norm", "image", shape=(0, 4, 4, 96)), step("mean", "norm", shape=(0, 96), pools=True)]
    found = last_feature_map(steps, "image", "mean", INPUT_HW)
    assert (found.channels, found.cells_hw, found.channels_last) == (96, (4, 4), True)


def test_a_network_that_attends_behind_its_cells_is_refused() -> None:
    steps = [
        step("patches", "image", shape=(0, 8, 8, 8)),
        step("attention", "patches", shape=(0, 64, 8), attends=True),
        step("linear", "attention", shape=(0, 2)),
    ]
    with pytest.raises(ModelError, match="attends from all cells to all others"):
        last_feature_map(steps, "image", "linear", INPUT_HW)


def test_a_network_without_cells_is_refused_and_a_wrong_name_says_which_there_are() -> None:
    steps = [step("relu", "image", shape=(0, 8, 8, 8)), *TAIL]
    with pytest.raises(ModelError, match="no step of this network gives cells"):
        last_feature_map(steps[1:], "relu", "linear", INPUT_HW)
    with pytest.raises(ModelError, match=r"there; expected one of the network's maps, e.g. relu"):
        named_feature_map(steps, "layer4", INPUT_HW)
