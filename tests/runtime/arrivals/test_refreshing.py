"""When reports are written, by a clock that the test turns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_runtime.arrivals.refreshing import LONGEST_WITHOUT_PDF, QUIET_SECONDS, REFRESH_SECONDS, Reports
from cxr_runtime.errors import StoreError
from cxr_runtime.files import REPORT_FILE, RESULTS_FILE, STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.scanning.long_session import LongSession
from cxr_runtime.scanning.options import ScanOptions
from drawn_stores import Drawn, write_store
from model_folders import write_model_folder
from scored_scans import scored, write_scan


class Refreshed:
    """Reports of a store that holds two films, and a clock."""

    def __init__(self, session: LongSession, out: Path) -> None:
        self.now, self.out = 0.0, out
        self.reports = Reports(session, ["in"], Journal(), lambda: self.now)

    def after(self, seconds: float) -> set[str]:
        """The reports that are written anew when so much time has passed."""
        names = (RESULTS_FILE, REPORT_FILE)
        for name in names:
            (self.out / name).unlink(missing_ok=True)
        self.now += seconds
        for _ in range(2):  # one begins a round, the next one notes its end
            self.reports.tend()
            self.reports.wait()
        return {name for name in names if (self.out / name).exists()}


@pytest.fixture
def refreshed(tmp_path: Path) -> Iterator[Refreshed]:
    out = write_scan(tmp_path / "out", [scored("a.png", 0.5), scored("b.png", -0.5)])
    options = ScanOptions(
        out=out, model=write_model_folder(tmp_path / "model"), backend="onnxruntime", workers=1
    )
    with LongSession.open(options) as session:
        made = Refreshed(session, out)
        with made.reports:
            yield made


def test_nothing_is_written_before_a_film_has_come(refreshed: Refreshed) -> None:
    assert refreshed.after(2 * LONGEST_WITHOUT_PDF) == set()


def test_reports_that_name_patients_are_written_anew_at_once_where_names_are_not_kept_any_more(
    tmp_path: Path,
) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.dcm", patient="PID-4711", name="Zyxwvut")])
    options = ScanOptions(
        out=out, model=write_model_folder(tmp_path / "model"), backend="onnxruntime", workers=1
    )
    with LongSession.open(options) as session:
        assert b"Zyxwvut" not in (out / STORE_FILE).read_bytes()
        made = Refreshed(session, out)
        with made.reports:
            assert made.after(0) == {RESULTS_FILE}
            assert made.after(QUIET_SECONDS) == {REPORT_FILE}


def test_lists_follow_a_film_and_then_rest(refreshed: Refreshed) -> None:
    refreshed.reports.changed()
    assert refreshed.after(0) == {RESULTS_FILE}
    refreshed.reports.changed()
    assert refreshed.after(REFRESH_SECONDS / 2) == set()
    assert refreshed.after(REFRESH_SECONDS) == {RESULTS_FILE}
    assert refreshed.after(REFRESH_SECONDS) == set()


def test_the_pdf_is_written_when_it_is_quiet_or_after_an_hour(refreshed: Refreshed) -> None:
    refreshed.reports.changed()
    assert REPORT_FILE not in refreshed.after(QUIET_SECONDS / 2)
    assert refreshed.after(QUIET_SECONDS) == {REPORT_FILE}
    written = set[str]()
    waited = 0.0
    while REPORT_FILE not in written:
        refreshed.reports.changed()
        written = refreshed.after(QUIET_SECONDS / 2)
        waited += QUIET_SECONDS / 2
    assert LONGEST_WITHOUT_PDF <= waited <= LONGEST_WITHOUT_PDF + QUIET_SECONDS


def test_reports_that_stand_as_they_would_be_written_are_left_alone(refreshed: Refreshed) -> None:
    refreshed.reports.changed()
    assert refreshed.after(0) == {RESULTS_FILE}
    before = (refreshed.out / RESULTS_FILE).stat()
    refreshed.reports.changed()
    refreshed.now += REFRESH_SECONDS
    refreshed.reports.tend()
    refreshed.reports.wait()
    assert (refreshed.out / RESULTS_FILE).stat() == before


def test_at_the_end_everything_is_written(refreshed: Refreshed) -> None:
    refreshed.reports.finish()
    assert {RESULTS_FILE, REPORT_FILE, STORE_FILE} <= {path.name for path in refreshed.out.iterdir()}
    assert refreshed.reports.tally.scored == 2


def test_a_report_that_cannot_be_made_is_tried_again_and_ends_nothing(
    refreshed: Refreshed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StoreError("a damaged page")

    with monkeypatch.context() as broken:
        broken.setattr("cxr_runtime.arrivals.refreshing.write_reports", fails)
        refreshed.reports.changed()
        assert refreshed.after(0) == set()
    assert refreshed.after(REFRESH_SECONDS) == {RESULTS_FILE}
