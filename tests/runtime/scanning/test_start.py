"""A scan starts fast: what a process does not need for now, it does not load."""

import subprocess
import sys

import pytest

from cxr_runtime.files import ReportFormat
from cxr_runtime.reports.loading import find_writers

LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules} & {'fpdf', 'jinja2'}))"
STORE = "import sys; print(*(name for name in sys.modules if name.startswith('cxr_runtime.store')))"


def said(program: str) -> str:
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return run.stdout.strip()


def test_a_scan_loads_what_writes_pages_and_pdfs_only_once_it_has_something_to_write() -> None:
    assert said(f"import cxr_runtime.scanning.scan; {LOADED}") == ""


@pytest.mark.parametrize(
    ("wanted", "loaded"),
    [((), ""), ((ReportFormat.CSV, ReportFormat.HTML), "jinja2"), (tuple(ReportFormat), "fpdf jinja2")],
)
def test_only_writers_of_the_wanted_reports_are_loaded_ahead(
    wanted: tuple[ReportFormat, ...], loaded: str
) -> None:
    formats = [kind.value for kind in wanted]
    program = (
        "from cxr_runtime.files import ReportFormat; from cxr_runtime.reports.loading import load_writers;"
        f"load_writers([ReportFormat(name) for name in {formats}]); {LOADED}"
    )
    assert said(program) == loaded


def test_a_worker_loads_nothing_of_the_store() -> None:
    assert said(f"import cxr_runtime.workers.worker_child, cxr_runtime.scanning.answers; {STORE}") == ""


def test_a_library_of_the_reports_that_is_missing_is_known_before_any_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_writers(frozenset(ReportFormat))
    monkeypatch.setitem(sys.modules, "fpdf", None)
    find_writers({ReportFormat.CSV, ReportFormat.HTML})
    with pytest.raises(ModuleNotFoundError, match="fpdf"):
        find_writers({ReportFormat.PDF})
