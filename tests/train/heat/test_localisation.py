import numpy as np
import pytest

from cxr_train.heat.localisation import GRID, box_mask, centre_blob, chance, localise

BOXES = [[(0.25, 0.25, 0.5, 0.5)], [(0.5, 0.0, 1.0, 0.125), (0.0, 0.5, 0.25, 0.75)]]
MASKS = [box_mask(boxes) for boxes in BOXES]
PATIENTS = np.array(["a", "b"])


def test_a_box_covers_its_share_of_the_film() -> None:
    assert [mask.mean() for mask in MASKS] == [1 / 16, 1 / 8]
    assert MASKS[0][GRID // 4, GRID // 4]
    assert not MASKS[0][GRID // 2, GRID // 2]


def test_heat_that_is_the_boxes_is_perfect() -> None:
    found = localise([mask.astype(np.float32) for mask in MASKS], MASKS, PATIENTS, 50)
    assert found.pointing.value == found.share.value == 1
    part = (1 / 16 + 1 / 8) / 2
    assert found.overlap.value == pytest.approx(((1 / 16) / part + part / (1 / 8)) / 2, rel=0.01)


def test_heat_everywhere_but_in_the_boxes_scores_nothing() -> None:
    found = localise([1 - mask.astype(np.float32) for mask in MASKS], MASKS, PATIENTS, 50)
    assert found.pointing.value == found.overlap.value == found.share.value == 0


def test_even_heat_gets_what_chance_gets() -> None:
    even = localise([np.ones((GRID, GRID), np.float32)] * 2, MASKS, PATIENTS, 50)
    by_chance = chance(MASKS, PATIENTS, 50)
    assert even.pointing.value == even.share.value == by_chance.pointing.value == by_chance.share.value
    assert by_chance.pointing.value == (1 / 16 + 1 / 8) / 2
    assert even.overlap.value == pytest.approx(by_chance.overlap.value, rel=1e-3)


def test_chance_overlap_is_that_of_points_drawn_at_random() -> None:
    rng = np.random.default_rng(0)
    drawn = [
        localise(
            [rng.random((GRID, GRID), dtype=np.float32) for _ in MASKS], MASKS, PATIENTS, 2
        ).overlap.value
        for _ in range(20)
    ]
    assert np.mean(drawn) == pytest.approx(chance(MASKS, PATIENTS, 2).overlap.value, rel=0.02)


def test_no_heat_at_all_is_as_good_as_chance() -> None:
    cold = localise([np.zeros((GRID, GRID), np.float32)] * 2, MASKS, PATIENTS, 50)
    assert cold.share.value == (1 / 16 + 1 / 8) / 2


def test_the_centre_blob_is_hottest_in_the_middle() -> None:
    y, x = np.unravel_index(int(centre_blob().argmax()), (GRID, GRID))
    assert abs(y - GRID / 2) <= 1
    assert abs(x - GRID / 2) <= 1


def test_what_is_coloured_and_what_is_red_are_measured_where_a_scan_shows_them() -> None:
    heats = [np.where(mask, np.float32(0.97), np.float32(0.2)) for mask in MASKS]
    heats[1][MASKS[1]] = 0.6
    heats[1][-8:, -8:] = 0.97
    found = localise(heats, MASKS, PATIENTS, 50, thresholds=[0.5, 0.5])
    boxes = int(MASKS[0].sum())
    assert found.red_in_box is not None
    assert found.red_in_box.value == pytest.approx(boxes / (boxes + 64))
    assert found.coloured is not None
    second = int(MASKS[1].sum())
    assert found.coloured.value == pytest.approx((1 + second / (second + 64)) / 2)
    assert localise(heats, MASKS, PATIENTS, 50).coloured is None
