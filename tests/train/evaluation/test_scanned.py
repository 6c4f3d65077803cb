"""What a store says of films is measured against tables of what is known of them."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.data import DrawnBox, TrainingFilm
from cxr_train.evaluation.scanned import regions_table, similar_table
from drawn_stores import Drawn, write_store

RIGHT, LEFT = (0.2, 0.3, 0.3, 0.4), (0.7, 0.3, 0.8, 0.4)  # shares of the film; right is the patient's


@pytest.fixture
def films(tmp_path: Path) -> list[TrainingFilm]:
    """Six films of six patients, the abnormal ones alike; in a store, whose heat is the same on all."""
    made, drawn = list[TrainingFilm](), list[Drawn]()
    for number in range(6):
        path, is_abnormal = tmp_path / f"{number}.png", number % 2
        path.write_bytes(b"film %d" % number)
        digest = sha256(path.read_bytes()).hexdigest()
        features = (100, number, 0) if is_abnormal else (0, number, 100)
        drawn.append(Drawn(path.name, 0.9, sha256=digest, side=12, features=features))
        made.append(TrainingFilm(path, path.name, f"site:{number}", float(is_abnormal)))
    write_store(tmp_path / "out", drawn)
    return made


def test_similar_films_of_the_same_label_are_counted_beside_chance(
    films: list[TrainingFilm], tmp_path: Path
) -> None:
    # Of five others two have the label of a film: all are among the five most similar.
    assert "same label: 12 of 30, 40 %" in similar_table(tmp_path / "out", films)
    of_two = [replace(film, patient=f"site:{film.label}") for film in films]
    assert "same label: 0 of 18" in similar_table(tmp_path / "out", of_two)


def test_regions_in_words_are_compared_with_boxes_of_one_lung(
    films: list[TrainingFilm], tmp_path: Path
) -> None:
    boxes = [RIGHT, LEFT, (0.2, 0.3, 0.8, 0.4)]
    boxed = [replace(film, boxes=(DrawnBox(box, ""),)) for film, box in zip(films[:3], boxes, strict=True)]
    table = regions_table(tmp_path / "out", boxed)
    assert table.startswith("2 films whose boxes lie in one lung")
    assert "lies in that lung: 1 of 2" in table


def test_films_that_the_scan_has_not_are_said(films: list[TrainingFilm], tmp_path: Path) -> None:
    films[0].path.write_bytes(b"another film")
    with pytest.raises(UsageError, match="boxes lie in one lung"):
        regions_table(tmp_path / "out", [replace(films[0], boxes=(DrawnBox(RIGHT, ""),))])
    with pytest.raises(UsageError, match="both labels"):
        similar_table(tmp_path / "out", films[:1])
