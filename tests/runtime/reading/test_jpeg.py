"""JPEG files of every process that libraries can write become the same film."""

import cv2
import imagecodecs
import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film
from cxr_runtime.reading.jpeg_lossless import ends_as_coded
from cxr_runtime.reading.jpeg_markers import SOS, complete_frame

END = b"\xff\xd9"


@pytest.mark.parametrize("progressive", [False, True])
def test_grey_baseline_and_progressive(progressive: bool) -> None:
    film = read_film(files.jpeg_file(files.phantom(), progressive=progressive))
    assert np.abs(film.pixels.astype(int) - files.phantom()).mean() < 2
    assert film.facts.file_format == "jpeg"


def test_a_grey_film_saved_in_colour_keeps_its_levels() -> None:
    film = read_film(files.jpeg_file(np.repeat(files.phantom()[..., None], 3, axis=2)))
    assert np.abs(film.pixels.astype(int) - files.phantom()).mean() < 2


def test_of_a_coloured_picture_the_luminance_is_read() -> None:
    film = read_film(files.jpeg_file(files.colour_picture()))
    luminance = files.colour_picture() @ np.array([0.299, 0.587, 0.114])
    assert np.abs(film.pixels - luminance).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(orientation: int) -> None:
    upright = files.phantom(96, 80)
    film = read_film(files.jpeg_file(files.turned(upright, orientation), orientation=orientation))
    assert film.hw == (96, 80)
    assert np.abs(film.pixels.astype(int) - upright).mean() < 2


@pytest.mark.parametrize("bits", [12, 16])
def test_twelve_bits_and_lossless_are_read(bits: int) -> None:
    samples = (files.phantom().astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)
    content = imagecodecs.jpeg8_encode(samples, bitspersample=bits, lossless=bits == 16, level=98)
    film = read_film(bytes(content))
    assert np.abs(film.pixels.astype(int) - files.phantom()).mean() < 2


def test_what_follows_the_end_mark_does_no_harm() -> None:
    content = files.jpeg_file(files.phantom())
    expected = read_film(content).pixels
    np.testing.assert_array_equal(read_film(content + b"trailer \xff\xd8\xff").pixels, expected)


def test_the_end_mark_of_a_thumbnail_is_not_the_pictures() -> None:
    thumbnail = b"\xff\xd8" + b"small" + END
    segment = b"\xff\xe2" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    content = files.jpeg_file(files.phantom())
    read_film(content[:2] + segment + content[2:])
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:2] + segment + content[2:-400])
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("kind", ["baseline", "progressive", "colour", "12 bits", "lossless"])
def test_an_end_mark_set_behind_half_a_picture_deceives_nobody(kind: str, share: float) -> None:
    content = {
        "baseline": lambda: files.jpeg_file(files.phantom()),
        "progressive": lambda: files.jpeg_file(files.phantom(), progressive=True),
        "colour": lambda: files.jpeg_file(files.colour_picture()),
        "12 bits": lambda: bytes(imagecodecs.jpeg8_encode(_deep(12), bitspersample=12)),
        "lossless": lambda: bytes(imagecodecs.jpeg8_encode(_deep(16), bitspersample=16, lossless=True)),
    }[kind]()
    scan = content.rindex(b"\xff\xda") if kind == "progressive" else content.index(b"\xff\xda")
    start = scan + 16
    cut = start + int((len(content) - 2 - start) * share)
    while content[cut - 1] == 0xFF:
        cut -= 1
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:cut] + END)
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_is_not_taken_for_a_cut_one(level: int) -> None:
    flat = np.full((64, 64), level, np.uint8)
    np.testing.assert_array_equal(read_film(files.jpeg_file(flat)).pixels, flat)


def test_zeros_in_the_place_of_the_rest_are_noticed() -> None:
    content = files.jpeg_file(files.phantom())
    half = len(content) // 2
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content[:half] + bytes(len(content) - half))
    assert caught.value.code == "truncated"


def test_a_frame_header_may_refuse_the_picture() -> None:
    content = bytearray(files.jpeg_file(files.phantom()))
    size = content.index(b"\xff\xc0") + 5
    content[size : size + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(bytes(content))
    assert caught.value.code == "too-large"


def test_a_stream_without_a_picture_is_damaged() -> None:
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(b"\xff\xd8\xff\xfe\x00\x04hi" + END)
    assert caught.value.code == "damaged"


def test_the_walk_reads_what_opencv_reads() -> None:
    content = cv2.imencode(".jpg", files.phantom())[1].tobytes()
    frame = complete_frame(content)
    assert (frame.rows, frame.columns, frame.components, frame.bits) == (96, 80, 1, 8)
    assert content[frame.end : frame.end + 2] == END


def _deep(bits: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return (files.phantom().astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)


def test_a_progressive_picture_cut_between_scans_is_truncated() -> None:
    content = files.jpeg_file(files.phantom(), progressive=True)
    scans = [segment.end for segment in complete_frame(content).segments if segment.marker == SOS]
    for scan in scans[1:]:
        with pytest.raises(UnreadableFilmError, match="scans") as caught:
            read_film(content[: content.rindex(b"\xff\xda", 0, scan)] + END)
        assert caught.value.code == "truncated"


def damaged_streams(stream: bytes) -> dict[str, bytes]:
    """A stream damaged in its middle, and one whose header states fewer rows."""
    middle, size = len(stream) // 2, complete_frame(stream).header.end
    fewer = bytearray(stream)
    rows = size - len(complete_frame(stream).header.body) + 1
    fewer[rows : rows + 2] = (64).to_bytes(2, "big")
    return {
        "zeroed": stream[:middle] + bytes(900) + stream[middle + 900 :],
        "lost": stream[:middle] + stream[middle + 400 :],
        "doubled": stream[: middle + 400] + stream[middle:],
        "fewer rows": bytes(fewer),
    }


KINDS = ("baseline", "progressive", "restarts", "colour", "12 bits", "lossless", "SV6")


def stream_of(kind: str) -> bytes:
    """A picture of 160 x 128 in one process of JPEG."""
    pixels, restarts = files.phantom(160, 128), [cv2.IMWRITE_JPEG_RST_INTERVAL, 8]
    deep = pixels.astype(np.uint16) * 16
    match kind:
        case "baseline" | "progressive":
            return files.jpeg_file(pixels, progressive=kind == "progressive")
        case "restarts":
            return cv2.imencode(".jpg", pixels, [*restarts, cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        case "colour":
            return files.jpeg_file(files.colour_picture(160, 128))
        case "12 bits":
            return bytes(imagecodecs.jpeg8_encode(deep, bitspersample=12))
    predictor = 6 if kind == "SV6" else 1
    return bytes(imagecodecs.jpeg8_encode(deep, bitspersample=12, lossless=True, predictor=predictor))


@pytest.mark.parametrize("damage", ["zeroed", "lost", "doubled", "fewer rows"])
@pytest.mark.parametrize("kind", KINDS)
def test_damage_within_a_stream_is_refused(kind: str, damage: str) -> None:
    stream = stream_of(kind)
    read_film(stream)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(damaged_streams(stream)[damage])
    assert caught.value.code in ("damaged", "truncated")


@pytest.mark.parametrize("predictor", range(1, 8))
def test_the_end_of_a_lossless_stream_is_found_in_the_picture(predictor: int) -> None:
    deep = np.random.default_rng(1).normal(2000, 20, (64, 96)).astype(np.uint16)
    stream = bytes(imagecodecs.jpeg8_encode(deep, bitspersample=12, lossless=True, predictor=predictor))
    frame = complete_frame(stream)
    assert ends_as_coded(stream, frame, deep)
    assert not ends_as_coded(stream, frame, np.roll(deep, 3))
    assert not ends_as_coded(stream[: frame.end - 9] + stream[frame.end :], frame, deep)


def test_samples_beyond_the_stated_bits_are_damage() -> None:
    stream = bytearray(imagecodecs.jpeg8_encode(_deep(16), bitspersample=16, lossless=True))
    frame = complete_frame(bytes(stream))
    stream[frame.header.end - len(frame.header.body)] = 12
    with pytest.raises(UnreadableFilmError, match="12 bits"):
        read_film(bytes(stream))


def test_scan_headers_of_old_archives_do_no_harm() -> None:
    content = files.jpeg_file(files.phantom())
    scan = complete_frame(content).segments[-1].end
    odd = content[: scan - 3] + bytes(3) + content[scan:]
    np.testing.assert_array_equal(read_film(odd).pixels, read_film(content).pixels)


@pytest.mark.parametrize(("across", "down", "hw"), [(2, 1, (192, 80)), (1, 2, (96, 160))])
def test_densities_that_differ_by_axis_make_pixels_square(
    across: int, down: int, hw: tuple[int, int]
) -> None:
    content = bytearray(cv2.imencode(".jpg", files.phantom())[1].tobytes())
    density = content.index(b"JFIF\0") + 8
    content[density : density + 4] = bytes([0, across, 0, down])
    assert read_film(bytes(content)).hw == hw
