"""The sentences that the worklist and the PDF share, so that they say the same, in the reader's language."""

from collections.abc import Sequence
from datetime import datetime

from cxr_runtime.heat.zones import Region
from cxr_runtime.identity import Identity
from cxr_runtime.language import _, day, later, number, percent, plural, spoken
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.presentation import Colours
from cxr_runtime.reports.exhibit import Picture, Tally, is_heat_outside_lungs
from cxr_runtime.reports.stored_sentences import translated
from cxr_runtime.store.rows import RunFacts

_LEFT_TO_RIGHT = "\u200e"  # an unseen mark (UAX #9)
MOST_FOLDERS = 5  # of results that are named; the others are counted

# In English; whoever shows them translates them.
RESEARCH_NOTICE = later(
    "Research use only. This list ranks films by suspicion; it never clears one. "
    "A film that is not flagged can be abnormal: every film needs a reader."
)
NOT_FOR_DIAGNOSIS = later("Research use only, not for diagnosis")  # in and on every DICOM result
UNCALIBRATED_NOTICE = later(
    "NOT CALIBRATED: scores are the network's raw output. They rank films, but they are not probabilities, "
    "and the threshold is untested."
)
OUTSIDE_LUNGS = later("heat lies outside the lungs")

REGIONS = {
    Region.RIGHT_APEX: later("right apex"),
    Region.RIGHT_UPPER: later("right upper zone"),
    Region.RIGHT_MIDDLE: later("right middle zone"),
    Region.RIGHT_LOWER: later("right lower zone"),
    Region.RIGHT_HILUM: later("right hilum"),
    Region.RIGHT_HEART: later("right heart border"),
    Region.RIGHT_ANGLE: later("right costophrenic angle"),
    Region.LEFT_APEX: later("left apex"),
    Region.LEFT_UPPER: later("left upper zone"),
    Region.LEFT_MIDDLE: later("left middle zone"),
    Region.LEFT_LOWER: later("left lower zone"),
    Region.LEFT_HILUM: later("left hilum"),
    Region.LEFT_HEART: later("left heart border"),
    Region.LEFT_ANGLE: later("left costophrenic angle"),
    Region.BETWEEN: later("between the lungs"),
    Region.OUTSIDE: later("outside the lungs"),
}
RESULT_WORDS = {
    Triage.FLAGGED: later("Flagged"),
    Triage.REVIEW: later("Review"),
    Triage.NOT_FLAGGED: later("Not flagged"),
    Status.SCORED: later("Scored"),
    Status.REJECTED: later("Rejected"),
    Status.FAILED: later("Failed"),
}


def heat_notice(run: RunFacts) -> str:
    """What colours, lines and the ring mean, and what they do not."""
    is_jet = run.presentation.colours is Colours.JET
    return _(
        "Colour shows where the network found what raised the score, from {weakest} (weak) to {strongest} "
        "(strong). Lines are heavier where heat is stronger; a ring marks the strongest. Below the threshold "
        "nothing is coloured. Colour does not outline a finding, and it is not a diagnosis: disease can also "
        "lie where there is no colour.",
        weakest=_("blue") if is_jet else _("dark violet"),
        strongest=_("red") if is_jet else _("bright yellow"),
    )


def where_heat_lies(picture: Picture | None) -> str:
    """The regions in which the heat lies, in words; "" where there is none, or the lungs are not known."""
    regions = () if picture is None else picture.regions
    # Translators: stands between the parts of a list.
    return _(", ").join(_(REGIONS[region]) for region in regions)


def refused_results(count: int) -> str:
    """What to say of results that archives have refused for good."""
    return plural(
        "{count} result was refused by an archive for good; `cxr-triage send DIR --status` says why.",
        "{count} results were refused by an archive for good; `cxr-triage send DIR --status` says why.",
        count,
    )


def heat_in_lungs(outcome: Outcome) -> str:
    """How much of the coloured heat lies in the lungs; "" where that is not known, or a remark says it."""
    share = outcome.lung_heat_share
    if share is None or is_heat_outside_lungs(outcome):
        return ""
    return _("{share} of the heat in the lungs", share=percent(share))


def result_word(outcome: Outcome) -> str:
    """How the film ended, in a word or two."""
    return _(RESULT_WORDS[outcome.triage or outcome.status])


def view_word(outcome: Outcome) -> str:
    """How the film was taken, where that is known."""
    return _("view {view}", view=outcome.view) if outcome.view else ""


def remarks(outcome: Outcome) -> tuple[str, ...]:
    """What else a reader must know of this film; printable, without a full stop of our own."""
    said = []
    if is_heat_outside_lungs(outcome):
        within = percent(outcome.lung_heat_share or 0)
        said.append(_("{heat} ({share} within)", heat=_(OUTSIDE_LUNGS), share=within))
    if outcome.message or outcome.code:
        reason = translated(printable(outcome.message))
        said.append(": ".join(part for part in (printable(outcome.code), reason) if part))
    return tuple(said)


def owner(identity: Identity) -> tuple[str, ...]:
    """Whose film it is, as far as that is kept."""
    issued = f"{identity.patient} ({identity.issuer})" if identity.issuer else identity.patient
    said = (
        (_("ID {value}"), issued),
        (_("born {value}"), _written(identity.born)),
        (_("study of {value}"), _written(identity.studied)),
        (_("accession {value}"), identity.accession),
    )
    facts = tuple(form.replace("{value}", left_to_right(value)) for form, value in said if value)
    return (identity.name, *facts) if identity.name else facts


def _written(date: str) -> str:
    """A whole date as the language writes it; what is no whole date stays as it is."""
    try:
        return day(datetime.fromisoformat(date))
    except ValueError:
        return date


def left_to_right(text: str) -> str:
    """Keeps the order of a text such as 10-7, which would be shown as 7-10 after an Arabic word."""
    mark = _LEFT_TO_RIGHT if spoken().is_right_to_left else ""
    return f"{mark}{text}{mark}"


def moment(at: datetime) -> str:
    """A date and time, e.g. 2026-11-23 21:40 (UTC+01:00)."""
    zone = at.tzname() or _("local time")
    return _("{day} {time} ({zone})", day=day(at), time=at.strftime("%H:%M"), zone=zone)


def finished(run: RunFacts) -> str:
    """When the run ended."""
    return moment(run.finished)


def model(run: RunFacts) -> str:
    """The model's name, and where it comes from, unless it came with the program."""
    return _("; ").join((run.model, *map(translated, run.model_remarks)))


def operating_point(run: RunFacts) -> str:
    """The operating point with its measured sensitivity and specificity."""
    flagged_at = _(
        "{name}: flagged at a score of {score} or more",
        name=run.operating_point,
        score=number(100 * run.threshold, 2),
    )
    unmet = _("NOT MET: the calibration did not support what this point promises")
    measured = [
        form.format(share=percent(value))
        for form, value in (
            (_("sensitivity {share}"), run.sensitivity),
            (_("specificity {share}"), run.specificity),
        )
        if value is not None
    ]
    if run.foreign:
        said = _("what was measured of it does not hold for these films")
    elif measured:
        said = _("{measured} (cross-validated)", measured=_(", ").join(measured))
    else:
        said = _("its sensitivity and specificity were not measured")
    return _("; ").join((flagged_at, said) if run.is_met else (flagged_at, said, unmet))


def technical(run: RunFacts, counts: Tally) -> tuple[tuple[str, str], ...]:
    """What a reader does not need, and who looks after the program does: names and values."""
    outside = _(
        "{heat} on {count} of the {flagged} flagged",
        heat=_(OUTSIDE_LUNGS),
        count=number(counts.outside_lungs),
        flagged=number(counts.flagged),
    )
    facts = (
        (_("Operating point"), operating_point(run)),
        (_("Calibration"), translated(run.calibration)),
        (_("Films"), likeness(run)),
        (_("Model"), model(run)),
        (_("Model sha256"), run.model_sha256),
        (_("Weights"), run.licence),
        (_("Backend"), run.backend),
        (_("Sandbox"), run.sandbox),
        (
            _("Heat map"),
            _(
                "{method}, coloured from {threshold}",
                method=run.heat_method,
                threshold=number(run.heat_threshold, 2),
            ),
        ),
        (_("Inputs"), _(", ").join(run.inputs)),
        (_("Other files"), passed_over(run)),
        (_("Note"), outside if counts.outside_lungs else ""),
        (_("Program"), run.product),
    )
    return tuple((name, value) for name, value in facts if value)


def likeness(run: RunFacts) -> str:
    """Whether the films are like those of the calibration, where nothing says it in larger letters."""
    return "" if run.foreign else translated(run.likeness)


def alarms(run: RunFacts) -> tuple[str, ...]:
    """What is said in large letters on every page."""
    uncalibrated = () if run.is_calibrated else (_(UNCALIBRATED_NOTICE),)
    return (*uncalibrated, *((translated(run.foreign),) if run.foreign else ()))


def passed_over(run: RunFacts) -> str:
    """How many files and folders were not searched for films, and why; "" if there were none."""
    said = []
    if run.passed_over:
        said.append(
            plural(
                "{count} file passed over: its name is not that of a film",
                "{count} files passed over: their names are not those of films",
                run.passed_over,
            )
        )
    if run.results:
        said.append(folders_of_results(run.results))
    if run.seen:
        said.append(
            plural(
                "{count} film of an earlier day left out: its row is in the folder of that day",
                "{count} films of earlier days left out: their rows are in the folders of those days",
                run.seen,
            )
        )
    return _("; ").join(said)


def folders_of_results(folders: Sequence[str]) -> str:
    """How many folders of results were not searched, and their names."""
    shown = _(", ").join(folders[:MOST_FOLDERS])
    if len(folders) > MOST_FOLDERS:
        shown = _("{names} and {count} more", names=shown, count=number(len(folders) - MOST_FOLDERS))
    return plural(
        "{count} folder of results passed over: {names}",
        "{count} folders of results passed over: {names}",
        len(folders),
        names=shown,
    )
