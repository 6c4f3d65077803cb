from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cxr_runtime.errors import UsageError
from cxr_runtime.lungs.field import INPUT_SIDE
from cxr_train.small.lungs.opacities import add_opacities
from cxr_train.small.lungs.sampling import MILD, STRONG, Changes, draw_batch, read_outlined_films
from cxr_train.small.variations import CHANGES, Change, Jitter, change_appearance, random_warp, warp
from outlined_films import outlined_films


def _write(folder: Path, name: str, hw: tuple[int, int]) -> None:
    cv2.imwrite(str(folder / name), np.full(hw, 200, np.uint8))


def _table(folder: Path, rows: str, header: str = "file,lung_mask,label") -> Path:
    table = folder / "table.csv"
    table.write_text(f"{header}\n{rows}\n", encoding="utf-8")
    return table


def test_films_are_found_beside_their_table(tmp_path: Path) -> None:
    for name in ("a.png", "a-lungs.png"):
        _write(tmp_path, name, (30, 40))
    (film,) = read_outlined_films(_table(tmp_path, "a.png,a-lungs.png,nodule"))
    assert (film.name, film.pixels.shape, film.mask.shape) == ("a.png", (30, 40), (30, 40))


def test_a_table_without_masks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lung_mask"):
        read_outlined_films(_table(tmp_path, "a.png,nodule", header="file,label"))


def test_a_missing_film_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.png"):
        read_outlined_films(_table(tmp_path, "a.png,a-lungs.png,x"))


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "a.png", (30, 40))
    _write(tmp_path, "m.png", (30, 41))
    with pytest.raises(UsageError, match="must be equal"):
        read_outlined_films(_table(tmp_path, "a.png,m.png,x"))


def test_a_mask_of_0_and_1_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "a.png", (30, 40))
    cv2.imwrite(str(tmp_path / "m.png"), np.tri(30, 40, dtype=np.uint8))
    with pytest.raises(UsageError, match=r"m\.png has no lungs: its largest value is 1; expected .* 255"):
        read_outlined_films(_table(tmp_path, "a.png,m.png,x"))


FILMS = outlined_films(3)


@pytest.mark.parametrize("changes", [STRONG, MILD])
def test_samples_are_of_the_network_s_size_standardised_and_finite(changes: Changes) -> None:
    inputs, targets = draw_batch(np.random.default_rng(0), FILMS, 12, changes)
    assert inputs.shape == targets.shape == (12, 1, INPUT_SIDE, INPUT_SIDE)
    assert inputs.dtype == targets.dtype == torch.float32
    assert torch.isfinite(inputs).all()
    assert float(inputs.mean(dim=(1, 2, 3)).abs().max()) < 1e-3
    assert 0 <= float(targets.min()) <= float(targets.max()) <= 1


def test_the_same_seed_draws_the_same_batch() -> None:
    one, other = (draw_batch(np.random.default_rng(7), FILMS, 4, STRONG) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_film_and_mask_move_together() -> None:
    maps = random_warp(np.random.default_rng(3), (192, 192), Jitter())
    mask = np.asarray(FILMS[0].mask / 255, np.float32)
    np.testing.assert_array_equal(warp(mask, maps, 0.0), warp(mask.copy(), maps, 0.0))
    assert 0 < warp(mask, maps, 0.0).mean() < 1


def test_opacities_brighten_the_lungs_and_nothing_else_much() -> None:
    film, mask = (np.asarray(grey / 255, np.float32) for grey in (FILMS[1].pixels, FILMS[1].mask))
    for seed in range(8):
        changed = add_opacities(np.random.default_rng(seed), film, mask)
        assert changed.min() >= film.min() - 1e-6
        assert (changed - film)[mask > 0.9].mean() > (changed - film)[mask < 0.1].mean()


def test_a_film_without_lungs_gets_no_opacities() -> None:
    film = np.full((40, 40), 0.5, np.float32)
    assert add_opacities(np.random.default_rng(0), film, np.zeros_like(film)) is film


@pytest.mark.parametrize("change", [change for change, _ in CHANGES], ids=lambda change: change.__name__)
def test_every_change_of_appearance_keeps_size_and_finite_values(change: Change) -> None:
    film = np.asarray(FILMS[0].pixels / 255, np.float32)
    for seed in range(5):
        changed = change(np.random.default_rng(seed), film)
        assert changed.shape == film.shape
        assert np.isfinite(changed).all()


def test_strength_nothing_changes_nothing() -> None:
    film = np.asarray(FILMS[0].pixels / 255, np.float32)
    np.testing.assert_array_equal(change_appearance(np.random.default_rng(0), film, 0.0), film)
