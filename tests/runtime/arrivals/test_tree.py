"""Watched folders with a clock that the test turns: nothing here waits."""

import os
import zipfile
from pathlib import Path

import pytest

from cxr_runtime.arrivals import listing
from cxr_runtime.arrivals.listing import SWEEP_SECONDS
from cxr_runtime.arrivals.tree import SETTLED_SECONDS, YOUNG_SECONDS, WatchedTree
from cxr_runtime.atomic import file_stamp
from cxr_runtime.errors import UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, OutOfReach
from cxr_runtime.store.writer import StoreWriter

LATER = 1_000_000.0  # a clock by which every file of the test is old


class Watch:
    """A folder and a clock: each look is half a second after the one before."""

    def __init__(self, folder: Path, clock: float = LATER) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.tree = WatchedTree(
            str(folder), bounds=(folder.resolve(),), clock=lambda: folder.stat().st_mtime + clock
        )
        self.now = 0.0

    def look(self, seconds: float = 0.5) -> list[FilmSource]:
        """What a look gives, so many seconds after the one before."""
        self.now += seconds
        return self.tree.look(self.now)

    def looks(self, seconds: float) -> list[FilmSource]:
        """What all looks of some time give."""
        return [film for _ in range(int(2 * seconds)) for film in self.look()]

    def names(self, seconds: float = SETTLED_SECONDS + 1) -> list[str]:
        """The names of the films that are given in some time, below the folder."""
        return [os.path.relpath(film.file, self.folder) for film in self.looks(seconds)]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path / "in")


def test_a_file_is_given_once_when_it_has_rested(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.look() == []
    assert watch.look(SETTLED_SECONDS - 0.1) == []
    path = watch.folder / "a.png"
    assert watch.look(0.1) == [FileOnDisk(f"{watch.folder}/a.png", path, file_stamp(path))]
    assert watch.looks(3 * SWEEP_SECONDS) == []


def test_a_file_that_grows_waits(watch: Watch) -> None:
    with (watch.folder / "a.png").open("wb") as file:
        for _ in range(20):
            file.write(b"piece")
            file.flush()
            assert watch.look(SETTLED_SECONDS - 0.1) == []
    assert watch.names() == ["a.png"]


def test_a_file_that_has_its_whole_size_from_the_start_waits_while_it_is_filled(watch: Watch) -> None:
    with (watch.folder / "a.png").open("wb") as file:
        file.truncate(1 << 20)  # as some programs copy
        for _ in range(20):
            file.write(bytes([1]) * 4096)
            file.flush()
            os.utime(file.fileno(), (1, 1))  # nor does its time tell
            assert watch.look(SETTLED_SECONDS - 0.1) == []
    assert watch.names() == ["a.png"]


def test_a_file_renamed_into_place_is_given_and_its_first_name_is_not(watch: Watch) -> None:
    (watch.folder / "a.png.part").write_bytes(b"a")
    (watch.folder / ".b.png.x7").write_bytes(b"b")
    (watch.folder / "c.new").write_bytes(b"c")
    assert watch.look() == []
    for temporary, final in (("a.png.part", "a.png"), (".b.png.x7", "b.png"), ("c.new", "c.png")):
        (watch.folder / temporary).rename(watch.folder / final)
    assert watch.names() == ["a.png", "b.png", "c.png"]


def test_a_file_that_is_deleted_before_it_rests_is_not_given(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    watch.look()
    (watch.folder / "a.png").unlink()
    assert watch.names(10) == []
    assert watch.tree.waiting == 0


def test_a_moved_file_is_given_under_its_new_name_too(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.names() == ["a.png"]
    (watch.folder / "done").mkdir()
    (watch.folder / "a.png").rename(watch.folder / "done" / "a.png")
    assert watch.names() == ["done/a.png"]


def test_a_file_renamed_over_another_is_a_new_one(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.names() == ["a.png"]
    watch.looks(2 * YOUNG_SECONDS)
    (watch.folder / "b.tmp").write_bytes(b"b")
    (watch.folder / "b.tmp").rename(watch.folder / "a.png")
    assert watch.names() == ["a.png"]


def test_a_file_written_over_in_place_is_noticed_within_a_minute_or_so(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.names() == ["a.png"]
    watch.looks(2 * YOUNG_SECONDS)
    (watch.folder / "a.png").write_bytes(b"another")
    assert watch.names(SWEEP_SECONDS + SETTLED_SECONDS + 1) == ["a.png"]


def test_a_file_that_is_written_on_soon_after_it_was_given_is_given_again(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "in", clock=0.0)
    (watch.folder / "a.png").write_bytes(b"half")
    (first,) = watch.looks(SETTLED_SECONDS + 1)
    assert isinstance(first, FileOnDisk)
    assert not first.is_settled
    watch.looks(YOUNG_SECONDS / 2)
    with (watch.folder / "a.png").open("ab") as file:
        file.write(b"the rest")
    assert watch.names() == ["a.png"]


def test_folders_that_come_are_watched_and_folders_that_go_are_forgotten(watch: Watch) -> None:
    (watch.folder / "study" / "series").mkdir(parents=True)
    (watch.folder / "study" / "series" / "a.dcm").write_bytes(b"a")
    assert watch.names() == ["study/series/a.dcm"]
    (watch.folder / "study").rename(watch.folder / "other")
    assert watch.names() == ["other/series/a.dcm"]
    (watch.folder / "other" / "series" / "b.dcm").write_bytes(b"b")
    assert watch.names() == ["other/series/b.dcm"]


def test_a_folder_that_vanishes_and_comes_back_is_looked_at_as_at_the_start(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.names() == ["a.png"]
    away = watch.folder.with_name("away")
    watch.folder.rename(away)
    watch.tree.clock = lambda: LATER * 1e4
    assert watch.names(20) == []
    assert watch.tree.is_away
    (away / "b.png").write_bytes(b"b")
    away.rename(watch.folder)
    assert watch.names() == ["a.png", "b.png"]
    assert not watch.tree.is_away


def test_what_cannot_be_a_film_is_never_given(watch: Watch, tmp_path: Path) -> None:
    for name in ("notes.txt", ".hidden.png", "DICOMDIR", "a.tmp"):
        (watch.folder / name).write_bytes(b"x")
    (watch.folder / ".folder").mkdir()
    (watch.folder / ".folder" / "a.png").write_bytes(b"x")
    assert watch.names(10) == []
    assert watch.tree.waiting == 0


def test_results_and_the_output_folder_are_not_watched(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "in")
    results, out = watch.folder / "results", watch.folder / "out"
    for folder in (results, out):
        (folder / "heatmaps").mkdir(parents=True)
        (folder / "heatmaps" / "a.png").write_bytes(b"x")
    StoreWriter.open(results).close()
    watch.tree.is_excluded = lambda path: path == out
    assert watch.names(10) == []
    late = watch.folder / "late"
    late.mkdir()
    watch.look()
    StoreWriter.open(late).close()
    assert (late / STORE_FILE).exists()
    (late / "a.png").write_bytes(b"x")
    assert watch.names(10) == []


def test_a_watched_folder_that_becomes_an_output_folder_is_refused(watch: Watch) -> None:
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.names() == ["a.png"]
    StoreWriter.open(watch.folder).close()
    with pytest.raises(UsageError, match=r"in holds triage\.sqlite: it is an output folder"):
        watch.looks(10)


def test_films_of_a_zip_file_are_given_once_it_is_whole(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "in", clock=0.0)
    made = tmp_path / "week.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for name in ("a.png", "b.png", "notes.txt"):
            archive.writestr(name, name)
    content = made.read_bytes()
    with (watch.folder / "week.zip").open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        assert watch.names(10) == []
        file.write(content[len(content) // 2 :])
    assert watch.names() == ["week.zip!a.png", "week.zip!b.png"]


def test_a_zip_file_that_stays_damaged_is_a_film_out_of_reach(watch: Watch) -> None:
    (watch.folder / "week.zip").write_bytes(b"PK\x03\x04 and no more")
    (film,) = watch.looks(SETTLED_SECONDS + 1)
    assert isinstance(film, OutOfReach)
    assert film.failure.code == "archive-damaged"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_inside_only(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    (watch.folder / "a.png").write_bytes(b"a")
    (watch.folder / "inside.png").symlink_to(watch.folder / "a.png")
    (watch.folder / "loop").symlink_to(watch.folder)
    (watch.folder / "nowhere.png").symlink_to(tmp_path / "nowhere")
    (watch.folder / "out.png").symlink_to(tmp_path / "secret.png")
    (watch.folder / "outside").symlink_to(tmp_path)
    films = {os.path.relpath(film.file, watch.folder): film for film in watch.looks(10)}
    assert sorted(films) == ["a.png", "inside.png", "out.png", "outside"]
    assert [name for name, film in films.items() if isinstance(film, OutOfReach)] == ["out.png", "outside"]


def test_more_new_files_than_one_look_takes_up_come_in_the_next_ones(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_NEW", 10)
    for number in range(35):
        (watch.folder / f"{number:02d}.png").write_bytes(b"x")
    watch.look()
    assert watch.tree.waiting == 11  # those that are looked at, and that there are more
    assert watch.names(60) == [f"{number:02d}.png" for number in range(35)]
    assert watch.tree.waiting == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_counted_and_keeps_no_other_from_being_watched(watch: Watch) -> None:
    (watch.folder / "closed").mkdir(mode=0)
    (watch.folder / "a.png").write_bytes(b"a")
    assert watch.names() == ["a.png"]
    assert watch.tree.unlisted == 1


def test_a_folder_at_rest_costs_one_question_a_look(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (watch.folder / f"{number}.png").write_bytes(b"x")
    watch.looks(2 * YOUNG_SECONDS)
    listed, scandir = list[object](), os.scandir

    def counted(path: Path) -> object:
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    watch.looks(SWEEP_SECONDS / 2)
    assert len(listed) <= 1
