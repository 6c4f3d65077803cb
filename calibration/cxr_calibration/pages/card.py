"""The sections of a model's card that a calibration fills: its probabilities and its operating points."""

import re

from cxr_calibration.fit.description import Description, Quality
from cxr_calibration.fit.operating_points import AtPrevalence, MeasuredPoint
from cxr_calibration.statistics.intervals import percent, percent_interval
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.calibration import ProbabilityMap

FILMS = 1000  # that the card speaks of
RENAMED = (
    "\n## What it would buy\n",
    "\n## Operating points\n",
)  # a heading of older cards, and its name now


def card_sections(description: Description, films_named: str) -> str:
    """Markdown: how good the probabilities are, the operating points, and what each means for 1000 films.

    Args:
        description: from `fit_and_describe`.
        films_named: where the films come from, one line.
    """
    blocks = [*_calibration(description, films_named), *_operating_points(description, films_named)]
    return "\n\n".join(blocks) + "\n"


def with_sections(card: str, sections: str) -> str:
    """A card with its sections of the same headings replaced, and new ones at its end.

    Args:
        card: markdown with headings of two #.
        sections: likewise, nothing before the first heading.
    """
    card = card.replace(*RENAMED)
    for section in re.findall(r"^## .*?(?=^## |\Z)", sections, re.MULTILINE | re.DOTALL):
        heading, whole = section.split("\n", 1)[0], section.strip() + "\n"
        old = re.search(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", card, re.MULTILINE | re.DOTALL)
        if old is None:
            card = f"{card.rstrip()}\n\n{whole}"
        else:
            rest = card[old.end() :]
            card = card[: old.start()] + whole + (f"\n{rest}" if rest else "")
    return card


def _calibration(description: Description, films_named: str) -> list[str]:
    share = description.abnormal / description.films
    text = (
        f"Fitted on {description.films} films of {description.patients} patients ({films_named}), measured "
        f"by cross-validation. The map, by its log loss: {_map(description.choice.chosen)}. A probability is "
        f"that of these films, of which {percent(share)} are abnormal: in a clinic read it as a score, and "
        "set thresholds on your own films with `cxr-triage calibrate`."
    )
    qualities = [
        _quality_row("bare softmax", description.before),
        _quality_row("calibrated", description.after),
    ]
    bins = [
        [str(part.films), percent(part.probability), percent_interval(part.abnormal)]
        for part in description.reliability
    ]
    return [
        "## Calibration",
        text,
        markdown_table(["probabilities", "Brier score", "ECE", "log loss"], qualities),
        markdown_table(["films", "probability said", "found abnormal"], bins),
    ]


def _operating_points(description: Description, films_named: str) -> list[str]:
    normal = description.films - description.abnormal
    text = (
        f"Measured by cross-validation on {description.films} films of {description.patients} patients "
        f"({description.abnormal} abnormal, {normal} normal; {films_named}), never on a film that the map or "
        f"the threshold was fitted on. AUC {description.auc}. Intervals are 95 %, films of one patient "
        f"counted together.{_beside(description)}"
    )
    points = [_point_row(point, description.default) for point in description.points]
    thousands = [_films_row(point, at) for point in description.points for at in point.at_prevalence]
    return [
        "## Operating points",
        text,
        markdown_table(["operating point", "score", "sensitivity", "specificity", "target met"], points),
        f"Of {FILMS} films:",
        markdown_table(
            ["operating point", "abnormal", "flagged", "found", "missed", "PPV", "NPV"], thousands
        ),
        *_by_subgroup(description),
        *(f"Warning: {warning}." for warning in description.subgroups.warnings),
    ]


def _beside(description: Description) -> str:
    """What is said where sensitivity and specificity are founded on more films."""
    if not description.beside:
        return ""
    return (
        " Sensitivity, specificity, PPV and NPV are corrected for how hard these films are: another network, "
        "which has not seen the patients either, scored many "
        f"of them and {description.beside} others. Whether a target is met was judged before."
    )


def _by_subgroup(description: Description) -> list[str]:
    """A row a level of view, sex, age group and site, where any were stated."""
    rows = [
        [
            f"{group.variable} {group.level or 'not stated'}",
            str(group.films),
            str(group.abnormal),
            percent_interval(group.sensitivity),
            percent_interval(group.specificity),
        ]
        for group in description.subgroups.subgroups
    ]
    head = [f"at {description.default}", "films", "abnormal", "sensitivity", "specificity"]
    return [markdown_table(head, rows)] if rows else []


def _map(fitted: ProbabilityMap) -> str:
    return {
        "temperature": f"temperature {fitted.temperature:.2f}",
        "platt": f"Platt's line (slope {fitted.slope:.2f}, intercept {fitted.intercept:.2f})",
        "isotonic": f"isotonic regression ({len(fitted.knots)} knots)",
    }[fitted.method]


def _quality_row(name: str, quality: Quality) -> list[str]:
    numbers = (quality.brier, quality.calibration_error, quality.log_loss)
    return [name, *(f"{number:.3f}" for number in numbers)]


def _point_row(point: MeasuredPoint, default: str) -> list[str]:
    name = f"{point.name} (default)" if point.name == default else point.name
    met = "yes" if point.met else f"no: {point.shortfall}"
    shares = (point.sensitivity, point.specificity)
    return [name, f"{100 * point.threshold:.1f}", *map(percent_interval, shares), met]


def _films_row(point: MeasuredPoint, at: AtPrevalence) -> list[str]:
    abnormal, flagged = FILMS * at.prevalence, FILMS * at.flagged_share
    found = abnormal * point.sensitivity.value
    return [
        point.name,
        f"{percent(at.prevalence)} = {abnormal:.0f}",
        f"{flagged:.0f}",
        f"{found:.1f}",
        f"{abnormal - found:.1f}",
        percent_interval(at.ppv),
        percent_interval(at.npv),
    ]
