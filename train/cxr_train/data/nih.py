"""NIH ChestX-ray14 as downloaded (Wang 2017)."""

import csv
from pathlib import Path

from cxr_calibration.labels.facts import age_of, sex_of, view_of
from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_runtime.errors import UsageError
from cxr_train.data.film import DataSet, DrawnBox, TrainingFilm, Truth
from cxr_train.data.table import present

TABLES = ("Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv")
BOXES = "BBox_List_2017.csv"
BOX_FRAME = 1024  # pixels along both sides of the films that the boxes are drawn on
COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position")
NO_FINDING = "No Finding"


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
    return present(folder.name, [_film(folder, files, boxes, row) for row in rows])


def text_label(findings: str) -> tuple[float, frozenset[str]]:
    """Label and findings of a cell such as `Mass|Nodule` or `No Finding`."""
    found = frozenset(findings.split("|")) - {NO_FINDING, ""}
    return float(bool(found)), found


def _film(
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
