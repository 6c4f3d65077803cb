from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.arrivals.again import FIRST_WAIT, GROWTH, LONGEST_WAIT, MACHINES_FAILURES, TriedAgain
from cxr_runtime.arrivals.tree import YOUNG_SECONDS
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.sources.film_source import FileOnDisk

FILM = FileOnDisk("a.png", Path("a.png"))


def failed(code: str) -> Outcome:
    return Outcome("a.png", "", Status.FAILED, code)


@pytest.mark.parametrize("code", sorted(MACHINES_FAILURES))
def test_what_the_machine_failed_is_tried_again_after_longer_and_longer_waits(code: str) -> None:
    again, now, waits = TriedAgain(), 0.0, list[float]()
    for _ in range(10):
        assert again.ended(FILM, failed(code), now)
        wait = 0.0
        while not (due := list(again.due(now + wait))):
            wait += FIRST_WAIT
        assert due == [FILM]
        waits.append(wait)
        now += wait
    assert waits[:3] == [FIRST_WAIT, GROWTH * FIRST_WAIT, GROWTH**2 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT


def test_a_film_that_was_done_begins_with_a_short_wait_again() -> None:
    again = TriedAgain()
    again.ended(FILM, failed("read-error"), 0.0)
    list(again.due(FIRST_WAIT))
    assert not again.ended(FILM, Outcome("a.png", "a" * 64, Status.SCORED), FIRST_WAIT)
    again.ended(FILM, failed("read-error"), 100.0)
    assert list(again.due(100.0 + FIRST_WAIT)) == [FILM]


def test_a_film_that_may_not_have_been_whole_is_tried_once_more_when_it_has_rested() -> None:
    again, young = TriedAgain(), replace(FILM, is_settled=False)
    assert again.ended(young, failed("truncated"), 0.0)
    assert again.is_soon(0.0)
    assert list(again.due(YOUNG_SECONDS - 1)) == []
    assert list(again.due(YOUNG_SECONDS)) == [FILM]
    assert not again.ended(FILM, failed("truncated"), YOUNG_SECONDS)
    assert len(again) == 0


@pytest.mark.parametrize(
    "outcome",
    [failed("damaged"), failed("missing"), Outcome("a.png", "a" * 64, Status.REJECTED, "not-chest")],
)
def test_what_is_the_films_own_doing_is_not_tried_again(outcome: Outcome) -> None:
    again = TriedAgain()
    assert not again.ended(FILM, outcome, 0.0)
    assert not again.is_soon(0.0)
