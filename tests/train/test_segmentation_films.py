from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_runtime.errors import UsageError
from cxr_train.segmentation.films import read_outlined_films


def _write(folder: Path, name: str, hw: tuple[int, int]) -> None:
    cv2.imwrite(str(folder / name), np.full(hw, 100, np.uint8))


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
