"""A network as a model folder: traced, compared, lowered where asked for; with the beginning of a card.md."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from math import nan
from pathlib import Path
from typing import Any

from cxr_export.films import ExportFilms, drawn_films, real_films
from cxr_export.parity import BATCH_SIZES, Parity, measure_parity
from cxr_export.precision import Precision, lowered
from cxr_export.precision.acceptance import Acceptance, accept, compare, refuse_costly
from cxr_export.trace import trace
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.files import CARD_FILE, KNOWN_FILMS_FILE, MANIFEST_FILE, MODEL_FILE
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.folder import Manifest, open_model, write_manifest
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.progress import Progress
from cxr_train.data.prepared_films import CACHE
from cxr_train.networks import Network


def card(manifest: Manifest) -> str:
    """A model card in markdown, to be completed by hand."""
    how = manifest.preprocessing
    rows = {
        "architecture": manifest.architecture,
        "precision": manifest.precision,
        "model.onnx sha256": manifest.model_sha256,
        "input": f"{how.input_hw[0]} x {how.input_hw[1]}, crop {how.crop}",
        "preprocessing version": how.version,
        "classes": ", ".join(manifest.class_names),
        "heat map": f"{manifest.heat.conv5_layer}, {len(manifest.heat.channel_weights)} channels",
        "licence of the weights": manifest.licence or "not stated",
    }
    return f"""# Model {manifest.name}

Research use only. It ranks films by how suspicious they look; it clears none.

{markdown_table(("", ""), list(rows.items()))}

## Trained on
{_facts(manifest.training, "The manifest names no training data.")}

## Measured
{_facts(manifest.accuracy, "Nothing yet: run `cxr-triage evaluate` and `cxr-triage calibrate`.")}

## Agreement with the network it was exported from
{_facts(manifest.parity, "Not measured.")}

## Must not be used
For lateral films, children, or anything but frontal chest films; for any decision about a patient.
"""


def _facts(facts: dict[str, Any], nothing: str) -> str:
    if not facts:
        return nothing
    return "\n".join(
        f"- {name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in facts.items()
    )


PARITY_NUMBERS = tuple(entry.name for entry in fields(Parity))


@dataclass(frozen=True)
class ExportOptions:
    """What the new model folder is to be, and what it is compared on."""

    name: str | None = None  # of the model; None: that of its folder
    licence: str = ""  # of the weights, one line; "": that of its source, where that states one
    precision: Precision = Precision.FP32  # what the model computes in
    data: Sequence[Path] = ()  # films of all comparisons; none: phantoms
    cache: Path = CACHE  # folder of prepared films
    progress: Progress | None = None  # hears how it gets on

    def films(self, how: Preprocessing, source: Path) -> ExportFilms:
        """The films of all comparisons.

        Args:
            how: the network's preprocessing.
            source: the training run or model folder: it knows which films it has learned from.

        Raises:
            UsageError: INT8 without films, or data that cannot be used.
        """
        if self.data:
            return real_films(self.data, how, source, self.cache, self.progress)
        if self.precision is Precision.INT8:
            raise UsageError("int8 takes its scales from films; give some with --data")
        return drawn_films(how)


@dataclass(frozen=True)
class Exported:
    """What an export was measured to be."""

    parity: Parity  # of the float32 model, against its network
    acceptance: Acceptance | None  # of a lower precision, against float32


def export_network(
    network: Network,
    manifest: Manifest,
    out: Path,
    films: ExportFilms | None = None,
    precision: Precision = Precision.FP32,
) -> Exported:
    """Write a network as a model folder, once ONNX Runtime agrees with it and its precision is accepted.

    Args:
        network: any network of the train package.
        manifest: what is known of it; model_sha256, precision and parity are filled in here.
        out: the folder, made when it is missing; its calibration.json and card.md stay as they are.
        films: the films of all comparisons; drawn phantoms if None.
        precision: what the model computes in.

    Raises:
        ModelError: the export is not valid, does not agree with the network, or loses too much by its
            precision; nothing was written.
        UsageError: the folder holds another model.
    """
    network.eval()
    how = manifest.preprocessing
    films = drawn_films(how) if films is None else films
    whole = trace(network, how.input_hw).SerializeToString()
    parity = measure_parity(network, whole, normalise(films.calibration[: max(BATCH_SIZES)], how))
    numbers, onnx, acceptance = parity.as_numbers(), whole, None
    if precision is not Precision.FP32:
        lower = lowered(whole, precision, films, how)
        acceptance = accept([compare(whole, lower.onnx, films, how, manifest.heat)], films.source)
        refuse_costly(precision, acceptance)
        onnx, numbers = lower.onnx, numbers | lower.chosen | acceptance.as_numbers()
    write_folder(replace(manifest, precision=precision.value, parity=numbers), onnx, out)
    return Exported(parity, acceptance)


def lower_folder(source: Path, out: Path, options: ExportOptions) -> Exported:
    """Write a model folder in a lower precision, once it is accepted; its calibration must be made anew.

    The films that the source has learned from are known to the new folder, too.

    Args:
        source: a float32 model folder.
        out: the new folder.
        options: of the new model.

    Raises:
        ModelError: the folder cannot be used, is not float32, or loses too much; nothing was written.
        UsageError: as of `ExportOptions.films`, or the new folder holds another model.
    """
    precision = options.precision
    model = open_model(source, allow_uncalibrated=True)
    manifest, how = model.manifest, model.manifest.preprocessing
    known = read_known_films(source, manifest.model_sha256)
    if manifest.precision != Precision.FP32 or precision is Precision.FP32:
        raise ModelError(
            f"{source} is {manifest.precision} and {precision} is asked for; expected a float32 folder, and "
            "--precision fp16 or int8"
        )
    films = options.films(how, source)
    lower = lowered(model.onnx, precision, films, how)
    acceptance = accept([compare(model.onnx, lower.onnx, films, how, manifest.heat)], films.source)
    refuse_costly(precision, acceptance)
    lowered_manifest = replace(
        manifest,
        name=options.name or out.resolve().name,
        precision=precision.value,
        parity=manifest.parity | lower.chosen | acceptance.as_numbers(),
        licence=options.licence or manifest.licence,
    )
    model_sha256 = write_folder(lowered_manifest, lower.onnx, out)
    if known is not None:
        known.write(out, model_sha256)
    kept = {name: manifest.parity.get(name, nan) for name in PARITY_NUMBERS}
    return Exported(Parity(**kept), acceptance)


def write_folder(manifest: Manifest, onnx: bytes, out: Path) -> str:
    """Write model.onnx, its manifest with its sha256, and a card where there is none yet.

    A known-films.json of the model that was there before, or one that cannot be read, is removed.

    Returns:
        The sha256 of model.onnx.

    Raises:
        UsageError: the folder holds another model, whose calibration and card would not fit this one.
    """
    manifest = replace(manifest, model_sha256=sha256(onnx).hexdigest())
    there = out / MODEL_FILE
    if there.is_file() and sha256(there.read_bytes()).hexdigest() != manifest.model_sha256:
        raise UsageError(
            f"{out} holds another model, which is left as it is; choose another folder with --out, or "
            "remove this one with its calibration first"
        )
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / MODEL_FILE, onnx)
    write_manifest(manifest, out / MANIFEST_FILE)
    if not (out / CARD_FILE).exists():
        write_bytes(out / CARD_FILE, card(manifest).encode())
    try:
        read_known_films(out, manifest.model_sha256)
    except ModelError:
        (out / KNOWN_FILMS_FILE).unlink()
    return manifest.model_sha256
