"""Heat becomes the colours that the legend names, and nothing below the threshold has one."""

import numpy as np
import pytest

from cxr_runtime.heat.colour import COLOUR_STEPS, heat_steps, legend, step_colours, step_opacities

THRESHOLD = 0.3


def test_heat_below_the_threshold_has_no_colour_and_heat_at_it_has_the_first() -> None:
    heat = np.array([[0, 0.2999, 0.3, 1]], np.float32)
    assert heat_steps(heat, THRESHOLD, (1, 4)).tolist() == [[0, 0, 1, COLOUR_STEPS]]


def test_the_steps_are_equal_parts_from_the_threshold_to_one() -> None:
    heat = np.linspace(THRESHOLD, 1, 7001, dtype=np.float32)[None]
    counts = np.bincount(heat_steps(heat, THRESHOLD, heat.shape).ravel(), minlength=COLOUR_STEPS + 1)
    assert counts[0] == 0
    assert np.ptp(counts[1:]) <= 2


def test_the_strongest_heat_is_bright_red_and_the_weakest_pure_blue() -> None:
    colours = step_colours()
    assert colours[0].tolist() == [0, 0, 0]
    assert colours[1].tolist() == [0, 0, 255]
    assert colours[-1].tolist() == [255, 0, 0]
    assert len(np.unique(colours, axis=0)) == COLOUR_STEPS + 1


def test_the_film_shows_through_every_colour_and_step_0_covers_nothing() -> None:
    opacities = step_opacities()
    assert opacities[0] == 0
    assert 0 < opacities[1:].min() <= opacities.max() < 0.7


def test_the_legend_names_the_colours_that_are_drawn() -> None:
    for number, step in enumerate(legend(THRESHOLD), start=1):
        middle = np.full((1, 1), (step.low + step.high) / 2, np.float32)
        drawn = heat_steps(middle, THRESHOLD, (1, 1))[0, 0]
        assert drawn == number
        assert tuple(step_colours()[drawn]) == step.rgb
    assert legend(THRESHOLD)[0].low == THRESHOLD
    assert legend(THRESHOLD)[-1].high == 1


def test_heat_is_stretched_with_pixel_centres_at_one_half() -> None:
    steps = heat_steps(np.array([[0, 1]], np.float32), 0.5, (3, 8))
    assert (steps > 0).tolist() == [[False] * 4 + [True] * 4] * 3


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_cannot_be_drawn_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        heat_steps(np.zeros((2, 2), np.float32), threshold, (2, 2))
