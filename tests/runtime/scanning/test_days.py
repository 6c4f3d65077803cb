import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.days import EarlierFilms, folder_of, next_midnight
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from cxr_runtime.store.beside import StoreBeside
from model_folders import write_model_folder
from scored_scans import scored, write_scan


def test_a_day_ends_at_the_next_midnight() -> None:
    assert next_midnight(datetime(2026, 12, 31, 0, 0, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_midnight(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if sys.platform == "win32":
        pytest.skip("Windows sets no time zone for one process")
    with monkeypatch.context() as here:
        here.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_berlin")
@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2027-03-28T00:00:01+01:00", "2027-03-29T00:00:00+02:00"),  # summer time begins at 2:00
        ("2027-10-31T00:00:01+02:00", "2027-11-01T00:00:00+01:00"),  # it ends at 3:00
        ("2027-06-01T12:00:00+02:00", "2027-06-02T00:00:00+02:00"),
    ],
)
def test_a_day_of_another_length_ends_at_midnight_too(now: str, ends: str) -> None:
    assert next_midnight(datetime.fromisoformat(now)) == datetime.fromisoformat(ends)


def test_films_of_other_days_are_known_by_their_bytes(tmp_path: Path) -> None:
    for day, name in ((28, "a"), (29, "b"), (30, "c")):
        write_scan(folder_of(tmp_path, date(2026, 11, day)), [scored(name, 0.5)])
    (tmp_path / "2026-11-27").mkdir()  # no store
    write_scan(tmp_path / "other", [scored("d", 0.5)])
    earlier = EarlierFilms(tmp_path, date(2026, 11, 30))
    known = {name: scored(name, 0.5).outcome.sha256 in earlier for name in "abcd"}
    assert known == {"a": True, "b": True, "c": False, "d": False}
    assert "" not in earlier


def test_a_store_of_another_day_that_is_damaged_keeps_today_from_nothing(tmp_path: Path) -> None:
    write_scan(tmp_path / "2026-11-28", [scored("a", 0.5)])
    (tmp_path / "2026-11-27").mkdir()
    (tmp_path / "2026-11-27" / "triage.sqlite").write_bytes(b"damaged")
    earlier = EarlierFilms(tmp_path, date(2026, 11, 29))
    assert scored("a", 0.5).outcome.sha256 in earlier


def test_a_scan_of_the_next_day_has_the_new_films_alone_and_its_reports_count_the_others(
    tmp_path: Path,
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    options = ScanOptions(
        out=tmp_path / "out", model=write_model_folder(tmp_path / "model"), is_dated=True, workers=1
    )
    for day in (29, 30):
        (films / f"{day}.png").write_bytes(encode_png(draw_phantom(day, hw=(128, 128))))
        summary = scan([films], options, now=datetime(2026, 11, day, 22, tzinfo=UTC))
    assert [Path(outcome.file).name for outcome in summary.outcomes()] == ["30.png"]
    assert summary.seen_before == 1
    page = (tmp_path / "out" / "2026-11-30" / "worklist.html").read_text(encoding="utf-8")
    assert "1 film of an earlier day left out: its row is in the folder of that day" in page


def test_before_the_first_day_nothing_is_known(tmp_path: Path) -> None:
    assert "a" not in EarlierFilms(tmp_path / "nothing", date(2026, 11, 29))


def test_marks_are_the_stamps_and_digests_of_lasting_rows(tmp_path: Path) -> None:
    write_scan(tmp_path, [scored("a", 0.5)])
    with StoreBeside.open(tmp_path) as store:
        assert list(store.marks()) == ["", scored("a", 0.5).outcome.sha256]
