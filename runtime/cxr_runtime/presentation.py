"""How reports are to look and speak, as a user asks for it; scores and results.csv do not depend on it."""

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.folders import DATA_VARIABLE, data_root
from cxr_runtime.language import SOURCE

LANGUAGE_VARIABLE = "CXR_TRIAGE_LANGUAGE"  # names a language for good
PREVALENCE_FILE = "prevalence.json"  # with the user's data
WORKLIST_BYTES = 60_000_000  # of worklist.html, unless another size is asked for
PDF_PAGES = 300  # of films in report.pdf, unless another number is asked for: 40 MB, and a night's reading
LEAST, MOST = 0.0001, 0.9999  # of a prevalence: at 0 and 1 no film says anything
PREVALENCE_FORM = 'the share of your clinic\'s films that are abnormal, above 0 and below 1, as "5%" or 0.05'


class Colours(StrEnum):
    """The scale of the heat map."""

    JET = "jet"  # the paper's own (paper, III.B)
    INFERNO = "inferno"  # its luminance rises from step to step


@dataclass(frozen=True)
class Presentation:
    """How reports look and speak."""

    language: str = SOURCE  # of pages and PDF (`language.language`)
    colours: Colours = Colours.JET
    prevalence: float | None = None  # share of this clinic's films that are abnormal; None: not stated
    worklist_bytes: int = WORKLIST_BYTES  # of worklist.html, at most
    pdf_pages: int | None = PDF_PAGES  # of films in the PDF, at most; None: no bound, in stores from before


@dataclass(frozen=True)
class Wishes:
    """What a user asks of a presentation; None: nothing."""

    language: str | None = None
    colours: Colours | None = None
    prevalence: float | None = None
    pdf_pages: int | None = None
    worklist_bytes: int | None = None

    def over(self, presentation: Presentation) -> Presentation:
        """A presentation with what is asked."""
        return Presentation(
            self.language or presentation.language,
            self.colours or presentation.colours,
            self.prevalence or presentation.prevalence,
            self.worklist_bytes or presentation.worklist_bytes,
            self.pdf_pages or presentation.pdf_pages,
        )


def usual_presentation() -> Presentation:
    """What holds where nothing is asked: the language of the environment, the prevalence stated last."""
    return Presentation(os.environ.get(LANGUAGE_VARIABLE) or SOURCE, prevalence=kept_prevalence())


def parse_prevalence(text: str) -> float:
    """A share of films, as `5%`, `5 %` or `0.05`.

    Raises:
        UsageError: it is none between 0 and 1.
    """
    share = share_of(text)
    if share is None:
        raise UsageError(f"--prevalence is {text!r}; expected {PREVALENCE_FORM}")
    return share


def share_of(text: str) -> float | None:
    """As `parse_prevalence`; None: it is no share between 0 and 1."""
    figure = text.strip().replace(",", ".")
    try:
        share = float(figure.removesuffix("%")) / (100 if figure.endswith("%") else 1)
    except ValueError:
        return None
    return share if LEAST <= share <= MOST else None


def kept_prevalence() -> float | None:
    """What this user has stated before; None: nothing."""
    file = _file()
    try:
        share = json.loads(file.read_text(encoding="utf-8"))["prevalence"] if file else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return share if isinstance(share, float) and LEAST <= share <= MOST else None


def keep_prevalence(share: float) -> None:
    """Keep it with the user's data, for later scans.

    Raises:
        UsageError: the user has no folder for it.
        OSError: it cannot be written.
    """
    file = _file()
    if file is None:
        raise UsageError(
            f"this user has no home in which --prevalence could be kept; set {DATA_VARIABLE} to a folder"
        )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(file, json.dumps({"prevalence": share}).encode())


def _file() -> Path | None:
    root = data_root()
    return None if root is None else root / PREVALENCE_FILE
