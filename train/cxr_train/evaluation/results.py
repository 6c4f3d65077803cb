"""What was measured of models, as `evaluate` and `explain` write it as JSON and tables read it again."""

import json
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from cxr_calibration.statistics.roc import PairedComparison
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.typed_json import to_json
from cxr_train.evaluation.cost import Cost
from cxr_train.evaluation.measures import Measures

ESTIMATE = {"value", "low", "high"}  # the fields of an estimate with its interval


@dataclass(frozen=True)
class Row:
    """One model on one group."""

    model: str
    network: str
    starting_weights: str
    group: str
    measures: Measures


@dataclass(frozen=True)
class Comparison:
    """Two models on all films."""

    first: str
    second: str
    auc: PairedComparison


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured."""

    data_sets: tuple[str, ...]
    absent: int  # films that their tables name and that are not there
    truth: tuple[str, ...]  # who labelled the films
    threshold: float
    costs: dict[str, Cost]  # of each model, by its name
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]


def write_measured(measured: Any, path: Path) -> None:
    """Write dataclasses, or a list of them; a number that is not known is null, as JSON has no other word."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, to_json(measured, unknown_as_null=True).encode())


def read_measured(path: Path) -> Any:
    """Read evaluation.json or localisation.json; numbers of estimates that are null become nan.

    Raises:
        UsageError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_hook=_numbers)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}); expected evaluation.json of `cxr-triage evaluate`, or "
            "localisation.json of `cxr-triage explain`"
        ) from error


def _numbers(stated: dict[str, Any]) -> dict[str, Any]:
    if set(stated) != ESTIMATE:
        return stated
    return {name: nan if value is None else value for name, value in stated.items()}
