"""A foreign network as a model folder: the whole of `cxr-triage import`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_export.folder import write_folder
from cxr_export.importing.film_input import takes_three_channels
from cxr_export.importing.head import ClassesHead, Head, attach, stated_head
from cxr_export.importing.head_fit import fit_head
from cxr_export.importing.heat import channel_weights
from cxr_export.importing.impulse import measured_by_impulse
from cxr_export.importing.kinds import Asked, Facts, build_source, output_names, replace_sides
from cxr_export.importing.onnx_file import input_channels, input_side, trace_file
from cxr_export.importing.own_input import InputDifference, compare_inputs
from cxr_export.importing.running import FilmsSeen, Runner, see_films
from cxr_export.importing.torch_network import EXCLUDING, Traced, trace_network
from cxr_export.importing.weights import load_weights
from cxr_export.parity import Parity, agreement
from cxr_export.tidy import checked
from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.self_test import phantom_inputs
from cxr_runtime.errors import UsageError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.folder import Manifest
from cxr_runtime.model.known_films import write_known_films
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.placement import CellGrid
from cxr_runtime.progress import Progress, Silence
from cxr_train.data.prepared_films import CACHE
from cxr_train.heat.fit import heat_by_boxes, heat_without_boxes

ONNX = ".onnx"
PHANTOMS = 8  # drawn films that parity is measured on, and heat where there are no others
MOST_WEIGHED = 12  # films that channels are weighed on
MOST_NAMED = 40  # outputs in the manifest


@dataclass(frozen=True)
class Wish:
    """What a user says of the folder to be made; empty: as the source has it."""

    weights: str = ""  # a file, `published` or `scratch`
    digest: str = ""  # sha256 that the weights must have
    asked: Asked = field(default_factory=Asked)
    abnormal: tuple[str, ...] = ()  # outputs that speak for abnormal
    preprocessing: dict[str, Any] = field(default_factory=dict)  # fields of Preprocessing that are stated
    feature_map: str | None = None
    name: str = ""  # of the model
    licence: str = ""


@dataclass(frozen=True)
class Imported:
    """What came of it."""

    manifest: Manifest
    parity: Parity
    cells_hw: tuple[int, int]
    channels: int  # of the feature map
    input_difference: InputDifference | None  # None: the source has no input of its own to compare with


def import_network(
    source: str,
    out: Path,
    wish: Wish,
    data: Sequence[Path] = (),
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> Imported:
    """Bring a network from elsewhere into a model folder.

    Args:
        source: KIND:NAME, or the path of an .onnx file.
        out: the folder; its calibration.json and card.md stay as they are.
        wish: what the user says.
        data: labelled films; a head is fitted on them unless outputs for abnormal are named, and heat on
            their boxes.
        cache: folder of prepared films.
        progress: hears of every step.

    Raises:
        UsageError: something is missing that only the user knows, or the folder holds another model.
        ModelError: the network cannot be brought in, or the export does not agree with it.
    """
    progress = progress or Silence()
    progress.say(f"{source}: looking for its last feature map")
    traced, facts, weights = _traced(source, wish)
    how, found = facts.preprocessing, traced.feature_map
    hw = f"{found.cells_hw[0]} x {found.cells_hw[1]}"
    progress.say(f"feature map {found.name}: {found.channels} channels of {hw} cells")
    if traced.left_out:
        progress.say(f"its last step, {traced.left_out}, is left out: a margin is made of logits")
    model = takes_three_channels(traced.model)
    runner = Runner(model)
    drawn = normalise(phantom_inputs(how, PHANTOMS), how)
    seen = see_films(data, how, runner, cache, progress) if data else None
    outputs = output_names(facts.outputs, runner.run(drawn[:1])[0].shape[1])
    head = _head(facts, outputs, wish, seen, exclude_each_other=traced.left_out in EXCLUDING)
    progress.say(f"abnormal is: {head.said}")
    whole = checked(attach(model, head))
    content = bytes(whole.SerializeToString())
    parity = agreement(lambda batch: _said(traced, head, facts.channels, batch), content, drawn)
    progress.say("measuring where the cells lie, by impulses")
    cells = measured_by_impulse(runner.conv5, drawn)
    heat = _heat(whole, cells, found.name, runner.conv5(drawn), seen)
    difference = None if facts.own_input is None else compare_inputs(facts.own_input, how, facts.channels)
    manifest = Manifest(
        name=wish.name or out.resolve().name,
        architecture=_architecture(source),
        model_sha256="",
        precision="fp32",
        preprocessing=how,
        heat=heat,
        licence=wish.licence,
        training={
            "imported_from": source if ":" in source else Path(source).name,
            "weights": weights,
            "abnormal_is": head.said,
            "outputs": ", ".join(outputs[:MOST_NAMED])
            + (f" (before {traced.left_out})" if traced.left_out else ""),
        },
        parity=parity.as_numbers() | ({} if difference is None else difference.as_numbers()),
    )
    model_sha256 = write_folder(manifest, content, out)
    if seen is not None:
        write_known_films(out, model_sha256, seen.prepared.sha256s)
    return Imported(manifest, parity, found.cells_hw, found.channels, difference)


def _architecture(source: str) -> str:
    return Path(source).stem if source.endswith(ONNX) else source.partition(":")[2]


def _traced(source: str, wish: Wish) -> tuple[Traced, Facts, str]:
    """The network, what is known of it, and where its weights come from."""
    if source.endswith(ONNX):
        traced = trace_file(Path(source), wish.asked.size, wish.feature_map)
        how = _stated(replace_sides(Preprocessing(), *input_side(traced)), wish)
        return traced, Facts(wish.asked.outputs, how, input_channels(traced)), Path(source).name
    found = build_source(source, wish.asked)
    if not wish.weights:
        raise UsageError(
            "nothing says which weights; give a file with --weights FILE, `--weights published` for those "
            "that its makers publish, or `--weights scratch` for random ones"
        )
    weights = load_weights(found.network, wish.weights, found.published, wish.digest)
    facts = replace(found.facts, preprocessing=_stated(found.facts.preprocessing, wish))
    traced = trace_network(found.network, facts.channels, facts.preprocessing.input_hw, wish.feature_map)
    return traced, facts, weights


def _stated(own: Preprocessing, wish: Wish) -> Preprocessing:
    """The source's preprocessing with what the user states.

    Raises:
        UsageError: it cannot be done to a film.
    """
    try:
        return replace(own, **wish.preprocessing)
    except ValueError as error:
        raise UsageError(f"films cannot be prepared so: {error}") from error


def _head(
    facts: Facts, outputs: Sequence[str], wish: Wish, seen: FilmsSeen | None, *, exclude_each_other: bool
) -> Head | ClassesHead:
    """The rule that is named; else a fit where there are films for one; else what the source itself says."""
    if wish.abnormal or seen is None or len(outputs) <= 2:
        named = wish.abnormal or (facts.abnormal if len(outputs) > 2 else ())
        return stated_head(outputs, named, facts.thresholds, exclude_each_other=exclude_each_other)
    about_films = bool(facts.abnormal)  # its outputs are findings; else they are of other pictures
    taken = seen.outputs if about_films else seen.averages
    return fit_head(taken, seen.labels, seen.patients, of_map=not about_films).head


def _said(traced: Traced, head: Head | ClassesHead, channels: int, batch: NDArray[np.float32]) -> Outputs:
    """What the source itself says, its head in numpy."""
    outputs, conv5 = traced.reference(batch[:, :channels])
    return Outputs(head.logits(outputs, conv5), conv5)


def _heat(
    whole: onnx.ModelProto,
    cells: CellGrid,
    layer: str,
    drawn: NDArray[np.float32],
    seen: FilmsSeen | None,
) -> HeatRecipe:
    """CAM's or Grad-CAM's weights, and colours by boxes where films have them."""
    conv5 = drawn if seen is None else seen.conv5
    weights = channel_weights(whole, conv5[:MOST_WEIGHED])
    recipe = heat_without_boxes(conv5, weights, 0.0, cells, layer)
    if seen is None:
        return recipe
    return heat_by_boxes(recipe, 0.0, conv5, seen.films, seen.prepared, seen.looked_at)
