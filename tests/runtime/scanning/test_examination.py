import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from cxr_runtime.errors import InstallationError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.reading import failure
from cxr_runtime.scanning import examination
from cxr_runtime.scanning.answers import Examining
from cxr_runtime.scanning.examination import Examination, Examined, Order, Unread, examine
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import Place
from cxr_runtime.workers.pool import WorkerPool


def of(path: Path) -> Examination:
    return Examination(Place(1, path.name, ""), FileOnDisk(path.name, path), Preprocessing())


def wanting_opencv() -> cv2.error:
    """What OpenCV raises where memory ran out."""
    error = cv2.error("Insufficient memory")
    error.code = cv2.Error.STS_NO_MEM
    return error


@pytest.mark.parametrize(
    ("stumble", "told"),
    [
        (ImportError("no library"), ImportError),
        (MemoryError(), MemoryError),
        (wanting_opencv(), MemoryError),
    ],
)
def test_what_the_machine_lacks_is_never_called_a_damage_of_the_film(
    stumble: Exception, told: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_content: bytes) -> None:
        try:
            try:
                raise stumble
            except Exception as error:
                raise KeyError("as libraries do") from error
        except KeyError as error:
            raise failure.damaged("its pages cannot be decoded") from error

    monkeypatch.setattr(examination, "read_film", read)
    (tmp_path / "film.tif").write_bytes(b"x")
    with pytest.raises(told):
        examine(Order(Preprocessing(), of(tmp_path / "film.tif").source))


def test_a_codec_that_does_not_load_is_a_fault_of_the_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(
        tmp_path / "film.tif", np.arange(4096, dtype=np.uint8).reshape(64, 64), compression="lzw"
    )
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['imagecodecs._imcd'] = None")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with (
        WorkerPool[Examination, Examined](Examining(), 1) as pool,
        pytest.raises(InstallationError, match=r"imcd.*install cxr-triage anew"),
    ):
        list(pool.results([of(tmp_path / "film.tif")]))


def test_a_damaged_film_stays_one(tmp_path: Path) -> None:
    (tmp_path / "film.tif").write_bytes(b"II*\0" + bytes(40))
    film = examine(Order(Preprocessing(), of(tmp_path / "film.tif").source))
    assert isinstance(film, Unread)
    assert film.is_lasting
