"""The films that a precision is chosen by and judged on."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cxr_export.films import drawn_films, real_films
from cxr_export.folder import write_folder
from cxr_runtime.errors import UsageError
from cxr_runtime.model.folder import Manifest
from cxr_runtime.model.known_films import write_known_films
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.pictures import encode_png

HOW = Preprocessing(input_hw=(32, 32), working_hw=(64, 64))


def _data_set(folder: Path, films: int) -> Path:
    """A table of films of patients p0, p1, ... with two films each; the grey value says which film it is."""
    folder.mkdir()
    rows = ["file,label,patient"]
    for number in range(films):
        pixels = np.full((64, 64), 40 + 2 * number, np.uint8)
        (folder / f"{number}.png").write_bytes(encode_png(pixels))
        rows.append(f"{number}.png,{number % 2},p{number // 2}")
    (folder / "films.csv").write_text("\n".join(rows) + "\n")
    return folder / "films.csv"


def _numbers(inputs: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[int]:
    return sorted((int(film.mean()) - 40) // 2 for film in inputs)


def test_no_patient_both_chooses_and_judges(tmp_path: Path) -> None:
    films = real_films([_data_set(tmp_path / "data", 60)], HOW, cache=tmp_path / "cache")
    making, choosing = _numbers(films.calibration), _numbers(films.choosing)
    judging = _numbers(films.judged)
    assert sorted(making + choosing + judging) == list(range(60))
    assert abs(len(making) - len(choosing)) <= 1
    assert {number // 2 for number in making + choosing}.isdisjoint(number // 2 for number in judging)
    assert films.labels is not None
    assert films.labels.sum() == len(judging) // 2


def test_patients_that_the_run_knows_choose_and_the_others_judge(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    known = [f"{number}.png,films:p{number // 2},training" for number in range(20)]
    (run / "split.csv").write_text("\n".join(["name,patient,side", *known]) + "\n")
    films = real_films([_data_set(tmp_path / "data", 60)], HOW, run, cache=tmp_path / "cache")
    assert sorted(_numbers(films.calibration) + _numbers(films.choosing)) == list(range(20))
    assert _numbers(films.judged) == list(range(20, 60))


def test_too_few_films_to_make_a_precision_by_are_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "split.csv").write_text("name,patient,side\n0.png,films:p0,training\n")
    with pytest.raises(UsageError, match=r"make a precision and to choose by: 2, .*; expected 8 or more"):
        real_films([_data_set(tmp_path / "data", 60)], HOW, run, cache=tmp_path / "cache")


def test_patients_of_films_that_a_model_folder_knows_choose_and_the_others_judge(
    manifest: Manifest, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    data = _data_set(tmp_path / "data", 60)
    model_sha256 = write_folder(manifest, b"a network", model)
    one_of_each = [
        sha256((data.parent / f"{number}.png").read_bytes()).hexdigest() for number in range(0, 20, 2)
    ]
    write_known_films(model, model_sha256, one_of_each)
    films = real_films([data], HOW, model, cache=tmp_path / "cache")
    assert sorted(_numbers(films.calibration) + _numbers(films.choosing)) == list(range(20))
    assert _numbers(films.judged) == list(range(20, 60))


def test_too_few_films_to_judge_by_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are left to judge by; expected 20 of both classes"):
        real_films([_data_set(tmp_path / "data", 16)], HOW, cache=tmp_path / "cache")


def test_drawn_films_are_different_ones_for_every_purpose() -> None:
    films = drawn_films(HOW)
    assert films.labels is None
    parts = (films.calibration, films.choosing, films.judged)
    assert len({film.tobytes() for part in parts for film in part}) == sum(map(len, parts)) == 36


def test_a_class_of_few_patients_cannot_judge(tmp_path: Path) -> None:
    data = _data_set(tmp_path / "data", 60)
    lines = data.read_text().splitlines()
    renamed = [line[: line.index(",p")] + f",p{number % 8}" for number, line in enumerate(lines[1:])]
    data.write_text("\n".join([lines[0], *renamed]) + "\n")
    with pytest.raises(UsageError, match="20 of both classes, 6 patients of each: give more data"):
        real_films([data], HOW, cache=tmp_path / "cache")
