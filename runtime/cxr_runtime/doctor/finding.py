"""What one check found, and what all of them say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    ABSENT = "absent"  # something optional is not there
    WARNING = "warning"  # works, but should be put right
    BROKEN = "broken"  # a scan on the processor does not work


@dataclass(frozen=True)
class Finding:
    """One row of the table."""

    name: str  # what was looked at
    state: State
    told: str  # what was found, and where it is not well, what to do; one line
    details: tuple[tuple[str, str], ...] = ()  # the parts, for --json


def can_scan(findings: Sequence[Finding]) -> bool:
    """Whether a scan on the processor works."""
    return all(finding.state is not State.BROKEN for finding in findings)
