"""An evaluation as markdown."""

import re
from math import isnan

from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.errors import UsageError
from cxr_runtime.markdown import markdown_table
from cxr_train.evaluation.cost import Cost
from cxr_train.evaluation.measures import OVERALL
from cxr_train.evaluation.results import Evaluation, Row

HEADINGS = {
    "auc": "AUC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "accuracy": "accuracy",
    "f1": "F1",
    "mcc": "MCC",
    "brier": "Brier",
    "specificity_at_90": "specificity at 90 % sensitivity",
    "specificity_at_95": "specificity at 95 % sensitivity",
}


def as_markdown(evaluation: Evaluation) -> str:
    """Three tables: models side by side on all films, the same by group, and AUCs compared in pairs."""
    overall = [row for row in evaluation.rows if row.group == OVERALL]
    first = overall[0].measures
    parts = [
        f"# Evaluation on {', '.join(evaluation.data_sets)}",
        f"{first.films} films that no model has seen, {first.abnormal} abnormal (truth: "
        f"{', '.join(evaluation.truth)}); threshold {evaluation.threshold:g}; 95 % intervals by patient "
        "(Wilson for shares of films, bootstrap for the rest).",
        *([f"{evaluation.absent} films of the tables are not there."] if evaluation.absent else []),
        _models(overall, evaluation.costs),
        "## By group",
        _groups([row for row in evaluation.rows if row.group != OVERALL]),
    ]
    if evaluation.comparisons:
        parts += ["## AUCs compared (DeLong, by patient)", _comparisons(evaluation)]
    return "\n\n".join(parts) + "\n"


def with_table(page: str, new: str) -> str:
    """A markdown page with the table that has the new one's heads replaced.

    Raises:
        UsageError: the page has none, or several.
    """
    heads = new.splitlines()[0]
    old = rf"^{re.escape(heads)}\n(?:\|.*\n?)*"
    found = re.findall(old, page, re.MULTILINE)
    if len(found) != 1:
        raise UsageError(f"{len(found)} tables of the page begin with {heads}; expected one")
    return re.sub(old, lambda _: new + "\n", page, flags=re.MULTILINE)


def told(estimate: Estimate) -> str:
    """An estimate in a cell; an interval that reaches below zero is spelt with `to`."""
    if estimate.low < 0:
        return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
    return str(estimate)


def _models(rows: list[Row], costs: dict[str, Cost]) -> str:
    """One column a model, so that many measures stay readable."""
    cost = [costs[row.model] for row in rows]
    facts = [
        ["network", *(row.network for row in rows)],
        ["started from", *(row.starting_weights for row in rows)],
        ["parameters, millions", *(f"{found.parameters / 1e6:.2f}" for found in cost)],
        ["multiply-adds a film, 10^9", *(f"{found.multiply_adds / 1e9:.3f}" for found in cost)],
        ["weights, MB", *(f"{found.megabytes:.1f}" for found in cost)],
        ["ms a film (PyTorch, one thread)", *(f"{found.milliseconds:.1f}" for found in cost)],
    ]
    values = [
        [heading, *(told(row.measures.estimates()[name]) for row in rows)]
        for name, heading in HEADINGS.items()
    ]
    return markdown_table(["", *(row.model for row in rows)], facts + values)


def _groups(rows: list[Row]) -> str:
    headings = ["group", "model", "started from", "films", "abnormal", *HEADINGS.values()]
    cells = [
        [
            row.group,
            row.model,
            row.starting_weights,
            str(row.measures.films),
            str(row.measures.abnormal),
            *(told(row.measures.estimates()[name]) for name in HEADINGS),
        ]
        for row in rows
    ]
    return markdown_table(headings, cells)


def _comparisons(evaluation: Evaluation) -> str:
    started_from = {row.model: row.starting_weights for row in evaluation.rows}
    cells = [
        [
            pair.first,
            started_from[pair.first],
            pair.second,
            started_from[pair.second],
            told(pair.auc.difference),
            "-" if isnan(pair.auc.p_value) else f"{pair.auc.p_value:.3g}",
        ]
        for pair in evaluation.comparisons
    ]
    headings = ["first", "started from", "second", "started from", "AUC of first less second", "p"]
    return markdown_table(headings, cells)
