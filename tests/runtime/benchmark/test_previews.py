"""What a kept film has lost is measured: the finer its quality, the less, and nothing at all without loss."""

import numpy as np

from cxr_runtime.benchmark.previews import even_parts, loss_of, preview_table, squares
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg

FILM = draw_phantom(1, hw=(800, 800))


def test_a_coarse_jpeg_loses_more_than_a_fine_one_in_every_respect() -> None:
    coarse, fine = (loss_of(FILM, lambda film, q=q: encode_jpeg(film, q)) for q in (60, 95))  # type: ignore[misc]
    assert coarse.kilobytes < fine.kilobytes / 3
    assert coarse.psnr < fine.psnr - 5
    assert coarse.ssim < fine.ssim < 1
    assert coarse.squares > fine.squares + 0.2
    assert coarse.unevenness > 2 * fine.unevenness
    assert coarse.line_of_2 < 95 < fine.line_of_2
    assert abs(fine.line_of_4 - 100) < 3
    assert abs(fine.nodule_of_4 - 100) < 3


def test_squares_are_the_steps_at_every_eighth_pixel() -> None:
    blocks = np.kron(np.arange(100, dtype=np.uint8).reshape(10, 10) % 2 * 3 + 100, np.ones((8, 8), np.uint8))
    assert squares(blocks, np.ones((80, 80), np.bool_)) == 1.5  # of 3 levels along rows, none along columns


def test_even_parts_are_neither_edges_nor_what_lies_around_the_body() -> None:
    film = np.full((200, 200), 120, np.uint8)
    film[:, 100:] = 160
    film[:60] = 5
    even = even_parts(film)
    assert even[120, 50]
    assert even[120, 150]
    assert not even[120, 98:102].any()
    assert not even[:60].any()
    assert not even[:, :20].any()


def test_a_quality_that_makes_films_smaller_stands_beside_the_same_at_reading_size() -> None:
    rows = [line.split("|") for line in preview_table([FILM], [88, 70]).splitlines()[2:]]
    assert [(row[1].strip(), row[2].strip()) for row in rows] == [("88", "800"), ("70", "736"), ("70", "800")]
