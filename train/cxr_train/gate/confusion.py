"""The gate's confusion table: what becomes of good films, and of bad ones by kind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cxr_calibration.intervals import wilson
from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.gate import Code, Gate
from cxr_train.gate.trials import ADMITTED, Trial

HEADER = (
    "| put to the gate | films | as expected | share (95 % interval) | rejected | codes given |\n"
    "|---|---|---|---|---|---|\n"
)
PASSED = "passed"


@dataclass(frozen=True)
class Answer:
    """What the gate made of a trial."""

    trial: Trial
    code: str  # of the rejection, or of the remark on an admitted film; "" if it simply passed
    is_rejected: bool

    @property
    def is_right(self) -> bool:
        """A good film passed, an inverted one was corrected, a bad one was rejected, whatever the reason."""
        if self.trial.expected == {ADMITTED}:
            return not self.is_rejected
        if self.trial.expected == {Code.POLARITY_INVERTED}:
            return not self.is_rejected and self.code == Code.POLARITY_INVERTED
        return self.is_rejected


def ask(gate: Gate, trials: Iterable[Trial]) -> list[Answer]:
    """Put films to the gate."""
    return [_ask(gate, trial) for trial in trials]


def _ask(gate: Gate, trial: Trial) -> Answer:
    try:
        admission = gate.admit(trial.film)
    except RejectedFilmError as rejection:
        return Answer(trial, rejection.code, is_rejected=True)
    remark = admission.remark
    return Answer(trial, ADMITTED if remark is None else remark.code, is_rejected=False)


def markdown(answers: list[Answer]) -> str:
    """One row a kind, in the order in which kinds first came."""
    kinds = dict.fromkeys(answer.trial.kind for answer in answers)
    return HEADER + "".join(
        _row(kind, [answer for answer in answers if answer.trial.kind == kind]) for kind in kinds
    )


def _row(kind: str, answers: list[Answer]) -> str:
    right = sum(answer.is_right for answer in answers)
    share = wilson(right, len(answers))
    rejected = sum(answer.is_rejected for answer in answers)
    codes = Counter(answer.code or PASSED for answer in answers).most_common()
    given = ", ".join(f"{code} {count}" for code, count in codes)
    interval = f"{share.value:.2%} ({share.low:.1%} to {share.high:.1%})"
    return f"| {kind} | {len(answers)} | {right} | {interval} | {rejected} | {given} |\n"
