"""A clinic's own calibrations of models that come with the program, kept where no installation reaches."""

from collections.abc import Iterator
from pathlib import Path

from cxr_runtime.errors import UsageError
from cxr_runtime.files import CALIBRATION_FILE
from cxr_runtime.folders import DATA_VARIABLE, data_root

_FOLDER = "calibrations"


def own_calibration_folder(model_sha256: str) -> Path | None:
    """The folder of this user's own calibration of a model; it need not exist.

    Args:
        model_sha256: of its model.onnx, 64 hex digits.

    Returns:
        The folder, or None where the user has no folder for what must last.
    """
    root = data_root()
    return None if root is None else root / _FOLDER / model_sha256


def folder_to_keep_it_in(model_sha256: str) -> Path:
    """As `own_calibration_folder`, for one that is about to be written.

    Raises:
        UsageError: the user has no such folder.
    """
    folder = own_calibration_folder(model_sha256)
    if folder is None:
        raise UsageError(
            "this user has no home in which a calibration could be kept; name a folder with --out, or set "
            f"{DATA_VARIABLE} to one"
        )
    return folder


def own_calibration(model_sha256: str) -> Path | None:
    """This user's own calibration.json of a model, where there is one."""
    folder = own_calibration_folder(model_sha256)
    return None if folder is None or not (folder / CALIBRATION_FILE).is_file() else folder / CALIBRATION_FILE


def calibrated_models() -> Iterator[str]:
    """The sha256 of every model that this user has calibrated."""
    root = data_root()
    if root is not None:
        yield from sorted(path.parent.name for path in (root / _FOLDER).glob(f"*/{CALIBRATION_FILE}"))


def named_calibration(path: Path) -> Path:
    """The calibration.json that a user names: the file itself, or the folder that it lies in.

    Raises:
        UsageError: there is none.
    """
    file = path / CALIBRATION_FILE if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            f"no calibration at {path}; expected a {CALIBRATION_FILE}, or a folder with one, that "
            "`cxr-triage calibrate` wrote"
        )
    return file
