"""A recipe: everything that decides how a network is trained, with the paper's values and their limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf, nextafter

from cxr_runtime.errors import UsageError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.networks import Architecture, network_kind

OPTIMISERS = ("sgd", "adamw")
SCHEDULES = ("plateau", "cosine")
SELECTIONS = ("accuracy", "auc", "loss", "last")
STEPS_AN_EPOCH = 250  # 15,000 iterations in 60 epochs (paper, II.B), ...
PAPERS_FILMS = 500  # ... of its 560 training films; rounded down
SMALL_SETS_BATCH = 8  # films a step of fewer films; steps of one film end in numbers that are not finite
LONGEST_GRADIENT = 2.0  # of the networks' own recipes; the paper says nothing of it
TRANSFER_FACTOR = 10.0  # faster learning in the new layer (paper, II.C, which gives no number)
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
    "augmentation.curve": SHARE,
    "augmentation.marks": SHARE,
    "augmentation.cutout": SHARE,
    "augmentation.jpeg": (0, 95),
}  # of every other number: ANY


@dataclass(frozen=True)
class Augmentation:
    """How a film is varied each time it is shown; every amount is the widest, 0 switches it off."""

    shift: float = 0.1  # translation (paper, II.A), as a share of the input's side
    flip: float = 0.5  # probability of a mirror image (paper, II.A)
    rotation: float = 0.0  # degrees to either side
    scale: float = 0.0  # natural logarithm of the enlargement, to either side
    stretch: float = 0.0  # natural logarithm of the change of height to width
    gamma: float = 0.0  # natural logarithm of the exponent of grey values
    contrast: float = 0.0  # change of contrast and brightness, as a share of the grey range
    noise: float = 0.0  # standard deviation of added noise, as a share of the grey range
    blur: float = 0.0  # standard deviation of a blur, in input pixels
    downscale: float = 0.0  # natural logarithm of a loss of resolution
    jpeg: int = 0  # lowest JPEG quality, 1..95; films are compressed at up to 95
    border: float = 0.0  # widest black collimator edge, as a share of the side
    curve: float = (
        0.0  # bend of the tone curve at three points between black and white, as a share of the range
    )
    sharpen: float = 0.0  # strength of an unsharp mask, as other machines apply
    marks: float = 0.0  # widest side of burned-in letters or a bar at an edge, as a share of the side
    cutout: float = 0.0  # widest side of a blanked rectangle, as a share of the side
    chance: float = 0.3  # probability of each of the kinds from noise on
    mixup: float = 0.0  # alpha of the Beta distribution by which two films and their labels are mixed


@dataclass(frozen=True)
class Recipe:
    """How a network is trained (paper, II.A to II.C)."""

    architecture: Architecture = field(default_factory=Architecture)
    preprocessing: Preprocessing = field(default_factory=lambda: network_kind("custom").preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    start: str = "scratch"  # `scratch`, `published` (ImageNet), a file of weights, or a run to go on from
    learned: tuple[str, ...] = ()  # data sets whose every film the start has learned, where it names none
    epochs: int = 60
    batch_size: int = 0  # films in a step; 0: as many as make 250 steps an epoch (paper, II.B), or 8
    optimiser: str = "sgd"  # sgd, or adamw
    learning_rate: float = 1e-3
    new_layer_factor: float = 1.0  # learning rate of the new layer and the heads, as a multiple
    momentum: float = 0.9  # of sgd
    l2: float = 5e-4  # of sgd added to the gradient, of adamw decoupled
    schedule: str = "plateau"  # plateau: a tenth when validation stalls; cosine: to zero by the last step
    drops: int = 3  # plateau: how often (paper, II.B)
    patience: int = 8  # plateau: epochs without a better validation; the paper did it by hand
    warmup_steps: int = 0  # steps during which the learning rate rises from zero
    clip_norm: float = 0.0  # longest gradient; 0: as it comes
    frozen_layers: int = 0  # modules of `features` that keep their weights, from the first on
    terms: Mapping[str, float] = field(default_factory=lambda: {"label": 1.0})  # losses and their weights
    label_smoothing: float = 0.0  # share of a label given to the other class
    report_weight: float = 1.0  # of labels mined from reports, which are often wrong
    balance: tuple[str, ...] = ()  # columns whose every combination is shown equally often
    evenness: float = 1.0  # of balance: 1 wholly, 0.5 half-way to each film as often, 0 not at all
    quotas: Mapping[str, float] = field(default_factory=dict)  # shares of films shown, by truth
    ema: float = 0.0  # decay a step of the running average of weights that is kept; 0: none
    cached_augmentations: int = 0  # variations a film, taken through the frozen layers once; 0: ever new ones
    teachers: tuple[
        str, ...
    ] = ()  # runs, or tables of opinions, whose mean opinion the term `teacher` follows; `{fold}`: its number
    teacher_weights: Mapping[str, float] = field(default_factory=dict)  # of that opinion, by truth, else 1
    half_precision: bool = True  # bfloat16 where it is safe, on a GPU that has it
    half_on_cpu: bool = False  # the same on a processor: faster on those with bfloat16 instructions
    select_by: str = "accuracy"  # must improve in validation (paper, II.B): accuracy, auc, loss; or last
    seed: int = 0

    def films_a_step(self, films: int) -> int:
        """Batch size for a training set of `films` films."""
        usual = round(films / STEPS_AN_EPOCH) if films >= PAPERS_FILMS else SMALL_SETS_BATCH
        return min(films, self.batch_size or usual)


MODERN = Augmentation(
    shift=0.06, rotation=8, scale=0.12, stretch=0.06, gamma=0.4, contrast=0.2, noise=0.03, blur=1.2,
    downscale=0.9, jpeg=40, border=0.07,
)  # fmt: skip


def default_recipe(name: str) -> Recipe:
    """The recipe a network is trained by when nothing else is said.

    `custom`: the paper's, from scratch. `alexnet`, `vgg16`, `vgg19`, `squeezenet`: the paper's transfer.
    `edge`, `lite`: ours, for small networks.

    Raises:
        UsageError: there is no network of that name.
    """
    kind = network_kind(name)
    how = kind.preprocessing
    paper = Recipe(Architecture(name, how.input_hw), how, clip_norm=LONGEST_GRADIENT)
    if kind.published:
        return replace(paper, start="published", new_layer_factor=TRANSFER_FACTOR)
    if name in ("edge", "lite"):
        return replace(
            paper,
            augmentation=MODERN,
            optimiser="adamw",
            learning_rate=2e-3,
            l2=0.02,
            schedule="cosine",
            warmup_steps=50,
            batch_size=32,
            ema=0.99,
            label_smoothing=0.05,
            report_weight=0.3,
            balance=("label", "view"),
            select_by="auc",
        )
    return paper


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
