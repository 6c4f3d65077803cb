from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.lungs import lung_field
from cxr_runtime.lungs.field import UnetLungField
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_train.data.film import TrainingFilm
from cxr_train.data.lung_boxes import lung_boxes
from cxr_train.data.prepared_films import prepare_films


def test_lungs_are_found_as_in_a_scan_and_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phantoms = [draw_phantom(seed, hw=(256, 224)) for seed in range(2)]
    paths = [tmp_path / f"{seed}.png" for seed in range(2)]
    for path, film in zip(paths, phantoms, strict=True):
        path.write_bytes(encode_png(film))
    films = [TrainingFilm(path, path.name, path.name) for path in paths]
    how = Preprocessing(input_hw=(32, 32), working_hw=(64, 64))
    prepared = prepare_films(films, how, tmp_path / "cache")
    expected = [lung_field().find(film).box_film_xyxy for film in phantoms]
    assert expected[0] != expected[1]
    assert lung_boxes(films, prepared, np.arange(2)) == expected
    monkeypatch.delattr(UnetLungField, "find")
    assert lung_boxes(films, prepared, np.array([1, 0])) == expected[::-1]
