"""Rules by which a threshold is set, each with a name: `who-triage`, `rule-out`, `balanced`, ..."""

import re
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.intervals import CONFIDENCE, Estimate, normal_quantile, wilson_by_patient
from cxr_calibration.statistics.smoothed import best_smoothed_threshold
from cxr_runtime.errors import UsageError

# A threshold whose lower bound only just reaches the target misses it in every second cross-validation, so
# wider intervals are tried too; the first that cross-validation confirms is taken. 0 is the bare share, for
# films too few to show the target.
SETTING_CONFIDENCES = (CONFIDENCE, 0.975, 0.99)
BARE_SHARE = 0.0
LEAST_FILMS_OF_A_CLASS = 10  # below this no operating point is called met


@dataclass(frozen=True)
class Sample:
    """Films to set a threshold on."""

    probabilities: Scores  # (N,) of labelled films
    truth: Truth  # (N,) True is abnormal
    patients: NDArray[np.str_]  # (N,) one value a patient
    everyday: Scores  # (M,) probabilities of films as they come, labelled or not


@dataclass(frozen=True)
class Measured:
    """What a rule came to on films that had no part in setting the threshold."""

    abnormal: int  # abnormal films
    normal: int
    sensitivity: Estimate
    specificity: Estimate
    flagged_share: Estimate  # of the films the rule is about


class Rule(Protocol):
    """Sets a threshold and says whether the films support it."""

    @property
    def name(self) -> str:
        """As it is asked for: `rule-out`, `capacity:20%`."""
        ...

    def threshold(self, sample: Sample) -> float:
        """The probability at or above which a film is flagged."""
        ...

    def shortfall(self, measured: Measured) -> str:
        """Why the films do not support the rule's promise, in one sentence; "" where they do."""
        ...

    def safer(self, measured: Measured) -> "Rule | None":
        """The same rule with more room for chance, where what was measured asks for it."""
        ...


@dataclass(frozen=True)
class SensitivityAtLeast:
    """The highest threshold that still finds enough, for sure: by the lower bound of the interval."""

    name: str
    sensitivity: float  # the lower bound must reach it
    specificity: float = 0.0  # wanted as well
    confidence: float = SETTING_CONFIDENCES[0]  # of the interval whose lower bound sets the threshold

    def threshold(self, sample: Sample) -> float:
        """See `Rule`."""
        abnormal, who = sample.probabilities[sample.truth], sample.patients[sample.truth]
        allowed = [confidence for confidence in SETTING_CONFIDENCES if confidence <= self.confidence]
        for confidence in (*reversed(allowed), BARE_SHARE):
            highest = self._highest(abnormal, who, confidence)
            if highest is not None:
                return just_below(highest, sample.probabilities)
        return 0.0

    def safer(self, measured: Measured) -> "SensitivityAtLeast | None":
        """See `Rule`."""
        wider = [confidence for confidence in SETTING_CONFIDENCES if confidence > self.confidence]
        supported = measured.sensitivity.low >= self.sensitivity
        return replace(self, confidence=wider[0]) if wider and not supported else None

    def shortfall(self, measured: Measured) -> str:
        """See `Rule`."""
        return (
            too_few(measured)
            or by_chance(measured)
            or _below("sensitivity", measured.sensitivity, self.sensitivity, measured.abnormal, "abnormal")
            or _below("specificity", measured.specificity, self.specificity, measured.normal, "normal")
        )

    def _highest(self, abnormal: Scores, patients: NDArray[np.str_], confidence: float) -> float | None:
        """Halve the list of candidates: the bound falls as the threshold rises."""
        candidates = np.unique(abnormal)
        low, high = 0, candidates.size
        while low < high:
            middle = (low + high) // 2
            found = wilson_by_patient(abnormal >= candidates[middle], patients, confidence)
            low, high = (middle + 1, high) if found.low >= self.sensitivity else (low, middle)
        return float(candidates[low - 1]) if low else None


@dataclass(frozen=True)
class Balanced:
    """Where sensitivity + specificity is greatest (Youden 1950), on smoothed curves."""

    name: str = "balanced"

    def threshold(self, sample: Sample) -> float:
        """See `Rule`."""
        return best_smoothed_threshold(sample.probabilities, sample.truth)

    def shortfall(self, measured: Measured) -> str:
        """See `Rule`."""
        return too_few(measured) or by_chance(measured)

    def safer(self, measured: Measured) -> None:
        """See `Rule`."""


@dataclass(frozen=True)
class Capacity:
    """Flag no more than a share of the films, the most suspicious ones."""

    name: str
    share: float  # 0 < share < 1

    def threshold(self, sample: Sample) -> float:
        """See `Rule`."""
        falling = np.sort(sample.everyday)[::-1]
        room = int(self.share * falling.size + 1e-9)
        flagged = falling[falling > falling[room]]
        if flagged.size == 0:  # the most suspicious films all score alike, and are too many
            return float(np.nextafter(falling[0], 2))
        return just_below(float(flagged[-1]), sample.everyday)

    def shortfall(self, measured: Measured) -> str:
        """See `Rule`."""
        if measured.flagged_share.low <= self.share <= measured.flagged_share.high:
            return too_few(measured) or by_chance(measured)
        return f"{measured.flagged_share.value:.1%} of the films are flagged, asked for {self.share:.1%}"

    def safer(self, measured: Measured) -> None:
        """See `Rule`."""


@dataclass(frozen=True)
class Fixed:
    """A threshold that was given."""

    name: str
    value: float  # probability, 0..1

    def threshold(self, sample: Sample) -> float:  # noqa: ARG002 (given, whatever the films)
        """See `Rule`."""
        return self.value

    def shortfall(self, measured: Measured) -> str:
        """See `Rule`."""
        return too_few(measured) or by_chance(measured)

    def safer(self, measured: Measured) -> None:
        """See `Rule`."""


WHO_TRIAGE = SensitivityAtLeast("who-triage", 0.90, 0.70)  # WHO target product profile of a triage test, 2014
RULE_OUT = SensitivityAtLeast("rule-out", 0.95)
DEFAULT_RULES: tuple[Rule, ...] = (
    Balanced(), WHO_TRIAGE, RULE_OUT, Capacity("capacity:20%", 0.20), Fixed("fixed:0.5", 0.5),
)  # fmt: skip
_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in (Balanced(), WHO_TRIAGE, RULE_OUT)}


def parse_rule(text: str) -> Rule:
    """The rule of that name; `capacity:N%` and `fixed:P` take any number.

    Raises:
        UsageError: there is no such rule.
    """
    if text in _BY_NAME:
        return _BY_NAME[text]
    if (found := re.fullmatch(r"capacity:(\d+(?:\.\d+)?)%", text)) and 0 < float(found[1]) < 100:
        return Capacity(text, float(found[1]) / 100)
    if (found := re.fullmatch(r"fixed:(\d*\.?\d+)", text)) and 0 <= float(found[1]) <= 1:
        return Fixed(text, float(found[1]))
    raise UsageError(
        f"operating point {text!r} is not known; expected {', '.join(_BY_NAME)}, capacity:20% or fixed:0.5"
    )


def just_below(threshold: float, probabilities: Scores) -> float:
    """Half way to the next film below, which flags the same films and does not hang on a rounding."""
    below = probabilities[probabilities < threshold]
    return (threshold + float(below.max())) / 2 if below.size else threshold / 2


def too_few(measured: Measured) -> str:
    """A sentence where a class has too few films for any claim, else ""."""
    for films, kind in ((measured.abnormal, "abnormal"), (measured.normal, "normal")):
        if films < LEAST_FILMS_OF_A_CLASS:
            return f"too few {kind} films: {films}, at least {LEAST_FILMS_OF_A_CLASS} are needed"
    return ""


def by_chance(measured: Measured) -> str:
    """A sentence where flags have nothing to do with the truth, as far as these films can tell, else ""."""
    found, right = measured.sensitivity, measured.specificity
    youden = found.value + right.value - 1
    if youden > np.hypot(found.value - found.low, right.value - right.low):
        return ""
    return f"sensitivity + specificity - 1 is {youden:.2f}, not above 0 beyond chance"


def _below(what: str, found: Estimate, target: float, films: int, kind: str) -> str:
    if found.low >= target:
        return ""
    needed = films_needed(target)
    if films < needed:
        return f"too few {kind} films: {films}, at least {needed} are needed to show {target:.0%} {what}"
    return f"{what} is {found}; the lower bound is below {target:.0%}"


def films_needed(target: float) -> int:
    """Fewest films whose share can have a lower bound of that target, should all of them be right."""
    z = normal_quantile(CONFIDENCE)
    return int(np.ceil(target * z * z / (1 - target)))
