"""What a DICOM header says, read without trust in its types (PS3.3, PS3.5)."""

import math
import re
from datetime import date

from pydicom import Dataset, FileDataset

from cxr_runtime.film import FilmFacts, View
from cxr_runtime.reading.dicom.syntaxes import transfer_syntax


def keyword(ds: Dataset, name: str) -> str:
    """The first value as upper-case text without padding; "" where there is none."""
    return text(ds, name).upper()


def text(ds: Dataset, name: str) -> str:
    """The first value as text without padding; "" where there is none."""
    value = _first(ds, name)
    return "" if value is None else str(value).strip(" \0")


def number(ds: Dataset, name: str) -> float | None:
    """The first value as a finite number; None where there is none."""
    try:
        value = float(str(_first(ds, name)))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def integer(ds: Dataset, name: str) -> int | None:
    """The first value as an integer; None where there is none."""
    value = number(ds, name)
    return None if value is None else int(value)


def _first(ds: Dataset, name: str) -> object:
    try:
        value = ds.get(name)
    except Exception:  # noqa: BLE001 - pydicom converts on access, and raises what the conversion raises
        return None
    if isinstance(value, str | bytes) or not hasattr(value, "__getitem__"):
        return value
    return value[0] if len(value) else None


DAYS_IN = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}  # units of an Age String (PS3.5 6.2)
OLDEST = 110  # years; dates of birth in de-identified files are often made up
POSITIONS = {  # View Position (PS3.3 C.8.11.5.1.1), and what devices write besides
    "PA": View.PA,
    "AP": View.AP,
    "LL": View.LATERAL,
    "RL": View.LATERAL,
    "LAT": View.LATERAL,
    "LATERAL": View.LATERAL,
}
VIEW_CODES = {  # View Code Sequence (PS3.16 CID 4010), SNOMED CT and the older SNOMED RT
    "272479007": View.PA,
    "R-10214": View.PA,
    "R-40888": View.PA,
    "399348003": View.AP,
    "R-10206": View.AP,
    "399067008": View.LATERAL,
    "399173006": View.LATERAL,
    "399198007": View.LATERAL,
    "R-102CD": View.LATERAL,
    "R-10236": View.LATERAL,
    "R-10232": View.LATERAL,
}


def facts_of(ds: FileDataset, *, source_is_colour: bool) -> FilmFacts:
    """Collect the facts; what is missing or malformed stays empty."""
    return FilmFacts(
        file_format="dicom",
        bits_stored=integer(ds, "BitsStored") or integer(ds, "BitsAllocated") or 8,
        frames=max(1, integer(ds, "NumberOfFrames") or 1),
        view=_view(ds),
        modality=keyword(ds, "Modality"),
        body_part=keyword(ds, "BodyPartExamined"),
        transfer_syntax=transfer_syntax(ds),
        photometric=keyword(ds, "PhotometricInterpretation"),
        age_years=_age_years(ds),
        source_is_colour=source_is_colour,
    )


def _view(ds: FileDataset) -> View:
    position = keyword(ds, "ViewPosition")
    if position:
        return POSITIONS.get(position, View.UNKNOWN)
    codes = (text(item, "CodeValue") for item in ds.get("ViewCodeSequence") or [])
    return next((VIEW_CODES[code] for code in codes if code in VIEW_CODES), View.UNKNOWN)


def _age_years(ds: FileDataset) -> float | None:
    """Patient's Age (0010,1010), else from the dates of birth and study."""
    stated = re.fullmatch(r"(\d{1,3})([DWMY]?)", keyword(ds, "PatientAge"))
    if stated:
        return int(stated[1]) * DAYS_IN[stated[2] or "Y"] / DAYS_IN["Y"]
    birth, study = _date(text(ds, "PatientBirthDate")), _date(text(ds, "StudyDate"))
    if birth is None or study is None:
        return None
    years = (study - birth).days / DAYS_IN["Y"]
    return years if 0 < years <= OLDEST else None


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if re.fullmatch(r"\d{8}", value) else None
    except ValueError:
        return None
