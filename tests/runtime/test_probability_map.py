import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_runtime.probability_map import ProbabilityMap

MAPS = [
    ProbabilityMap(method="temperature", temperature=1.7),
    ProbabilityMap(method="platt", slope=0.6, intercept=-1.0),
    ProbabilityMap(method="isotonic", knots=((-2.0, 0.05), (0.0, 0.05), (1.5, 0.9))),
]


@pytest.mark.parametrize("fitted", MAPS, ids=lambda fitted: fitted.method)
@settings(derandomize=True, deadline=None)
@given(margins=st.lists(st.floats(-50, 50), min_size=2, max_size=20))
def test_no_map_changes_the_order_of_films(fitted: ProbabilityMap, margins: list[float]) -> None:
    probability = fitted.probability(np.sort(np.array(margins)))
    assert (np.diff(probability) >= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize(
    "knots",
    [
        ((0.0, 0.2), (0.0, 0.3)),
        ((0.0, 0.5), (1.0, 0.4)),
        ((0.0, -0.1), (1.0, 0.4)),
        ((0.0, 0.1), (1.0, 1.4)),
        ((float("nan"), 0.1), (1.0, 0.4)),
    ],
)
def test_knots_that_do_not_rise_are_refused(knots: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        ProbabilityMap(method="isotonic", knots=knots)


@pytest.mark.parametrize("slope", [0.0, -1.0, float("inf")])
def test_a_slope_that_would_turn_the_worklist_over_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        ProbabilityMap(method="platt", slope=slope)
