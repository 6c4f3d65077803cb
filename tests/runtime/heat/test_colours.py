"""Colours of heat can be told apart in grey and by the colour-blind."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.heat.colours import COLOUR_STEPS, LINE, MARK, legend, palette, step_colours
from cxr_runtime.heat.overlay import drawn_steps, heat_layer, layer_rgba, overlay, recoloured
from cxr_runtime.presentation import Colours

THRESHOLD = 0.3
HW = (512, 410)


def hill() -> NDArray[np.float32]:
    """Heat that rises evenly to 1 at row 30, column 20 of 64 x 52."""
    rows, columns = np.mgrid[:64, :52]
    distance = np.hypot(rows - 30, columns - 20)
    return np.asarray(np.clip(1 - distance / 22, 0, 1), np.float32)


def luminance(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance of colours (WCAG 2.1)."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def test_the_luminance_of_inferno_rises_from_step_to_step() -> None:
    steps = luminance(step_colours(Colours.INFERNO)[1:])
    assert (np.diff(steps) > 0.01).all()
    assert steps[-1] > 10 * steps[0]


def test_the_luminance_of_jet_does_not_so_that_lines_say_what_is_strongest() -> None:
    steps = luminance(step_colours(Colours.JET)[1:])
    assert steps[-1] < steps[3]
    assert [step.line for step in legend(THRESHOLD)] == [0, 0, 1, 0, 2, 0, 3, 0]


def test_lines_are_heavier_where_heat_is_stronger() -> None:
    steps, _ = drawn_steps(hill(), THRESHOLD, HW)
    from_left = steps[240, : 20 * HW[1] // 52] == LINE
    starts = np.flatnonzero(np.diff(from_left.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(from_left.astype(int), append=0) == -1)
    weights = (ends - starts + 1).tolist()[:3]
    assert weights == sorted(weights)
    assert weights[0] < weights[-1]


def test_a_ring_marks_the_strongest_heat_and_leaves_it_to_be_seen() -> None:
    steps, _ = drawn_steps(hill(), THRESHOLD, HW)
    rows, columns = np.nonzero(steps == MARK)
    centre = (30.5 / 64 * HW[0], 20.5 / 52 * HW[1])
    assert (rows.mean(), columns.mean()) == pytest.approx(centre, abs=1.5)
    assert steps[round(centre[0]), round(centre[1])] == COLOUR_STEPS


def test_the_strongest_step_stands_out_in_grey() -> None:
    film = np.full(HW, 120, np.uint8)
    grey = cv2.cvtColor(overlay(film, hill(), THRESHOLD), cv2.COLOR_RGB2GRAY).astype(int)
    ring = grey[240 - 14 : 240 + 14, 161 - 14 : 161 + 14]
    assert ring.max() - ring.min() > 200


def test_where_nothing_is_coloured_there_is_neither_line_nor_mark() -> None:
    steps, _ = drawn_steps(np.full((8, 8), 0.2, np.float32), THRESHOLD, HW)
    assert not steps.any()


def test_a_layer_changes_its_colours_and_not_its_pixels() -> None:
    layer = heat_layer(hill(), HW, THRESHOLD)
    assert recoloured(layer, Colours.JET) == layer
    for colours in Colours:
        read = cv2.imdecode(np.frombuffer(recoloured(layer, colours), np.uint8), cv2.IMREAD_UNCHANGED)
        assert read is not None
        shown = cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA)
        steps, _ = drawn_steps(hill(), THRESHOLD, HW)
        assert (shown == layer_rgba(colours)[steps]).all()


def test_a_layer_of_an_earlier_version_without_lines_is_recoloured_too() -> None:
    from cxr_runtime.heat.overlay import heat_steps
    from cxr_runtime.pictures import encode_indexed_png, palette_chunks

    steps, _ = heat_steps(hill(), THRESHOLD, HW)
    old = encode_indexed_png(steps, palette_chunks(layer_rgba(Colours.JET)[: COLOUR_STEPS + 1]))
    read = cv2.imdecode(np.frombuffer(recoloured(old, Colours.INFERNO), np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert tuple(read[246, 161, :3][::-1]) == tuple(palette(Colours.INFERNO)[0][COLOUR_STEPS])
