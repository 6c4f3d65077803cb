"""A training run's checkpoint as a model folder, with what was measured of it and the films that it knows."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any

from cxr_export.folder import Exported, ExportOptions, export_network
from cxr_runtime.errors import UsageError
from cxr_runtime.files import MANIFEST_FILE
from cxr_runtime.model.folder import Manifest, read_manifest
from cxr_runtime.model.known_films import KnownFilms, write_known_films
from cxr_runtime.typed_json import to_json
from cxr_train.checkpoint import RunConfig, load_checkpoint, run_of
from cxr_train.data.known import Known, known_films
from cxr_train.data.split import SPLIT_FILE
from cxr_train.evaluation.results import read_measured
from cxr_train.explain.attribution import AS_SHIPPED
from cxr_train.heat.of_run import read_heat


def export_checkpoint(
    checkpoint: Path,
    out: Path,
    options: ExportOptions,
    *,
    evaluation: Path | None = None,
    localisation: Path | None = None,
) -> Exported:
    """Export the network of a run.

    Args:
        checkpoint: a run folder, or one of its .safetensors files.
        out: the model folder.
        options: of the model.
        evaluation: evaluation.json of `cxr-triage evaluate` on the run, whose measures go into the manifest.
        localisation: localisation.json of `cxr-triage explain`, likewise.

    Raises:
        ModelError: the run cannot be read, or the export is refused.
        UsageError: INT8 without films, or data or measures that cannot be used.
    """
    network, config = load_checkpoint(checkpoint)
    run = run_of(checkpoint)
    how = config.recipe.preprocessing
    manifest = Manifest(
        name=options.name or out.resolve().name,
        architecture=config.recipe.architecture.network,
        model_sha256="",
        precision=options.precision.value,
        preprocessing=how,
        heat=read_heat(run),
        licence=options.licence,
        training=_training(config),
        accuracy={
            **({} if evaluation is None else _accuracy(evaluation, run.resolve().name)),
            **({} if localisation is None else _localisation(localisation, run.resolve().name)),
        },
    )
    exported = export_network(network, manifest, out, options.films(how, run), options.precision)
    if (run / SPLIT_FILE).is_file():
        note_known_films([run], out)
    return exported


def note_known_films(runs: Sequence[Path], model: Path) -> KnownFilms:
    """Write which films a model has learned from into its folder, as digests; `calibrate` then refuses them.

    Args:
        runs: the training run of the model, with the runs that it began from or was taught by where the run
            itself does not name their films (`earlier.csv`).
        model: the model folder.

    Raises:
        ModelError: there is no model in the folder.
        UsageError: the films of a run cannot be read.
    """
    manifest = read_manifest(model / MANIFEST_FILE)
    known = reduce(Known.__or__, (known_films(run) for run in runs), Known())
    return write_known_films(model, manifest.model_sha256, known.sha256s)


def _training(config: RunConfig) -> dict[str, Any]:
    recipe = config.recipe
    return {
        **asdict(config.data),
        "starting_weights": config.starting_weights,
        "epochs": recipe.epochs,
        "optimiser": recipe.optimiser,
    }


def _accuracy(evaluation: Path, model: str) -> dict[str, Any]:
    """What was measured of this run, by group of films."""
    measured = _stated(evaluation)
    try:
        found = {row["group"]: row["measures"] for row in measured["rows"] if row["model"] == model}
        of_all = {name: measured[name] for name in ("data_sets", "truth")}
    except (KeyError, TypeError):
        found, of_all = {}, {}
    if not found:
        raise UsageError(
            f"{evaluation} says nothing of {model}; expected evaluation.json of "
            "`cxr-triage evaluate` on that run"
        )
    return of_all | found


def _localisation(localisation: Path, model: str) -> dict[str, Any]:
    """What was measured of this run's heat, as it is shown."""
    shown = (model, AS_SHIPPED)
    try:
        lines = (line for line in _stated(localisation) if (line["model"], line["method"]) == shown)
        return {"localisation": next(lines)["measured"]}
    except (KeyError, TypeError, StopIteration):
        raise UsageError(
            f"{localisation} says nothing of the heat of {model}; expected localisation.json of "
            "`cxr-triage explain` on that run"
        ) from None


def _stated(path: Path) -> Any:
    """What was measured, as a manifest states it: a number that is not known is null."""
    return json.loads(to_json(read_measured(path), unknown_as_null=True))
