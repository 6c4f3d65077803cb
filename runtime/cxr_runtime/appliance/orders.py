"""From the settings to what the parts are given; what only this machine can tell is checked here."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cxr_runtime.appliance.settings import Clinic
from cxr_runtime.errors import UsageError
from cxr_runtime.files import PRIVATE, parse_formats, shared_with
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.journal import LogFormat
from cxr_runtime.machine_memory import bytes_of, parse_size
from cxr_runtime.model.folder import open_model
from cxr_runtime.names import printable
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.store.pruning import parse_age


@dataclass(frozen=True)
class Orders:
    """What an appliance is to do."""

    out: Path
    is_dated: bool  # each day has a folder of its own in `out`
    screening: ScanOptions  # `out` is given
    folders: tuple[str, ...]  # that are watched
    follow_links: bool
    stop_below: int  # bytes; with less room no film is taken
    pictures_for: timedelta | None  # age at which pictures go
    pictures_under: int | None  # bytes of all results
    health_file: Path
    health_seconds: float  # between two writings of it
    log_file: Path | None
    log_format: LogFormat

    @property
    def inputs(self) -> tuple[str, ...]:
        """Where films come from, for the reports."""
        return self.folders


def orders_of(clinic: Clinic) -> Orders:
    """What the settings come to.

    Raises:
        UsageError: a setting that this machine does not know, as a group.
    """
    assert clinic.watch is not None
    kept = clinic.retention
    return Orders(
        out=clinic.out,
        is_dated=clinic.dated,
        screening=_screening(clinic),
        folders=clinic.watch.folders,
        follow_links=clinic.watch.follow_links,
        stop_below=bytes_of(clinic.disk.stop_below, "disk.stop_below"),
        pictures_for=parse_age(kept.pictures_for, "retention.pictures_for") if kept.pictures_for else None,
        pictures_under=(
            bytes_of(kept.pictures_under, "retention.pictures_under") if kept.pictures_under else None
        ),
        health_file=clinic.health_file,
        health_seconds=clinic.health.every_seconds,
        log_file=clinic.log.file,
        log_format=LogFormat(clinic.log.format),
    )


def _screening(clinic: Clinic) -> ScanOptions:
    asked = clinic.screening
    return ScanOptions(
        out=clinic.out,
        model=asked.model,
        calibration=asked.calibration,
        backend=asked.backend,
        operating_point=asked.operating_point,
        heat=HeatMethod(asked.heat),
        lung_outline=asked.lung_outline,
        workers=asked.workers,
        memory=None if asked.memory is None else parse_size(asked.memory),
        formats=parse_formats(asked.formats),
        allow_uncalibrated=asked.allow_uncalibrated,
        require_gpu=asked.require_gpu,
        require_sandbox=asked.require_sandbox,
        identity=clinic.identity,
        access=PRIVATE if clinic.share_with is None else shared_with(clinic.share_with),
    )


def check_model(orders: Orders) -> None:
    """See that model, calibration and operating point are there and belong together.

    Raises:
        ModelError: they do not.
        UsageError: there is no such model or operating point.
    """
    asked = orders.screening
    model = open_model(
        asked.model, allow_uncalibrated=asked.allow_uncalibrated, calibration=asked.calibration
    )
    model.calibration.operating_point(asked.operating_point)


def check_places(orders: Orders) -> None:
    """See that folders are there and can be written; of an appliance that starts, a share may come later.

    Raises:
        UsageError: one is not, or cannot.
    """
    for folder in orders.folders:
        if not Path(folder).is_dir():
            raise UsageError(
                f"watch.folders names {printable(folder)}, which is not a folder; expected folders to watch: "
                "check the spelling, and that the network share is mounted"
            )
    places = {"out": orders.out, "health.file": orders.health_file, "log.file": orders.log_file}
    for name, path in places.items():
        if path is not None and not _can_be_made(path):
            raise UsageError(
                f"{name} is {printable(str(path))}, which this user cannot write; make the folder above it, "
                "and give it to the user who runs the appliance"
            )


def _can_be_made(path: Path) -> bool:
    """Whether the nearest of a file or folder and those above it that is there can be written."""
    there = next(above for above in (path.absolute(), *path.absolute().parents) if above.exists())
    return os.access(there, os.W_OK) and (there == path.absolute() or there.is_dir())
