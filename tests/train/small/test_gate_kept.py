"""The gate's pictures, kept as they were read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_train.small.gate.kept import kept_pictures
from cxr_train.small.gate.locked import part_of
from cxr_train.small.gate.pictures import Picture
from gate_pictures import gate_pictures


class Reading:
    """Draws pictures in the place of a folder's, and notes from where they were asked for."""

    def __init__(self) -> None:
        self.folders = list[Path]()

    def __call__(self, folder: Path) -> list[Picture]:
        self.folders.append(folder)
        return _pictures(folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "table.csv").write_text("file\n")
    return folder


def _pictures(data: Path) -> list[Picture]:
    drawn = gate_pictures(2)
    return [replace(drawn[0], path=data / "a.png", view="PA"), *drawn[1:]]


def test_pictures_are_read_once_and_come_back_as_they_were(data: Path, tmp_path: Path) -> None:
    read = Reading()
    for _ in range(2):
        for found, drawn in zip(kept_pictures(data, tmp_path / "cache", read), _pictures(data), strict=True):
            facts = ("name", "collection", "group", "kind", "path", "view")
            assert [getattr(found, fact) for fact in facts] == [getattr(drawn, fact) for fact in facts]
            assert found.part is part_of(drawn.group)
            np.testing.assert_array_equal(found.pixels, drawn.pixels)
            assert (found.lungs is None) == (drawn.lungs is None)
            if found.lungs is not None and drawn.lungs is not None:
                np.testing.assert_array_equal(found.lungs, drawn.lungs)
    assert read.folders == [data]


def test_pictures_are_read_again_once_a_file_of_them_has_changed(data: Path, tmp_path: Path) -> None:
    read = Reading()
    kept_pictures(data, tmp_path, read)
    (data / "table.csv").write_text("file\nb.png\n")
    kept_pictures(data, tmp_path, read)
    assert read.folders == [data, data]
