from datetime import UTC, date, datetime
from pathlib import Path

from cxr_runtime.scanning.days import EarlierFilms, folder_of, next_midnight
from cxr_runtime.store.beside import StoreBeside
from scored_scans import scored, write_scan


def test_a_day_ends_at_the_next_midnight() -> None:
    assert next_midnight(datetime(2026, 12, 31, 0, 0, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_midnight(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


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


def test_before_the_first_day_nothing_is_known(tmp_path: Path) -> None:
    assert "a" not in EarlierFilms(tmp_path / "nothing", date(2026, 11, 29))


def test_marks_are_the_stamps_and_digests_of_lasting_rows(tmp_path: Path) -> None:
    write_scan(tmp_path, [scored("a", 0.5)])
    with StoreBeside.open(tmp_path) as store:
        assert list(store.marks()) == ["", scored("a", 0.5).outcome.sha256]
