"""Figures 2 and 3 of the paper, for any networks and films."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.model.preprocessing import InputPixels
from cxr_train.explain.channels import activations, montage, signed_grey, strongest, unsigned_grey
from cxr_train.explain.looker import Looker
from cxr_train.explain.maximisation import LOGITS, Maximisation, RgbPicture, maximise
from cxr_train.heat.localisation import Heat

CELL = 2.2  # inches of one picture
DEPTHS = 5  # convolutions whose filters are drawn: every one of networks with conv1..conv5
LAYERS_A_LINE = 5  # of a figure with all convolutions
THRESHOLD = 0.5  # of heat scaled to its own maximum, for methods without a calibrated threshold

Grid = NDArray[Any]  # of matplotlib's axes


def draw_filters(lookers: Mapping[str, Looker], filters: int, options: Maximisation, out: Path) -> None:
    """Figure 2: filters of up to DEPTHS convolutions, first to last, and the classes; a row a network."""
    rows = [_maximised(looker, filters, options) for looker in lookers.values()]
    figure, axes = _sheet(list(lookers), max(len(row) for row in rows))
    for line, row in zip(axes, rows, strict=True):
        for place, (title, picture) in zip(line, row, strict=False):
            place.imshow(picture)
            place.set_title(title, fontsize=7)
    figure.savefig(out / "filters.png", dpi=110)


def draw_channels(looker: Looker, picture: InputPixels, path: Path) -> None:
    """All channels of every convolution on one film, before and after ReLU; the strongest is named.

    Args:
        looker: the network.
        picture: (H, W) uint8, the prepared film.
        path: of the PNG.
    """
    layers = list(looker.network.convolutions())
    lines = -(-len(layers) // LAYERS_A_LINE)
    figure, axes = _sheet(["before ReLU", "after ReLU"] * lines, min(len(layers), LAYERS_A_LINE))
    for at, layer in enumerate(layers):
        line, column = divmod(at, LAYERS_A_LINE)
        before_and_after = axes[2 * line : 2 * line + 2, column]
        answer = activations(looker.network, layer, looker.image(picture))
        sheets = signed_grey(answer.before_relu), unsigned_grey(answer.after_relu)
        for place, sheet in zip(before_and_after, sheets, strict=True):
            place.imshow(montage(sheet), cmap="gray", vmin=0, vmax=1)
        name, number = layer.removeprefix("features."), strongest(answer.after_relu) + 1
        title = f"{name}: strongest is {number} of {len(answer.after_relu)}"
        before_and_after[1].set_title(title, fontsize=7)
    figure.savefig(path, dpi=200)


def draw_heat(
    films: Sequence[GreyPixels],
    heats: Mapping[str, Sequence[Heat]],
    thresholds: Mapping[str, Sequence[float]],
    path: Path,
) -> None:
    """Figure 3: films, and each network's heat as jet over them; networks in rows, films in columns.

    Args:
        films: (H, W) uint8 each.
        heats: of every network by its name, one map a film, over the whole film, 0..1.
        thresholds: of every network, one a film; heat below it is not coloured.
        path: of the PNG.
    """
    figure, axes = _sheet(["film", *heats], len(films))
    for column, film in enumerate(films):
        axes[0, column].imshow(film, cmap="gray", vmin=0, vmax=255)
        for row, (name, maps) in enumerate(heats.items(), start=1):
            axes[row, column].imshow(overlay(film, maps[column], thresholds[name][column]))
    figure.savefig(path, dpi=110)


def _maximised(looker: Looker, filters: int, options: Maximisation) -> list[tuple[str, RgbPicture]]:
    layers = list(looker.network.convolutions().items())
    drawn = []
    depths = np.linspace(0, len(layers) - 1, min(DEPTHS, len(layers))).round().astype(int)
    for layer, module in (layers[depth] for depth in depths):
        wanted: list[int] = np.linspace(0, module.out_channels - 1, filters).astype(int).tolist()
        pictures = maximise(looker.network, layer, wanted, looker.how, options)
        name = layer.removeprefix("features.")
        drawn += [(f"{name}, {channel + 1}", grown) for channel, grown in zip(wanted, pictures, strict=True)]
    classes = maximise(looker.network, LOGITS, [0, 1], looker.how, options)
    return drawn + list(zip(("normal", "abnormal"), classes, strict=True))


def _sheet(rows: Sequence[str], columns: int) -> tuple[Figure, Grid]:
    """A figure of bare pictures with a name at the start of each row."""
    figure = Figure(figsize=(CELL * columns, CELL * len(rows)), layout="constrained")
    axes: Grid = figure.subplots(len(rows), columns, squeeze=False)
    for place in axes.flat:
        _strip(place)
    for name, line in zip(rows, axes, strict=True):
        line[0].set_ylabel(name)
    return figure, axes


def _strip(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
