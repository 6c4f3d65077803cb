import numpy as np
import pytest
import torch

from cxr_runtime.gate.network import ANSWERS, INPUT_SIDE, TURNS, PictureKind
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
