"""The tables of a model's card: how well it does, and where its heat lies.

python -m cxr_train.evaluation.card_tables EVALUATION.json LOCALISATION.json [PAGE.md ...]

Prints markdown of what `cxr-triage evaluate` and `cxr-triage explain` measured of one model, and puts it in
the place of the tables with the same heads on the pages.
"""

import argparse
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from cxr_calibration.intervals import Estimate
from cxr_runtime.atomic import write_bytes
from cxr_runtime.program import run_program
from cxr_train.evaluation.measured_json import read_measured
from cxr_train.evaluation.tables import table, told, with_table
from cxr_train.published import origin

GROUPS = {
    "site NIH": "NIH: `Normal` against all others",
    "Normal or Lung Opacity": "NIH: `Normal` against `Lung Opacity`",
    "Normal or No Lung Opacity / Not Normal": "NIH: `Normal` against `No Lung Opacity / Not Normal`",
    "view PA": "NIH, PA films alone",
    "view AP": "NIH, AP films alone",
    "Normal or Lung Opacity, PA": "NIH, PA films alone: `Normal` against `Lung Opacity`",
    "Normal or Lung Opacity, AP": "NIH, AP films alone: `Normal` against `Lung Opacity`",
    "site Shenzhen": "Shenzhen: normal against tuberculosis",
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
    return table(["films", STARTED_FROM, "n", "abnormal", "AUC", "specificity at 90 % sensitivity"], rows)


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
    return table(["heat", STARTED_FROM, *PLACES.values()], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables that a command line asks for.

    Raises:
        UsageError: a file cannot be read, or a page has no such table.
    """
    parser = argparse.ArgumentParser("cxr_train.evaluation.card_tables", description="Tables of a card.")
    parser.add_argument("evaluation", type=Path, metavar="EVALUATION.json")
    parser.add_argument("localisation", type=Path, metavar="LOCALISATION.json")
    parser.add_argument("pages", type=Path, nargs="*", metavar="PAGE.md")
    asked = parser.parse_args(arguments)
    tables = [accuracy_table(asked.evaluation), heat_table(asked.localisation)]
    print("\n\n".join(tables))  # noqa: T201
    for page in asked.pages:
        write_bytes(page, reduce(with_table, tables, page.read_text(encoding="utf-8")).encode())


def _counts(measures: dict[str, int]) -> tuple[str, str]:
    return str(measures["films"]), str(measures["abnormal"])


def _told(measures: dict[str, dict[str, float] | None], *names: str) -> list[str]:
    found = [measures.get(name) for name in names]
    return ["-" if figure is None else told(Estimate(**figure)) for figure in found]


if __name__ == "__main__":
    run_program(main)
