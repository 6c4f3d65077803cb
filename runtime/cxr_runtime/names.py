"""Names of films, and text from outside: made fit to show, to take apart, and to name new files by."""

import re
import unicodedata

# Controls, lone surrogates (bytes of a name that are no text), line and paragraph separators, marks
# without a width, by which two names look alike, and those that turn the direction of text, by which
# `fdp.exe` can be shown as `exe.pdf` (Unicode UAX #9, 2.1 to 2.4). U+200C and U+200D shape words, and stay.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)


def printable(text: str) -> str:
    """One line of valid Unicode; every character that cannot be shown becomes its `\\xNN` or `\\uNNNN`."""
    return text if text.isprintable() else _UNSEEN.sub(lambda found: escaped(found[0]), text)


def escaped(character: str) -> str:
    """A code: `\\x0a`, `\\u202e`, `\\U0001f600`; of a byte that is no text (PEP 383), the byte itself."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Ends of folders: a slash, the mark behind a zip file, and the backslash of Windows; not the backslash that
# spells out an unseen character (`printable`).
_SEPARATOR = re.compile(r"/|(?<=\.zip)!|\\(?!x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})", re.IGNORECASE)


def folder_and_name(file: str) -> tuple[str, str]:
    """Split a film as named in results.csv; the two parts together are `file`, the name is its end."""
    end = file.rfind("/") + 1
    if 0 < end < len(file) and "!" not in file[end:] and "\\" not in file[end:]:
        return file[:end], file[end:]
    ends = [found.end() for found in _SEPARATOR.finditer(file) if found.end() < len(file)]
    end = ends[-1] if ends else 0
    return file[:end], file[end:]


SHA_DIGITS = 12  # of the sha256 at the end of a name, so that equal stems do not meet
# Names that Windows keeps for devices, whatever follows behind a dot (Microsoft, Naming Files).
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|(?:COM|LPT)[0-9¹²³])\.", re.IGNORECASE)
_PLAIN = re.compile("[-_.A-Za-z0-9]*")
MAX_STEM_BYTES = 160  # in UTF-8; file systems allow 255 for a name with its ending


def composed(name: str) -> str:
    """A name as `safe_name` gives it: macOS may give a letter and its accent apart (Unicode UAX #15, NFC)."""
    return unicodedata.normalize("NFC", name)


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
    kept = stem if _PLAIN.fullmatch(stem) else _kept(stem)
    short = kept.encode("utf-8", "ignore")[:MAX_STEM_BYTES].decode("utf-8", "ignore").strip("._")
    return f"{'_' if _DEVICE.match(short) else ''}{short or 'film'}-{sha256[:SHA_DIGITS]}"


def _kept(stem: str) -> str:
    """A stem with `_` in place of all but letters, numbers and marks."""
    return "".join(
        char if char in "-_." or unicodedata.category(char)[0] in "LNM" else "_"
        for char in unicodedata.normalize("NFC", stem)
    )
