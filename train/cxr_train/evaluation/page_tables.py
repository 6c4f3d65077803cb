"""Tables for pages: how well one model does and where its heat lies, and many models as rows."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.markdown import markdown_table
from cxr_train.evaluation.results import read_measured
from cxr_train.evaluation.tables import told, with_table
from cxr_train.loop.starting_weights import origin

GROUPS = {
    "site NIH": "NIH: `Normal` against all others",
    "Normal or Lung Opacity": "NIH: `Normal` against `Lung Opacity`",
    "Normal or No Lung Opacity / Not Normal": "NIH: `Normal` against `No Lung Opacity / Not Normal`",
    "view PA": "NIH, PA films alone",
    "view AP": "NIH, AP films alone",
    "Normal or Lung Opacity, PA": "NIH, PA films alone: `Normal` against `Lung Opacity`",
    "Normal or Lung Opacity, AP": "NIH, AP films alone: `Normal` against `Lung Opacity`",
    "site Kermany (Guangzhou, children)": "Guangzhou, children: normal against pneumonia",
}
PLACES = {
    "pointing": "pointing game",
    "overlap": "IoU",
    "share": "share of heat in boxes",
    "coloured": "IoU of colour",
    "red_in_box": "red in a box",
}
HEATS = {
    "chance": "chance",
    "centre blob": "a blob in the middle of the film",
    "cam": "as shown in a scan",
    "cam-without-prior": "the same without its location prior",
    "prior-alone": "the location prior alone, blind to the film but for its lungs",
    "grad-cam": "Grad-CAM",
    "occlusion": "occlusion",
    "strongest-channel": "the strongest channel",
}
STARTED_FROM = "started from"
AUC, SPECIFICITY = "auc", "specificity_at_90"
COLUMNS = {
    "Normal/rest": ("site NIH", AUC),
    "PA": ("view PA", AUC),
    "AP": ("view AP", AUC),
    "Normal/Opacity": ("Normal or Lung Opacity", AUC),
    "spec. at 90 %": ("site NIH", SPECIFICITY),
    "Shenzhen": ("site Shenzhen", AUC),
}  # heading -> group and measure
SHOWN_HEAT = "cam"  # the method of localisation that a scan shows
ROW_PLACES = {"pointing": "pointing", "IoU": "overlap"}
MEASURED = (AUC, SPECIFICITY, *ROW_PLACES.values())  # differences always have their intervals


def accuracy_table(evaluation: Path) -> str:
    """One row a group of films that the evaluation has.

    Raises:
        UsageError: the file cannot be read.
    """
    measured = {row["group"]: row for row in read_measured(evaluation)["rows"]}
    rows = [
        [name, origin(row["starting_weights"]), *_counts(found), *_told(found, "auc", "specificity_at_90")]
        for group, name in GROUPS.items()
        if (row := measured.get(group)) and (found := row["measures"])
    ]
    return markdown_table(
        ["films", STARTED_FROM, "n", "abnormal", "AUC", "specificity at 90 % sensitivity"], rows
    )


def heat_table(localisation: Path) -> str:
    """One row a kind of heat that was measured.

    Raises:
        UsageError: the file cannot be read.
    """
    measured = {place["method"]: place for place in read_measured(localisation)}
    rows = [
        [name, origin(place["starting_weights"]), *_told(place["measured"], *PLACES)]
        for method, name in HEATS.items()
        if (place := measured.get(method))
    ]
    return markdown_table(["heat", STARTED_FROM, *PLACES.values()], rows)


def card_tables(evaluation: Path, localisation: Path, pages: Sequence[Path] = ()) -> str:
    """The two tables of a model's card as markdown, also put in the place of those on pages.

    Args:
        evaluation: a file that `cxr-triage evaluate` wrote of one model.
        localisation: a file that `cxr-triage explain` wrote of it.
        pages: markdown with tables that have the same heads.

    Raises:
        UsageError: a file cannot be read, or a page has no such table.
    """
    tables = [accuracy_table(evaluation), heat_table(localisation)]
    for page in pages:
        write_bytes(page, reduce(with_table, tables, page.read_text(encoding="utf-8")).encode())
    return "\n\n".join(tables)


def model_rows(
    evaluations: Sequence[Path],
    localisation: Path | None = None,
    intervals: bool = False,
    against: str | None = None,
) -> str:
    """The table as markdown.

    Args:
        evaluations: files that `cxr-triage evaluate` wrote.
        localisation: a file that `cxr-triage explain` wrote.
        intervals: whether every figure has its 95 % interval.
        against: a model whose AUC is taken from every other's, film by film (DeLong).

    Raises:
        UsageError: a file cannot be read or is of another kind, or has no model `against`.
    """
    found: dict[str, dict[tuple[str, str], Estimate]] = {}
    started_from: dict[str, str] = {}
    for row in (row for path in evaluations for row in read_measured(path)["rows"]):
        figures = found.setdefault(row["model"], {})
        started_from[row["model"]] = origin(row["starting_weights"])
        figures |= {(row["group"], name): Estimate(**row["measures"][name]) for name in (AUC, SPECIFICITY)}
    for place in read_measured(localisation) if localisation else []:
        if place["method"] == SHOWN_HEAT and place["model"] in found:
            measured = place["measured"]
            found[place["model"]] |= {("", name): Estimate(**measured[name]) for name in ROW_PLACES.values()}
    columns = dict(COLUMNS)
    if localisation:
        columns |= {heading: ("", name) for heading, name in ROW_PLACES.items()}
    for path in evaluations if against else ():
        heading = f"AUC above {against}, {', '.join(read_measured(path)['data_sets'])}"
        columns[heading] = ("", heading)
        for model, difference in _above(path, str(against)).items():
            found[model][columns[heading]] = difference
    rows = [
        [
            model,
            started_from[model],
            *(_cell(figures.get(key), intervals or key[1] not in MEASURED) for key in columns.values()),
        ]
        for model, figures in found.items()
    ]
    return markdown_table(["model", STARTED_FROM, *columns], rows)


def _counts(measures: dict[str, int]) -> tuple[str, str]:
    return str(measures["films"]), str(measures["abnormal"])


def _told(measures: dict[str, dict[str, float] | None], *names: str) -> list[str]:
    found = [measures.get(name) for name in names]
    return ["-" if figure is None else told(Estimate(**figure)) for figure in found]


def _above(evaluation: Path, against: str) -> dict[str, Estimate]:
    """How far the AUC of every other model is above one model's, over all films of an evaluation."""
    above = {}
    for pair in read_measured(evaluation)["comparisons"]:
        stated = Estimate(**pair["auc"]["difference"])
        if pair["second"] == against:
            above[pair["first"]] = stated
        elif pair["first"] == against:
            above[pair["second"]] = Estimate(-stated.value, -stated.high, -stated.low)
    if not above:
        raise UsageError(f"{evaluation} compares no model with {against}; evaluate them together")
    return above


def _cell(estimate: Estimate | None, interval: bool) -> str:
    if estimate is None:
        return ""
    return told(estimate) if interval else f"{estimate.value:.3f}"
