"""Parts that die: with a clock that the test turns, and with threads."""

import json
from io import StringIO
from pathlib import Path
from threading import Event

import pytest

from cxr_runtime.appliance.restarting import PartState, Standing, Supervised, Waits
from cxr_runtime.errors import StoreError
from cxr_runtime.journal import Journal, LogFormat

WAITS = Waits(first=1.0, growth=2.0, longest=8.0, well_after=100.0)
SHORT = Waits(first=0.001, growth=1.0, longest=0.001)
PATIENCE = 30.0  # seconds for what takes none


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def standing(said: list[str], clock: Clock | None = None, waits: Waits = WAITS) -> Standing:
    return Standing("scoring", Journal(), said.append, waits, clock or Clock())


def test_waits_grow_up_to_a_limit_and_begin_anew_after_a_long_life() -> None:
    clock, said = Clock(), list[str]()
    part = standing(said, clock)
    waits = []
    for _ in range(6):
        part.began()
        waits.append(part.died(StoreError("the disk is full")))
        assert not part.is_due
        clock.now += waits[-1]
        assert part.is_due
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    part.began()
    clock.now += WAITS.well_after
    assert part.died(StoreError("the disk is full")) == 1.0
    assert said[0] == "scoring has stopped and is begun again in 1 s: the disk is full"


def test_health_says_what_a_part_died_of_and_when_it_is_begun_again() -> None:
    clock = Clock()
    part = standing([], clock)
    part.began()
    assert part.health().state is PartState.RUNS
    part.died(StoreError("the disk is full"))
    clock.now += 0.25
    health = part.health()
    assert (health.state, health.deaths, health.error) == (PartState.WAITS, 1, "storeerror")
    assert health.again_in == pytest.approx(0.75, abs=0.06)
    part.began()
    assert (part.health().state, part.health().again_in) == (PartState.RUNS, 0.0)
    part.ended()
    assert part.health().state is PartState.ENDED


def test_deaths_and_beginnings_stand_in_the_journal(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "log", LogFormat.JSON, StringIO())
    part = Standing("watch-1", journal, lambda _: None, WAITS, Clock())
    part.began()
    part.died(ValueError("of Erika Mustermann"))
    part.began()
    journal.close()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    found = [{name: value for name, value in line.items() if name != "time"} for line in lines]
    assert found == [
        {"event": "part-died", "part": "watch-1", "error": "valueerror", "again_in": 1.0},
        {"event": "part-again", "part": "watch-1", "deaths": 1},
    ]


def test_of_a_fault_of_ours_the_place_is_said_and_no_text_that_may_name_somebody() -> None:
    said = list[str]()
    try:
        raise ValueError("of Erika Mustermann")
    except ValueError as error:
        standing(said).died(error)
    assert "ValueError in test_restarting.py, line " in said[0]
    assert "Mustermann" not in said[0]


class Dying:
    """A part that dies a few times before it stays."""

    def __init__(self, deaths: int) -> None:
        self.left, self.made, self.stays, self.ending = deaths, 0, Event(), Event()

    def make(self) -> "Dying":
        self.made += 1
        return self

    def run(self) -> None:
        if self.left:
            self.left -= 1
            raise StoreError("the disk is full")
        self.stays.set()
        self.ending.wait(PATIENCE)

    def end(self) -> None:
        self.ending.set()


def test_a_part_that_dies_is_made_anew_until_it_stays_and_ends_when_asked() -> None:
    part = Dying(3)
    supervised = Supervised(part.make, standing([], waits=SHORT))
    supervised.start("dying")
    assert part.stays.wait(PATIENCE)
    assert part.made == 4
    assert supervised.standing.health().deaths == 3
    supervised.end()
    supervised.join(PATIENCE)
    assert supervised.standing.health().state is PartState.ENDED


def test_a_part_that_ends_of_its_own_accord_has_died() -> None:
    part, said = Dying(0), list[str]()
    part.ending.set()

    def make() -> Dying:
        if part.made == 2:
            supervised.end()
        return part.make()

    supervised = Supervised(make, standing(said, waits=SHORT))
    supervised.run()
    assert [line.rpartition(": ")[2] for line in said] == ["it ended of its own accord"] * 2


def test_a_part_that_cannot_end_in_order_says_so() -> None:
    class Stubborn(Dying):
        def run(self) -> None:
            supervised.end()
            raise StoreError("the disk is full")

    supervised = Supervised(Stubborn(0).make, standing([]))
    with pytest.raises(StoreError):
        supervised.run()
    assert supervised.standing.health().deaths == 1


def test_what_is_asked_to_end_while_a_part_is_made_runs_none() -> None:
    part = Dying(1)

    def make() -> Dying:
        supervised.end()
        return part.make()

    supervised = Supervised(make, standing([]))
    supervised.run()
    assert (part.left, supervised.standing.health().state) == (1, PartState.ENDED)
