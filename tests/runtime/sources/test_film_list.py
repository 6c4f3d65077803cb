"""A list of films gives them back as they were, in their order, however often it is gone through."""

import pickle
from pathlib import Path

from cxr_runtime.sources.film_list import TOGETHER, FilmList
from cxr_runtime.sources.film_source import FileOnDisk, OutOfReach
from cxr_runtime.sources.find import LEADS_OUT


def test_many_films_come_back_in_their_order() -> None:
    films = [
        FileOnDisk(f"night/{n}.png", Path(f"night/{n}.png"), f"1:{n}:2") for n in range(2 * TOGETHER + 7)
    ]
    held = FilmList(iter(films))
    assert len(held) == len(films)
    assert list(held) == films
    assert list(held) == films


def test_a_film_out_of_reach_comes_back_with_its_reason() -> None:
    held = FilmList([OutOfReach("link.png", LEADS_OUT)] * TOGETHER)
    (first, *_) = held
    assert isinstance(first, OutOfReach)
    assert (first.failure.code, first.failure.sentence) == (LEADS_OUT.code, LEADS_OUT.sentence)


def test_no_films_are_an_empty_list() -> None:
    assert not FilmList()
    assert list(FilmList()) == []


def test_a_film_takes_little_memory() -> None:
    films = (FileOnDisk(f"/mnt/share/2026/{n:07}.dcm", Path(f"/mnt/share/2026/{n:07}.dcm"), f"65024:{n}:88")
             for n in range(TOGETHER * 3))  # fmt: skip
    assert len(pickle.dumps(FilmList(films))) < 40 * TOGETHER * 3
