"""The pictures the gate learns from: frontal films, lateral ones, and what is neither."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import CxrTriageError, FilmError
from cxr_runtime.gate.reading import Kind
from cxr_runtime.lungs import LungField, lung_field
from cxr_runtime.reading import read_film

SIDE = 224  # rows and columns at which pictures are kept

FRONTAL_TABLES = ("nih512.csv", "nlm128.csv", "jsrt224.csv")
LATERAL_TABLE = "lateral512.csv"
DICOM_TABLE = "dicom.csv"
ANIMAL = "dx_image.dcm"  # in the folder of chests, but a lateral film of an animal
SCIKIT_IMAGE = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "chessboard_GRAY.png",
    "clock_motion.png", "coffee.png", "coins.png", "color.png", "grass.png", "gravel.png",
    "horse.png", "hubble_deep_field.jpg", "ihc.png", "logo.png", "microaneurysms.png", "moon.png",
    "motorcycle_left.png", "page.png", "phantom.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
SCIKIT_LEARN = ("china.jpg", "flower.jpg")


@dataclass(frozen=True)
class Picture:
    """One picture, its kind, and whom it shows."""

    name: str
    group: str  # patient, or picture where there is no patient; a group is never split
    kind: Kind
    pixels: NDArray[np.uint8] = field(repr=False)  # (SIDE, SIDE) uint8, squashed
    lungs: NDArray[np.uint8] | None = field(
        default=None, repr=False
    )  # (SIDE, SIDE) uint8, soft; frontal only
    path: Path | None = None  # the file, to see it in detail


def read_pictures(data: Path) -> list[Picture]:
    """Read every picture that the gate is trained on.

    Args:
        data: folder with the tables and films described in docs/gate.md.

    Raises:
        CxrTriageError: a table is missing, or scikit-image or scikit-learn is not installed.
    """
    pictures: list[Picture] = []
    lungs = lung_field()
    for table in FRONTAL_TABLES:
        rows = _rows(data / table)
        pictures += [_frontal(data / row["file"], row.get("patient", ""), lungs) for row in rows]
    pictures += [
        Picture(row["file"], f"lateral {row['patient']}", Kind.LATERAL, _squash(data / row["file"]))
        for row in _rows(data / LATERAL_TABLE)
    ]
    return pictures + _dicom_others(data) + list(_library_pictures())


def _frontal(path: Path, patient: str, lungs: LungField) -> Picture:
    pixels = _squash(path)
    soft = np.asarray(
        cv2.resize(lungs.find(pixels).soft, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8
    )
    return Picture(path.name, patient or path.name, Kind.FRONTAL, pixels, soft, path)


def _dicom_others(data: Path) -> list[Picture]:
    """One picture of each body part; files that decoders refuse are left out."""
    found: dict[str, Picture] = {}
    for row in _rows(data / DICOM_TABLE):
        file = data / row["file"]
        if file.parent.name != "other" and file.name != ANIMAL:
            continue
        group = f"sample {row['body_part'] or 'TEETH'}"
        if group in found:
            continue
        try:
            pixels = read_film(file.read_bytes()).pixels
        except FilmError:
            continue
        kind = Kind.LATERAL if file.name == ANIMAL else Kind.OTHER
        found[group] = Picture(row["file"], group, kind, _to_side(pixels), path=file)
    return list(found.values())


def _library_pictures() -> Iterable[Picture]:
    for package, folder, names in (
        ("skimage", "data", SCIKIT_IMAGE),
        ("sklearn", "datasets/images", SCIKIT_LEARN),
    ):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise CxrTriageError(f"{package} is not installed; the gate is trained on its sample pictures")
        for name in names:
            path = Path(spec.origin).parent / folder / name
            yield Picture(name, name, Kind.OTHER, _squash(path), path=path)


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise CxrTriageError(f"{table} cannot be read ({error.strerror}); see docs/gate.md") from error


def _squash(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise CxrTriageError(f"{path} is missing or no picture; see docs/gate.md")
    return _to_side(np.asarray(pixels, np.uint8))


def _to_side(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if min(pixels.shape) >= SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=how), np.uint8)
