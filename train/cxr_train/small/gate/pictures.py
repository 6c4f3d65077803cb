"""The pictures the gate learns from: frontal films, lateral ones, and what is neither."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import read_rows
from cxr_runtime.errors import CxrTriageError, FilmError
from cxr_runtime.film import resize
from cxr_runtime.gate.network import PictureKind
from cxr_runtime.lungs import LungField, lung_field
from cxr_runtime.reading import read_film

SIDE = 224  # rows and columns at which pictures are kept

FRONTAL_TABLES = ("nih512.csv", "nih1024.csv", "nlm128.csv", "jsrt224.csv")
LATERAL_TABLE = "lateral512.csv"
DICOM_TABLE = "dicom.csv"
OTHER_PARTS_FOLDER = "other"
ANIMAL = "dx_image.dcm"  # in the folder of chests, but a lateral film of an animal
SCIKIT_IMAGE = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "chessboard_GRAY.png",
    "clock_motion.png", "coffee.png", "coins.png", "color.png", "grass.png", "gravel.png",
    "horse.png", "hubble_deep_field.jpg", "ihc.png", "logo.png", "microaneurysms.png", "moon.png",
    "motorcycle_left.png", "page.png", "phantom.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
SCIKIT_LEARN = ("china.jpg", "flower.jpg")
PYDICOM = (  # slices, scintigrams, ultrasound
    "693_J2KI.dcm", "CT_small.dcm", "J2K_pixelrep_mismatch.dcm", "JPEG2000.dcm", "MR_small.dcm",
    "examples_jpeg2k.dcm", "examples_overlay.dcm", "examples_palette.dcm", "examples_ybr_color.dcm",
    "image_dfl.dcm",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One picture, its kind, and whom it shows."""

    name: str
    collection: str  # where it is from, e.g. nih512
    group: str  # patient, or picture where there is no patient; a group is never split
    kind: PictureKind
    pixels: NDArray[np.uint8] = field(repr=False)  # (SIDE, SIDE) uint8, squashed
    lungs: NDArray[np.uint8] | None = field(
        default=None, repr=False
    )  # (SIDE, SIDE) uint8, soft; frontal only
    path: Path | None = None  # the file, to see it in detail


def read_pixels(picture: Picture) -> NDArray[np.uint8]:
    """The picture as its file has it, (rows, columns) uint8; squashed to SIDE x SIDE where it has none.

    Raises:
        FilmError: the file cannot be read.
    """
    return picture.pixels if picture.path is None else read_film(picture.path.read_bytes()).pixels


def read_pictures(data: Path) -> list[Picture]:
    """Read every picture that the gate is trained on.

    Args:
        data: folder with the tables and films described in docs/gate.md.

    Raises:
        CxrTriageError: a table cannot be read, or scikit-image or scikit-learn is not installed.
    """
    lungs = lung_field()
    pictures = [
        _frontal(data / row["file"], Path(table).stem, row["patient"], lungs)
        for table in FRONTAL_TABLES
        for row in read_rows(data / table, ("file",))
    ]
    pictures += [
        _picture(data / row["file"], f"lateral {row['patient']}", PictureKind.LATERAL)
        for row in read_rows(data / LATERAL_TABLE, ("file", "patient"))
    ]
    return pictures + _dicom_samples(data) + list(_library_pictures())


def _frontal(path: Path, collection: str, patient: str, lungs: LungField) -> Picture:
    picture = _picture(path, patient or path.name, PictureKind.FRONTAL)
    soft = cv2.resize(lungs.find(picture.pixels).soft, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return replace(picture, collection=collection, lungs=np.asarray(soft, np.uint8))


def _picture(path: Path, group: str, kind: PictureKind) -> Picture:
    try:
        pixels = read_film(path.read_bytes()).pixels
    except (OSError, FilmError) as error:
        raise CxrTriageError(f"{path} cannot be read ({error}); see docs/gate.md") from error
    return Picture(path.name, path.parent.name, group, kind, resize(pixels, (SIDE, SIDE)), path=path)


def _dicom_samples(data: Path) -> list[Picture]:
    """One picture of each body part that is no chest, and the animal."""
    found: dict[str, Picture] = {}
    for row in read_rows(data / DICOM_TABLE, ("file", "body_part", "decodes")):
        path, group = data / row["file"], f"sample {row['body_part'] or 'TEETH'}"
        if group in found or row["decodes"] != "1":
            continue
        if path.name == ANIMAL:
            found[group] = _picture(path, group, PictureKind.LATERAL)
        elif path.parent.name == OTHER_PARTS_FOLDER:
            found[group] = _picture(path, group, PictureKind.OTHER)
    return list(found.values())


def _library_pictures() -> Iterable[Picture]:
    for package, folder, names in (
        ("skimage", "data", SCIKIT_IMAGE),
        ("sklearn", "datasets/images", SCIKIT_LEARN),
        ("pydicom", "data/test_files", PYDICOM),
    ):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise CxrTriageError(f"{package} is not installed; the gate is trained on its sample pictures")
        for name in names:
            yield _picture(Path(spec.origin).parent / folder / name, name, PictureKind.OTHER)
