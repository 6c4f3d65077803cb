"""Names of films as names of new files."""

import unicodedata

from cxr_runtime.film_name import folder_and_name

SHA_DIGITS = 12  # of the sha256 at the end of a name, so that equal stems do not meet
MAX_STEM_BYTES = 160  # in UTF-8; file systems allow 255 for a name with its ending


def safe_name(file: str, sha256: str) -> str:
    """Name the pictures that belong to a film.

    Args:
        file: the film as named in results.csv.
        sha256: 64 hex digits of its bytes.

    Returns:
        Letters (of any script), digits, `-`, `_` and `.` only, never empty, fit for every file system.
    """
    _, last = folder_and_name(file)
    stem = last.rpartition(".")[0] or last
    kept = "".join(char if _is_safe(char) else "_" for char in unicodedata.normalize("NFC", stem))
    short = kept.encode("utf-8", "ignore")[:MAX_STEM_BYTES].decode("utf-8", "ignore").strip("._")
    return f"{short or 'film'}-{sha256[:SHA_DIGITS]}"


def _is_safe(char: str) -> bool:
    return char in "-_." or unicodedata.category(char)[0] in "LNM"  # letters, numbers, marks
