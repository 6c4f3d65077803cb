"""The heat recipe of a trained network: how conv5 becomes heat that means the same on every film."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import ModelError
from cxr_runtime.heat import HeatRecipe
from cxr_runtime.preprocessing import Preprocessing, normalise
from cxr_train.data.film import TrainingFilm
from cxr_train.data.prepared_films import PreparedFilms
from cxr_train.data.split import Rows
from cxr_train.networks import Network
from cxr_train.networks.heads import HeatHead
from cxr_train.settings import from_plain
from cxr_train.targets import heat_target

HEAT_FILE = "heat.json"  # in a run folder
MOST_FILMS = 200  # looked at for a recipe
LEAST_BOXED = 20  # films with boxes from which gain, threshold and prior can be learned
PRIOR_BLUR = 1.0  # cells
STRONGEST = 0.999  # quantile of the strongest channels that their view shows as 1
NEWTON_STEPS = 30
RIDGE = 1e-3  # keeps the regression finite where boxes and evidence agree perfectly
THRESHOLDS = np.linspace(0.02, 0.98, 49)

Cells = NDArray[np.float32]  # (N, h, w), a value for every conv5 cell of N films


class Scale(NamedTuple):
    """How evidence becomes heat: sigmoid(gain * (evidence + shift)) * prior."""

    gain: float
    shift: float
    threshold: float  # of heat
    prior: NDArray[np.float32]  # (h, w) 0..1, or empty

    def heat(self, evidence: Cells) -> Cells:
        """Evidence of any films as heat."""
        heat = _sigmoid(self.gain * (evidence.astype(np.float64) + self.shift))
        return np.asarray(heat * self.prior if self.prior.size else heat, np.float32)


def fit_heat(
    network: Network, films: Sequence[TrainingFilm], prepared: PreparedFilms, rows: Rows, how: Preprocessing
) -> HeatRecipe:
    """Fit a heat recipe on training films.

    Channel weights are those of the heat head where the network has one; else Grad-CAM weights averaged over
    films, which for a network with global average pooling are those of its class activation map. With enough
    boxes, gain and shift are those of a logistic regression of a cell's being in a box, the threshold is the
    one with the best overlap, and the prior is how often each cell lies in a box. Without, one cell in twenty
    is at or above the threshold.

    Args:
        network: trained.
        films: the film table.
        prepared: its pictures.
        rows: training films, some of them.
        how: the network's preprocessing.
    """
    chosen = _choose(films, rows)
    conv5, weights = _look(network, prepared, chosen, how)
    head, bias = network.training_heads().get("heat"), 0.0
    if isinstance(head, HeatHead):
        weights, bias = head.conv.weight.detach()[0, :, 0, 0].cpu().numpy(), float(head.bias.detach())
    evidence: Cells = np.tensordot(conv5, weights, axes=(1, 0)) + np.float32(bias)
    scale = _scale_by_boxes(network, films, prepared, chosen, evidence) or _scale_by_range(evidence)
    return HeatRecipe(
        channel_weights=tuple(float(weight) for weight in weights),
        bias=bias + scale.shift,
        gain=scale.gain,
        threshold=scale.threshold,
        cells=network.cells,
        conv5_layer=network.conv5_layer,
        strongest_scale=max(float(np.quantile(_strongest(conv5), STRONGEST)), 1e-6),
        prior=tuple(tuple(float(value) for value in line) for line in scale.prior),
    )


def write_heat(run: Path, recipe: HeatRecipe) -> None:
    """Write a run's heat.json."""
    write_bytes(run / HEAT_FILE, (json.dumps(asdict(recipe)) + "\n").encode())


def read_heat(run: Path) -> HeatRecipe:
    """Read a run's heat.json.

    Raises:
        ModelError: it is missing or damaged.
    """
    path = run / HEAT_FILE
    try:
        return from_plain(HeatRecipe, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}); expected a run that `cxr-triage train` ended"
        ) from error


def _choose(films: Sequence[TrainingFilm], rows: Rows) -> Rows:
    """Films with boxes first, then others, spread over the table."""
    order = np.random.default_rng(0).permutation(rows)
    boxed = np.array([bool(films[row].boxes) for row in order])
    return np.sort(np.concatenate([order[boxed], order[~boxed]])[:MOST_FILMS])


def _look(
    network: Network, prepared: PreparedFilms, rows: Rows, how: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Conv5 of films, (N, C, h, w), and the mean weight of each channel towards abnormal, (C,)."""
    device = next(network.parameters()).device
    network.eval()
    seen, weights = [], []
    for row in rows:
        image = torch.from_numpy(normalise(np.asarray(prepared.inputs[row])[None], how)).to(device)
        with torch.no_grad():
            conv5 = network.features(image)
        conv5.requires_grad_(True)
        normal, abnormal = network.classify(conv5)[0]
        gradient = torch.autograd.grad(abnormal - normal, conv5)[0]
        seen.append(conv5.detach()[0].cpu().numpy())
        weights.append(gradient[0].sum(dim=(1, 2)).cpu().numpy())
    return np.stack(seen), np.mean(weights, axis=0)


def _scale_by_boxes(
    network: Network, films: Sequence[TrainingFilm], prepared: PreparedFilms, rows: Rows, evidence: Cells
) -> Scale | None:
    """Learn the scale from boxes; None where they are too few, or evidence is no higher in them."""
    boxed = np.array([bool(films[row].boxes) for row in rows])
    if boxed.sum() < LEAST_BOXED:
        return None
    regions = [(films[row], prepared.region(row, films[row].boxes)) for row in rows]
    inside = np.stack([heat_target(*region, network.cells, evidence.shape[1:]) for region in regions])
    if not np.nansum(inside[boxed]):
        return None
    gain, shift = _logistic(evidence, inside)
    if gain <= 0:
        return None
    scale = Scale(gain, shift, 0.5, _prior(inside[boxed]))
    return scale._replace(threshold=_best_threshold(scale.heat(evidence[boxed]), inside[boxed]))


def _scale_by_range(evidence: Cells) -> Scale:
    """The hottest twentieth of all cells is at or above the threshold."""
    gain = 2 / max(float(evidence.std()), 1e-6)
    return Scale(gain, -float(np.quantile(evidence, 0.95)), 0.5, np.zeros((0, 0), np.float32))


def _logistic(evidence: Cells, inside: Cells) -> tuple[float, float]:
    """Gain and shift of inside = sigmoid(gain * (evidence + shift)), by Newton's method on what is known.

    Cells in boxes count as much in all as the many others, so that heat 0.5 is as likely in a box as not.
    """
    known = np.isfinite(inside)
    x, y = evidence[known].astype(np.float64), inside[known].astype(np.float64)
    middle, spread = x.mean(), max(float(x.std()), 1e-9)
    weight = y / y.sum() + (1 - y) / (1 - y).sum()
    balanced = y / y.sum() / weight
    design, slope = np.stack([(x - middle) / spread, np.ones_like(x)]), np.zeros(2)
    for _ in range(NEWTON_STEPS):
        said = _sigmoid(slope @ design)
        curvature = (design * (weight * said * (1 - said))) @ design.T + RIDGE * np.eye(2)
        slope = slope + np.linalg.solve(curvature, design @ (weight * (balanced - said)) - RIDGE * slope)
    gain = slope[0] / spread
    return float(gain), float(slope[1] / gain - middle) if gain else 0.0


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)), np.float64)


def _prior(inside: Cells) -> NDArray[np.float32]:
    """(h, w) how often each cell lies in a box, 1 where most often."""
    mean = cv2.GaussianBlur(
        np.nan_to_num(inside).mean(axis=0), (0, 0), PRIOR_BLUR, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(mean / mean.max(), np.float32)


def _best_threshold(heat: Cells, inside: Cells) -> float:
    """The threshold whose warm cells overlap best with the boxes, film by film."""
    in_box = np.nan_to_num(inside) >= 0.5
    overlaps = []
    for threshold in THRESHOLDS:
        warm = heat >= threshold
        union = (warm | in_box).sum(axis=(1, 2))
        overlaps.append(float(np.mean((warm & in_box).sum(axis=(1, 2)) / np.maximum(union, 1))))
    return float(THRESHOLDS[int(np.argmax(overlaps))])


def _strongest(conv5: NDArray[np.float32]) -> NDArray[np.float32]:
    """The strongest channel of each film, (N, h, w)."""
    channels = conv5.max(axis=(2, 3)).argmax(axis=1)
    return np.stack([film[channel] for film, channel in zip(conv5, channels, strict=True)])
