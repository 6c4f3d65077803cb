"""The sentences that the worklist and the PDF share, so that they say the same."""

from collections.abc import Sequence

from cxr_runtime.identity import Identity
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.store.rows import RunFacts

MOST_FOLDERS = 5  # of results that are named; the others are counted
LUNG_HEAT_LEAST = 0.5  # a flagged film with less of its heat than this inside the lungs is marked

RESEARCH_NOTICE = (
    "Research use only. This list ranks films by suspicion; it never clears one. "
    "A film that is not flagged can be abnormal: every film needs a reader."
)
NOT_FOR_DIAGNOSIS = "Research use only, not for diagnosis"  # in and on every DICOM result
HEAT_NOTICE = (
    "Colour shows where the network found what raised the score, from blue (weak) to red (strong). "
    "Below the threshold nothing is coloured. Colour does not outline a finding, and it is not a diagnosis: "
    "disease can also lie where there is no colour."
)
UNCALIBRATED_NOTICE = (
    "NOT CALIBRATED: scores are the network's raw output. They rank films, but they are not probabilities, "
    "and the threshold is untested."
)
OUTSIDE_LUNGS = "heat lies outside the lungs"


def refused_results(count: int) -> str:
    """What to say of results that archives have refused for good."""
    results = "1 result was" if count == 1 else f"{count} results were"
    return f"{results} refused by an archive for good: `cxr-triage send DIR --status` says which, and why."


def is_heat_outside_lungs(outcome: Outcome) -> bool:
    """Whether a flagged film's heat lies mostly outside the lungs: the network looked at the wrong thing."""
    share = outcome.lung_heat_share
    return outcome.triage is Triage.FLAGGED and share is not None and share < LUNG_HEAT_LEAST


def heat_in_lungs(outcome: Outcome) -> str:
    """How much of the coloured heat lies in the lungs; "" where that is not known, or a remark says it."""
    share = outcome.lung_heat_share
    return "" if share is None or is_heat_outside_lungs(outcome) else f"{share:.0%} of the heat in the lungs"


def result_word(outcome: Outcome) -> str:
    """How the film ended, in a word or two."""
    if outcome.status is not Status.SCORED:
        return outcome.status.value.capitalize()
    words = {Triage.FLAGGED: "Flagged", Triage.REVIEW: "Review", Triage.NOT_FLAGGED: "Not flagged"}
    return "Scored" if outcome.triage is None else words[outcome.triage]


def remarks(outcome: Outcome) -> tuple[str, ...]:
    """What else a reader must know of this film; printable, without a full stop of our own."""
    said = []
    if is_heat_outside_lungs(outcome):
        said.append(f"{OUTSIDE_LUNGS} ({outcome.lung_heat_share:.0%} within)")
    if outcome.message or outcome.code:
        said.append(": ".join(printable(part) for part in (outcome.code, outcome.message) if part))
    return tuple(said)


def owner(identity: Identity) -> tuple[str, ...]:
    """Whose film it is, as far as that is kept."""
    said = (
        ("", identity.name),
        ("ID ", identity.patient),
        ("born ", identity.born),
        ("study of ", identity.studied),
        ("accession ", identity.accession),
    )
    return tuple(word + value for word, value in said if value)


def finished(run: RunFacts) -> str:
    """When the run ended, e.g. 2026-11-23 21:40 (UTC+01:00)."""
    return f"{run.finished:%Y-%m-%d %H:%M} ({run.finished.tzname() or 'local time'})"


def model(run: RunFacts) -> str:
    """The model's name, and where it comes from, unless it came with the program."""
    return "; ".join((run.model, *run.model_remarks))


def operating_point(run: RunFacts) -> str:
    """The operating point with its measured sensitivity and specificity."""
    flagged_at = f"{run.operating_point}: flagged at a score of {100 * run.threshold:.2f} or more"
    measured = [
        f"{name} {value:.0%}"
        for name, value in (("sensitivity", run.sensitivity), ("specificity", run.specificity))
        if value is not None
    ]
    unmet = "" if run.is_met else "; NOT MET: the calibration did not support what this point promises"
    if run.foreign:
        return f"{flagged_at}; what was measured of it does not hold for these films{unmet}"
    if not measured:
        return f"{flagged_at}; its sensitivity and specificity were not measured{unmet}"
    return f"{flagged_at}; {', '.join(measured)} (cross-validated){unmet}"


def likeness(run: RunFacts) -> str:
    """Whether the films are like those of the calibration, where nothing says it in larger letters."""
    return "" if run.foreign else run.likeness


def passed_over(run: RunFacts) -> str:
    """How many files and folders were not searched for films, and why; "" if there were none."""
    said = []
    if run.passed_over:
        files, their = (f"{run.passed_over:,} files", "their names are not those of films")
        if run.passed_over == 1:
            files, their = "1 file", "its name is not that of a film"
        said.append(f"{files} passed over: {their}")
    if run.results:
        said.append(folders_of_results(run.results))
    return "; ".join(said)


def folders_of_results(folders: Sequence[str]) -> str:
    """How many folders of results were not searched, and their names."""
    shown = ", ".join(folders[:MOST_FOLDERS])
    more = f" and {len(folders) - MOST_FOLDERS:,} more" if len(folders) > MOST_FOLDERS else ""
    count = "1 folder" if len(folders) == 1 else f"{len(folders):,} folders"
    return f"{count} of results passed over: {shown}{more}"
