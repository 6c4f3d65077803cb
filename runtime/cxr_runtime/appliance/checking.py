"""What only this machine can tell of settings: whether models, peers and places are there."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from cxr_runtime.appliance.orders import Orders
from cxr_runtime.arrivals.watched import refuse_results
from cxr_runtime.errors import UsageError
from cxr_runtime.journal import Journal
from cxr_runtime.names import printable
from cxr_runtime.scanning.late_engine import opened_engine
from cxr_runtime.scanning.scoring import opened_model
from cxr_runtime.sending.destination import PeerError, within

SHARE_SECONDS = 5.0  # that the watched folders have to say whether they hold results


def check_model(orders: Orders) -> None:
    """See that model, calibration, operating point and heat map are there and belong together.

    Raises:
        ModelError: they do not.
        CalibrationError: the calibration has no such operating point.
        UsageError: there is no such model or heat map.
    """
    opened_model(orders.screening)


def check_backend(orders: Orders) -> None:
    """See that the model can be computed here as it is asked, a GPU that is required included.

    Raises:
        BackendError: it cannot.
        UsageError: the backend can never use a GPU that is required.
    """
    opened_engine(opened_model(orders.screening), orders.screening).close()


def check_peers(orders: Orders, journal: Journal) -> None:
    """See that all that speaks to others can be made of its settings; nothing listens, and nothing is sent.

    Raises:
        UsageError: a title, host, certificate or archive cannot be used.
        InstallationError: the extra `dicom` is missing.
        StoreError: results that wait were made with another `identity`.
    """
    if orders.receiving is not None:
        orders.receiving.options()
    if orders.sending is not None:
        orders.sending.sender(orders.out, journal)
    orders.readers.check()


def check_folders(orders: Orders) -> None:
    """See that no watched folder is one of results; a share that hangs is left to the part that watches it.

    Raises:
        UsageError: one is.
    """
    with suppress(PeerError):
        within(SHARE_SECONDS, lambda: refuse_results(orders.folders, orders.out), lambda: None)


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
        if path is None:
            continue
        if path.exists() and path.is_dir() is not (name == "out"):
            found, expected = ("a folder", "a file") if path.is_dir() else ("a file", "a folder")
            raise UsageError(f"{name} is {printable(str(path))}, which is {found}; expected {expected}")
        if not _can_be_made(path):
            raise UsageError(
                f"{name} is {printable(str(path))}, which this user cannot write; make the folder above it, "
                "and give it to the user who runs the appliance"
            )


def check_programs(orders: Orders) -> None:
    """See that the command of alerts, which can be read, can be run.

    Raises:
        UsageError: there is no such program, or it is not this user's to run.
    """
    program = orders.readers.alert_program
    if program and shutil.which(program) is None:
        raise UsageError(
            f"alert.command names {printable(program)}, which this user cannot run; check the spelling, and "
            "write its whole path"
        )


def _can_be_made(path: Path) -> bool:
    """Whether the nearest of a file or folder and those above it that is there can be written."""
    there = next(above for above in (path.absolute(), *path.absolute().parents) if above.exists())
    return os.access(there, os.W_OK) and (there == path.absolute() or there.is_dir())
