"""What a step makes smaller: the weighted terms of a batch, on one device, in one precision."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cxr_train.batches import Batch
from cxr_train.losses import loss_terms
from cxr_train.networks import Network, Outputs
from cxr_train.recipe import Recipe
from cxr_train.targets import Targets

Losses = dict[str, float]  # `loss`, the weighted sum, and `TERM_loss`, each term by itself


def autocast(recipe: Recipe, device: str) -> torch.autocast:
    """Bfloat16 where the recipe wants it and the machine has it, for what bears it; else float32."""
    kind = "cpu" if device == "cpu" else "cuda"
    on_gpu = recipe.half_precision and kind == "cuda" and torch.cuda.is_bf16_supported()
    half = recipe.half_on_cpu if kind == "cpu" else on_gpu
    return torch.autocast(kind, torch.bfloat16, enabled=half)


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
