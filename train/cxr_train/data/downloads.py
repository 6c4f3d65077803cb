"""Public data sets as downloaded: NIH ChestX-ray14, and the NLM sets Montgomery and Shenzhen."""

import csv
import re
from pathlib import Path

from cxr_calibration.labels.facts import age_of, sex_of, view_of
from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_train.data.film import DataSet, DrawnBox, TrainingFilm, Truth
from cxr_train.data.table import NO_FINDING, present

TABLES = ("Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv")
BOXES = "BBox_List_2017.csv"
BOX_FRAME = 1024  # pixels along both sides of the films that the boxes are drawn on
COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position")
NLM_FILMS, READINGS = "CXR_png", "ClinicalReadings"
SITES = {"MCUCXR": ("Montgomery", View.PA), "CHNCXR": ("Shenzhen", View.UNKNOWN)}  # by start of the file name
_SEX = re.compile(r"\b(fe)?male?\b|sex:\s*[fm]", re.IGNORECASE)
_AGE = re.compile(r"(\d+)\s*(y|m|d)", re.IGNORECASE)


def find_nih(folder: Path) -> Path | None:
    """The table of an NIH ChestX-ray14 folder, or None where it is none."""
    return next((folder / name for name in TABLES if (folder / name).is_file()), None)


def read_nih(folder: Path) -> DataSet:
    """NIH ChestX-ray14: Data_Entry_2017.csv, BBox_List_2017.csv, and films below `images*/`.

    Labels are mined from reports and often wrong, so their truth is `report`. A radiologist drew the boxes.
    Only films whose files are there are taken: any of the twelve archives will do.

    Raises:
        UsageError: the table is missing or no film is there.
    """
    table = find_nih(folder)
    if table is None:
        raise UsageError(
            f"{folder} holds no {TABLES[0]}; give the folder that ChestX-ray14 was unpacked into"
        )
    files = {path.name: path for path in sorted(folder.glob("images*/**/*.png"))}
    boxes = _read_boxes(folder / BOXES)
    rows = read_rows(table, COLUMNS)
    return present(folder.name, [_nih_film(folder, files, boxes, row) for row in rows])


def text_label(findings: str) -> tuple[float, frozenset[str]]:
    """Label and findings of a cell such as `Mass|Nodule` or `No Finding`."""
    found = frozenset(findings.split("|")) - {NO_FINDING, ""}
    return float(bool(found)), found


def _nih_film(
    folder: Path, files: dict[str, Path], boxes: dict[str, list[DrawnBox]], row: CsvRow
) -> TrainingFilm:
    name = row["Image Index"]
    label, findings = text_label(row["Finding Labels"])
    return TrainingFilm(
        path=files.get(name, folder / "images" / name),
        name=name,
        patient=f"nih:{row['Patient ID'].zfill(8)}",
        label=label,
        truth=Truth.REPORT,
        view=row.fact("View Position", view_of),
        sex=row.fact("Patient Gender", sex_of),
        age=row.fact("Patient Age", age_of),
        site="NIH",
        findings=findings,
        boxes=tuple(boxes.get(name, ())),
    )


def _read_boxes(path: Path) -> dict[str, list[DrawnBox]]:
    """Boxes by film. The header breaks `Bbox [x,y,w,h]` over four columns, so columns go by number."""
    boxes: dict[str, list[DrawnBox]] = {}
    if not path.is_file():
        return boxes
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        next(rows, None)
        for name, finding, *numbers in rows:
            x, y, width, height = (float(number) / BOX_FRAME for number in numbers[:4])
            boxes.setdefault(name, []).append(DrawnBox((x, y, x + width, y + height), finding))
    return boxes


def is_nlm(folder: Path) -> bool:
    """Whether a folder is laid out as Montgomery and Shenzhen are."""
    return (folder / NLM_FILMS).is_dir() and (folder / READINGS).is_dir()


def read_nlm(folder: Path) -> DataSet:
    """Montgomery or Shenzhen (Jaeger 2014): CXR_png/ and ClinicalReadings/.

    The label is the digit at the end of a film's name, 0 normal, 1 tuberculosis; every film is of another
    patient. All of Montgomery is PA; Shenzhen's views are not published.

    Raises:
        UsageError: the folders or the films are not there, or a film's name is not of the two sets.
    """
    if not is_nlm(folder):
        raise UsageError(
            f"{folder} holds no {NLM_FILMS}/ and {READINGS}/; give the unpacked MontgomerySet or ChinaSet"
        )
    return present(
        folder.name, [_nlm_film(folder, path) for path in sorted((folder / NLM_FILMS).glob("*.png"))]
    )


def _nlm_film(folder: Path, path: Path) -> TrainingFilm:
    parts = path.stem.split("_")
    if parts[0] not in SITES or parts[-1] not in ("0", "1"):
        raise UsageError(
            f"film {path.name} is not named as in {', '.join(SITES)}_NUMBER_LABEL.png; take it away"
        )
    site, view = SITES[parts[0]]
    reading = folder / READINGS / f"{path.stem}.txt"
    sex, age = read_reading(
        reading.read_text(encoding="utf-8", errors="replace") if reading.is_file() else ""
    )
    return TrainingFilm(
        path=path,
        name=f"{NLM_FILMS}/{path.name}",
        patient=f"nlm:{path.stem}",
        label=float(parts[-1]),
        truth=Truth.CLINIC,
        view=view,
        sex=sex,
        age=age,
        site=site,
    )


def read_reading(text: str) -> tuple[str, float | None]:
    """Sex and age from a reading such as `Patient's Sex: F\\nPatient's Age: 045Y` or `male  45yrs`."""
    sex, age = _SEX.search(text), _AGE.search(text)
    return sex_of(sex[0].split(":")[-1]) if sex else "", age_of(f"{age[1]}{age[2]}") if age else None
