"""What a score means, in words: at a clinic's own share of abnormal films, and at the operating point.

A calibration's probability holds where as many films are abnormal as among its own. At another share the
odds change by the ratio of the two (Bayes' rule), if abnormal films, and normal ones, look as they did there:
prior shift (Saerens, Latinne and Decaestecker 2002).
"""

from cxr_runtime.language import _, number, plural
from cxr_runtime.outcome import Outcome
from cxr_runtime.store.rows import RunFacts

EXAMPLE_PREVALENCE = 0.05  # where the clinic has not stated its own
LEAST_SAID, MOST_SAID = 0.01, 0.99  # of a share; beyond, "fewer than 1", "more than 99"


def at_prevalence(probability: float, of_calibration: float, prevalence: float) -> float:
    """The probability of abnormal where another share of films is abnormal.

    Args:
        probability: calibrated, 0..1.
        of_calibration: share of the calibration's films that were abnormal, within 0..1.
        prevalence: share of the films here that are, within 0..1.

    Returns:
        0..1.
    """
    abnormal = probability * prevalence / of_calibration
    normal = (1 - probability) * (1 - prevalence) / (1 - of_calibration)
    return abnormal / (abnormal + normal) if abnormal + normal > 0 else prevalence


def calibration_prevalence(run: RunFacts) -> float | None:
    """Share of the calibration's films that were abnormal; None where it is not known, or says nothing."""
    if not run.is_calibrated or not 0 < run.calibration_abnormal < run.calibration_films:
        return None
    return run.calibration_abnormal / run.calibration_films


def films_like_this(outcome: Outcome, run: RunFacts) -> str:
    """How many of 100 films with such a score are abnormal; "" where nothing can be said of it."""
    of_calibration = calibration_prevalence(run)
    if of_calibration is None or run.foreign or outcome.probability is None:
        return ""
    stated = run.presentation.prevalence
    share = at_prevalence(outcome.probability, of_calibration, stated or EXAMPLE_PREVALENCE)
    return _(
        "Of 100 films with a score like this, {count} are abnormal where {prevalence} of 100 films are.",
        count=_about(share),
        prevalence=of_100(stated or EXAMPLE_PREVALENCE),
    )


def _about(share: float) -> str:
    if share < LEAST_SAID:
        return _("fewer than 1")
    if share > MOST_SAID:
        return _("more than 99")
    return _("about {count}", count=number(100 * share))


def of_100(share: float) -> str:
    """A share as a number of 100, e.g. 8 or 0.5."""
    return number(100 * share, 0 if share >= 0.02 or 100 * share == int(100 * share) else 1)


def finds(run: RunFacts) -> str:
    """The operating point in one sentence."""
    flagged_from = _("Flagged from a score of {score}.", score=number(100 * run.threshold, 2))
    if run.foreign:
        said = _("What was measured of this threshold does not hold for these films.")
    elif run.sensitivity is None or run.specificity is None:
        said = _("How many abnormal films it finds was not measured.")
    else:
        said = _found(run.sensitivity, run.specificity, run) + _of_views(run)
    return f"{flagged_from} {said}"


def _found(sensitivity: float, specificity: float, run: RunFacts) -> str:
    return _(
        "It finds {abnormal} of 100 abnormal films and flags {normal} of 100 normal ones{measured}.",
        abnormal=of_100(sensitivity),
        normal=of_100(1 - specificity),
        measured=_measured_on(run),
    )


def _of_views(run: RunFacts) -> str:
    """The same two numbers of PA and of AP films; "" where they are not known."""
    views = [
        _(
            "{view} {abnormal} found and {normal} flagged",
            view=of.view,
            abnormal=of_100(of.sensitivity),
            normal=of_100(1 - of.specificity),
        )
        for of in run.by_view
    ]
    return " " + _("By view: {views}.", views=_(", ").join(views)) if views else ""


def _measured_on(run: RunFacts) -> str:
    if not run.calibration_films:
        return ""
    films = plural("{count} film", "{count} films", run.calibration_films)
    return _(", measured on {films}", films=films)


def explanation(run: RunFacts) -> tuple[str, ...]:
    """What a reader must know to understand the numbers, a paragraph each."""
    of_calibration = calibration_prevalence(run)
    threshold = number(100 * run.threshold, 2)
    if of_calibration is None:
        return (
            _(
                "Scores rank films: the higher, the more suspicious. Compare a score with the threshold, "
                "{threshold}, not with 50.",
                threshold=threshold,
            ),
        )
    paragraphs = [
        _(
            "A score is a probability in per cent, among films like those of the calibration: {abnormal} of "
            "100 were abnormal there. Where few films are abnormal, scores are low, and a low score can be "
            "suspicious: compare it with the threshold, {threshold}, not with 50.",
            abnormal=of_100(of_calibration),
            threshold=threshold,
        )
    ]
    if run.foreign:
        return (*paragraphs, _("These films are unlike those of the calibration: use their order alone."))
    stated = run.presentation.prevalence
    if stated is None:
        paragraphs.append(
            _(
                "Numbers of 100 films are given for {prevalence} abnormal films in 100, as an example: this "
                "clinic has not stated its own share (--prevalence).",
                prevalence=of_100(EXAMPLE_PREVALENCE),
            )
        )
    else:
        paragraphs.append(
            _(
                "Numbers of 100 films are given for {prevalence} abnormal films in 100, as stated for this "
                "clinic.",
                prevalence=of_100(stated),
            )
        )
    paragraphs.append(
        _(
            "They hold if abnormal films, and normal films, look here as they did in the calibration. They "
            "are a guide, not a measurement."
        )
    )
    return tuple(paragraphs)
