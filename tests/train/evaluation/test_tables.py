from math import nan

import pytest

from cxr_calibration.intervals import UNKNOWN, Estimate
from cxr_train.evaluation.tables import origin, table, told


@pytest.mark.parametrize(
    ("estimate", "cell"),
    [
        (Estimate(0.8, 0.7, 0.9), "0.800 (0.700-0.900)"),
        (Estimate(-0.05, -0.1, 0.0), "-0.050 (-0.100 to 0.000)"),
        (Estimate(1.0, nan, nan), "1.000 (too few films)"),
        (UNKNOWN, "-"),
    ],
)
def test_an_estimate_says_how_well_it_is_known(estimate: Estimate, cell: str) -> None:
    assert told(estimate) == cell


def test_a_table_is_markdown() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("starting_weights", "cell"),
    [
        ("scratch", "scratch"),
        ("net_imagenet (sha256 b968)", "net_imagenet"),
        (
            "run second, begun from run first, begun from net_imagenet (sha256 b968)",
            "second, from net_imagenet",
        ),
        ("run own", "own"),
        ("run second/fold-0, begun from run first, begun from net (sha256 b968)", "second, from net"),
    ],
)
def test_a_cell_names_the_last_run_and_the_first_weights(starting_weights: str, cell: str) -> None:
    assert origin(starting_weights) == cell
