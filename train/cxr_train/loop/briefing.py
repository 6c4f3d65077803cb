"""What a run says before its first epoch: how it is made, of which films, and how its first batch looks."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from cxr_runtime.atomic import write_bytes
from cxr_runtime.progress import Progress
from cxr_train.checkpoint import RunConfig
from cxr_train.data.check import data_lines
from cxr_train.data.split import Split
from cxr_train.loop.batches import BatchMaker, epoch_order
from cxr_train.loop.losses import has_bfloat16
from cxr_train.loop.preview import BATCH_FILE, draw_batch
from cxr_train.loop.trainer import ORDER, STEP
from cxr_train.networks import Network
from cxr_train.recipe.recipe import Recipe


def brief(
    run: Path, config: RunConfig, network: Network, maker: BatchMaker, split: Split, progress: Progress
) -> None:
    """Say it line by line, and draw batch.png into the run folder.

    Args:
        run: its folder, made where it is missing.
        config: of the run.
        network: with its starting weights.
        maker: of the film table.
        split: its sides.
        progress: hears the lines.
    """
    recipe, films = config.recipe, maker.films
    for line in (*_config_lines(config, network, split), *data_lines(films, maker.prepared, split)):
        progress.say(line)
    order = epoch_order(
        films, split.training, recipe.balance, (recipe.seed, ORDER, 0), recipe.evenness, recipe.quotas
    )
    rows = order[: recipe.films_a_step(len(split.training))]
    run.mkdir(parents=True, exist_ok=True)
    write_bytes(run / BATCH_FILE, draw_batch(maker, rows, recipe.augmentation, (recipe.seed, STEP, 0, 0)))
    progress.say(f"the first batch, as the network sees it: {run / BATCH_FILE}")


def _config_lines(config: RunConfig, network: Network, split: Split) -> Iterator[str]:
    recipe = config.recipe
    height, width = recipe.preprocessing.input_hw
    weights = sum(weight.numel() for weight in network.parameters())
    films = recipe.films_a_step(len(split.training))
    steps = max(1, len(split.training) // films)
    yield (
        f"network: {recipe.architecture.network}, input {height} x {width}, "
        f"{weights / 1e6:.2f} million weights, from {config.starting_weights}"
    )
    yield f"epochs: {recipe.epochs} of {steps} steps of {films} films; chosen by {recipe.select_by}"
    clip = f", gradients at most {recipe.clip_norm:g} long" if recipe.clip_norm else ", gradients not clipped"
    yield f"optimiser: {recipe.optimiser}, learning rate {recipe.learning_rate:g}, {recipe.schedule}{clip}"
    yield f"loss: {_said(dict(recipe.terms))}"
    yield f"varied by: {_said(_amounts(recipe)) or 'nothing'}"
    on_processor = next(network.parameters()).device.type == "cpu"
    if recipe.half_on_cpu and on_processor and not has_bfloat16():
        yield "look: half_on_cpu is set, but this processor has no bfloat16: it computes in float32"


def _amounts(recipe: Recipe) -> dict[str, float]:
    amounts = {entry.name: getattr(recipe.augmentation, entry.name) for entry in fields(recipe.augmentation)}
    return {name: amount for name, amount in amounts.items() if amount and name != "chance"}


def _said(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {number:g}" for name, number in numbers.items())
