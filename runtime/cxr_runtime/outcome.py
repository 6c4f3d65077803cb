"""How one film ended: exactly one of these per film, the row of results.csv."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Every film ends as exactly one of these."""

    SCORED = "scored"
    REJECTED = "rejected"
    FAILED = "failed"


class Triage(StrEnum):
    """What a scored film asks of the reader; none of these clears a film."""

    FLAGGED = "flagged"
    NOT_FLAGGED = "not_flagged"
    REVIEW = "review"


@dataclass(frozen=True)
class Outcome:
    """One row of results.csv; None and "" mean: cannot be known, never invented."""

    file: str  # INPUT as typed plus the path below it; `night.zip!sub/film.png` in a zip
    sha256: str  # of the file's bytes, 64 hex digits; "" if it could not be read at all
    status: Status
    code: str = ""  # kebab-case reason of a rejection or failure, or a remark on a scored film
    message: str = ""  # one sentence for the code
    probability: float | None = None  # calibrated probability of abnormal, 0..1
    triage: Triage | None = None
    threshold: float | None = None  # probability at or above which a film is flagged
    operating_point: str = ""
    view: str = ""  # PA, AP, LATERAL or ""
    lung_heat_share: float | None = None  # share of heat inside the lung field, 0..1
    model: str = ""
    model_sha256: str = ""
    backend: str = ""
    seconds: float | None = None  # wall time spent on it: reading, gate, network, heat

    @property
    def score(self) -> float | None:
        """100 x probability, 0..100, or None."""
        return None if self.probability is None else 100 * self.probability
