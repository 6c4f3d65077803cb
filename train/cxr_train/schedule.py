"""The learning rate of every step, and when it falls."""

import math
from dataclasses import dataclass, replace

from cxr_train.recipe import Recipe


@dataclass(frozen=True)
class Plateau:
    """What validation has shown so far."""

    best: float = -math.inf  # best figure, higher is better
    stale: int = 0  # epochs since
    drops: int = 0  # how often the rate was divided by ten

    def after(self, figure: float, recipe: Recipe) -> "Plateau":
        """What it is one epoch later: a rate that no longer helps is divided by ten (paper, II.B)."""
        if figure > self.best:
            return replace(self, best=figure, stale=0)
        stale = self.stale + 1
        if stale > recipe.patience and self.drops < recipe.drops:
            return replace(self, stale=0, drops=self.drops + 1)
        return replace(self, stale=stale)


def rate_factor(recipe: Recipe, step: int, steps: int, plateau: Plateau) -> float:
    """What the recipe's learning rate is multiplied by.

    Args:
        recipe: says which schedule.
        step: 0 <= step < steps, over all epochs.
        steps: of the whole run.
        plateau: what validation has shown so far.
    """
    warm = min(1.0, (step + 1) / (recipe.warmup_steps + 1))
    if recipe.schedule == "cosine":
        return warm * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    return float(warm * 0.1**plateau.drops)
