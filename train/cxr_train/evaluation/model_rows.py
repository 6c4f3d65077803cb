"""Models as the rows of one table, by the figures that a default model is chosen by.

python -m cxr_train.evaluation.model_rows EVALUATION.json... [--localisation LOCALISATION.json] [--intervals]

Prints markdown, one row a model of each evaluation; figures of films that an evaluation lacks stay empty.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cxr_calibration.intervals import Estimate
from cxr_train.evaluation.measured_json import read_measured
from cxr_train.evaluation.tables import table, told

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
PLACES = {"pointing": "pointing", "IoU": "overlap"}


def model_rows(evaluations: Sequence[Path], localisation: Path | None = None, intervals: bool = False) -> str:
    """The table as markdown.

    Args:
        evaluations: files that `cxr-triage evaluate` wrote.
        localisation: a file that `cxr-triage explain` wrote.
        intervals: whether every figure has its 95 % interval.

    Raises:
        UsageError: a file cannot be read or is of another kind.
    """
    found: dict[str, dict[tuple[str, str], Estimate]] = {}
    started_from: dict[str, str] = {}
    for row in (row for path in evaluations for row in read_measured(path)["rows"]):
        figures = found.setdefault(row["model"], {})
        started_from[row["model"]] = row["starting_weights"]
        figures |= {(row["group"], name): Estimate(**row["measures"][name]) for name in (AUC, SPECIFICITY)}
    for place in read_measured(localisation) if localisation else []:
        if place["method"] == SHOWN_HEAT and place["model"] in found:
            measured = place["measured"]
            found[place["model"]] |= {("", name): Estimate(**measured[name]) for name in PLACES.values()}
    places = {heading: ("", name) for heading, name in PLACES.items()} if localisation else {}
    columns = COLUMNS | places
    rows = [
        [model, started_from[model], *(_cell(figures.get(key), intervals) for key in columns.values())]
        for model, figures in found.items()
    ]
    return table(["model", "started from", *columns], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table that a command line asks for."""
    parser = argparse.ArgumentParser("cxr_train.evaluation.model_rows", description="Models as rows.")
    parser.add_argument("evaluations", type=Path, nargs="+", metavar="EVALUATION.json")
    parser.add_argument("--localisation", type=Path, metavar="LOCALISATION.json")
    parser.add_argument("--intervals", action="store_true")
    asked = parser.parse_args(arguments)
    print(model_rows(asked.evaluations, asked.localisation, asked.intervals))  # noqa: T201  # its purpose


def _cell(estimate: Estimate | None, interval: bool) -> str:
    if estimate is None:
        return ""
    return told(estimate) if interval else f"{estimate.value:.3f}"


if __name__ == "__main__":
    main()
