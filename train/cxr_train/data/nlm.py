"""The tuberculosis sets of the National Library of Medicine, Montgomery and Shenzhen, as downloaded."""

import re
from pathlib import Path

from cxr_calibration.labels.facts import age_of, sex_of
from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_train.data.film import DataSet, TrainingFilm, Truth
from cxr_train.data.table import present

FILMS, READINGS, MASKS = "CXR_png", "ClinicalReadings", "ManualMask"
SITES = {"MCUCXR": ("Montgomery", View.PA), "CHNCXR": ("Shenzhen", View.UNKNOWN)}  # by start of the file name
_SEX = re.compile(r"\b(fe)?male?\b|sex:\s*[fm]", re.IGNORECASE)
_AGE = re.compile(r"(\d+)\s*(y|m|d)", re.IGNORECASE)


def is_nlm(folder: Path) -> bool:
    """Whether a folder is laid out as Montgomery and Shenzhen are."""
    return (folder / FILMS).is_dir() and (folder / READINGS).is_dir()


def read_nlm(folder: Path) -> DataSet:
    """Montgomery or Shenzhen (Jaeger 2014): CXR_png/, ClinicalReadings/, and ManualMask/ where there is one.

    The label is the digit at the end of a film's name, 0 normal, 1 tuberculosis; every film is of another
    patient. All of Montgomery is PA; Shenzhen's views are not published.

    Raises:
        UsageError: the folders or the films are not there, or a film's name is not of the two sets.
    """
    if not is_nlm(folder):
        raise UsageError(
            f"{folder} holds no {FILMS}/ and {READINGS}/; give the unpacked MontgomerySet or ChinaSet"
        )
    return present(folder.name, [_film(folder, path) for path in sorted((folder / FILMS).glob("*.png"))])


def _film(folder: Path, path: Path) -> TrainingFilm:
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
        name=f"{FILMS}/{path.name}",
        patient=f"nlm:{path.stem}",
        label=float(parts[-1]),
        truth=Truth.CLINIC,
        view=view,
        sex=sex,
        age=age,
        site=site,
        lung_masks=tuple(sorted((folder / MASKS).glob(f"*/{path.name}"))),
    )


def read_reading(text: str) -> tuple[str, float | None]:
    """Sex and age from a reading such as `Patient's Sex: F\\nPatient's Age: 045Y` or `male  45yrs`."""
    sex, age = _SEX.search(text), _AGE.search(text)
    return sex_of(sex[0].split(":")[-1]) if sex else "", age_of(f"{age[1]}{age[2]}") if age else None
