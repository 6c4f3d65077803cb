"""Ways of arriving that die, fill the disk, or outlive a scoring."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from cxr_runtime.appliance.disk import DiskGuard
from cxr_runtime.appliance.kept_arrivals import KeptArrivals
from cxr_runtime.appliance.restarting import PartState, Standing, Waits
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.journal import Journal
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource

FILMS = [FileOnDisk(f"{number}.png", Path(f"{number}.png")) for number in range(3)]


class Way:
    """Gives the films once, and dies where it is told to."""

    def __init__(self, kept: "Kept") -> None:
        self.kept, self.left, self.is_closed = kept, list(FILMS), False

    def start(self, bell: Event) -> None:
        if self.kept.starts_fail:
            raise CxrTriageError("the port is taken")
        self.bell = bell

    def take(self) -> Iterator[FilmSource]:
        while self.left:
            yield self.left.pop(0)
            if self.kept.dies:
                self.kept.dies = False
                raise CxrTriageError("the thread has died")

    def waiting(self) -> int:
        return len(self.left)

    def close(self) -> None:
        self.is_closed = True


class Kept:
    """A kept way of arriving, a clock and a disk that the test sets."""

    def __init__(self, folder: Path) -> None:
        self.now, self.free, self.dies, self.starts_fail = 0.0, 100, False, False
        self.made, self.said, self.ending = list[Way](), list[str](), Event()
        guard = DiskGuard(folder, 50, Journal(), lambda _: self.free, self.later)
        standing = Standing("watch-1", Journal(), self.said.append, Waits(), lambda: self.now)
        self.kept = KeptArrivals(self.make, standing, guard, self.ending)

    def later(self) -> float:
        self.now += 1.0
        return self.now

    def make(self) -> Way:
        self.made.append(Way(self))
        return self.made[-1]

    def take(self) -> list[FilmSource]:
        return list(self.kept.take())


def test_a_way_that_dies_is_begun_again_and_gives_its_films_once_more(tmp_path: Path) -> None:
    way = Kept(tmp_path)
    way.kept.start(Event())
    way.dies = True
    assert way.take() == FILMS[:1]
    assert way.made[0].is_closed
    assert way.kept.standing.health().state is PartState.WAITS
    assert (way.take(), way.kept.waiting()) == ([], 0)
    way.now += Waits().first
    assert way.take() == FILMS
    assert way.kept.standing.health().state is PartState.RUNS
    assert way.said == ["watch-1 has stopped and is begun again in 1 s: the thread has died"]


def test_a_way_that_cannot_begin_is_tried_again(tmp_path: Path) -> None:
    way = Kept(tmp_path)
    way.starts_fail = True
    way.kept.start(Event())
    way.kept.tend()
    assert len(way.made) == 1
    way.now += Waits().first
    way.kept.tend()
    assert (len(way.made), way.kept.standing.health().deaths) == (2, 2)
    way.starts_fail = False
    way.now += Waits().longest
    assert way.take() == FILMS


def test_a_full_disk_holds_films_up_and_loses_none(tmp_path: Path) -> None:
    way = Kept(tmp_path)
    way.kept.start(Event())
    taking = way.kept.take()
    assert next(taking) == FILMS[0]
    way.free = 49
    assert list(taking) == []
    assert (way.take(), way.kept.waiting()) == ([], 2)
    way.free = 100
    assert way.take() == FILMS[1:]


def test_when_a_scoring_leaves_all_films_are_there_for_the_next_one(tmp_path: Path) -> None:
    way, first, second = Kept(tmp_path), Event(), Event()
    way.kept.start(first)
    way.take()
    way.kept.close()
    assert way.made[0].is_closed
    way.made[1].bell.set()
    assert len(way.made) == 2
    way.kept.start(second)
    assert second.is_set()
    second.clear()
    way.made[1].bell.set()
    assert second.is_set()
    assert way.take() == FILMS


def test_nothing_is_begun_again_at_the_end(tmp_path: Path) -> None:
    way = Kept(tmp_path)
    way.kept.start(Event())
    way.ending.set()
    way.kept.close()
    way.kept.tend()
    assert (len(way.made), way.take()) == (1, [])
    assert way.kept.standing.health().state is PartState.ENDED
