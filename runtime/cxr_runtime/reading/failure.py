"""The failures that several readers share, worded once, and the largest picture that is decoded."""

from cxr_runtime.errors import UnreadableFilmError


def truncated(what: str) -> UnreadableFilmError:
    """The file ends before its picture does; `what` names the part that is missing."""
    return UnreadableFilmError("truncated", f"the file ends early, {what}; copy or export the film again")


def damaged(what: str) -> UnreadableFilmError:
    """The file contradicts itself or its picture cannot be decoded; `what` says how."""
    return UnreadableFilmError("damaged", f"the file is damaged, {what}; copy or export the film again")


def unsupported(what: str) -> UnreadableFilmError:
    """The file is sound but coded in a way that is not read; `what` names it."""
    return UnreadableFilmError(
        "unsupported", f"{what} is not read; export the film as uncompressed DICOM or as PNG"
    )


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


def check_rest(rest: bytes) -> None:
    """Refuse what is left over behind the picture of a file, unless it is filling or text.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    is_text = all(byte >= 32 or byte in b"\t\r\n\0" for byte in rest[:512]) and max(rest, default=0) < 127
    if rest.strip(rest[:1]) and not is_text:
        raise damaged(f"{len(rest)} bytes of it are left over behind the picture")
