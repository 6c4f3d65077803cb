"""A model folder, opened: nothing in it is used before its checksum and its calibration are found right."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import CalibrationError, ModelError
from cxr_runtime.files import CALIBRATION_FILE, MANIFEST_FILE, MODEL_FILE
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.calibration import Calibration, read_calibration, uncalibrated
from cxr_runtime.model.origin import origin_of, remarks_on
from cxr_runtime.model.own_calibrations import named_calibration, own_calibration
from cxr_runtime.model.own_digest import mark_of, marked, read_plain
from cxr_runtime.model.preprocessing import PREPROCESSING_VERSION, Preprocessing
from cxr_runtime.model.signatures import check_own, signer
from cxr_runtime.seals import Sealer
from cxr_runtime.typed_json import from_json, to_json

CLASS_NAMES = ("normal", "abnormal")  # the order of the logits
MOST_TEXT = 1000  # characters of a name or licence, which the reports show
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
            ValueError: a text is too long, the classes are others or in another order, the precision is
                unknown, or the digest is not of 64 hex digits.
        """
        texts = (self.name, self.architecture, self.licence)
        if not all(len(text) <= MOST_TEXT for text in texts):
            raise ValueError(f"its name, architecture or licence has more than {MOST_TEXT} characters")
        if self.class_names != CLASS_NAMES:
            raise ValueError(f"class names {self.class_names} are not {CLASS_NAMES}, the order of the logits")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision {self.precision!r} is none of {', '.join(PRECISIONS)}")
        if self.model_sha256 and not re.fullmatch("[0-9a-f]{64}", self.model_sha256):
            raise ValueError(f"model_sha256 {self.model_sha256[:70]!r} is not a digest of 64 hex digits")


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a model.json (indented, keys in the order of the dataclass), with its digest and seal."""
    write_bytes(path, marked(to_json(manifest), Sealer.of_this_machine()).encode())


def read_manifest(path: Path) -> Manifest:
    """Read a model.json.

    Raises:
        ModelError: the file is damaged, or asks for a preprocessing that this version does not have.
    """
    try:
        content = read_plain(path)
        manifest = from_json(content.replace(*NO_PRIOR), Manifest)
        mark_of(content)
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


MOST_ONNX_BYTES = (1 << 31) - 1  # a protobuf message may have no more
INPUT_ROUTE = "full"  # films are decoded at full size before the preprocessing
MODELS_FOLDER = Path(__file__).parents[1] / "models"
DEFAULT_MODEL = "default"


@dataclass(frozen=True)
class Model:
    """A model folder whose parts belong together."""

    folder: Path
    manifest: Manifest
    calibration: Calibration
    is_calibrated: bool  # False only with `--allow-uncalibrated`: every report is marked
    onnx: bytes = field(repr=False)  # model.onnx, as its checksum was taken
    calibration_file: Path  # where its calibration.json is, or would be
    calibration_origin: str  # whose calibration it is, for reports; "" where there is none
    remarks: tuple[str, ...] = ()  # on where it comes from; a model of this program's own has none


def open_model(
    name_or_folder: str | Path = DEFAULT_MODEL,
    *,
    allow_uncalibrated: bool = False,
    calibration: Path | None = None,
    require_signed: bool = False,
) -> Model:
    """Open a model that came with the program by its name, or any model folder by its path.

    Args:
        name_or_folder: e.g. `default`, or a folder with model.onnx, model.json and calibration.json.
        allow_uncalibrated: use the bare softmax where the calibration is missing or foreign.
        calibration: a calibration.json, or its folder. None: for a model that came with the program the
            user's own, if there is one; otherwise the one in the model's folder.
        require_signed: refuse what did not come with the program, unless somebody signed it whose key is
            here; a calibration beside it must have been made on this machine.

    Raises:
        ModelError: there is no such model, model.onnx is not the file that the manifest names, or a
            signature is wrong or missing.
        CalibrationError: the calibration is missing or was fitted on something else.
        UsageError: there is no calibration where `calibration` says.
    """
    folder = _find(name_or_folder)
    signed_by = None if is_bundled(folder) else signer(folder, require_signed=require_signed)
    manifest = read_manifest(folder / MANIFEST_FILE)
    onnx = _read_checked(folder / MODEL_FILE, manifest.model_sha256)
    file = _calibration_file(folder, manifest, calibration)
    if require_signed and file.parent != folder:
        check_own(file)
    try:
        found, is_calibrated = _matching_calibration(file, manifest), True
    except CalibrationError:
        if not allow_uncalibrated:
            raise
        version = manifest.preprocessing.version
        found, is_calibrated = uncalibrated(manifest.model_sha256, version, manifest.precision), False
    return Model(
        folder,
        manifest,
        found,
        is_calibrated,
        onnx,
        file,
        origin_of(folder, file, found, is_bundled=is_bundled(folder)) if is_calibrated else "",
        tuple(remarks_on(_foreign(folder, file if is_calibrated else None), signed_by)),
    )


def is_bundled(folder: Path) -> bool:
    """Whether a model folder is a part of the program, which nothing may be written into."""
    return folder.resolve().parent == MODELS_FOLDER.resolve()


def _calibration_file(folder: Path, manifest: Manifest, named: Path | None) -> Path:
    if named is not None:
        return named_calibration(named)
    own = own_calibration(manifest.model_sha256) if is_bundled(folder) else None
    return own or folder / CALIBRATION_FILE


def _foreign(folder: Path, calibration: Path | None) -> list[Path]:
    """The files of a model that did not come with the program."""
    files = [] if is_bundled(folder) else [folder / MANIFEST_FILE]
    if calibration is not None and not is_bundled(calibration.parent):
        files.append(calibration)
    return files


def bundled_models() -> list[str]:
    """Names of the models that came with the program."""
    return sorted(path.parent.name for path in MODELS_FOLDER.glob(f"*/{MANIFEST_FILE}"))


def _find(name_or_folder: str | Path) -> Path:
    for folder in (MODELS_FOLDER / name_or_folder, Path(name_or_folder)):
        if (folder / MANIFEST_FILE).is_file():
            return folder
    raise ModelError(
        f"no model at {str(name_or_folder)!r}; expected a folder with {MANIFEST_FILE}, or one of: "
        + (", ".join(bundled_models()) or "(none is installed)")
    )


def _read_checked(path: Path, expected_sha256: str) -> bytes:
    try:
        content = read_plain(path, MOST_ONNX_BYTES)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); put the model folder back whole") from error
    found = sha256(content).hexdigest()
    if found != expected_sha256:
        raise ModelError(
            f"{path} is damaged or foreign: its sha256 is {found[:12]}..., the manifest names "
            f"{expected_sha256[:12]}...; put the model folder back whole"
        )
    return content


def _matching_calibration(path: Path, manifest: Manifest) -> Calibration:
    if not path.is_file():
        raise CalibrationError(
            f"{path.parent} has no {CALIBRATION_FILE}; make one with `cxr-triage calibrate`, "
            "or scan with --allow-uncalibrated"
        )
    calibration = read_calibration(path)
    expected = (manifest.model_sha256, manifest.preprocessing.version, manifest.precision, INPUT_ROUTE)
    found = (
        calibration.model_sha256,
        calibration.preprocessing_version,
        calibration.precision,
        calibration.input_route,
    )
    names = ("model_sha256", "preprocessing_version", "precision", "input_route")
    for name, want, have in zip(names, expected, found, strict=True):
        if want != have:
            raise CalibrationError(
                f"the calibration {path} belongs to another model: its {name} is {have!r}, this model's is "
                f"{want!r}; make one with `cxr-triage calibrate`, or scan with --allow-uncalibrated"
            )
    return calibration
