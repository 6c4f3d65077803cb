"""The loss: named terms, each silent on films of which it knows nothing, and their weighted sum in a step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cxr_runtime.errors import CxrTriageError, UsageError
from cxr_train.loop.batches import Batch
from cxr_train.loop.targets import Targets
from cxr_train.networks import Network, Outputs
from cxr_train.recipe.recipe import Recipe

BOX_WEIGHT = 3.0  # of a cell in a box, against 1 outside
Term = Callable[[Outputs, Targets], Tensor]
Losses = dict[str, float]  # `loss`, the weighted sum, and `TERM_loss`, each term by itself


class TrainingError(CxrTriageError):
    """Training cannot go on, e.g. because the loss is no longer finite."""


def label_term(outputs: Outputs, targets: Targets, smoothing: float = 0.0) -> Tensor:
    """Multinomial logistic regression (paper, II.B) on labels that may be soft, smoothed and weighted."""
    soft = targets.label * (1 - smoothing) + smoothing / 2
    return _cross_entropy(outputs.logits, soft, targets.weight)


def teacher_term(outputs: Outputs, targets: Targets) -> Tensor:
    """Cross entropy against the teachers' mean probability (Hinton 2015), weighted."""
    return _cross_entropy(outputs.logits, targets.teacher, targets.teacher_weight)


def teacher_heat_term(outputs: Outputs, targets: Targets) -> Tensor:
    """Disease cell by cell, as the teachers see it."""
    return _binary(outputs.auxiliary["heat"], targets.teacher_heat)


def findings_term(outputs: Outputs, targets: Targets) -> Tensor:
    """The 14 findings of NIH ChestX-ray14, each by itself."""
    return _binary(outputs.auxiliary["findings"], targets.findings)


def view_term(outputs: Outputs, targets: Targets) -> Tensor:
    """The view, said by a head whose gradient is turned round: conv5 forgets how the film was taken."""
    return _binary(outputs.auxiliary["view"][:, 0], targets.view)


def site_term(outputs: Outputs, targets: Targets) -> Tensor:
    """The hospital, as the view: conv5 forgets where the film was taken (Ganin 2016).

    Hospitals with higher numbers than any of the batch are no answers, so conv5 cannot hide behind them.
    """
    known, wanted = torch.isfinite(targets.site), targets.site.nan_to_num().long()
    answers = outputs.auxiliary["site"][:, : int(wanted.max()) + 1]
    losses = functional.cross_entropy(answers.float(), wanted, reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def sex_term(outputs: Outputs, targets: Targets) -> Tensor:
    """The patient's sex: knowing the body helps to know what is not of it."""
    return _binary(outputs.auxiliary["sex"][:, 0], targets.sex)


def age_term(outputs: Outputs, targets: Targets) -> Tensor:
    """The patient's age, by the smooth absolute error of its standardised value."""
    known = torch.isfinite(targets.age)
    said, wanted = outputs.auxiliary["age"][:, 0].float(), targets.age.nan_to_num()
    losses = functional.smooth_l1_loss(said, wanted, reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def heat_term(outputs: Outputs, targets: Targets) -> Tensor:
    """Disease cell by cell, where boxes say where it is or a film is known to be normal.

    A cell in a box counts BOX_WEIGHT times, as there are few of them.
    """
    weight = 1 + (BOX_WEIGHT - 1) * targets.heat.nan_to_num()
    return _binary(outputs.auxiliary["heat"], targets.heat, weight)


def overlap_term(outputs: Outputs, targets: Targets) -> Tensor:
    """1 - soft Dice of heat and boxes, over the films whose boxes are complete (Milletari 2016)."""
    said, wanted = torch.sigmoid(outputs.auxiliary["heat"].float()), targets.heat.nan_to_num()
    known = torch.isfinite(targets.heat).all(dim=2).all(dim=1) & (wanted.amax(dim=(1, 2)) > 0)
    shared, both = (said * wanted).sum(dim=(1, 2)), said.sum(dim=(1, 2)) + wanted.sum(dim=(1, 2))
    return ((1 - (2 * shared + 1) / (both + 1)) * known).sum() / known.sum().clamp(min=1)


def reconstruction_term(outputs: Outputs, targets: Targets) -> Tensor:
    """Mean squared error of the coarse picture; needs no labels."""
    return functional.mse_loss(outputs.auxiliary["reconstruction"], targets.clean)


TERMS: dict[str, Term] = {
    "label": label_term,
    "teacher": teacher_term,
    "teacher_heat": teacher_heat_term,
    "findings": findings_term,
    "view": view_term,
    "site": site_term,
    "sex": sex_term,
    "age": age_term,
    "heat": heat_term,
    "overlap": overlap_term,
    "reconstruction": reconstruction_term,
}


def loss_terms(weights: Mapping[str, float], label_smoothing: float) -> dict[str, Term]:
    """The terms of a recipe by name.

    Raises:
        UsageError: there is no term of that name.
    """
    unknown = [name for name in weights if name not in TERMS]
    if unknown or not weights:
        raise UsageError(f"there is no loss term {unknown[:1]}; expected some of: {', '.join(TERMS)}")
    smoothed: Term = lambda outputs, targets: label_term(outputs, targets, label_smoothing)  # noqa: E731
    return {name: smoothed if name == "label" else TERMS[name] for name in weights}


def _cross_entropy(logits: Tensor, abnormal: Tensor, weight: Tensor) -> Tensor:
    """Mean over the films whose probability of abnormal is known; (B, 2), (B,), (B,) -> ()."""
    known = torch.isfinite(abnormal)
    wanted, weight = abnormal.nan_to_num(), weight * known
    said = functional.log_softmax(logits.float(), dim=1)
    losses = -(1 - wanted) * said[:, 0] - wanted * said[:, 1]
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def _binary(logits: Tensor, wanted: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean binary cross entropy over what is known; any shape, nan in `wanted` where nothing is."""
    known = torch.isfinite(wanted)
    losses = functional.binary_cross_entropy_with_logits(
        logits.float(), wanted.nan_to_num(), weight, reduction="none"
    )
    return (losses * known).sum() / known.sum().clamp(min=1)


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 by itself; where it is emulated, float32 is faster."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def is_half(recipe: Recipe, device: str) -> bool:
    """Whether a recipe computes in bfloat16 on this machine."""
    if device == "cpu":
        return recipe.half_on_cpu and has_bfloat16()
    return recipe.half_precision and torch.cuda.is_bf16_supported()


def autocast(recipe: Recipe, device: str) -> torch.autocast:
    """Bfloat16 where the recipe wants it and the machine has it, for what bears it; else float32."""
    kind = "cpu" if device == "cpu" else "cuda"
    return torch.autocast(kind, torch.bfloat16, enabled=is_half(recipe, device))


@dataclass(frozen=True)
class Objective:
    """A recipe's loss."""

    recipe: Recipe
    device: str  # cpu, or cuda

    def of(self, network: Network, batch: Batch) -> tuple[Tensor, Losses, Outputs]:
        """Loss, its terms, and outputs of a batch as it is."""
        outputs = self._outputs(network, batch.images.to(self.device), batch.layers_behind)
        total, losses = self._sum(outputs, batch.targets.map(lambda tensor: tensor.to(self.device)))
        return total, losses, outputs

    def of_mixed(self, network: Network, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Losses]:
        """Loss of a batch whose films are mixed in pairs (mixup, Zhang 2018)."""
        alpha = self.recipe.augmentation.mixup
        share, order = float(rng.beta(alpha, alpha)), torch.from_numpy(rng.permutation(len(batch.images)))
        images = share * batch.images + (1 - share) * batch.images[order]
        targets = batch.targets.map(lambda tensor: tensor.to(self.device))
        outputs = self._outputs(network, images.to(self.device), batch.layers_behind)
        first, losses = self._sum(outputs, targets)
        second, others = self._sum(outputs, targets.map(lambda tensor: tensor[order.to(self.device)]))
        mixed = {name: share * losses[name] + (1 - share) * others[name] for name in losses}
        return share * first + (1 - share) * second, mixed

    def _outputs(self, network: Network, images: Tensor, layers_behind: int) -> Outputs:
        with autocast(self.recipe, self.device):
            outputs: Outputs = network(images.contiguous(memory_format=torch.channels_last), layers_behind)
        return outputs

    def _sum(self, outputs: Outputs, targets: Targets) -> tuple[Tensor, Losses]:
        terms = loss_terms(self.recipe.terms, self.recipe.label_smoothing)
        values = {name: term(outputs, targets) for name, term in terms.items()}
        total = torch.stack([self.recipe.terms[name] * value for name, value in values.items()]).sum()
        return total, {
            "loss": total.item(),
            **{f"{name}_loss": value.item() for name, value in values.items()},
        }
