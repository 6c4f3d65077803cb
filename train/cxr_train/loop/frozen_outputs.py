"""What the layers that never learn say of a few variations of every film, computed once and kept on disk."""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.atomic import replacing
from cxr_runtime.errors import UsageError
from cxr_runtime.progress import Progress
from cxr_train.loop.batches import Batch, BatchMaker, Shown, in_steps, made_ahead
from cxr_train.loop.losses import autocast, is_half
from cxr_train.networks import Network
from cxr_train.recipe.recipe import Recipe

FILMS_AT_ONCE = 32
PURPOSE = 4  # of the seed: beside the trainer's own
FOLDER = "frozen-outputs"  # in the cache of prepared films
PARTS = {"outputs": "<i2", "heat": "<f2", "clean": "<f2"}  # files; outputs are the bits of bfloat16


@dataclass(frozen=True)
class FrozenOutputs:
    """K variations of each of N films, as the layer after the frozen ones takes them."""

    outputs: NDArray[np.int16] = field(repr=False)  # (K, N, h, w, C) bits of bfloat16; read as needed
    heat: NDArray[np.float16] = field(repr=False)  # (K, N, rows, columns) targets of each variation
    clean: NDArray[np.float16] = field(repr=False)  # (K, N, SUBCELLS rows, SUBCELLS columns) likewise
    layers: int  # how many modules of `features` are behind

    def draw(self, rows: NDArray[np.intp], seed: Sequence[int]) -> Shown:
        """One variation of each film, which the seed decides."""
        chosen = np.random.default_rng(list(seed)).integers(len(self.outputs), size=len(rows))
        outputs = torch.from_numpy(self.outputs[chosen, rows]).view(torch.bfloat16).float()
        heat, clean = (np.asarray(part[chosen, rows], np.float32) for part in (self.heat, self.clean))
        unknown = np.full_like(heat, math.nan)
        return Shown(
            outputs.permute(0, 3, 1, 2), heat, clean, teacher_heat=unknown, layers_behind=self.layers
        )


def frozen_outputs(
    network: Network, maker: BatchMaker, recipe: Recipe, cache: Path, workers: int, progress: Progress
) -> FrozenOutputs:
    """Compute what a recipe's frozen layers say, or find it computed.

    The folds of a cross-validation, whose frozen layers are the same, share it. As it takes gigabytes, only
    the newest is kept.

    Args:
        network: with its starting weights, on the device that computes.
        maker: makes batches of the film table.
        recipe: says how films are varied, how often, and how many layers are frozen.
        cache: folder of prepared films.
        workers: threads that make batches.
        progress: hears of every batch.

    Raises:
        UsageError: no layer is frozen.
    """
    if not recipe.frozen_layers:
        raise UsageError(
            f"cached_augmentations = {recipe.cached_augmentations} needs layers that never change; "
            "set frozen_layers, or cached_augmentations to 0"
        )
    folder = cache / FOLDER
    key = _key(network, maker, recipe)
    paths = {part: folder / f"{key}-{part}.npy" for part in PARTS}
    if not all(path.is_file() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        _remove_earlier(folder)
        _compute(network, maker, recipe, paths, workers, progress)
    arrays = {part: np.load(path, mmap_mode="r") for part, path in paths.items()}
    return FrozenOutputs(**arrays, layers=recipe.frozen_layers)


def _key(network: Network, maker: BatchMaker, recipe: Recipe) -> str:
    """Everything that the numbers follow from."""
    weights = network.features[: recipe.frozen_layers].state_dict()
    digest = sha256()
    for name, tensor in weights.items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    films = [(film.label, str(film.truth), film.boxes_complete, film.boxes) for film in maker.films]
    settings = [recipe.frozen_layers, recipe.cached_augmentations, recipe.seed, asdict(recipe.augmentation)]
    device, preprocessing = next(network.parameters()).device.type, asdict(recipe.preprocessing)
    precision = [device, is_half(recipe, device)]
    stated = [settings, precision, preprocessing, maker.prepared.sha256s, repr(films)]
    digest.update(json.dumps(stated).encode())
    return digest.hexdigest()[:32]


def _remove_earlier(folder: Path) -> None:
    for path in folder.glob("*.npy"):
        with suppress(OSError):  # one that is in use cannot be removed on every system
            path.unlink()


def _compute(
    network: Network,
    maker: BatchMaker,
    recipe: Recipe,
    paths: dict[str, Path],
    workers: int,
    progress: Progress,
) -> None:
    """Fill the files, variation by variation, each of them wholly or not at all."""
    films, variations = len(maker.films), recipe.cached_augmentations
    steps = in_steps(np.arange(films), FILMS_AT_ONCE) * variations
    batches = made_ahead(maker, steps, recipe.augmentation, (recipe.seed, PURPOSE), workers)
    progress.begin(f"{variations} variations of {films} films", len(steps))
    with ExitStack() as stack:
        files = {part: stack.enter_context(replacing(path)) for part, path in paths.items()}
        for number, parts in enumerate(_through(network, batches, recipe)):
            for part, values in parts.items():
                if not number:
                    _write_header(files[part], PARTS[part], (variations, films, *values.shape[1:]))
                files[part].write(values.astype(PARTS[part]).tobytes())
            progress.advance()
    progress.end()


def _through(
    network: Network, batches: Iterator[Batch], recipe: Recipe
) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Every batch after the frozen layers, by the names of PARTS."""
    device = next(network.parameters()).device
    frozen = network.features[: recipe.frozen_layers].eval()
    for batch in batches:
        with torch.no_grad(), autocast(recipe, device.type):
            said = frozen(batch.images.to(device).contiguous(memory_format=torch.channels_last))
        heat, clean = batch.targets.heat.numpy(), batch.targets.clean.numpy()
        yield {"outputs": _bits(said), "heat": heat, "clean": clean}


def _bits(outputs: Tensor) -> NDArray[np.generic]:
    """(B, C, h, w) -> (B, h, w, C) int16, the bits of bfloat16."""
    last = outputs.cpu().to(torch.bfloat16).permute(0, 2, 3, 1).contiguous()
    bits: NDArray[np.generic] = last.view(torch.int16).numpy()
    return bits


def _write_header(file: BinaryIO, kind: str, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
