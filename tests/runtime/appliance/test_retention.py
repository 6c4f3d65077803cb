import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from cxr_runtime.appliance import retention as retentions
from cxr_runtime.appliance.retention import Kept, Retention
from cxr_runtime.files import RECEIVED_FOLDER, STORE_FILE, WHOLE_FOLDER
from cxr_runtime.journal import Journal, LogFormat
from cxr_runtime.store.dropping import Kind, PruningStore
from cxr_runtime.store.pruning import bytes_of_results
from cxr_runtime.store.store import read_scores
from drawn_stores import Drawn, write_store

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
FILMS = 20  # of each day


def with_pictures(folder: Path) -> int:
    with PruningStore.open(folder) as store:
        return len(store.films_by_age(folder))


def day(out: Path, number: int) -> Path:
    """The folder of a day, the first is 0."""
    when = FIRST + timedelta(days=number)
    films = [Drawn(f"{number}-{film}.png", finished=when.isoformat()) for film in range(FILMS)]
    return write_store(out / when.date().isoformat(), films)


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    return [day(tmp_path, 0), day(tmp_path, 1)]


def test_pictures_of_all_days_that_are_old_enough_go_and_rows_stay(days: list[Path], tmp_path: Path) -> None:
    kept = Retention(tmp_path, Kept({Kind.PICTURES: timedelta(days=90)}), Journal())
    kept.drop(FIRST + timedelta(days=90))
    assert [with_pictures(day) for day in days] == [FILMS, FILMS]
    kept.drop(FIRST + timedelta(days=90, hours=1))
    assert [with_pictures(day) for day in days] == [0, FILMS]
    kept.drop(FIRST + timedelta(days=92))
    assert [with_pictures(day) for day in days] == [0, 0]
    assert [len(read_scores(day)) for day in days] == [FILMS, FILMS]


def test_of_too_many_pictures_the_oldest_day_s_go_first(days: list[Path], tmp_path: Path) -> None:
    whole = sum(bytes_of_results(day) for day in days)
    Retention(tmp_path, Kept(under=whole), Journal()).drop(FIRST)
    assert [with_pictures(day) for day in days] == [FILMS, FILMS]
    Retention(tmp_path, Kept(under=whole * 9 // 10), Journal()).drop(FIRST)
    assert 0 < with_pictures(days[0]) < FILMS
    assert with_pictures(days[1]) == FILMS
    assert sum(bytes_of_results(day) for day in days) <= whole * 9 // 10
    Retention(tmp_path, Kept(under=1), Journal()).drop(FIRST)
    assert [with_pictures(day) for day in days] == [0, 0]


def test_one_store_is_kept_under_its_size_too(days: list[Path]) -> None:
    limit = bytes_of_results(days[0]) * 3 // 4
    Retention(days[0], Kept(under=limit), Journal()).drop(FIRST)
    assert 0 < with_pictures(days[0]) < FILMS
    assert bytes_of_results(days[0]) <= limit


def test_it_drops_at_the_start_and_on_each_new_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter([0, 1, 3, 11, 12, 35])
    dropped = list[datetime]()

    def clock() -> datetime:
        now = FIRST + timedelta(hours=next(hours))
        if now.day == 2 and now.hour == 23:
            kept.end()
        return now

    kept = Retention(tmp_path, Kept({Kind.PICTURES: timedelta(days=1)}), Journal(), clock)
    monkeypatch.setattr(retentions, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(kept, "drop", dropped.append)
    kept.run()
    assert dropped == [FIRST, FIRST + timedelta(hours=12)]


def test_a_damaged_day_keeps_no_other_day_back_and_is_said_once(days: list[Path], tmp_path: Path) -> None:
    (damaged, sound), log = days, StringIO()
    before = (damaged / STORE_FILE).read_bytes()
    (damaged / STORE_FILE).write_bytes(before[:4096] + b"\xff" * (len(before) - 4096))
    limits = Kept({Kind.PICTURES: timedelta(days=1), Kind.RECEIVED: timedelta(days=1)}, under=1)
    kept = Retention(tmp_path, limits, Journal.open(None, LogFormat.TEXT, log))
    for hour in range(3):
        kept.drop(FIRST + timedelta(days=9, hours=hour))
    assert (with_pictures(sound), list(kept.failing)) == (0, [damaged])
    assert log.getvalue().count("retention-failed") == 1
    (damaged / STORE_FILE).write_bytes(before)
    kept.drop(FIRST + timedelta(days=9, hours=3))
    assert (with_pictures(damaged), list(kept.failing)) == (0, [])


def test_a_store_that_could_not_be_used_is_tried_again_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = iter([0, 1, 59, 60, 61, 121])
    dropped = list[datetime]()

    def clock() -> datetime:
        now = FIRST + timedelta(minutes=next(minutes))
        if now > FIRST + timedelta(hours=2):
            kept.end()
        return now

    def drop(now: datetime) -> None:
        dropped.append(now)
        kept.failing = frozenset({tmp_path} if len(dropped) == 1 else ())

    kept = Retention(tmp_path, Kept(), Journal(), clock)
    monkeypatch.setattr(retentions, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(kept, "drop", drop)
    kept.run()
    assert dropped == [FIRST, FIRST + timedelta(hours=1)]


def test_received_films_go_when_they_are_old_and_have_their_row(days: list[Path], tmp_path: Path) -> None:
    received = tmp_path / RECEIVED_FOLDER
    (received / WHOLE_FOLDER).mkdir(parents=True)
    done = [score.outcome.sha256 for score in read_scores(days[1])]
    for name, age in ((done[0], 31), (done[1], 29), ("ab" * 32, 31), (f"{WHOLE_FOLDER}/{done[2]}", 31)):
        (received / f"{name}.dcm").write_bytes(b"film")
        when = (FIRST - timedelta(days=age)).timestamp()
        os.utime(received / f"{name}.dcm", (when, when))
    Retention(tmp_path, Kept({Kind.RECEIVED: timedelta(days=30)}), Journal()).drop(FIRST)
    assert {path.stem for path in received.rglob("*.dcm")} == {done[1], "ab" * 32}
    assert [with_pictures(day) for day in days] == [FILMS, FILMS]


def test_until_all_is_small_enough_received_films_and_pictures_go_by_age(
    days: list[Path], tmp_path: Path
) -> None:
    received = tmp_path / RECEIVED_FOLDER
    received.mkdir()
    (known, *_) = [score.outcome.sha256 for score in read_scores(days[1])]
    for name in (f"{known}-deidentified", "ab" * 32):
        (received / f"{name}.dcm").write_bytes(bytes(1 << 20))
        when = (FIRST - timedelta(days=9)).timestamp()
        os.utime(received / f"{name}.dcm", (when, when))
    whole = sum(bytes_of_results(day) for day in days) + (2 << 20)
    Retention(tmp_path, Kept(under=whole), Journal()).drop(FIRST)
    assert len(list(received.iterdir())) == 2
    Retention(tmp_path, Kept(under=1), Journal()).drop(FIRST)
    assert [path.name for path in received.iterdir()] == [f"{'ab' * 32}.dcm"]  # it has no row
    assert [with_pictures(day) for day in days] == [0, 0]
