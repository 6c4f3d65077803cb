"""One film as a row of the worklist: what its template, row.html, fills in."""

from dataclasses import dataclass

from cxr_runtime.names import folder_and_name, printable
from cxr_runtime.outcome import Outcome
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Picture

OUTSIDE_LUNGS = "outside-lungs"  # tag of a flagged film whose heat lies outside the lungs


@dataclass(frozen=True)
class Row:
    """One film of the worklist."""

    rank: int  # place by suspicion, from 1
    outcome: Outcome
    picture: Picture | None  # None: there is none, or the page does not hold it
    is_full: bool  # the page holds film and heat at preview size; otherwise the thumbnail alone
    overlay_file: str  # path of its overlay picture, relative to the worklist; "" if there is none

    @property
    def folder_and_name(self) -> tuple[str, str]:
        """The film as named in results.csv, split."""
        return folder_and_name(printable(self.outcome.file))

    @property
    def result(self) -> str:
        """How the film ended, as style and script know it: the triage, or the status of a film without."""
        return self.outcome.status.value if self.outcome.triage is None else self.outcome.triage.value

    @property
    def result_word(self) -> str:
        """How the film ended, as a reader knows it."""
        return wording.result_word(self.outcome)

    @property
    def tags(self) -> str:
        """The filters that show this film, besides `all`."""
        is_outside = wording.is_heat_outside_lungs(self.outcome)
        return f"{self.result} {OUTSIDE_LUNGS}" if is_outside else self.result

    @property
    def heat_in_lungs(self) -> str:
        """How much of its heat lies in the lungs, where a remark does not say it."""
        return wording.heat_in_lungs(self.outcome)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else a reader must know."""
        return wording.remarks(self.outcome)
