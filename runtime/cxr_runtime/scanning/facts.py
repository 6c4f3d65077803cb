"""What the reports of a run state of it: model, threshold and whose it is, whether the films are foreign."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from cxr_runtime.heat.map import HeatView
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import Model
from cxr_runtime.model.likeness import likeness, told, warning
from cxr_runtime.model.looks import Looks
from cxr_runtime.names import printable
from cxr_runtime.presentation import Presentation
from cxr_runtime.store.rows import RunFacts


@dataclass(frozen=True)
class Asked:
    """What a run was asked to search, and what it left out."""

    inputs: tuple[str, ...]  # INPUTs as typed
    passed_over: int  # files that cannot be films by name
    results: tuple[str, ...]  # folders of results that were not searched
    lung_outline: bool = False  # drawn on the pictures in heatmaps/, too
    seen: int = 0  # films whose rows are in the folders of earlier days


def run_facts(
    model: Model,
    point: OperatingPoint,
    view: HeatView,
    looks: Iterable[tuple[Looks, float]],
    asked: Asked,
    *,
    backend: str,
    sandbox: str,
    identity: str,
    presentation: Presentation,
) -> RunFacts:
    """The facts of a run as of now.

    Args:
        model: that scored its films.
        point: operating point that they were judged by.
        view: how heat is shown.
        looks: of its scored films, and their margins; they are compared with the calibration's films.
        asked: what the run was asked to search.
        backend: the providers that scored its films.
        sandbox: how the system confined the processes that read them.
        identity: label of what is kept of patients (`pseudonyms.Keeping.label`).
        presentation: how the reports look and speak.
    """
    alike = likeness(model.calibration.looks, looks)
    manifest = model.manifest
    is_default = model.is_calibrated and point.name == model.calibration.default_operating_point
    return RunFacts(
        product=f"cxr-triage {version('cxr-triage')}",
        finished=datetime.now().astimezone(),
        inputs=tuple(map(printable, asked.inputs)),
        model=manifest.name,
        model_sha256=manifest.model_sha256,
        model_remarks=model.remarks,
        licence=manifest.licence,
        backend=backend,
        sandbox=sandbox,
        is_calibrated=model.is_calibrated,
        foreign=warning(alike),
        likeness=told(alike) if model.is_calibrated else "",
        calibration=model.calibration_origin,
        calibration_films=model.calibration.films if model.is_calibrated else 0,
        calibration_abnormal=model.calibration.abnormal if model.is_calibrated else 0,
        operating_point=point.name,
        threshold=point.threshold,
        is_met=point.met,
        sensitivity=point.sensitivity,
        specificity=point.specificity,
        by_view=model.calibration.by_view if is_default else (),
        heat=view,
        passed_over=asked.passed_over,
        results=asked.results,
        seen=asked.seen,
        lung_outline=asked.lung_outline,
        identity=identity,
        presentation=presentation,
    )
