"""The tables that docs/training.md lists, made from public collections: of NIH, of NLM, and of others."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxr_calibration.labels.facts import age_of, sex_of, stated_abnormal_of, view_of
from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_train.data.downloads import text_label
from cxr_train.data.film import DataSet, DrawnBox, TrainingFilm, Truth
from cxr_train.data.table import own_film, present

NLM_COLUMNS = ("site", "label", "clinical_reading")
NIH_COLUMNS = ("file", "patient", "view", "sex", "age", "nih_findings", "rsna_class", "boxes_512")
BOX_FRAME = 512  # pixels along both sides of the frame of `boxes_512`, whatever the film's own size
COMPLETE = "RSNA2018"  # every opacity of a film has a box
RADIOLOGISTS = (COMPLETE, "NIH-BBox2017")  # sources of boxes that may be scored on
NORMAL = "Normal"  # the one class of `rsna_class` without disease
OPACITY = "Lung Opacity"  # the class whose films have a box around every opacity
GATHERED = frozenset(
    {"file", "label", "truth", "rsna_class", "boxes", "source_repo"}
)  # columns of nih256, nih224, tbx512, tbportal256, guangzhou512 and valencia256
COLLECTION_OF = {
    "NIH": "nih",
    "TBX11K (China)": "tbx11k",
    "Kermany (Guangzhou, children)": "guangzhou",
    "TB portals (Belarus and others)": "tbportal",
    "BIMCV (Valencia, Spain)": "valencia",
}  # how patients are named, by `site`
ONE_CLASS = (
    "tbx11k",
    "tbportal",
    "valencia",
)  # all their films are of the ill: a label would teach the hospital


def is_prepared(header: set[str]) -> bool:
    """Whether a table has the columns of either kind."""
    return any(header >= set(columns) for columns in (NIH_COLUMNS, NLM_COLUMNS, GATHERED))


def read_prepared(path: Path) -> DataSet:
    """A table of NIH films (`rsna_class`, `nih_findings`, `boxes_512`), of NLM films (`clinical_reading`), or
    one with the columns of one's own that says where films came from (`rsna_class`, `boxes`, `source_repo`).

    A radiologist's class is the label where there is one; elsewhere it is mined from the report. The label of
    a film whose hospital gave films of the ill alone has no weight.

    Raises:
        UsageError: a column is missing or no film is there.
    """
    rows = read_rows(path, ("file",))
    columns = rows[0].cells.keys() if rows else set()
    read = _nih if "nih_findings" in columns else _gathered if columns >= GATHERED else _nlm
    return present(path.stem, [read(path.parent, row) for row in rows])


def _nih(folder: Path, row: CsvRow) -> TrainingFilm:
    read_class = row["rsna_class"]
    label, findings = text_label(row["nih_findings"])
    boxes = json.loads(row["boxes_512"] or "[]")
    return TrainingFilm(
        path=folder / row["file"],
        name=row["file"],
        patient=f"nih:{row['patient'].zfill(8)}",
        label=float(read_class != NORMAL) if read_class else label,
        truth=Truth.RADIOLOGIST if read_class else Truth.REPORT,
        view=row.fact("view", view_of),
        sex=row.fact("sex", sex_of),
        age=row.fact("age", age_of),
        site="NIH",
        radiologist_class=read_class,
        findings=findings,
        boxes=tuple(_box(box) for box in boxes),
        boxes_complete=any(box["src"] == COMPLETE for box in boxes),
    )


def _nlm(folder: Path, row: CsvRow) -> TrainingFilm:
    return TrainingFilm(
        path=folder / row["file"],
        name=row["file"],
        patient=f"nlm:{Path(row['file']).stem}",
        label=float(row.fact("label", stated_abnormal_of)),
        truth=Truth.CLINIC,
        sex=row.fact("sex", sex_of),
        age=row.fact("age", age_of),
        site=row["site"],
    )


def _gathered(_: Path, row: CsvRow) -> TrainingFilm:
    film = own_film(row)
    collection = row.fact("site", _collection_of)
    number = row["patient"] or Path(row["file"]).stem
    nih = collection == "nih"
    return replace(
        film,
        patient=f"{collection}:{number.zfill(8) if nih else number}",
        weight=0.0 if collection in ONE_CLASS else film.weight,
        radiologist_class=row["rsna_class"],
        findings=_findings(row) if nih else None,  # elsewhere one word for a folder
        boxes_complete=row["rsna_class"] == OPACITY or bool(film.boxes and not nih),
    )


def _collection_of(site: str) -> str:
    if site not in COLLECTION_OF:
        raise ValueError(
            f"expected one of {', '.join(COLLECTION_OF)}; a table of your own has no column source_repo"
        )
    return COLLECTION_OF[site]


def _findings(row: CsvRow) -> frozenset[str] | None:
    """A radiologist who sees a normal film is believed before the report's text."""
    if row["rsna_class"] == NORMAL:
        return frozenset()
    return text_label(row["findings"])[1] if row["findings"] else None


def _box(stated: dict[str, Any]) -> DrawnBox:
    x, y, width, height = (float(number) / BOX_FRAME for number in stated["xywh"])
    return DrawnBox((x, y, x + width, y + height), stated["label"], stated["src"] in RADIOLOGISTS)
