"""Which numbers a recipe may hold: a slip of the pen is told before anything is trained."""

from collections.abc import Iterator
from dataclasses import fields
from math import inf, nextafter

from cxr_runtime.errors import UsageError
from cxr_train.recipe import Recipe

BELOW_ONE = nextafter(1.0, 0.0)
SHARE, ANY = (0.0, 1.0), (0.0, inf)  # lowest and highest value
LIMITS = {
    "epochs": (1, inf),
    "momentum": (0.0, BELOW_ONE),
    "ema": (0.0, BELOW_ONE),
    "label_smoothing": SHARE,
    "evenness": SHARE,
    "augmentation.flip": SHARE,
    "augmentation.chance": SHARE,
    "augmentation.shift": SHARE,
    "augmentation.border": SHARE,
    "augmentation.cutout": SHARE,
    "augmentation.jpeg": (0, 95),
}  # of every other number: ANY


def refuse_numbers(recipe: Recipe) -> None:
    """Refuse a recipe with a number out of its limits.

    Raises:
        UsageError: names the setting.
    """
    for name, value in _numbers(recipe):
        low, high = LIMITS.get(name, ANY)
        if not low <= value <= high:
            below = "less than 1" if high == BELOW_ONE else f"{high:g} at most"
            bounds = f"{low:g} or more" + ("" if high == inf else f", and {below}")
            raise UsageError(f"setting {name} is {value:g}; expected {bounds}")


def _numbers(recipe: Recipe) -> Iterator[tuple[str, float]]:
    """Every number by its dotted name."""
    for prefix, part in (("", recipe), ("augmentation.", recipe.augmentation)):
        for entry in fields(part):
            value = getattr(part, entry.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield f"{prefix}{entry.name}", value
    for name in ("terms", "quotas", "teacher_weights"):
        yield from ((f"{name}.{key}", value) for key, value in getattr(recipe, name).items())
