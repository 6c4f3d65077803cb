"""Models as the rows of one table, by the figures that a default model is chosen by.

python -m cxr_train.evaluation.model_rows EVALUATION.json... [--localisation LOCALISATION.json] [--intervals]
    [--against MODEL]

Prints markdown, one row a model of each evaluation; figures of films that an evaluation lacks stay empty.
With --against, a row says how far its AUC on all films of each evaluation is above that of the model named.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cxr_calibration.intervals import Estimate
from cxr_runtime.errors import UsageError
from cxr_runtime.program import run_program
from cxr_train.evaluation.measured_json import read_measured
from cxr_train.evaluation.tables import table, told
from cxr_train.published import origin

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
MEASURED = (AUC, SPECIFICITY, *PLACES.values())  # differences always have their intervals


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
            found[place["model"]] |= {("", name): Estimate(**measured[name]) for name in PLACES.values()}
    columns = dict(COLUMNS)
    if localisation:
        columns |= {heading: ("", name) for heading, name in PLACES.items()}
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
    return table(["model", "started from", *columns], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table that a command line asks for."""
    parser = argparse.ArgumentParser("cxr_train.evaluation.model_rows", description="Models as rows.")
    parser.add_argument("evaluations", type=Path, nargs="+", metavar="EVALUATION.json")
    parser.add_argument("--localisation", type=Path, metavar="LOCALISATION.json")
    parser.add_argument("--intervals", action="store_true")
    parser.add_argument("--against", metavar="MODEL")
    asked = parser.parse_args(arguments)
    print(model_rows(asked.evaluations, asked.localisation, asked.intervals, asked.against))  # noqa: T201  # its purpose


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


if __name__ == "__main__":
    run_program(main)
