from dataclasses import replace
from pathlib import Path

import numpy as np

from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.data import TrainingFilm, read_data_set
from cxr_train.data.check import data_lines
from cxr_train.data.prepared_films import PreparedFilms, prepare_films
from cxr_train.data.split import SplitPlan, split_films

SMALL = Preprocessing(input_hw=(32, 32), working_hw=(32, 32))


def lines_of(films: tuple[TrainingFilm, ...], prepared: PreparedFilms) -> list[str]:
    return data_lines(films, prepared, split_films(films, SplitPlan(shares=(0.5, 0.3, 0.2))))


def test_every_side_is_counted(data_set: Path, cache: Path) -> None:
    films = read_data_set(data_set).films
    lines = lines_of(films, prepare_films(films, SMALL, cache))
    assert lines[0] == "data: 60 films of 30 patients"
    assert [line.partition(":")[0] for line in lines[1:4]] == ["training", "validation", "test"]
    assert "normal" in lines[1]
    assert "with boxes" in lines[1]


def test_a_hospital_that_gives_the_label_away_is_named(data_set: Path, cache: Path) -> None:
    films = read_data_set(data_set).films
    told = tuple(replace(film, site="A" if film.label else "B") for film in films)
    lines = lines_of(told, prepare_films(films, SMALL, cache))
    assert any("of site A are abnormal; it may learn the site" in line for line in lines)


def test_films_that_show_nothing_and_copies_are_named(data_set: Path, cache: Path) -> None:
    films = read_data_set(data_set).films
    prepared = prepare_films(films, SMALL, cache)
    inputs = np.array(prepared.inputs)
    inputs[3] = 7
    spoilt = replace(prepared, inputs=inputs, sha256s=(prepared.sha256s[1], *prepared.sha256s[1:]))
    looks = [line for line in lines_of(films, spoilt) if line.startswith("look: ")]
    assert any(f"1 films show nothing, e.g. {films[3].name}" in line for line in looks)
    assert any("1 films are copies" in line for line in looks)
