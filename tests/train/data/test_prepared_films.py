from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.lungs import lung_field
from cxr_runtime.lungs.field import UnetLungField
from cxr_runtime.model.preprocessing import Preprocessing, place, prepare
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.placement import Placement
from cxr_runtime.reading import read_film
from cxr_train.data.film import DrawnBox, TrainingFilm
from cxr_train.data.prepared_films import PreparedFilms, films_digest, lung_boxes, prepare_films
from drawn_data_sets import write_film

HOW = Preprocessing(input_hw=(32, 40), working_hw=(64, 64), clahe_clip=2.0)


def table(folder: Path, count: int = 3) -> list[TrainingFilm]:
    for number in range(count):
        write_film(folder / f"{number}.png", True, number)
    return [TrainingFilm(folder / f"{number}.png", f"{number}.png", f"p{number}") for number in range(count)]


@pytest.mark.parametrize("workers", [1, 3])
def test_films_are_prepared_as_the_clinic_prepares_them(workers: int, tmp_path: Path) -> None:
    films = table(tmp_path)
    prepared = prepare_films(films, HOW, tmp_path / "cache", workers)
    assert prepared.inputs.shape == (3, 32, 40)
    for row, film in enumerate(films):
        pixels = read_film(film.path.read_bytes()).pixels
        expected = prepare(pixels, place((64, 64), None, HOW), HOW)
        np.testing.assert_array_equal(prepared.inputs[row], expected)


def test_what_is_prepared_is_not_decoded_again_until_a_film_or_the_preprocessing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films, decoded = table(tmp_path), list[int]()
    monkeypatch.setattr(
        "cxr_train.data.prepared_films.read_film",
        lambda content: decoded.append(1) or read_film(content),  # type: ignore[func-returns-value]  # counts
    )
    for how in (HOW, HOW, Preprocessing(input_hw=(16, 16), working_hw=(64, 64))):
        prepare_films(films, how, tmp_path / "cache")
    assert len(decoded) == 6
    write_film(tmp_path / "new.png", False, 9)
    films[0] = TrainingFilm(tmp_path / "new.png", "new.png", "p0")
    prepare_films(films, HOW, tmp_path / "cache")
    assert len(decoded) == 9


def test_a_film_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    with pytest.raises(UsageError, match=r"bad\.png cannot be used"):
        prepare_films([TrainingFilm(tmp_path / "bad.png", "bad.png", "p")], HOW, tmp_path / "cache")


def test_a_box_lies_on_the_input_where_it_lies_on_the_film() -> None:
    placement = Placement((200, 100), (10.0, 50.0, 90.0, 150.0), (50, 40))
    prepared = PreparedFilms(np.zeros((1, 50, 40), np.uint8), (placement,), ("",))
    region = prepared.region(0, [DrawnBox((0.3, 0.5, 0.5, 0.6), "")])
    ys, xs = np.nonzero(region)
    assert (ys.min(), ys.max() + 1, xs.min(), xs.max() + 1) == (25, 35, 10, 20)


def test_a_box_beyond_the_crop_is_cut_off() -> None:
    placement = Placement((100, 100), (50.0, 50.0, 100.0, 100.0), (50, 50))
    prepared = PreparedFilms(np.zeros((1, 50, 50), np.uint8), (placement,), ("",))
    assert prepared.region(0, [DrawnBox((0.0, 0.0, 0.6, 0.6), "")]).sum() == 10 * 10 * 255
    assert not prepared.region(0, [DrawnBox((0.0, 0.0, 0.4, 0.4), "")]).any()


def test_the_digest_does_not_depend_on_the_order_of_films() -> None:
    assert films_digest(["a", "b"]) == films_digest(["b", "a"]) != films_digest(["a", "c"])


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
