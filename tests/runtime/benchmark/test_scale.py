"""What grows with the number of films is measured on scans that really run."""

import sys

import pytest

from cxr_runtime.benchmark.scale import measure_listing, measure_standing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no wait4")


def test_films_that_stand_are_found_finished() -> None:
    due, standing = map(str, measure_standing([3]))
    assert due.startswith("3 finished films, reports are due: ")
    assert standing.startswith("3 finished films, everything stands: ")
    for line in (due, standing):
        assert " MiB at most; store " in line
        assert "worklist.html" in line


def test_files_are_listed() -> None:
    (line,) = measure_listing(5)
    assert line.startswith("5 files listed: ")
