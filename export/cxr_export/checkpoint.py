"""A training run's checkpoint as a model folder: the whole of `cxr-triage export`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any

from cxr_export.films import drawn_films, real_films
from cxr_export.folder import Exported, export_network, lower_folder
from cxr_export.precision import Precision
from cxr_runtime.errors import UsageError
from cxr_runtime.files import MANIFEST_FILE
from cxr_runtime.model.folder import Manifest, read_manifest
from cxr_runtime.model.known_films import KnownFilms, write_known_films
from cxr_runtime.progress import Progress
from cxr_train.checkpoint import RunConfig, load_checkpoint, run_of
from cxr_train.data.known import Known, known_films
from cxr_train.data.prepared_films import CACHE
from cxr_train.data.split import SPLIT_FILE
from cxr_train.explain.attribution import AS_SHIPPED
from cxr_train.heat.of_run import read_heat


def export_checkpoint(
    checkpoint: Path,
    out: Path,
    *,
    name: str | None = None,
    licence: str = "",
    precision: Precision = Precision.FP32,
    data: Sequence[Path] = (),
    evaluation: Path | None = None,
    localisation: Path | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> Exported:
    """Export the network of a run.

    Args:
        checkpoint: a run folder, or one of its .safetensors files; or a model folder, to lower its precision.
        out: the model folder.
        name: of the model; that of `out` if None.
        licence: of the weights, one line; of a model folder its own if empty.
        precision: what the model computes in.
        data: films that it is compared on; phantoms where there are none.
        evaluation: evaluation.json of `cxr-triage evaluate` on a run, whose measures go into the manifest.
        localisation: localisation.json of `cxr-triage explain`, likewise.
        cache: folder of prepared films.
        progress: hears how it gets on.

    Raises:
        ModelError: the run cannot be read, or the export is refused.
        UsageError: INT8 without films, or data or measures that cannot be used.
    """
    if precision is Precision.INT8 and not data:
        raise UsageError("int8 takes its scales from films; give some with --data")
    if (checkpoint / MANIFEST_FILE).is_file():
        if evaluation is not None or localisation is not None:
            raise UsageError(
                f"{checkpoint} is a model folder, whose measures go into the new one as they are; "
                "--evaluation and --localisation are for a training run"
            )
        how = read_manifest(checkpoint / MANIFEST_FILE).preprocessing
        films = real_films(data, how, checkpoint, cache, progress) if data else drawn_films(how)
        return lower_folder(checkpoint, out, films, precision, name=name, licence=licence)
    network, config = load_checkpoint(checkpoint)
    run = run_of(checkpoint)
    how = config.recipe.preprocessing
    manifest = Manifest(
        name=name or out.resolve().name,
        architecture=config.recipe.architecture.network,
        model_sha256="",
        precision=precision.value,
        preprocessing=how,
        heat=read_heat(run),
        licence=licence,
        training=_training(config),
        accuracy={
            **({} if evaluation is None else _accuracy(evaluation, run.resolve().name)),
            **({} if localisation is None else _localisation(localisation, run.resolve().name)),
        },
    )
    films = real_films(data, how, run, cache, progress) if data else drawn_films(how)
    exported = export_network(network, manifest, out, films, precision)
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
    try:
        measured = json.loads(evaluation.read_text(encoding="utf-8"))
        rows = [row for row in measured["rows"] if row["model"] == model]
        found = {row["group"]: row["measures"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{evaluation} cannot be read ({error!r}); expected evaluation.json of `cxr-triage evaluate`"
        ) from error
    if not found:
        raise UsageError(f"{evaluation} says nothing of {model}; evaluate that run first")
    return {"data_sets": measured["data_sets"], "truth": measured["truth"], **found}


def _localisation(localisation: Path, model: str) -> dict[str, Any]:
    """What was measured of this run's heat, as it is shown."""
    try:
        lines = json.loads(localisation.read_text(encoding="utf-8"))
        return {
            "localisation": next(
                line["measured"] for line in lines if (line["model"], line["method"]) == (model, AS_SHIPPED)
            )
        }
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise UsageError(
            f"{localisation} says nothing of the heat of {model} ({error!r}); expected localisation.json of "
            "`cxr-triage explain` on that run"
        ) from error
