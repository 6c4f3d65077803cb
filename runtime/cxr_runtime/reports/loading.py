"""What writes the reports is found before a film is scored, and loaded while others work."""

from collections.abc import Collection
from importlib import import_module
from importlib.util import find_spec

from cxr_runtime.files import ReportFormat

# Rooms whose libraries load slowly, and the slowest of these.
_LATE = {ReportFormat.HTML: ("worklist", "jinja2"), ReportFormat.PDF: ("pdf", "fpdf")}


def find_writers(formats: Collection[ReportFormat]) -> None:
    """Find what writes the reports, without loading it: what is missing is known before films are scored.

    Raises:
        ImportError: a library is missing.
    """
    for kind in sorted(_LATE.keys() & formats):
        if find_spec(library := _LATE[kind][1]) is None:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)


def load_writers(formats: Collection[ReportFormat]) -> None:
    """Load what writes the reports, which takes a quarter of a second, while others work.

    Raises:
        ImportError: a library is missing or does not load.
    """
    for kind in sorted(_LATE.keys() & formats):
        import_module(f"cxr_runtime.reports.{_LATE[kind][0]}")
