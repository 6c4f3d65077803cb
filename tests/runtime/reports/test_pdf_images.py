"""Films and heat go into the PDF as their files hold them, and look as any other way would draw them."""

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_runtime.heat.colours import palette
from cxr_runtime.heat.overlay import heat_layer
from cxr_runtime.pictures import encode_indexed_png, encode_jpeg, encode_png, palette_chunks
from cxr_runtime.reports.pdf.images import film_image, heat_image
from cxr_runtime.reports.pdf.sheet import Sheet
from drawn_exhibits import RUN

RGB, COVERED = palette()
LAYER_RGBA = np.column_stack([RGB, np.rint(255 * COVERED)]).astype(np.uint8)
HEAT = cv2.GaussianBlur(np.eye(24, 30, dtype=np.float32) * 9, (0, 0), 3).clip(0, 1)


FILM = encode_jpeg(np.add.outer(np.arange(125), np.arange(100)).astype(np.uint8))


def layer() -> bytes:
    return heat_layer(HEAT, (1000, 800), 0.2)


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils are not installed: no pdftoppm")
def test_it_looks_as_when_the_library_draws_it(tmp_path: Path) -> None:
    pages = []
    for name, by_hand in (("ours", True), ("library", False)):
        path, film = tmp_path / "layer.png", tmp_path / "film.jpg"
        path.write_bytes(layer())
        film.write_bytes(FILM)
        with closing(Sheet(RUN)) as sheet:
            sheet.add_page()
            sheet.set_fill_color(90, 120, 60)
            sheet.rect(20, 40, 100, 125, style="F")
            known, beneath = heat_image(sheet, layer()), film_image(sheet, FILM)
            assert known is not None
            assert beneath is not None
            sheet.image(beneath if by_hand else film, 150, 40, 100, 125)
            sheet.image(known if by_hand else path, 20, 40, 100, 125)
            sheet.output(str(tmp_path / f"{name}.pdf"))
        command = ["pdftoppm", "-r", "72", "-png", "-singlefile", f"{name}.pdf", name]
        subprocess.run(command, check=True, cwd=tmp_path)
        pages.append(cv2.imread(str(tmp_path / f"{name}.png")))
    ours, library = pages
    assert ours is not None
    assert library is not None
    np.testing.assert_array_equal(ours, library)
    assert len(np.unique(ours.reshape(-1, 3), axis=0)) > 8  # the colours are there


def test_a_picture_is_held_once() -> None:
    with closing(Sheet(RUN)) as sheet:
        assert heat_image(sheet, layer()) == heat_image(sheet, layer())
        assert film_image(sheet, FILM) == film_image(sheet, FILM)
        assert len(sheet.image_cache.images) == 2


def test_a_picture_of_another_kind_is_left_to_the_library() -> None:
    cells = np.zeros((20, 30), np.uint8)
    good = encode_indexed_png(cells, palette_chunks(LAYER_RGBA))
    at = good.index(b"IDAT")
    others = (
        b"",
        b"\xff\xd8 a JPEG",
        encode_png(np.zeros((20, 30, 4), np.uint8)),  # as 0.1.0 kept it
        encode_indexed_png(cells + len(LAYER_RGBA), palette_chunks(LAYER_RGBA)),  # beyond the palette
        good[:-30],
        good[: at + 4] + bytes(8) + good[at + 12 :],
        good.replace(b"tRNS", b"tEXt"),
    )
    with closing(Sheet(RUN)) as sheet:
        assert [heat_image(sheet, other) for other in others] == [None] * len(others)
        colour = cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
        assert [film_image(sheet, other) for other in (b"", good, FILM[:20], colour)] == [None] * 4
        assert not sheet.image_cache.images
