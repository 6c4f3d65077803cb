"""model.json, the manifest of a model folder: what the network is, eats, gives and was measured to do."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cxr_runtime.errors import ModelError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.heat.prior import LocationPrior
from cxr_runtime.model.preprocessing import PREPROCESSING_VERSION, Preprocessing
from cxr_runtime.placement import CellGrid

CLASS_NAMES = ("normal", "abnormal")  # the order of the logits


@dataclass(frozen=True)
class Manifest:
    """A model folder's model.json."""

    name: str  # e.g. default
    architecture: str  # e.g. squeezenet
    model_sha256: str  # of model.onnx, 64 hex digits
    precision: str  # fp32, fp16 or int8
    preprocessing: Preprocessing
    heat: HeatRecipe
    licence: str  # of the weights, one line
    class_names: tuple[str, str] = CLASS_NAMES
    training: dict[str, Any] = field(default_factory=dict)  # data sets, counts, one digest of the films
    accuracy: dict[str, Any] = field(default_factory=dict)  # measured, each with its interval
    parity: dict[str, float] = field(default_factory=dict)  # worst differences from the source network


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a model.json (indented, keys in the order of the dataclass)."""
    path.write_text(json.dumps(asdict(manifest), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_manifest(path: Path) -> Manifest:
    """Read a model.json.

    Raises:
        ModelError: the file is damaged, or asks for a preprocessing that this version does not have.
    """
    try:
        manifest = _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"manifest {path} cannot be used ({error!r}); expected one written by `cxr-triage export`: "
            "export the model anew"
        ) from error
    if manifest.preprocessing.version != PREPROCESSING_VERSION:
        raise ModelError(
            f"{path} was made for preprocessing version {manifest.preprocessing.version}, this program has "
            f"version {PREPROCESSING_VERSION}: export the model anew, or install the program it was made with"
        )
    return manifest


def _parse(stated: dict[str, Any]) -> Manifest:
    how, heat = dict(stated["preprocessing"]), dict(stated["heat"])
    for name in ("input_hw", "working_hw", "mean", "std"):
        how[name] = tuple(how[name])
    heat["cells"] = CellGrid(**heat["cells"])
    heat["channel_weights"] = tuple(float(weight) for weight in heat["channel_weights"])
    heat["prior"] = _prior(heat["prior"])
    normal, abnormal = stated["class_names"]
    plain = {
        key: value for key, value in stated.items() if key not in ("preprocessing", "heat", "class_names")
    }
    return Manifest(
        preprocessing=Preprocessing(**how), heat=HeatRecipe(**heat), class_names=(normal, abnormal), **plain
    )


def _prior(stated: dict[str, Any] | None) -> LocationPrior | None:
    if not stated:
        return None
    if not isinstance(stated, dict):
        raise ValueError("its location prior has no frame")
    x0, y0, x1, y1 = (float(edge) for edge in stated["usual_lungs_share_xyxy"])
    shares = tuple(tuple(float(value) for value in row) for row in stated["shares"])
    return LocationPrior(shares, float(stated["weight"]), float(stated["margin"]), (x0, y0, x1, y1))
