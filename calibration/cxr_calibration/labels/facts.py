"""What people write of a film in a table, understood: truth, view, sex, age, and the age groups.

Each reader takes a cell's text, in any case, and raises a ValueError that says what was expected.
"""

import re
from math import isfinite, isnan

from cxr_runtime.film import View

NOT_STATED = ""  # the level of a film whose view, sex, age group or site is not known
UNKNOWN_WORDS = {"", "-", "?", "U", "UNK", "UNKNOWN", "N/A", "NA", "NAN", "NONE", "NOT STATED"}
NORMAL_WORDS = {"0", "0.0", "NORMAL", "HEALTHY", "NEGATIVE", "NEG", "NO", "FALSE", "NO FINDING"}
ABNORMAL_WORDS = {"1", "1.0", "ABNORMAL", "DISEASED", "POSITIVE", "POS", "YES", "TRUE"}
SEXES = {"F": "F", "FEMALE": "F", "WOMAN": "F", "M": "M", "MALE": "M", "MAN": "M", "O": "O", "OTHER": "O"}
VIEWS = (
    dict.fromkeys(("PA", "P A", "POSTEROANTERIOR", "POSTERO ANTERIOR"), View.PA)
    | dict.fromkeys(("AP", "A P", "ANTEROPOSTERIOR", "ANTERO POSTERIOR", "AP SUPINE", "AP ERECT"), View.AP)
    | dict.fromkeys(("L", "LL", "RL", "LAT", "LATERAL", "LEFT LATERAL", "RIGHT LATERAL"), View.LATERAL)
)
UNITS_A_YEAR = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}  # by the first letter of the unit's name
MOST_WEIGHT = 10_000  # films that one labelled film can stand for
OLDEST = 120  # years; ages beyond it are slips of the pen (NIH's table holds 414) and count as not stated
AGE_GROUPS = ((0, "under 18"), (18, "18-39"), (40, "40-64"), (65, "65 and over"))  # from this age in years


def abnormal_of(text: str) -> bool | None:
    """The truth of a film; None where nothing is stated."""
    word = _word(text)
    if word in NORMAL_WORDS | ABNORMAL_WORDS:
        return word in ABNORMAL_WORDS
    if word in UNKNOWN_WORDS:
        return None
    raise ValueError("expected 0 or normal, 1 or abnormal")


def stated_abnormal_of(text: str) -> bool:
    """As `abnormal_of`, where a film must have a label."""
    abnormal = abnormal_of(text)
    if abnormal is None:
        raise ValueError("expected 0 or normal, 1 or abnormal")
    return abnormal


def view_of(text: str) -> View:
    """The projection; unknown where nothing is stated."""
    word = " ".join(_word(text).replace(".", "").replace("-", " ").replace("/", " ").split())
    if word in UNKNOWN_WORDS or _word(text) in UNKNOWN_WORDS:
        return View.UNKNOWN
    if word not in VIEWS:
        raise ValueError("expected PA, AP or lateral")
    return VIEWS[word]


def sex_of(text: str) -> str:
    """F, M or O (other), as DICOM has it (PS3.3 C.7.1.1, Patient's Sex); "" where nothing is stated."""
    word = _word(text)
    if word in UNKNOWN_WORDS:
        return NOT_STATED
    if word not in SEXES:
        raise ValueError("expected F, M or O (other)")
    return SEXES[word]


def age_of(text: str) -> float | None:
    """Years from `58`, `058Y` (DICOM PS3.5 6.2, Age String), `6 months`, `20D`; None where not stated."""
    word = _word(text)
    if word in UNKNOWN_WORDS:
        return None
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(?:(Y|M|W|D)[A-Z]*)?(?: OLD)?", word)
    if found is None:
        raise ValueError("expected years, e.g. 62, 062Y or 6 months")
    years = float(found[1].replace(",", ".")) / UNITS_A_YEAR[found[2] or "Y"]
    return years if years <= OLDEST else None


def number_of(text: str) -> float | None:
    """A finite number; None where nothing is stated."""
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError("expected a number")
    return number


def weight_of(text: str) -> float:
    """How many films one stands for; 1 where it is not stated."""
    weight = number_of(text)
    if weight is None:
        return 1.0
    if not 0.5 <= weight <= MOST_WEIGHT:
        raise ValueError(f"expected how many films it stands for, 1 to {MOST_WEIGHT}")
    return weight


def age_group(age_years: float | None) -> str:
    """The age group's name; NOT_STATED where the age is not known or is none."""
    if age_years is None or isnan(age_years) or age_years < 0:
        return NOT_STATED
    return [name for start, name in AGE_GROUPS if age_years >= start][-1]


def _word(text: str) -> str:
    return " ".join(text.upper().split())
