"""The patient's age on the day of the film, however an archive writes ages and dates (PS3.5 6.2: AS, DA, DT).

Where a header can be read in several ways, or its age and its dates disagree, the youngest reading counts: a
child must never pass for an adult.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations

from pydicom import Dataset

from cxr_runtime.reading.dicom.header import text

OLDEST = 110  # years; ages and dates of birth in de-identified files are often made up
FIRST_YEAR = 1850  # of birth; what looks like a date before it is written in another order
DAYS, MONTHS = 365.2425, 12.0  # of a Gregorian year
UNITS = (  # how a unit begins in six languages, and how many make a year
    ("JO", DAYS),
    ("Y", 1.0),
    ("J", 1.0),
    ("A", 1.0),
    ("M", MONTHS),
    ("W", DAYS / 7),
    ("S", DAYS / 7),
    ("D", DAYS),
    ("T", DAYS),
    ("G", DAYS),
    ("H", DAYS * 24),
)
AGE_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*-?\s*([^\W\d_]*)[\s./,+]*(?:O(?:LD)?\b)?\s*")
TIME_OF_DAY = re.compile(r"(?<=\d)[T ]+\d{1,2}:.*|(?<=\d{8})[T ]?\d{2,6}(\.\d+)?([+-]\d{4})?$")
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FILM_DATES = (  # the first that gives an age which can be true counts
    "StudyDate",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "SeriesDate",
    "ContentDate",
    "PerformedProcedureStepStartDate",
    "InstanceCreationDate",
    "DateOfSecondaryCapture",
)
Days = tuple[date, date]  # the first and the last day that a written date can mean


def age_years(ds: Dataset, today: date | None = None) -> float | None:
    """The youngest age that a header allows, in years; whole years are counted by the calendar.

    Args:
        ds: with Patient's Age (0010,1010), Patient's Birth Date (0010,0030), and the dates of the film.
        today: a film without any date counts as made on this day: the patient was not older.

    Returns:
        0 to `OLDEST`, or None where the header tells nothing that can be true.
    """
    stated = stated_age(text(ds, "PatientAge"))
    lived = _age_by_dates(ds, today or date.today())
    return min((age for age in (stated, lived) if age is not None), default=None)


def stated_age(written: str) -> float | None:
    """Read `045Y`, `06YR`, `6 years 3 months`, `1000D`, `6` and such, in years; None for anything else."""
    content = written.upper().lstrip("P~<>=+. ").removeprefix("AGE").lstrip(": ").rstrip(". ")
    years, at = 0.0, 0
    while at < len(content):
        part = AGE_PART.match(content, at)
        if part is None:
            return None
        unit = part[2] or "Y"  # a bare number is in years
        in_a_year = next((count for start, count in UNITS if unit.startswith(start)), None)
        if in_a_year is None:
            return None
        years += float(part[1].replace(",", ".")) / in_a_year
        at = part.end()
    return years if content and years <= OLDEST else None


def _age_by_dates(ds: Dataset, today: date) -> float | None:
    """The age on the first date of the film that can be true; without such a date, the age today."""
    births = list(possible_days(text(ds, "PatientBirthDate")))
    for made in (*(list(possible_days(text(ds, name))) for name in FILM_DATES), [(today, today)]):
        ages = [
            years_between(min(born[1], day), day)
            for born in births
            for day, _ in made
            if born[0] <= day <= today
        ]
        if ages:
            return min((age for age in ages if age < OLDEST + 1), default=None)
    return None


def years_between(birth: date, day: date) -> float:
    """The age in years: whole ones by the calendar, and the share of the running one."""
    whole = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    last = _birthday(birth, birth.year + whole)
    return whole + (day - last).days / ((_birthday(birth, last.year + 1) - last).days)


def _birthday(birth: date, year: int) -> date:
    """The birthday in a year; who was born on 29 February has it on 1 March of other years."""
    try:
        return birth.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def possible_days(written: str) -> Iterator[Days]:
    """All that a date can mean.

    Args:
        written: `20150101`, `2015.01.01`, `31/12/2015`, `1 Jan 2015`, `150101`, `201501`, `2015`, with or
            without a time of day; a month or day 00 is not known.

    Yields:
        First and last day of each reading; nothing for what is no date.
    """
    content = TIME_OF_DAY.sub("", written.upper().strip())
    month = next((str(i + 1) for i, name in enumerate(MONTH_NAMES) if name in content), "")
    numbers = re.sub(r"[A-Z]{3,}", " ", content) if month else content
    if re.fullmatch(r"[\d\s./,:_年月日-]+", numbers) is None:
        return
    parts = re.findall(r"\d+", numbers)
    if month:
        dated = [*parts, "0"][:2] if len(parts) in (1, 2) else []
        orders = [(year, month, day) for year, day in permutations(dated)]
    else:
        orders = _orders(_split(parts[0]) if len(parts) == 1 else parts)
    for year, month_number, day in orders:
        yield from _days(year, month_number, day)


def _split(digits: str) -> list[str]:
    """The parts of a date without separators; one of eight digits begins with its year wherever it can."""
    match len(digits):
        case 6 if list(_days(digits[:4], digits[4:], "0")):
            return [digits[:4], digits[4:]]
        case 8 if list(_days(digits[:4], digits[4:6], digits[6:])):
            return [digits[:4], digits[4:6], digits[6:]]
        case 6 | 8:
            return [digits[:2], digits[2:4], digits[4:]]
    return [digits]


def _orders(parts: list[str]) -> list[tuple[str, str, str]]:
    """Year, month and day in each order in which parts are written: Y, Y-M, M-Y, Y-M-D, D-M-Y and M-D-Y."""
    match parts:
        case [year] if len(year) == 4:
            return [(year, "0", "0")]
        case [first, second]:
            return [
                (year, month, "0") for year, month in ((first, second), (second, first)) if len(year) == 4
            ]
        case [first, second, third]:
            return [(first, second, third), (third, second, first), (third, first, second)]
    return []


def _days(year: str, month: str, day: str) -> Iterator[Days]:
    """The days of one reading; a year of two digits has two centuries."""
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return
    for number in (int(year),) if len(year) == 4 else (1900 + int(year), 2000 + int(year)):
        try:
            first = date(number, int(month) or 1, int(day) or 1)
            last = first if int(day) else _month_end(number, int(month) or 12)
        except ValueError:
            continue
        if number >= FIRST_YEAR:
            yield first, last


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
