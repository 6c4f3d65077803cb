"""model.json, the manifest of a model folder: what the network is, eats, gives and was measured to do."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxr_runtime.errors import ModelError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.preprocessing import PREPROCESSING_VERSION, Preprocessing
from cxr_runtime.typed_json import from_json, to_json

CLASS_NAMES = ("normal", "abnormal")  # the order of the logits
PRECISIONS = ("fp32", "fp16", "int8")
NO_PRIOR = (b'"prior": []', b'"prior": null')  # as older exports wrote it, and as it is read


@dataclass(frozen=True)
class Manifest:
    """A model folder's model.json."""

    name: str  # e.g. default
    architecture: str  # e.g. squeezenet
    model_sha256: str  # of model.onnx, 64 hex digits; "" while there is no file yet
    precision: str  # fp32, fp16 or int8
    preprocessing: Preprocessing
    heat: HeatRecipe
    licence: str  # of the weights, one line
    class_names: tuple[str, str] = CLASS_NAMES
    training: dict[str, Any] = field(default_factory=dict)  # data sets, counts, one digest of the films
    accuracy: dict[str, Any] = field(default_factory=dict)  # measured, each with its interval
    parity: dict[str, float] = field(default_factory=dict)  # worst differences from the source network

    def __post_init__(self) -> None:
        """Refuse what no model can be.

        Raises:
            ValueError: the classes are others or in another order, the precision is unknown, or the digest
                is not of 64 hex digits.
        """
        if self.class_names != CLASS_NAMES:
            raise ValueError(f"class names {self.class_names} are not {CLASS_NAMES}, the order of the logits")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision {self.precision!r} is none of {', '.join(PRECISIONS)}")
        if self.model_sha256 and not re.fullmatch("[0-9a-f]{64}", self.model_sha256):
            raise ValueError(f"model_sha256 {self.model_sha256[:70]!r} is no digest of 64 hex digits")


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a model.json (indented, keys in the order of the dataclass)."""
    path.write_text(to_json(manifest), encoding="utf-8")


def read_manifest(path: Path) -> Manifest:
    """Read a model.json.

    Raises:
        ModelError: the file is damaged, or asks for a preprocessing that this version does not have.
    """
    try:
        manifest = from_json(path.read_bytes().replace(*NO_PRIOR), Manifest)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"manifest {path} cannot be used ({error}); expected one written by `cxr-triage export`: "
            "export the model anew"
        ) from error
    if manifest.preprocessing.version != PREPROCESSING_VERSION:
        raise ModelError(
            f"{path} was made for preprocessing version {manifest.preprocessing.version}, this program has "
            f"version {PREPROCESSING_VERSION}: export the model anew, or install the program it was made with"
        )
    return manifest
