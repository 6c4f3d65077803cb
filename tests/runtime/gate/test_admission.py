import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import Film, FilmFacts, View
from cxr_runtime.gate import Admission, Code, Gate
from cxr_runtime.gate.network import GateAnswers, GateNetwork, mean_of_odds
from cxr_runtime.gate.weighing import read_weighing
from cxr_runtime.lungs import lung_field
from cxr_runtime.phantom import OpacitySpot, draw_phantom

Pixels = NDArray[np.uint8]
FILM = draw_phantom(21)


def _examine(pixels: Pixels, facts: FilmFacts | None = None) -> Admission:
    return Gate(lung_field()).admit(Film(np.ascontiguousarray(pixels), facts or FilmFacts("png")))


def _code_of(pixels: Pixels, facts: FilmFacts | None = None) -> str:
    with pytest.raises(RejectedFilmError) as rejection:
        _examine(pixels, facts)
    assert "\n" not in rejection.value.sentence
    assert type(rejection.value.code) is str
    assert 0 < rejection.value.confidence <= 1
    return rejection.value.code


def _code_when_told(reading: GateAnswers) -> str:
    class Told(GateNetwork):
        def read(self, pixels: Pixels) -> GateAnswers:  # noqa: ARG002 - as the network has it
            return reading

    with pytest.raises(RejectedFilmError) as rejection:
        Gate(lung_field(), Told()).admit_by_pixels(Film(FILM, FilmFacts("png")))
    return rejection.value.code


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("view", [View.PA, View.AP])
def test_a_drawn_chest_passes_without_remark(seed: int, view: View) -> None:
    opacity = OpacitySpot(0.3, 0.5) if seed % 2 else None
    film = draw_phantom(seed, view=view, male=seed % 3 > 0, opacity=opacity, label=seed != 4)
    admission = _examine(film)
    assert admission.remark is None
    np.testing.assert_array_equal(admission.film.pixels, film)
    assert admission.lungs.box_film_xyxy is not None


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_turned_film_is_turned_back_and_the_remark_names_the_angle(quarter_turns: int, seed: int) -> None:
    film = draw_phantom(seed, hw=(480, 400))
    upright, turned = _examine(film), _examine(np.rot90(film, -quarter_turns))
    np.testing.assert_array_equal(turned.film.pixels, film)
    assert turned.film.pixels.flags.c_contiguous
    assert turned.lungs.box_film_xyxy == upright.lungs.box_film_xyxy
    assert turned.remark is not None
    assert turned.remark.code == f"rotated-{90 * quarter_turns}"
    assert f"turned by {90 * quarter_turns} degrees" in turned.remark.sentence
    assert 0.99 <= turned.remark.confidence <= 1
    assert (upright.film.facts.turned_back, turned.film.facts.turned_back) == (0, 90 * quarter_turns)


def test_a_film_is_turned_back_only_if_it_then_looks_upright() -> None:
    """A network that says of every film that it lies on its head."""
    lying = GateAnswers((1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.999, 0.001), 0.0, 0.0, 0.0)
    assert _code_when_told(lying) == Code.ROTATED_180


def test_a_mirrored_film_is_named() -> None:
    assert _code_of(FILM[:, ::-1]) == Code.MIRRORED


def test_inverted_polarity_is_corrected_and_told() -> None:
    admission = _examine(255 - FILM)
    np.testing.assert_array_equal(admission.film.pixels, FILM)
    assert admission.remark is not None
    assert admission.remark.code == Code.POLARITY_INVERTED
    assert 0.9 <= admission.remark.confidence <= 1


def test_a_film_that_is_inverted_and_turned_is_set_right_and_both_are_told() -> None:
    admission = _examine(np.rot90(255 - FILM, -1))
    np.testing.assert_array_equal(admission.film.pixels, FILM)
    assert admission.remark is not None
    assert admission.remark.code == Code.POLARITY_INVERTED
    assert "turned by 90 degrees" in admission.remark.sentence


@pytest.mark.parametrize("spoiled", [FILM[:, ::-1], cv2.GaussianBlur(FILM, (0, 0), 8)])
def test_a_turned_film_that_is_bad_besides_is_rejected_for_that(spoiled: Pixels) -> None:
    assert _code_of(np.rot90(spoiled, -1)) == _code_of(spoiled)


def test_a_blurred_film_is_named() -> None:
    assert _code_of(np.asarray(cv2.GaussianBlur(FILM, (0, 0), 8), np.uint8)) == Code.TOO_BLURRED


@pytest.mark.parametrize("shown", [0.36, 0.42, 0.5, 0.6])
def test_lungs_beyond_the_edge_are_named(shown: float) -> None:
    assert _code_of(FILM[: int(shown * FILM.shape[0])]) == Code.LUNGS_CUT_OFF


def test_noise_stripes_and_blots_are_no_chest_films() -> None:
    rng = np.random.default_rng(0)
    stripes = np.tile((np.arange(400) // 20 % 2 * 200).astype(np.uint8), (400, 1))
    blots = np.asarray(cv2.resize(rng.integers(0, 255, (9, 9), np.uint8), (400, 400)), np.uint8)
    for pixels in (rng.integers(0, 255, (400, 400), np.uint8), stripes, blots):
        assert _code_of(pixels) in {Code.NOT_A_CHEST_FILM, Code.LATERAL, Code.SEVERAL_IMAGES}


def test_a_page_of_text_is_no_chest_film() -> None:
    page = np.full((600, 450), 255, np.uint8)
    for line in range(20):
        cv2.putText(
            page, "Chest film of today, no finding", (10, 30 + 28 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0
        )
    assert _code_of(page) == Code.NOT_A_CHEST_FILM


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((0.040, 0.200, 0.720, 0.030, 0.010), Code.NOT_A_CHEST_FILM),
        ((0.040, 0.720, 0.200, 0.030, 0.010), Code.LATERAL),
        ((0.005, 0.300, 0.605, 0.080, 0.010), Code.NOT_A_CHEST_FILM),
        ((0.005, 0.200, 0.205, 0.580, 0.010), Code.PHOTOGRAPHED),
        ((0.050, 0.010, 0.010, 0.920, 0.010), Code.PHOTOGRAPHED),
    ],
)
def test_surroundings_are_named_only_where_they_are_likelier_than_a_plain_film(
    kinds: tuple[float, ...], code: Code
) -> None:
    assert _code_when_told(GateAnswers(kinds, (1.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.0)) == code


def test_a_picture_without_clear_lungs_is_no_chest_film_even_if_the_network_takes_it_for_one() -> None:
    told = GateAnswers((1.0, 0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.5)
    clouds = np.random.default_rng(3).integers(0, 255, (12, 12), np.uint8)
    pixels = np.asarray(cv2.resize(clouds, (500, 500), interpolation=cv2.INTER_CUBIC), np.uint8)

    class Told(GateNetwork):
        def read(self, pixels: Pixels) -> GateAnswers:  # noqa: ARG002 - as the network has it
            return told

    with pytest.raises(RejectedFilmError, match="no clear lungs were found") as rejection:
        Gate(lung_field(), Told()).admit_by_pixels(Film(pixels, FilmFacts("png")))
    assert rejection.value.code == Code.NOT_A_CHEST_FILM


@pytest.mark.parametrize(
    ("turns", "code"),
    [((0.04, 0.0, 0.95, 0.01), Code.ROTATED_180), ((0.23, 0.01, 0.75, 0.01), Code.NOT_A_CHEST_FILM)],
)
def test_a_film_that_lies_no_way_for_sure_is_no_chest_film(turns: tuple[float, ...], code: Code) -> None:
    assert _code_when_told(GateAnswers((0.9, 0.1, 0.0, 0.0, 0.0), turns, 0.0, 0.0, 0.0)) == code


def test_a_good_film_s_probability_is_far_above_the_bar() -> None:
    assert _examine(FILM).probability > 0.99 > read_weighing().least_probability


def test_two_films_side_by_side_are_named() -> None:
    assert _code_of(np.hstack([FILM, draw_phantom(22)])) == Code.SEVERAL_IMAGES


def test_tags_come_before_pixels() -> None:
    assert _code_of(FILM, FilmFacts("dicom", modality="CR", body_part="HIP")) == Code.NOT_A_CHEST_FILM
    assert _code_of(FILM, FilmFacts("dicom", modality="CR", view=View.LATERAL)) == Code.LATERAL


def test_wrong_tags_do_not_help_a_bad_film() -> None:
    facts = FilmFacts("dicom", modality="CR", body_part="CHEST", view=View.PA)
    assert _code_of(FILM[:, ::-1], facts) == Code.MIRRORED


def test_further_pages_of_a_file_are_told_and_the_first_is_admitted() -> None:
    remark = _examine(FILM, FilmFacts("tiff", frames=3)).remark
    assert remark is not None
    assert remark.code == Code.SEVERAL_IMAGES
    assert "3 pictures" in remark.sentence


def test_an_inverted_film_of_several_pages_is_told_both() -> None:
    remark = _examine(255 - FILM, FilmFacts("tiff", frames=3)).remark
    assert remark is not None
    assert remark.code == Code.POLARITY_INVERTED
    assert "inverted" in remark.sentence
    assert "3 pictures" in remark.sentence


def test_the_same_film_gets_the_same_verdict_at_any_size() -> None:
    for side in (160, 700, 1400):
        assert (
            _examine(np.asarray(cv2.resize(FILM, (side, side), interpolation=cv2.INTER_AREA))).remark is None
        )


@pytest.mark.parametrize(
    ("pixels", "confidence"),
    [
        (FILM[:, ::-1], r"confidence \d+\.\d%"),  # by the network
        (FILM // 20, r"confidence \d+\.\d%"),  # beyond every good film
    ],
)
def test_a_rejection_states_how_sure_it_is(pixels: Pixels, confidence: str) -> None:
    with pytest.raises(RejectedFilmError, match=confidence) as rejection:
        _examine(pixels)
    assert 0.9 <= rejection.value.confidence < 1


def test_what_a_tag_says_is_certain_and_no_number_is_told() -> None:
    with pytest.raises(RejectedFilmError, match=r"^(?!.*confidence)") as rejection:
        _examine(FILM, FilmFacts("dicom", modality="CT"))
    assert rejection.value.confidence == 1


def test_a_rejection_keeps_its_confidence_on_its_way_from_a_worker() -> None:
    with pytest.raises(RejectedFilmError) as rejection:
        _examine(FILM[:, ::-1])
    arrived = pickle.loads(pickle.dumps(rejection.value))
    assert vars(arrived) == vars(rejection.value)


def test_a_film_is_mirrored_only_if_its_mirror_image_looks_right() -> None:
    """A network that calls every film mirrored, and one that knows this film from its mirror image."""
    doubtful = GateAnswers((1.0, 0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), 0.9999, 0.0, 0.0)

    class Biased(GateNetwork):
        def read(self, pixels: Pixels) -> GateAnswers:  # noqa: ARG002 - as the network has it
            return doubtful

    class Knowing(GateNetwork):
        def read(self, pixels: Pixels) -> GateAnswers:
            return doubtful if np.array_equal(pixels, film.halved) else replace(doubtful, mirrored=0.0001)

    film = Film(FILM, FilmFacts("png"))
    assert Gate(lung_field(), Biased()).admit_by_pixels(film).remark is None
    with pytest.raises(RejectedFilmError) as rejection:
        Gate(lung_field(), Knowing()).admit_by_pixels(film)
    assert rejection.value.code == Code.MIRRORED
    assert rejection.value.confidence > 0.9


@pytest.mark.parametrize(
    ("one", "other", "mean"), [(0.5, 0.5, 0.5), (0.9, 0.1, 0.5), (0.8, 0.8, 0.8), (1, 0, 0), (1, 1, 1)]
)
def test_the_mean_of_odds_lies_between_two_probabilities(one: float, other: float, mean: float) -> None:
    assert mean_of_odds(one, other) == pytest.approx(mean)
