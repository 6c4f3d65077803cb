"""Ranks chest X-ray films by how likely they are abnormal, without torch and without a network connection.

import cxr_runtime
summary = cxr_runtime.scan(["films/"])
print(summary.tally.flagged, "of", summary.tally.scored, "films are flagged; see", summary.out)
"""

import os
from typing import TYPE_CHECKING, Any

import cxr_runtime.offline  # noqa: F401  # before anything can import ONNX Runtime

# No process that we or our libraries start takes code from the folder the program was started in. An empty
# entry of these lists, as `LIST=$LIST:/opt/lib` makes it of an empty one, names that folder.
os.environ["PYTHONSAFEPATH"] = "1"
for _list in {"PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} & os.environ.keys():
    _kept = [_entry for _entry in os.environ[_list].split(os.pathsep) if os.path.normpath(_entry) != "."]
    os.environ[_list] = os.pathsep.join(_kept)

if TYPE_CHECKING:
    from cxr_runtime.model.folder import Model
    from cxr_runtime.outcome import Outcome, Status, Triage
    from cxr_runtime.reading import read_film
    from cxr_runtime.scanning.one_film import FilmScore, ReadyModel, open_model
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.scanning.scan import ScanSummary, scan
    from cxr_runtime.scanning.session import Session

_HOMES = {
    "FilmScore": "cxr_runtime.scanning.one_film",
    "Model": "cxr_runtime.model.folder",
    "Outcome": "cxr_runtime.outcome",
    "ReadyModel": "cxr_runtime.scanning.one_film",
    "ScanOptions": "cxr_runtime.scanning.options",
    "ScanSummary": "cxr_runtime.scanning.scan",
    "Session": "cxr_runtime.scanning.session",
    "Status": "cxr_runtime.outcome",
    "Triage": "cxr_runtime.outcome",
    "open_model": "cxr_runtime.scanning.one_film",
    "read_film": "cxr_runtime.reading",
    "scan": "cxr_runtime.scanning.scan",
}

__all__ = [
    "FilmScore",
    "Model",
    "Outcome",
    "ReadyModel",
    "ScanOptions",
    "ScanSummary",
    "Session",
    "Status",
    "Triage",
    "open_model",
    "read_film",
    "scan",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `--help` and the worker processes start quickly."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
