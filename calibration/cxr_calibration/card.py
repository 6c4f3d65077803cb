"""The part of a model's card that says what its operating points buy."""

from cxr_calibration.description import Description
from cxr_calibration.operating_points import AtPrevalence, MeasuredPoint
from cxr_calibration.percent import percent, percent_interval

FILMS = 1000  # that the card speaks of


def card_section(description: Description, films_named: str) -> str:
    """Markdown: the operating points, and what each would buy at the stated prevalences.

    Args:
        description: from `fit_and_describe`.
        films_named: where the films come from, one line.
    """
    normal = description.films - description.abnormal
    lines = [
        "## What it would buy",
        "",
        f"Measured by cross-validation on {description.films} films of {description.patients} patients "
        f"({description.abnormal} abnormal, {normal} normal; {films_named}), never on a film that the map or "
        f"the threshold was fitted on. AUC {description.auc}. Intervals are 95 %, films of one patient "
        "counted together.",
        "",
        "| operating point | score | sensitivity | specificity | target met |",
        "|---|---|---|---|---|",
        *(_point_row(point, description.default) for point in description.points),
        "",
        f"Of {FILMS} films:",
        "",
        "| operating point | abnormal | flagged | found | missed | PPV | NPV |",
        "|---|---|---|---|---|---|---|",
        *(_buys_row(point, at) for point in description.points for at in point.at_prevalence),
        "",
        *(f"Warning: {warning}.\n" for warning in description.subgroups.warnings),
    ]
    return "\n".join(lines)


def _point_row(point: MeasuredPoint, default: str) -> str:
    name = f"{point.name} (default)" if point.name == default else point.name
    met = "yes" if point.met else f"no: {point.shortfall}"
    shares = f"{percent_interval(point.sensitivity)} | {percent_interval(point.specificity)}"
    return f"| {name} | {100 * point.threshold:.1f} | {shares} | {met} |"


def _buys_row(point: MeasuredPoint, at: AtPrevalence) -> str:
    abnormal, flagged = FILMS * at.prevalence, FILMS * at.flagged_share
    found = abnormal * point.sensitivity.value
    counts = (
        f"{percent(at.prevalence)} = {abnormal:.0f} | {flagged:.0f} | {found:.1f} | {abnormal - found:.1f}"
    )
    return f"| {point.name} | {counts} | {percent_interval(at.ppv)} | {percent_interval(at.npv)} |"
