"""The table of damaged films."""

from random import Random

import pytest

import film_files as files
from cxr_runtime.benchmark.damage import DamageCount, DamageOptions, damage_table, measure_damage
from cxr_runtime.benchmark.damaged_films import CODINGS, DAMAGES
from cxr_runtime.progress import Silence
from cxr_runtime.reading import read_film


@pytest.mark.parametrize("coding", CODINGS)
def test_every_coding_is_read_as_the_film_it_was_made_of(coding: str) -> None:
    film = read_film(CODINGS[coding].encode(files.phantom(160, 128)))
    assert abs(film.pixels.astype(int) - files.phantom(160, 128)).mean() < 3


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_the_same_for_the_same_seed(kind: str) -> None:
    content = bytes(range(256)) * 40
    changed = DAMAGES[kind](content, Random(3))
    assert changed == DAMAGES[kind](content, Random(3)) != content


def test_damaged_films_are_counted_by_coding() -> None:
    counts = measure_damage(DamageOptions(count=20, workers=1), Silence())
    assert counts["PNG"] == DamageCount(damaged=10, refused=10, within=0, wrong=0)
    assert counts["JPEG"].damaged == 10
    assert not counts["BMP"].damaged


def test_codings_without_any_guard_have_rows_of_their_own() -> None:
    lines = damage_table({"PNG": DamageCount(4, 3, 1, 0), "BMP": DamageCount(4, 1, 1, 2)}).splitlines()
    assert lines[2] == "| PNG | checksum | 4 | 3 | 1 | 0 | 0.0 |"
    assert lines[4] == "| BMP | none | 4 | 1 | 1 | 2 | 50.0 |"
    assert lines[6] == "| **all** |  | 8 | 4 | 2 | 2 | 25.0 |"
