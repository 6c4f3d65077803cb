"""Pictures of old films go, by age and by size; every row stays, with its seal."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.names import safe_name
from cxr_runtime.store.dropping import PruningStore, files_with_sizes
from cxr_runtime.store.pruning import parse_age, prune, prune_days
from cxr_runtime.store.rows import Place
from cxr_runtime.store.store import Store, read_scores
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import PRINT, Drawn, ask, change, write_store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FILMS = 40


def finished(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The older its film, the lower its number: one a day, the last one of today."""
    films = [Drawn(f"{number}.png", finished=finished(FILMS - 1 - number)) for number in range(FILMS)]
    folder = write_store(tmp_path / "out", films)
    (folder / "heatmaps").mkdir()
    for score in read_scores(folder):
        name = safe_name(score.outcome.file, score.outcome.sha256)
        (folder / "heatmaps" / f"{name}.png").write_bytes(b"picture" * 1000)
    return folder


def pictured(folder: Path) -> list[str]:
    with Store.open(folder) as store:
        found = store.pictured(store.last_run())
        return sorted(
            (outcome.file for outcome, picture in found if picture),
            key=lambda name: (int(name[:-4]) if name[:-4].isdecimal() else 0, name),
        )


def test_pictures_of_films_older_than_an_age_go_and_all_rows_stay_with_their_seals(out: Path) -> None:
    rows = [score.outcome for score in read_scores(out)]
    pruned = prune(out, timedelta(days=10), now=NOW)
    assert (pruned.films, pruned.pictures_left, pruned.is_shrunk) == (FILMS - 11, 11, True)
    assert pictured(out) == [f"{number}.png" for number in range(FILMS - 11, FILMS)]
    assert len(list((out / "heatmaps").iterdir())) == 11
    assert [score.outcome for score in read_scores(out)] == rows
    assert all(score.is_ours for score in read_scores(out))
    assert pruned.after < pruned.before / 2
    assert prune(out, timedelta(days=10), now=NOW).films == 0


def test_the_oldest_pictures_go_until_the_folder_is_as_small_as_asked(out: Path) -> None:
    whole = prune(out, timedelta(days=999), now=NOW).after
    pruned = prune(out, keep_under=whole * 2 // 3, now=NOW)
    assert pruned.after <= whole * 2 // 3
    assert 5 < pruned.films < 25
    assert pictured(out) == [f"{number}.png" for number in range(pruned.films, FILMS)]


def test_rows_alone_may_be_more_than_asked_and_stay(out: Path) -> None:
    pruned = prune(out, keep_under=1000)
    assert (pruned.films, pruned.pictures_left) == (FILMS, 0)
    assert pruned.after > 1000
    assert len(read_scores(out)) == FILMS


def test_a_film_without_its_picture_is_finished_still(out: Path) -> None:
    prune(out, timedelta(0), now=NOW + timedelta(days=1))
    with StoreWriter.open(out) as store:
        assert store.known(Place(1, "0.png", "stamp of 0.png"), PRINT) is not None
        assert store.distrusted == set()


def test_a_row_without_a_right_seal_gets_none_by_pruning(out: Path) -> None:
    change(out, "UPDATE results SET probability = 0.01 WHERE id = 1")
    prune(out, timedelta(0), now=NOW + timedelta(days=1))
    assert [score.is_ours for score in read_scores(out)] == [False] + [True] * (FILMS - 1)


def test_what_is_not_ours_in_the_folder_stays(out: Path) -> None:
    (out / "heatmaps" / "letter.png").write_bytes(b"dear")
    (out / "notes.txt").write_bytes(b"dear")
    prune(out, timedelta(0), now=NOW + timedelta(days=1))
    assert [path.name for path in (out / "heatmaps").iterdir()] == ["letter.png"]
    assert (out / "notes.txt").exists()


def test_no_link_is_followed(out: Path, tmp_path: Path) -> None:
    (out / "heatmaps").rename(tmp_path / "elsewhere")
    (out / "heatmaps").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="a link"):
        prune(out, timedelta(0), now=NOW + timedelta(days=1))
    assert len(list((tmp_path / "elsewhere").iterdir())) == FILMS


def test_a_clock_that_is_set_back_drops_nothing(out: Path) -> None:
    assert prune(out, timedelta(days=1), now=NOW - timedelta(days=365)).films == 0


def test_films_that_came_after_a_clock_was_set_back_are_as_young_as_those_before_them(tmp_path: Path) -> None:
    before = [Drawn("a.png", finished=finished(100)), Drawn("b.png", finished=finished(5))]
    later = [Drawn("c.png", finished=finished(3650)), Drawn("d.png", finished=finished(3649))]
    write_store(tmp_path, before, [*before, *later])
    pruned = prune(tmp_path, timedelta(days=90), now=NOW)
    assert (pruned.films, pictured(tmp_path)) == (1, ["b.png", "c.png", "d.png"])
    pruned = prune(tmp_path, timedelta(days=90), now=NOW + timedelta(days=90))
    assert (pruned.films, pictured(tmp_path)) == (3, [])


def test_a_film_that_is_scored_again_and_a_clock_that_was_ahead_keep_no_others(tmp_path: Path) -> None:
    films = [Drawn("ahead.png", finished=finished(-9000)), Drawn("a.png", finished=finished(200))]
    folder = write_store(tmp_path, [*films, Drawn("b.png", finished=finished(199))], films)
    forced = f"UPDATE results SET finished = '{finished(1)}', seal = '' WHERE id = 2"
    change(folder, f"UPDATE runs SET ended = '{finished(198)}' WHERE id = 1", forced)
    assert prune(folder, timedelta(days=90), now=NOW).films == 1
    assert pictured(folder) == ["a.png", "ahead.png"]


def test_a_picture_that_a_later_model_drew_stays_when_the_earlier_row_loses_its_own(tmp_path: Path) -> None:
    for model, days in (("old", 100), ("new", 1)):
        film = Drawn("a.png", finished=finished(days), fingerprint=model)
        folder = write_store(tmp_path, [film])
    (folder / "heatmaps").mkdir()
    (score,) = read_scores(folder)
    picture = folder / "heatmaps" / f"{safe_name('a.png', score.outcome.sha256)}.png"
    picture.write_bytes(b"picture" * 1000)
    with PruningStore.open(folder) as store:
        old, new = store.films_by_age(folder, NOW)
    assert new.size - old.size == picture.stat().st_size
    assert prune(folder, timedelta(days=90), now=NOW).films == 1
    assert picture.exists()
    assert prune(folder, timedelta(0), now=NOW).films == 1
    assert not picture.exists()


def test_room_is_given_back_to_the_disk(out: Path) -> None:
    before = (out / STORE_FILE).stat().st_size
    prune(out, timedelta(0), now=NOW + timedelta(days=1))
    assert (out / STORE_FILE).stat().st_size < before / 3
    assert ask(out, "PRAGMA freelist_count") == [(0,)]


def test_a_store_in_use_keeps_its_size_and_loses_its_pictures(out: Path) -> None:
    from cxr_runtime.store.folder import held

    with held(out):
        pruned = prune(out, timedelta(0), now=NOW + timedelta(days=1))
    assert (pruned.films, pruned.is_shrunk) == (FILMS, False)
    assert pictured(out) == []


def test_a_limit_is_needed_and_a_store(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a limit"):
        prune(out)
    with pytest.raises(StoreError, match="holds no"):
        prune(tmp_path, timedelta(1))


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("2 w", 14), ("1Y", 365), ("0d", 0)])
def test_an_age_is_in_days_weeks_or_years(text: str, days: int) -> None:
    assert parse_age(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["90", "d", "-1d", "3m", "99999y", "1.5d", ""])
def test_anything_else_is_no_age(text: str) -> None:
    with pytest.raises(UsageError, match=r"--older-than .* is not an age"):
        parse_age(text)


def test_files_that_go_while_they_are_counted_are_left_out(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"picture")
    counted = files_with_sizes(tmp_path)
    first, size = next(counted)
    for path in tmp_path.iterdir():
        path.unlink()
    assert (first.suffix, size) == (".png", 7)
    assert list(counted) == []
    assert list(files_with_sizes(tmp_path / "missing")) == []


def test_all_folders_of_days_are_pruned_the_earliest_first(tmp_path: Path) -> None:
    days = [
        write_store(
            tmp_path / (NOW - timedelta(days=age)).date().isoformat(),
            [Drawn(f"{age}-{film}.png", finished=finished(age)) for film in range(4)],
        )
        for age in (30, 20, 10)
    ]
    pruned = prune_days(tmp_path, timedelta(days=25), now=NOW)
    assert (pruned.films, pruned.pictures_left) == (4, 8)
    assert pruned.before - pruned.after > 0
    pruned = prune_days(tmp_path, keep_under=pruned.after - 1, now=NOW)
    assert [len(pictured_of(day)) for day in days] == [0, 4 - pruned.films, 4]
    assert 1 <= pruned.films <= 4
    with pytest.raises(StoreError, match=r"3 folders of days, .* give .*2026-05-22, or join them by"):
        prune(tmp_path, timedelta(0))
    with pytest.raises(StoreError, match="holds no"):
        prune_days(tmp_path / "heatmaps", timedelta(0))


def pictured_of(folder: Path) -> list[str]:
    with Store.open(folder) as store:
        return [outcome.file for outcome, picture in store.pictured(None) if picture]
