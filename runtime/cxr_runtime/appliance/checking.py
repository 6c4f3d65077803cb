"""What only this machine can tell of settings: whether models, peers and places are there."""

import os
import shutil
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from cxr_runtime.appliance.orders import Orders
from cxr_runtime.arrivals.watched import refuse_results
from cxr_runtime.errors import InstallationError, UsageError, how_to_install
from cxr_runtime.files import ReportFormat
from cxr_runtime.journal import Journal
from cxr_runtime.names import printable
from cxr_runtime.scanning.scoring import opened_engine, opened_model
from cxr_runtime.scanning.study import NEEDS
from cxr_runtime.sending.destination import PeerError, within

SHARE_SECONDS = 5.0  # that the watched folders have to say whether they hold results


def check_installed(orders: Orders) -> None:
    """See that what receiving and results need is installed.

    Raises:
        InstallationError: a library of the extra `dicom` is missing.
    """
    wishes_results = "screening" if orders.sending is None else "send"
    needed = dict.fromkeys(NEEDS, wishes_results) if ReportFormat.DICOM in orders.screening.formats else {}
    needed |= {} if orders.receiving is None else {"pynetdicom": "listen"}
    for library, table in needed.items():
        if find_spec(library) is None:
            raise InstallationError(
                f"what [{table}] asks for needs {library}, which is not installed: {how_to_install('dicom')}"
            )


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
    if orders.out.exists() and not orders.out.is_dir():
        raise UsageError(f"out is {printable(str(orders.out))}, which is a file; expected a folder")
    if not _can_be_made(orders.out):
        raise _not_ours("out", orders.out)


def check_files(orders: Orders) -> None:
    """See that log and health, which nobody reads before they are missed, can be written.

    Raises:
        UsageError: one cannot.
    """
    for name, path in {"health.file": orders.health_file, "log.file": orders.log_file}.items():
        if path is None:
            continue
        if path.is_dir():
            raise UsageError(f"{name} is {printable(str(path))}, which is a folder; expected a file")
        is_made = name == "health.file" and path.parent == orders.out  # its folder, when the work begins
        if not (is_made or (path.parent.is_dir() and os.access(path.parent, os.W_OK))):
            raise _not_ours(name, path)


def _not_ours(name: str, path: Path) -> UsageError:
    return UsageError(
        f"{name} is {printable(str(path))}, which this user cannot write; make the folder above it, and give "
        "it to the user who runs the appliance"
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
