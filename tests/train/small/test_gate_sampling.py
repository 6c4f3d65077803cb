from dataclasses import replace

import numpy as np
import pytest
import torch

from cxr_runtime.gate.network import ANSWERS, INPUT_SIDE, TURNS, PictureKind
from cxr_train.small.gate.composed import on_a_page, whole_body
from cxr_train.small.gate.drawn import DRAWINGS
from cxr_train.small.gate.network import GateNet, answers_loss
from cxr_train.small.gate.sampling import NOT_ASKED, Sample, Sampler
from gate_pictures import gate_pictures

SAMPLER = Sampler(gate_pictures())


def _samples(maker: str, count: int = 30) -> list[Sample]:
    rng = np.random.default_rng(5)
    return [getattr(SAMPLER, maker)(rng) for _ in range(count)]


def test_a_batch_has_the_network_s_size_and_is_the_same_for_the_same_seed() -> None:
    (one, answers), (other, same) = (SAMPLER.draw_batch(np.random.default_rng(3), 16) for _ in range(2))
    assert one.shape == (16, 1, INPUT_SIDE, INPUT_SIDE)
    assert answers.shape == (16, 5)
    assert torch.equal(one, other)
    assert torch.equal(answers, same)
    assert torch.isfinite(one).all()


def test_a_turned_film_is_asked_for_its_turn_but_not_for_its_side() -> None:
    samples = [sample for sample in _samples("draw_frontal", 60) if sample.kind is PictureKind.FRONTAL]
    turned = [sample for sample in samples if sample.turn > 0]
    assert turned
    assert {sample.mirrored for sample in turned} == {NOT_ASKED}
    assert {sample.turn for sample in samples} <= set(range(len(TURNS)))


@pytest.mark.parametrize(
    ("maker", "kind"),
    [
        ("draw_lateral", PictureKind.LATERAL),
        ("draw_other", PictureKind.OTHER),
        ("draw_pictured", PictureKind.PICTURED),
        ("draw_several", PictureKind.SEVERAL),
    ],
)
def test_other_kinds_are_never_asked_for_turn_side_or_completeness(maker: str, kind: PictureKind) -> None:
    for sample in _samples(maker):
        assert sample.kind is kind
        assert (sample.turn, sample.mirrored, sample.cut_off) == (NOT_ASKED,) * 3
        assert 0 <= sample.pixels.min() <= sample.pixels.max() <= 1


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_drawings_are_grey_pictures_of_the_size_asked_for(name: str) -> None:
    for seed in range(10):
        picture = DRAWINGS[name](np.random.default_rng(seed), 96)
        assert picture.shape == (96, 96)
        assert picture.dtype == np.float32
        assert 0 <= picture.min() <= picture.max() <= 1


def test_questions_that_were_not_asked_do_not_change_the_loss() -> None:
    answers = torch.tensor([[float(PictureKind.OTHER), NOT_ASKED, NOT_ASKED, NOT_ASKED, NOT_ASKED]])
    logits = torch.zeros(1, ANSWERS)
    changed = logits.clone()
    changed[:, len(PictureKind) :] = 5.0
    assert float(answers_loss(logits, answers)) == float(answers_loss(changed, answers))


def test_the_network_answers_every_question() -> None:
    assert GateNet(INPUT_SIDE).eval()(torch.zeros(2, 1, INPUT_SIDE, INPUT_SIDE)).shape == (2, ANSWERS)


def test_a_whole_body_shows_the_chest_as_a_part_and_a_page_shows_the_film_whole() -> None:
    film, below = np.full((96, 96), 0.5, np.float32), np.full((96, 96), 0.25, np.float32)
    for seed in range(10):
        body = whole_body(np.random.default_rng(seed), film, below)
        page = on_a_page(np.random.default_rng(seed), film)
        for picture in (body, page):
            assert picture.shape == (96, 96)
            assert picture.dtype == np.float32
            assert 0 <= picture.min() <= picture.max() <= 1
        assert 0.3 < np.isclose(page, 0.5, atol=1e-3).mean() < 0.95


def test_a_small_collection_is_drawn_from_more_often_than_its_share() -> None:
    pictures = gate_pictures(20)
    rare = [replace(picture, collection="rare") for picture in pictures[:4]]
    sampler = Sampler([*pictures, *rare])
    rng = np.random.default_rng(0)
    drawn = [sampler.frontal.draw(rng).collection for _ in range(2000)]
    share = sum(picture.kind is PictureKind.FRONTAL for picture in rare) / 42
    assert drawn.count("rare") / len(drawn) > 2 * share
