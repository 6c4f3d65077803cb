"""A model folder's calibration.json, replaced all at once, the old one kept beside it."""

import shutil
from pathlib import Path

from cxr_runtime.atomic import write_bytes
from cxr_runtime.file_names import CALIBRATION_FILE


def write_calibration(folder: Path, text: str) -> Path | None:
    """Put a calibration.json into a model folder, all at once, keeping the old one beside it.

    Returns:
        Where the old one was kept, or None where there was none.

    Raises:
        OSError: the folder cannot be written; the calibration.json in it is then as it was.
    """
    path, kept = folder / CALIBRATION_FILE, None
    if path.exists():
        kept = _free_name(path)
        shutil.copy2(path, kept)
    write_bytes(path, text.encode())
    return kept


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}-old-{number}{path.suffix}")).exists():
        number += 1
    return kept
