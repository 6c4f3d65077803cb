"""The pictures the gate learns from: frontal films, lateral ones, and what is neither."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_runtime.errors import CxrTriageError, FilmError
from cxr_runtime.film import resize
from cxr_runtime.gate.network import PictureKind
from cxr_runtime.lungs import LungField, lung_field
from cxr_runtime.reading import read_film
from cxr_train.small.gate.libraries import library_files
from cxr_train.small.gate.locked import Part, part_of

SIDE = 224  # rows and columns at which pictures are kept

FRONTAL_TABLES = {  # and how their patients are named; the tables of NIH share them
    "nih512": "nih", "nih1024": "nih", "nih256": "nih", "nih224": "nih", "nlm128": "nlm", "jsrt224": "jsrt",
    "tbx512": "tbx11k", "tbportal256": "tbportal", "guangzhou512": "guangzhou", "valencia256": "valencia",
}  # fmt: skip
LATERAL_TABLE = "lateral512.csv"
DICOM_TABLE = "dicom.csv"
OTHER_TABLE = "gate.csv"
SCREENS = "screens"  # folder of those of OTHER_TABLE that are screenshots
OTHER_PARTS_FOLDER = "other"
ANIMAL = "dx_image.dcm"  # in the folder of chests, but a lateral film of an animal
SAME_SERIES = re.compile(r"(age\d+_sex\w)|(?<=\d\d)\d\d\D*$")  # what names a mouth, or a picture of a series


@dataclass(frozen=True)
class Picture:
    """One picture, its kind, and whom it shows."""

    name: str
    collection: str  # where it is from, e.g. nih512
    group: str  # patient with site, or picture where there is no patient; a group is never split
    kind: PictureKind
    pixels: NDArray[np.uint8] = field(repr=False)  # (SIDE, SIDE) uint8, squashed
    lungs: NDArray[np.uint8] | None = field(
        default=None, repr=False
    )  # (SIDE, SIDE) uint8, soft; frontal only
    path: Path | None = None  # the file, to see it in detail
    view: str = ""  # PA or AP, where it is known
    part: Part = Part.LEARNING


def read_pixels(picture: Picture) -> NDArray[np.uint8]:
    """The picture as its file has it, (rows, columns) uint8; squashed to SIDE x SIDE where it has none.

    Raises:
        FilmError: the file cannot be read.
    """
    return picture.pixels if picture.path is None else read_film(picture.path.read_bytes()).pixels


def read_pictures(data: Path) -> list[Picture]:
    """Read every picture that the gate is trained and judged on.

    Args:
        data: folder with the tables and films described in docs/gate.md.

    Raises:
        CxrTriageError: a table cannot be read, or scikit-image or scikit-learn is not installed.
    """
    lungs = lung_field()
    pictures = [
        _frontal(data, table, row, lungs)
        for table in FRONTAL_TABLES
        for row in read_rows(data / f"{table}.csv", ("file",))
    ]
    pictures += [
        _picture(data / row["file"], f"lateral:{row['patient']}", PictureKind.LATERAL)
        for row in read_rows(data / LATERAL_TABLE, ("file", "patient"))
    ]
    pictures += [_other(data / row["file"]) for row in read_rows(data / OTHER_TABLE, ("file",))]
    pictures += _dicom_samples(data)
    return pictures + [_picture(path, f"library:{path.name}", PictureKind.OTHER) for path in library_files()]


def _frontal(data: Path, table: str, row: CsvRow, lungs: LungField) -> Picture:
    path = data / row["file"]
    patient = f"{FRONTAL_TABLES[table]}:{row['patient'] or path.stem}"
    picture = _picture(path, patient, PictureKind.FRONTAL)
    soft = cv2.resize(lungs.find(picture.pixels).soft, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return replace(picture, collection=table, lungs=np.asarray(soft, np.uint8), view=row["view"])


def _other(path: Path) -> Picture:
    kind = PictureKind.PICTURED if path.parent.name == SCREENS else PictureKind.OTHER
    return _picture(path, picture_group(path), kind)


def picture_group(path: Path) -> str:
    """The group of a picture of OTHER_TABLE: several of one mouth, session or volume are of one group."""
    found = SAME_SERIES.search(path.stem)
    series = path.stem if found is None else found[1] or path.stem[: found.start()]
    return f"{path.parent.name}:{series}"


def _picture(path: Path, group: str, kind: PictureKind) -> Picture:
    try:
        pixels = read_film(path.read_bytes()).pixels
    except (OSError, FilmError) as error:
        raise CxrTriageError(f"{path} cannot be read ({error}); see docs/gate.md") from error
    small = resize(pixels, (SIDE, SIDE))
    return Picture(path.name, path.parent.name, group, kind, small, path=path, part=part_of(group))


def _dicom_samples(data: Path) -> Iterator[Picture]:
    """One picture of each body part that is no chest, and the animal."""
    found: set[str] = set()
    for row in read_rows(data / DICOM_TABLE, ("file", "body_part", "decodes")):
        path, part = data / row["file"], row["body_part"] or "TEETH"
        is_animal = path.name == ANIMAL
        if (
            part in found
            or row["decodes"] != "1"
            or not (is_animal or path.parent.name == OTHER_PARTS_FOLDER)
        ):
            continue
        found.add(part)
        yield _picture(path, f"sample:{part}", PictureKind.LATERAL if is_animal else PictureKind.OTHER)
