"""A network and a training small enough for a test."""

from pathlib import Path
from typing import Any

from cxr_train.recipe.composing import compose_recipe
from cxr_train.recipe.recipe import Recipe

TINY: dict[str, Any] = {
    "architecture": {"network": "edge", "filters": [4, 4, 6, 6, 8]},
    "preprocessing": {"input_hw": [48, 48], "working_hw": [64, 64], "clahe_clip": 0.0},
    "epochs": 3,
    "batch_size": 8,
    "warmup_steps": 2,
    "learning_rate": 0.01,
    "terms": {"heat": 0.5, "findings": 0.2, "view": 0.1},
}


def tiny_recipe(**changes: Any) -> Recipe:
    """A network and a training small enough for a test."""
    return compose_recipe(None, TINY, changes)


def short_recipe(**changes: Any) -> Recipe:
    """One epoch, which is kept whatever it is worth."""
    return tiny_recipe(**{"epochs": 1, "select_by": "last", **changes})


def taught_by(*teachers: Path, **changes: Any) -> Recipe:
    """One epoch that follows teachers as well as labels."""
    return short_recipe(
        **{"teachers": [str(path) for path in teachers], "terms": {"teacher": 1.0}, **changes}
    )
