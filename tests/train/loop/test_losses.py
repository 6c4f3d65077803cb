import math
from dataclasses import replace

import pytest
import torch

from cxr_runtime.errors import UsageError
from cxr_train.loop import losses
from cxr_train.loop.losses import TERMS, autocast, label_term, loss_terms
from cxr_train.loop.targets import Targets
from cxr_train.networks import Outputs
from tiny_training import tiny_recipe

NAN = math.nan


def outputs(margin: list[float]) -> Outputs:
    logits = torch.stack([torch.zeros(len(margin)), torch.tensor(margin)], dim=1)
    films = len(margin)
    heads = {
        "findings": torch.zeros(films, 14),
        "view": torch.zeros(films, 1),
        "site": torch.zeros(films, 3),
        "sex": torch.zeros(films, 1),
        "age": torch.zeros(films, 1),
        "heat": torch.zeros(films, 2, 2),
        "reconstruction": torch.full((films, 4, 4), 0.5),
    }
    return Outputs(logits.requires_grad_(True), torch.zeros(films, 3, 2, 2), heads)


def targets(films: int) -> Targets:
    """Nothing is known."""
    unknown = torch.full((films,), NAN)
    return Targets(
        label=unknown,
        weight=torch.ones(films),
        findings=torch.full((films, 14), NAN),
        view=unknown,
        site=unknown,
        sex=unknown,
        age=unknown,
        heat=torch.full((films, 2, 2), NAN),
        clean=torch.full((films, 4, 4), 0.5),
        teacher=unknown,
        teacher_weight=torch.ones(films),
        teacher_heat=torch.full((films, 2, 2), NAN),
    )


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_silent_on_films_of_which_nothing_is_known(name: str) -> None:
    said = outputs([1.0, -2.0])
    loss = TERMS[name](said, targets(2))
    assert loss.item() == 0
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]  # torch states no type
        assert said.logits.grad is not None
        assert torch.isfinite(said.logits.grad).all()


def test_the_label_term_is_cross_entropy_over_the_labelled_films() -> None:
    known = replace(targets(3), label=torch.tensor([1.0, 0.0, NAN]))
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    assert label_term(outputs([2.0, -1.0, 5.0]), known).item() == pytest.approx(expected, rel=1e-5)


def test_a_film_of_weight_0_does_not_count() -> None:
    known = replace(targets(2), label=torch.tensor([1.0, 0.0]), weight=torch.tensor([1.0, 0.0]))
    alone = replace(targets(1), label=torch.tensor([1.0]))
    torch.testing.assert_close(label_term(outputs([2.0, 9.0]), known), label_term(outputs([2.0]), alone))


def test_smoothing_gives_half_of_its_share_to_each_class() -> None:
    known, soft = (replace(targets(1), label=torch.tensor([label])) for label in (1.0, 0.95))
    said = outputs([3.0])
    torch.testing.assert_close(label_term(said, known, smoothing=0.1), label_term(said, soft))


def test_the_teacher_is_followed_whatever_the_label() -> None:
    taught = replace(targets(1), teacher=torch.tensor([0.8]), label=torch.tensor([0.0]))
    at_teacher = TERMS["teacher"](outputs([math.log(4)]), taught)
    assert at_teacher < TERMS["teacher"](outputs([-3.0]), taught)
    assert at_teacher.item() == pytest.approx(-0.8 * math.log(0.8) - 0.2 * math.log(0.2), rel=1e-5)


def test_the_teacher_is_heard_as_loudly_as_its_weight_says() -> None:
    taught = replace(targets(2), teacher=torch.tensor([0.8, 0.1]), teacher_weight=torch.tensor([1.0, 3.0]))
    first, second = (
        TERMS["teacher"](outputs([margin]), replace(targets(1), teacher=torch.tensor([said])))
        for margin, said in ((1.0, 0.8), (2.0, 0.1))
    )
    torch.testing.assert_close(TERMS["teacher"](outputs([1.0, 2.0]), taught), (first + 3 * second) / 4)


def test_the_site_term_asks_for_each_film_s_hospital() -> None:
    said = torch.tensor([[9.0, 0.0, 40.0], [0.0, 9.0, 40.0], [9.0, 0.0, 40.0]])  # nobody asks for the third
    right, wrong = (
        TERMS["site"](
            outputs([0.0] * 3)._replace(auxiliary={"site": said}), replace(targets(3), site=site)
        ).item()
        for site in (torch.tensor([0.0, 1.0, NAN]), torch.tensor([1.0, 0.0, NAN]))
    )
    assert right == pytest.approx(0, abs=1e-3)
    assert wrong == pytest.approx(9, abs=1e-3)


def test_heat_in_the_boxes_overlaps_and_heat_elsewhere_does_not() -> None:
    box = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    known = replace(targets(1), heat=box)
    in_box, elsewhere = (
        TERMS["overlap"](outputs([0.0])._replace(auxiliary={"heat": heat}), known).item()
        for heat in (40 * box - 20, 20 - 40 * box)
    )
    assert in_box == pytest.approx(0, abs=1e-6)
    assert elsewhere == pytest.approx(1 - 1 / (3 + 1 + 1))


def test_a_cell_in_a_box_counts_more_than_one_outside() -> None:
    one_of_each = replace(targets(1), heat=torch.tensor([[[1.0, 0.0], [NAN, NAN]]]))
    assert TERMS["heat"](outputs([0.0]), one_of_each).item() == pytest.approx((3 + 1) / 2 * math.log(2))


def test_terms_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="label, teacher"):
        loss_terms({"labels": 1.0}, 0.0)
    with pytest.raises(UsageError):
        loss_terms({}, 0.0)


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("has_it", [True, False])
def test_a_processor_without_bfloat16_computes_in_float32(
    wanted: bool, has_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "has_bfloat16", lambda: has_it)
    with autocast(tiny_recipe(half_on_cpu=wanted), "cpu"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert (product.dtype is torch.bfloat16) == (wanted and has_it)
