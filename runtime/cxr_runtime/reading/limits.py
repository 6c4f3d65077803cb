"""The largest picture that is decoded, checked on the header before any pixel is."""

from cxr_runtime.errors import UnreadableFilmError

MAX_PIXELS = 100_000_000  # rows x columns; the largest detectors give about 20 million


def check_size(rows: int, columns: int) -> None:
    """Refuse a picture without pixels, or one so large that decoding it would exhaust the memory.

    Raises:
        UnreadableFilmError: `no-pixels` or `too-large`.
    """
    if rows <= 0 or columns <= 0:
        raise UnreadableFilmError(
            "no-pixels", f"the header states {rows} x {columns} pixels; expected a picture: export it again"
        )
    if rows * columns > MAX_PIXELS:
        raise UnreadableFilmError(
            "too-large",
            f"the header states {rows} x {columns} pixels; at most {MAX_PIXELS // 1_000_000} megapixels are "
            "read: export the film at its own size",
        )
