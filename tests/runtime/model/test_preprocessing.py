import cv2
import numpy as np
import pytest

from cxr_runtime.lungs.mask import lung_mask
from cxr_runtime.model.preprocessing import Preprocessing, normalise, place, prepare


def test_the_whole_film_is_shown_where_the_lung_field_is_unknown() -> None:
    placement = place((300, 200), None, Preprocessing(crop="lung-field"))
    assert placement.box_film_xyxy == (0, 0, 200, 300)


def test_the_lung_field_is_shown_with_its_margin_and_never_beyond_the_film() -> None:
    how = Preprocessing(crop="lung-field", crop_margin=0.1)
    assert place((300, 200), (50, 50, 150, 250), how).box_film_xyxy == (40, 30, 160, 270)
    assert place((300, 200), (1, 1, 199, 299), how).box_film_xyxy == (0, 0, 200, 300)


@pytest.mark.parametrize("film_hw", [(128, 128), (512, 512), (1024, 1024), (3000, 2500), (90, 4000)])
def test_every_film_becomes_the_input_s_size(film_hw: tuple[int, int]) -> None:
    how = Preprocessing(clahe_clip=2.0)
    film = np.random.default_rng(1).integers(0, 256, film_hw).astype(np.uint8)
    inputs = prepare(film, place(film_hw, None, how), how)
    assert inputs.shape == (224, 224)
    assert inputs.dtype == np.uint8


def test_the_same_film_at_half_size_gives_nearly_the_same_input() -> None:
    how = Preprocessing()
    y, x = np.mgrid[0:1024, 0:1024] / 1024
    film = (127 + 60 * np.sin(9 * x) + 60 * np.cos(7 * y)).astype(np.uint8)
    half = film.reshape(512, 2, 512, 2).mean((1, 3)).astype(np.uint8)
    large = prepare(film, place((1024, 1024), None, how), how).astype(int)
    small = prepare(half, place((512, 512), None, how), how).astype(int)
    assert abs(large - small).max() <= 2


def test_normalising_is_value_over_255_minus_mean_over_deviation() -> None:
    how = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.5))
    batch = normalise(np.array([[[0, 255]]], np.uint8), how)
    np.testing.assert_allclose(batch[0, :, 0, 0], [-2.5, -1.6, -0.6], rtol=1e-6)
    np.testing.assert_allclose(batch[0, :, 0, 1], [2.5, 2.4, 1.4], rtol=1e-6)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous


def test_a_lung_mask_blackens_what_is_no_lung_and_leaves_the_lungs_as_they_are() -> None:
    soft = np.zeros((160, 160), np.uint8)
    soft[40:120, 24:72] = soft[40:120, 88:136] = 255
    lungs = lung_mask(soft, (300, 200))
    film = np.random.default_rng(2).integers(60, 256, (300, 200)).astype(np.uint8)
    boxed, masked = (Preprocessing(input_hw=(64, 64), crop=crop) for crop in ("lung-field", "lung-mask"))
    placement = place((300, 200), lungs.box_film_xyxy, masked)
    assert placement == place((300, 200), lungs.box_film_xyxy, boxed)
    whole, alone = (prepare(film, placement, how, lungs).astype(int) for how in (boxed, masked))
    assert abs(alone - whole)[12:52, 10:22].max() == 0
    assert alone[:, 0].max() == 0
    assert alone[0].max() == 0


def test_without_known_lungs_nothing_is_blackened() -> None:
    how = Preprocessing(crop="lung-mask")
    film = np.full((90, 80), 200, np.uint8)
    assert prepare(film, place((90, 80), None, how), how).min() == 200


def test_films_of_other_sizes_come_to_one_sharpness() -> None:
    scene = np.random.default_rng(0).integers(0, 256, (512, 512)).astype(np.uint8)
    small = np.asarray(cv2.resize(scene, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    sharp, level = (Preprocessing(input_hw=(64, 64), detail=detail) for detail in (0, 64))
    pictures = [prepare(film, place(film.shape, None, level), level) for film in (scene, small)]
    np.testing.assert_allclose(pictures[0].astype(int), pictures[1], atol=2)
    assert (prepare(small, place(small.shape, None, sharp), sharp) != pictures[0]).any()


def test_a_film_that_is_smaller_than_the_detail_asked_for_is_left_as_it_is() -> None:
    film = np.random.default_rng(1).integers(0, 256, (100, 80)).astype(np.uint8)
    asked, unasked = Preprocessing(detail=100), Preprocessing()
    placement = place((100, 80), None, asked)
    np.testing.assert_array_equal(prepare(film, placement, asked), prepare(film, placement, unasked))


def test_a_detail_that_no_film_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="detail -1 is not within"):
        Preprocessing(detail=-1)
