from math import nan

import pytest

from cxr_calibration.statistics.intervals import UNKNOWN, Estimate
from cxr_train.evaluation.tables import told


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
