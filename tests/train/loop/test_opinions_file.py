from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.progress import Silence
from cxr_train.data import read_data_set
from cxr_train.data.drawn_films import draw_data_set
from cxr_train.data.prepared_films import PreparedFilms, prepare_films
from cxr_train.data.split import SplitPlan
from cxr_train.loop.earlier_runs import teach
from cxr_train.loop.opinions_file import opinions_of_model, read_opinions
from cxr_train.run import train
from tiny_training import short_recipe

SMALL = Preprocessing(input_hw=(32, 32), working_hw=(32, 32))
MODEL = Path(__file__).parents[3] / "runtime" / "cxr_runtime" / "models" / "default"


def write_opinions(path: Path, rows: list[tuple[object, ...]]) -> str:
    path.write_bytes(csv_bytes([("sha256", "probability", "known", "cells"), *rows]))
    return str(path)


@pytest.fixture
def prepared(data_set: Path, cache: Path) -> PreparedFilms:
    return prepare_films(read_data_set(data_set).films, SMALL, cache)


def test_a_table_teaches_the_films_that_it_names(
    prepared: PreparedFilms, data_set: Path, tmp_path: Path
) -> None:
    films, digests = read_data_set(data_set).films, prepared.sha256s
    cells = "[[0, 0], [0, 1]]"
    one = write_opinions(tmp_path / "one.csv", [(digests[0], 0.9, "", cells), (digests[1], 0.2, 1, cells)])
    other = write_opinions(tmp_path / "other.csv", [(digests[1], 0.6, "", cells)])
    said = teach([one, other], films, np.arange(3), prepared, about_heat=True)
    assert said.probability[:2] == pytest.approx([0.9, 0.6], abs=1e-4)
    assert np.isnan(said.probability[2])
    assert said.heat is not None
    assert (said.heat[0, 2, 2], said.heat[0, -2, -2]) == (0, 255)


def test_a_table_that_knows_the_test_is_refused(
    prepared: PreparedFilms, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    table = write_opinions(tmp_path / "known.csv", [(digest, 0.5, 1, "") for digest in prepared.sha256s])
    recipe = short_recipe(teachers=[table], terms={"teacher": 1.0})
    with pytest.raises(UsageError, match=r"known.csv knows \d+ of the \d+ films on which this run is tested"):
        train(tmp_path / "run", [data_set], recipe, SplitPlan(shares=(0.5, 0.2, 0.3)), cache=cache)


def test_what_is_no_opinion_is_refused_with_its_line(tmp_path: Path) -> None:
    digest = "ab" * 32
    for row, expected in (
        ((digest[:10], 0.5, "", ""), "expected 64 hex digits"),
        ((digest, 1.5, "", ""), "expected a number from 0 to 1"),
        ((digest, 0.5, "", "[[2]]"), "expected rows of numbers from 0 to 1"),
    ):
        path = Path(write_opinions(tmp_path / "opinions.csv", [row]))
        with pytest.raises(UsageError, match=f"line 2.*{expected}"):
            read_opinions(path)


def test_a_model_folder_writes_such_a_table(tmp_path: Path) -> None:
    films = read_data_set(draw_data_set(tmp_path / "films", 2)).films
    path = tmp_path / "opinions.csv"
    path.write_bytes(opinions_of_model(MODEL, films, Silence()))
    opinions = read_opinions(path)
    assert len(opinions) == 2
    assert all(one.cells is not None and one.cells.shape == (16, 16) for one in opinions.values())
