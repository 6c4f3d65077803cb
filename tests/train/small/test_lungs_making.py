from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.lungs import LungField, LungMask
from cxr_runtime.lungs.atlas import read_atlases
from cxr_runtime.lungs.field import LUNG_FIELD_FILE, UnetLungField
from cxr_runtime.lungs.mask import lung_mask
from cxr_runtime.progress import Silence
from cxr_train.small.lungs import making
from cxr_train.small.lungs.atlases import make_atlases
from cxr_train.small.lungs.making import WHOLE_FILE, Making, cross_validate, make_lung_fields, markdown
from cxr_train.small.lungs.network import SCHEDULE, overlap_loss, train_lung_net
from cxr_train.small.lungs.sampling import OutlinedFilm
from outlined_films import outlined_films, write_outlined_films

SHORT = replace(SCHEDULE, steps=3, batch_size=2)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(making, "SCALES", 24)  # films that scales are taken from


def test_the_same_seed_trains_the_same_network() -> None:
    films = outlined_films(2)
    one, other = (train_lung_net(films, SHORT, Silence()).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls_as_the_overlap_grows() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[..., :4] = 1
    right, wrong = 6 * (2 * target - 1), 6 * (1 - 2 * target)
    assert float(overlap_loss(right, target)) < 0.1 < float(overlap_loss(wrong, target))


def test_atlases_are_averages_never_a_single_film() -> None:
    films = outlined_films(30)
    atlases = make_atlases(films)
    assert atlases.pictures.shape == atlases.masks.shape
    assert 1 <= len(atlases.pictures) <= 2
    assert not any(
        np.array_equal(cv2.resize(f.pixels, (160, 160)), a) for f in films for a in atlases.pictures
    )


def test_too_few_films_make_no_atlas() -> None:
    with pytest.raises(CxrTriageError, match="too few"):
        make_atlases(outlined_films(5))


def test_no_film_is_measured_by_a_lung_field_that_has_seen_it(tmp_path: Path) -> None:
    films = outlined_films(6)
    seen: list[set[str]] = []

    class Whole:
        def find(self, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> LungMask:
            assert not any(np.array_equal(pixels, film.pixels) for film in films if film.name in seen[-1])
            return lung_mask(np.full((40, 40), 255, np.uint8), (pixels.shape[0], pixels.shape[1]))

    def make(known: list[OutlinedFilm], _folder: Path) -> LungField:
        seen.append({film.name for film in known})
        return Whole()

    measured = cross_validate(films, 3, make, tmp_path)
    assert sorted(film.name for film in measured) == sorted(film.name for film in films)
    assert len(seen) == 3


def test_a_cross_validation_leaves_its_table_and_the_lung_field_of_all_films(tmp_path: Path) -> None:
    out = tmp_path / "out"
    wanted = Making(write_outlined_films(tmp_path, 20), out, ("atlas",), 2, SHORT)
    table = make_lung_fields(wanted, Silence())
    assert table.splitlines()[-1].startswith("| atlas | 20 |")
    assert (out / "lung-field.md").read_text(encoding="utf-8") == table
    assert len(read_atlases(out / "lung-atlases.npz").pictures) == 1


def test_without_folds_the_network_alone_is_written_small_enough_to_ship(tmp_path: Path) -> None:
    wanted = Making(write_outlined_films(tmp_path, 3), tmp_path / "out", ("unet",), 0, SHORT)
    assert make_lung_fields(wanted, Silence()) == ""
    assert (tmp_path / "out" / "lung-field.onnx").stat().st_size < 2_000_000


def test_the_table_has_a_row_a_lung_field() -> None:
    assert markdown({}).count("\n") == 2


def test_a_u_net_that_was_trained_before_is_made_int8_and_finds_the_same_lungs(tmp_path: Path) -> None:
    table, out, films = write_outlined_films(tmp_path, 6), tmp_path / "out", outlined_films(6)
    longer = replace(SCHEDULE, steps=30, batch_size=4)
    make_lung_fields(Making(table, tmp_path / "first", ("unet",), 0, longer), Silence())
    trained = tmp_path / "first" / WHOLE_FILE
    make_lung_fields(Making(table, out, ("unet",), 0, SHORT, trained), Silence())
    made = out / LUNG_FIELD_FILE.name
    assert made.read_bytes() == (tmp_path / "first" / made.name).read_bytes()
    assert not (out / WHOLE_FILE).exists()
    for film in films:
        whole, lower = (UnetLungField(path).find(film.pixels).over_film((64, 64)) for path in (trained, made))
        assert (whole == lower).mean() > 0.9
