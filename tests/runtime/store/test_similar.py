"""Similar films of a store, by what the network saw in them."""

from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.reports.again import merge
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.features import features_in
from cxr_runtime.store.listing import Listed, Query, listed
from cxr_runtime.store.pruning import parse_age, prune
from cxr_runtime.store.similar import SimilarFilms
from drawn_stores import Drawn, ask, change, write_store
from model_folders import write_model_folder

FILMS = (
    Drawn("asked.png", features=(100, 10, 0)),
    Drawn("twin.png", features=(50, 5, 0)),  # the same, half as bright
    Drawn("near.png", features=(100, 40, 0)),
    Drawn("far.png", features=(0, 10, 100)),
    Drawn("old.png"),  # from before features were kept
)


def named(desk: Desk, name: str) -> Listed:
    return next(film for film in listed(desk, Query(), "ann", "") if film.outcome.file == name)


def similar(desk: Desk, index: SimilarFilms, name: str = "asked.png", many: int = 2) -> list[str]:
    return [each.film.outcome.file for each in index.of(desk, named(desk, name), many)]


def test_the_most_similar_films_come_first_however_bright_they_are(tmp_path: Path) -> None:
    with Desk.open(write_store(tmp_path, FILMS)) as desk:
        found = SimilarFilms().of(desk, named(desk, "asked.png"), 5)
        assert [each.film.outcome.file for each in found] == ["twin.png", "near.png", "far.png"]
        assert [round(each.cosine, 3) for each in found] == [1.0, 0.961, 0.01]


def test_a_film_that_was_scored_before_features_were_kept_has_no_similar_ones(tmp_path: Path) -> None:
    with Desk.open(write_store(tmp_path, FILMS)) as desk:
        assert similar(desk, SimilarFilms(), "old.png") == []


def test_films_that_come_and_go_are_found_and_found_no_more(tmp_path: Path) -> None:
    index = SimilarFilms()
    with Desk.open(write_store(tmp_path, FILMS[:1])) as desk:
        assert similar(desk, index) == []
        write_store(tmp_path, FILMS[1:3])
        assert similar(desk, index) == ["twin.png", "near.png"]
        change(tmp_path, "DELETE FROM features WHERE length(numbers) = 3 AND hex(numbers) = '320500'")
        assert similar(desk, index) == ["near.png"]


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE features SET numbers = (SELECT numbers FROM features ORDER BY result LIMIT 1)",
        "UPDATE features SET seal = ''",
        "UPDATE features SET numbers = 'abc'",
        "UPDATE features SET numbers = x''",
    ],
)
def test_features_that_somebody_has_changed_are_none(tmp_path: Path, command: str) -> None:
    write_store(tmp_path, FILMS)
    change(tmp_path, f"{command} WHERE result > 1")
    with Desk.open(tmp_path) as desk:
        assert similar(desk, SimilarFilms()) == []


def test_features_go_with_the_pictures_and_come_with_a_merge(tmp_path: Path) -> None:
    one, two = write_store(tmp_path / "one", FILMS[:1]), write_store(tmp_path / "two", FILMS[1:3])
    merge([one, two], tmp_path / "all")
    with Desk.open(tmp_path / "all") as desk:
        assert similar(desk, SimilarFilms()) == ["twin.png", "near.png"]
    prune(one, parse_age("0d"))
    assert ask(one, "SELECT count(*) FROM features") == [(0,)]


def test_a_scan_keeps_a_number_for_each_channel(tmp_path: Path) -> None:
    examples = Path(__file__).parents[3] / "examples"
    model = write_model_folder(tmp_path / "model")
    scan([examples / "clear-1.png"], ScanOptions(model=model, out=tmp_path / "out", formats=frozenset()))
    with Desk.open(tmp_path / "out") as desk:
        (film,) = listed(desk, Query(), "ann", "")
        features = features_in(desk, film.result)
    assert features is not None
    assert features.is_ours
    assert np.abs(np.frombuffer(features.numbers, np.int8)).max() == 127
